package lib.globs_test

import data.lib.globs

_texts := {"main", "release-1.2/x", "pr-1", ""}

test_what_matches_and_what_misses if {
	globs.matching(_texts, ["main", "release-*"]) == {"main", "release-1.2/x"}
	globs.missing(_texts, ["main", "release-*"]) == {"pr-1", ""}
}

test_case_matters if {
	globs.matching({"Latest"}, ["latest", "lat*"]) == set()
	globs.missing({"Latest"}, ["latest", "lat*"]) == {"Latest"}
}

test_every_kind_of_glob_is_matched_as_one if {
	every text, pattern in {"beta": "{alpha,beta}", "v1": "v?", "v2": "v[0-9]", "sha256:1": "sha256:1", "a*": `a\*`} {
		globs.matching({text, "other"}, [pattern]) == {text}
		globs.missing({text, "other"}, [pattern]) == {"other"}
	}
}

test_an_empty_list_matches_nothing if {
	globs.matching(_texts, []) == set()
	globs.missing(_texts, []) == _texts
}

test_a_malformed_glob_neither_matches_nor_misses if {
	globs.matching(_texts, ["[a"]) == set()
	globs.missing(_texts, ["[a"]) == set()
}

test_an_empty_text_matches_a_star if {
	globs.matching({""}, ["*"]) == {""}
	globs.missing({""}, ["*"]) == set()
}
