#!/usr/bin/env bash
# The demo as a stranger runs it: its output must tell the whole story.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
env -i PATH="$PATH" HOME="$(mktemp -d)" bin/shelflife demo >"$out" 2>&1 || { cat "$out"; exit 1; }
expect() {
	grep -qE -- "$1" "$out" || { cat "$out"; echo "the demo does not show: $1"; exit 1; }
}
expect 'expire_untagged: untagged for [0-9]+ days'
expect 'expire_pull_requests: '
expect 'expire_prereleases/superseded: '
expect '^7 to delete, 0 to restore, 81 kept'
expect '^7 done'
expect '^acme/container/team/api +47 +41 +6'
expect '^acme/npm/widgets +14 +13 +1'
expect '^acme/maven/com.acme.billing +6 +6 +0'
expect '^All 88 versions are back'
expect 'undo of [0-9TZ]+-[0-9a-f]{8}'
expect ' whole$'
expect '^1 ledger checked, 0 broken'
echo "demo: plan, apply, what is left, undo and ledger are as they should be"
