#!/usr/bin/env bash
# Checks template.yaml without an account: by SAM's own rules, cfn-lint's and checkov's, and by building both functions
# as a deployment would. make validate puts the tools on the path.
set -euo pipefail
cd "$(dirname "$0")/.."

# A region has to be named; credentials must not be looked for.
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

echo "sam validate --lint"
for env in default prod; do
	sam validate --lint --config-env "$env"
done

echo "cfn-lint"
cfn-lint --template template.yaml --include-checks W

echo "checkov"
checkov --file template.yaml --framework cloudformation --compact --quiet --skip-download

echo "sam build"
# The build takes shelflife.yaml along; a fresh copy of the project has none.
[ -f "${SHELFLIFE:=shelflife.yaml}" ] || SHELFLIFE=internal/template/testdata/shelflife.yaml
export SHELFLIFE
sam build
for function in EnforcerFunction WebhookFunction; do
	for file in bootstrap shelflife.yaml; do
		if ! [ -s ".aws-sam/build/$function/$file" ]; then
			echo "sam build left no $file in $function" >&2
			exit 1
		fi
	done
	# ELF, 64 bit, AArch64: what provided.al2023 on arm64 can start.
	if [ "$(od -An -tx1 -j18 -N2 ".aws-sam/build/$function/bootstrap" | tr -d ' ')" != b700 ]; then
		echo "the bootstrap of $function is not built for arm64" >&2
		exit 1
	fi
done
echo "the template holds, and both functions are built"
