# METADATA
# title: Globs
# description: |
#   Tags and names against lists of globs. A star stops at nothing, not even at a
#   dot or a slash; {a,b} is either. Whole sets are matched at once, since that is
#   several times faster than one text at a time. Where a glob is malformed and OPA
#   does not stop at the error, no text is known to match and none to miss: a
#   delete that asks for the matching and a keep that takes away the missing
#   both err towards keeping.
# scope: package
package lib.globs

# METADATA
# title: The texts that at least one glob is known to match
matching(texts, patterns) := {text |
	some text in texts
	some pattern in patterns
	glob.match(pattern, null, text)
}

# METADATA
# title: The texts that every glob is known not to match; all of them for an empty list
missing(texts, patterns) := _unmatched(texts - exact, wilds) if {
	exact := {pattern | some pattern in patterns; _is_exact(pattern)}
	wilds := [pattern | some pattern in patterns; not pattern in exact]
}

_unmatched(texts, wilds) := texts if count(wilds) == 0

_unmatched(texts, wilds) := intersection({unmatched |
	some wild in wilds
	unmatched := {text | some text in texts; glob.match(wild, null, text) == false}
}) if {
	count(wilds) > 0
}

_is_exact(pattern) if not regex.match(`[^A-Za-z0-9_.:@/+-]`, pattern)
