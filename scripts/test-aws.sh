#!/usr/bin/env bash
# Runs Go tests and says what they did: test-aws.sh PACKAGE… [FLAG…]. Failures are
# shown whole; of the rest only counts, what was skipped and why, and what the
# end-to-end tests say of themselves.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
go test -count=1 -v "$@" >"$out" 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
	cat "$out"
fi
echo
# A skipped test tells why in the line after its name.
grep -hoE 'skipped: .*' "$out" | sort | uniq -c | sed 's/^ *\([0-9]*\) /  \1 × /' || true
grep -hE '^functions/e2e: |seeds [0-9]+ to [0-9]+' "$out" | sed 's/^ */  /' || true
printf '%s tests passed, %s failed, %s skipped, in %ss\n' \
	"$(grep -cE '^ *--- PASS' "$out" || true)" "$(grep -cE '^ *--- FAIL' "$out" || true)" "$(grep -cE '^ *--- SKIP' "$out" || true)" "$SECONDS"
exit "$status"
