package lib.lines_test

import data.lib.lines

_entries := [["a", 3, "a3"], ["b", 1, "b1"], ["a", 1, "a1"], ["a", 2, "a2"], ["b", 2, "b2"], ["c", 1, "c1"]]

test_the_first_of_every_line if {
	lines.newest(_entries, 1) == {"a1", "b1", "c1"}
	lines.newest(_entries, 2) == {"a1", "a2", "b1", "b2", "c1"}
	lines.newest(_entries, 9) == {"a1", "a2", "a3", "b1", "b2", "c1"}
}

test_a_size_of_zero if lines.newest(_entries, 0) == set()

test_no_entries if lines.newest([], 3) == set()
