#!/usr/bin/env bash
# The modules are what go.sum says, and none that is called has a known hole. The
# database of holes is on the network; where that is closed, this says so.
set -euo pipefail
cd "$(dirname "$0")/.."
go mod verify
go -C tools mod verify
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if make -s vuln 2>&1 | tee "$log"; then
	exit 0
fi
if grep -q '^govulncheck: fetching vulnerabilities: ' "$log"; then
	echo "skipped: govulncheck can't reach its database from this machine"
else
	exit 1
fi
