#!/usr/bin/env bash
# What a release is made of: a binary for each system, the bill of materials of
# each, and their checksums. VERSION names the release.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf dist
mkdir dist
for target in ${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}; do
	export GOOS=${target%/*} GOARCH=${target#*/}
	name=shelflife_${GOOS}_$GOARCH
	[ "$GOOS" = windows ] && name+=.exe
	make -s build OUT="dist/$name" VERSION="${VERSION:?name the release, as VERSION=v1.2.3}"
	GOOS='' GOARCH='' go run ./scripts/sbom "dist/$name" >"dist/$name.cdx.json"
done
(cd dist && sha256sum -- * >SHA256SUMS)
echo "$(wc -l <dist/SHA256SUMS) files in dist, with SHA256SUMS"
