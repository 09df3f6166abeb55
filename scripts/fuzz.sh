#!/usr/bin/env bash
# Runs every fuzz target of the module in turn, for as long as asked:
# scripts/fuzz.sh TIME. Prints target, executions and result; a failing input is
# kept by Go in the package's testdata/fuzz. Fails when any target fails.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0 ran=0
while IFS=: read -r file name; do
	pkg=./$(dirname "$file")
	ran=$((ran + 1))
	result=ok
	go test "$pkg" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 5s >"$log" 2>&1 || { result=FAILED; failed=$((failed + 1)); }
	execs=$(grep -o 'execs: [0-9]*' "$log" | tail -1 | cut -d' ' -f2 || true)
	printf '%-30s %-28s %10s execs  %s\n' "${pkg#./}" "$name" "${execs:-0}" "$result"
	[ "$result" = ok ] || cat "$log"
done < <(git ls-files --cached --others --exclude-standard '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]+' | sed 's/:func /:/' | sort)
echo "$ran targets, $failed failed"
[ "$ran" -gt 0 ] && [ "$failed" -eq 0 ]
