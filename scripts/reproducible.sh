#!/usr/bin/env bash
# Builds every binary that is shipped here and in a copy of the sources elsewhere,
# under another name, and fails when they differ by a byte. With FRESH=1 the copy is
# built with an empty build cache, which takes minutes and trusts nothing that was
# compiled before. The functions are built as SAM builds them, where their targets are there.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/another-name"
# What git knows, and what is new and not ignored: nothing that a build left behind.
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - --ignore-failed-read | tar -xf - -C "$work/another-name"
if [ -n "${FRESH:-}" ]; then OTHERCACHE="$work/cache"; else OTHERCACHE=$(go env GOCACHE); fi
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}

same() { # NAME FILE FILE
	cmp "$2" "$3"
	echo "$1: sha256 $(sha256sum <"$2" | cut -c1-16)…, the same in both folders"
}

make -s build VERSION="$version" OUT="$work/a/shelflife"
GOCACHE="$OTHERCACHE" make -s -C "$work/another-name" build VERSION="$version" OUT="$work/b/shelflife"
same shelflife "$work/a/shelflife" "$work/b/shelflife"

for f in EnforcerFunction WebhookFunction; do
	grep -q "^build-$f:" Makefile || continue
	make -s "build-$f" ARTIFACTS_DIR="$work/a/$f"
	GOCACHE="$OTHERCACHE" make -s -C "$work/another-name" "build-$f" ARTIFACTS_DIR="$work/b/$f"
	same "$f" "$work/a/$f/bootstrap" "$work/b/$f/bootstrap"
done
