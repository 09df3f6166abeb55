#!/usr/bin/env bash
# Fetches the chart library of the HTML report at the version and digest that
# e2e/browser/package-lock.json pins, and copies it to where the report embeds it.
set -euo pipefail
cd "$(dirname "$0")/.."
to=internal/report/html/vendor/uplot
npm ci --silent --prefix e2e/browser # npm refuses a package that is not what the lock file says
from=e2e/browser/node_modules/uplot
cp "$from/LICENSE" "$from/dist/uPlot.iife.min.js" "$from/dist/uPlot.min.css" "$to/"
(cd "$to" && sha256sum LICENSE uPlot.iife.min.js uPlot.min.css > SHA256SUMS)
echo "uPlot $(node -p "require('./$from/package.json').version") is in $to"
