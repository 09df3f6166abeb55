#!/usr/bin/env bash
# Tests or pictures of the HTML report and the dashboard in a real Chromium:
# browser.sh test | screenshots. Without Node or Chromium it says that it is
# skipped, and fails under CI=true.
set -euo pipefail
cd "$(dirname "$0")/.."
export CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"
why=""
command -v npm >/dev/null && command -v node >/dev/null || why="there is no Node.js"
[ -x "$CHROMIUM" ] || why="there is no $CHROMIUM (Debian: apt-get install chromium; or name one in CHROMIUM)"
if [ -n "$why" ]; then
	echo "skipped: the browser tests, since $why"
	[ "${CI:-}" != true ] || exit 1
	exit 0
fi
npm ci --silent --prefix e2e/browser
case "$1" in
test) cd e2e/browser && node --test --test-concurrency=1 --test-reporter=spec ./*.test.js ;;
screenshots) node e2e/browser/screenshots.js ;;
*) echo "write: browser.sh test | screenshots" >&2 && exit 2 ;;
esac
