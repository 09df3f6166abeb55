# METADATA
# title: Parameters
# description: |
#   The parameters of a policy, from data.params. Everything here is undefined
#   when a parameter is missing or of the wrong type: a policy that deletes then
#   has nothing to delete, and a policy that keeps must keep the whole package.
# scope: package
package lib.params

# METADATA
# title: All parameters of one policy
of(policy) := data.params[policy]

# METADATA
# title: A number that is not negative
number(policy, name) := value if {
	value := data.params[policy][name]
	is_number(value)
	value >= 0
}

# METADATA
# title: A list of strings
strings(policy, name) := value if {
	value := data.params[policy][name]
	is_array(value)
	count([item | some item in value; is_string(item)]) == count(value)
}

# METADATA
# title: A list of strings, all in lower case
lower_strings(policy, name) := lowered if {
	value := data.params[policy][name]
	is_array(value)
	lowered := [lower(item) | some item in value; is_string(item)]
	count(lowered) == count(value)
}

# METADATA
# title: A text
text(policy, name) := value if {
	value := data.params[policy][name]
	is_string(value)
}

# METADATA
# title: A yes or no
is_set(policy, name) if data.params[policy][name] == true
