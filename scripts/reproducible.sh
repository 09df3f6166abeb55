#!/usr/bin/env bash
# Builds both functions here and in a copy of the sources elsewhere, and fails when
# the bootstraps differ by a byte.
set -euo pipefail
cd "$(dirname "$0")/.."
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
mkdir "$elsewhere/another-name"
tar --exclude=.git --exclude=.venv --exclude=bin --exclude=node_modules --exclude=.aws-sam -cf - . | tar -xf - -C "$elsewhere/another-name"
for f in EnforcerFunction WebhookFunction; do
	make -s "build-$f" ARTIFACTS_DIR="$elsewhere/a/$f"
	make -s -C "$elsewhere/another-name" "build-$f" ARTIFACTS_DIR="$elsewhere/b/$f"
	cmp "$elsewhere/a/$f/bootstrap" "$elsewhere/b/$f/bootstrap"
	echo "$f: $(sha256sum <"$elsewhere/a/$f/bootstrap" | cut -c1-16), the same in both folders"
done
