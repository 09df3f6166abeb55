package lib.params_test

import data.lib.params

test_of_is_the_whole_object if {
	params.of("p") == {"days": 3} with data.params as {"p": {"days": 3}}
}

test_of_is_undefined_for_an_unknown_policy if {
	not params.of("p") with data.params as {}
}

test_numbers if {
	params.number("p", "zero") == 0 with data.params.p as {"zero": 0}
	params.number("p", "half") == 0.5 with data.params.p as {"half": 0.5}
}

test_what_is_not_a_number_is_undefined if {
	every value in [null, "30", true, [], {}, -1] {
		not params.number("p", "n") with data.params.p as {"n": value}
	}
	not params.number("p", "n") with data.params.p as {}
}

test_lists_of_strings if {
	params.strings("p", "l") == [] with data.params.p as {"l": []}
	params.strings("p", "l") == ["a", "B"] with data.params.p as {"l": ["a", "B"]}
	params.lower_strings("p", "l") == ["a", "b"] with data.params.p as {"l": ["a", "B"]}
}

test_what_is_not_a_list_of_strings_is_undefined if {
	every value in [null, "a", {"a": "b"}, ["a", 1]] {
		not params.strings("p", "l") with data.params.p as {"l": value}
		not params.lower_strings("p", "l") with data.params.p as {"l": value}
	}
}

test_texts if {
	params.text("p", "t") == "minor" with data.params.p as {"t": "minor"}
	not params.text("p", "t") with data.params.p as {"t": 1}
}

test_is_set_only_for_true if {
	params.is_set("p", "f") with data.params.p as {"f": true}
	every value in [false, "true", 1, null] {
		not params.is_set("p", "f") with data.params.p as {"f": value}
	}
	not params.is_set("p", "f") with data.params as {}
}
