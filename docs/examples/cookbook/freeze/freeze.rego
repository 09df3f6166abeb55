# METADATA
# title: Freeze
# description: Keeps everything while a document that the release team writes says so.
# scope: package
# schemas:
#   - input: schema.input
# custom:
#   mode: enforce
#   severity: info
package retention.freeze

decisions contains {"action": "keep", "package": true, "reason": reason} if {
	some freeze in data.freezes
	input.evaluated_at >= freeze.from # RFC 3339 in UTC sorts as text
	input.evaluated_at < freeze.to
	reason := sprintf("frozen until %s: %s", [freeze.to, freeze.why])
}
