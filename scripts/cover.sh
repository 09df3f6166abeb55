#!/usr/bin/env bash
# cover.sh PERCENT PACKAGE... : each package's own tests cover at least PERCENT
# of its statements.
set -euo pipefail
cd "$(dirname "$0")/.."
least=$1
shift
failed=0
for pkg in "$@"; do
	out=$(go test -cover "./$pkg") || { echo "$out"; exit 1; }
	got=$(sed -nE 's/.*coverage: ([0-9.]+)% of statements.*/\1/p' <<<"$out" | head -n 1)
	[ -n "$got" ] || { echo "no coverage figure for $pkg: $out"; exit 1; }
	printf '%-28s %5s %%\n' "$pkg" "$got"
	awk -v g="$got" -v l="$least" 'BEGIN { exit !(g < l) }' && { echo "  under $least %"; failed=1; }
done
exit "$failed"
