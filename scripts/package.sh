#!/usr/bin/env bash
# Zips both functions as they were built below the given folder, always to the same
# bytes, and prints their sizes. Fails above what docs/performance.md promises.
set -euo pipefail
dir=$1
python3 - "$dir" <<'PY'
import os, sys, zipfile

limits = {"EnforcerFunction": 12, "WebhookFunction": 4}  # MB, zipped
bad = False
for name, limit in limits.items():
    source = os.path.join(sys.argv[1], "build-" + name)
    target = os.path.join(sys.argv[1], name + ".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for root, dirs, files in os.walk(source):
            dirs.sort()
            for file in sorted(files):
                path = os.path.join(root, file)
                info = zipfile.ZipInfo(os.path.relpath(path, source), (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = (0o755 if file == "bootstrap" else 0o644) << 16
                with open(path, "rb") as f:
                    z.writestr(info, f.read())
    raw, zipped = os.path.getsize(os.path.join(source, "bootstrap")), os.path.getsize(target)
    print(f"{name:17} bootstrap {raw/1e6:5.1f} MB, zipped {zipped/1e6:5.2f} MB (limit {limit})")
    bad |= zipped > limit * 1e6
sys.exit(1 if bad else 0)
PY
