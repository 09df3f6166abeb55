package retention.expire_nightlies_test

import data.retention.expire_nightlies

# Only the fields that the policy looks at.
_image(id, tags, age_days) := {"id": id, "name": "sha256:0", "state": "active", "tags": tags, "age_days": age_days}

_deleted(images) := {d.version | some d in decisions} if {
	decisions := expire_nightlies.decisions with input as {"package": {"package_type": "container"}, "versions": images}
		with data.params.expire_nightlies as {"globs": ["nightly-*"], "older_than_days": 21, "newest": 1}
}

test_old_nightlies_go if {
	_deleted([_image("3", ["nightly-3"], 1), _image("2", ["nightly-2"], 22), _image("1", ["nightly-1"], 40)]) == {"1", "2"}
}

test_at_exactly_the_limit_it_stays if {
	_deleted([_image("2", ["nightly-2"], 1), _image("1", ["nightly-1"], 21)]) == set()
}

test_the_newest_stays_whatever_its_age if _deleted([_image("1", ["nightly-1"], 400)]) == set()

test_another_tag_keeps_it if {
	_deleted([_image("2", ["nightly-2"], 1), _image("1", ["nightly-1", "v1.0.0"], 40)]) == set()
}

test_untagged_is_not_nightly if _deleted([_image("2", ["nightly-2"], 1), _image("1", [], 40)]) == set()

test_an_unknown_age_is_not_old if {
	_deleted([_image("2", ["nightly-2"], 1), _image("1", ["nightly-1"], null)]) == set()
}
