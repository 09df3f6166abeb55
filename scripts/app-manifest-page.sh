#!/usr/bin/env bash
# Writes a page with one button that creates the GitHub App from github-app-manifest.json, in an organization of yours.
#
#   scripts/app-manifest-page.sh ORGANIZATION WEBHOOK_URL [https://GITHUB_HOST] > app.html
set -euo pipefail
[ $# = 2 ] || [ $# = 3 ] || { sed -n '2,4p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }
org=$1 url=$2 host=${3:-https://github.com}
[[ $org =~ ^[A-Za-z0-9-]+$ ]] || { echo "app-manifest-page: $org is no organization's login" >&2; exit 2; }
[[ $url =~ ^https://[A-Za-z0-9./:_-]+$ ]] || { echo "app-manifest-page: the webhook's address has to begin with https:// (output WebhookUrl of the stack)" >&2; exit 2; }
[[ $host =~ ^https://[A-Za-z0-9.:-]+$ ]] || { echo "app-manifest-page: $host is no address of a GitHub server" >&2; exit 2; }
manifest=$(sed -e "s|https://WEBHOOK_URL/webhook|$url|" -e "s|ORGANIZATION|$org|" "$(dirname "$0")/../github-app-manifest.json" | sed 's/"/\&quot;/g')
cat <<EOF
<!doctype html>
<meta charset="utf-8">
<title>Create the GitHub App</title>
<form action="$host/organizations/$org/settings/apps/new" method="post">
<input type="hidden" name="manifest" value="$manifest">
<button>Create the App in $org</button>
</form>
EOF
