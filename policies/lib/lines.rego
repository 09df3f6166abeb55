# METADATA
# title: The newest of each line
# description: |
#   Entries are arrays [line, order…, id] that sort with the newest of a line first.
#   One sort and one look back by `size` places, so that it stays cheap however
#   many lines there are.
# scope: package
package lib.lines

# METADATA
# title: The ids of the first `size` entries of every line
newest(entries, size) := {entry[count(entry) - 1] |
	sorted := sort(entries)
	some i, entry in sorted
	not _has_line(sorted, i - size, entry[0])
}

_has_line(sorted, i, line) if sorted[i][0] == line
