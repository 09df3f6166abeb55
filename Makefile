# Everything starts with `make help`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
TOOL    := $(GO) tool -modfile=tools/go.mod
OPA     := $(TOOL) opa
OPAARGS := --capabilities policies/capabilities.json --ignore '*.yaml'
POLICIES := policies/lib policies/retention policies/compat policies/data.json
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -buildid= -X main.version=$(VERSION)
OUT     ?= bin/shelflife

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## the main job on the embedded simulator: plan, apply, undo, verify
	@bin/shelflife demo

.PHONY: build
build: ## bin/shelflife
	@CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(OUT) ./cmd/shelflife

.PHONY: test
test: policy-test venv ## what CI runs first: policies with the stock opa, then every Go test
	$(GO) test ./...

# The AWS stores are tested against a moto server. Where Python or its packages
# can't be had, those tests say that they are skipped (and fail under CI=true).
.PHONY: venv
venv: .venv/.done
.venv/.done: requirements-dev.txt
	@if command -v python3 >/dev/null && python3 -m venv .venv && .venv/bin/pip install -q -r requirements-dev.txt; then \
		touch .venv/.done; \
	else \
		echo "skipped: the AWS stores, since moto could not be installed"; \
	fi

.PHONY: dynamodb-local
dynamodb-local: .dynamodb-local ## DynamoDB Local as a second opinion (Java 17 and Maven)
.dynamodb-local: tools/dynamodb-local/pom.xml
	mvn -B -q -f tools/dynamodb-local/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.dynamodb-local

.PHONY: test-aws
test-aws: venv ## the functions' real bootstraps and the AWS stores against moto, and DynamoDB Local where it is there
	@$(GO) test -count=1 -json ./functions/... ./internal/lambdatest ./internal/awstest ./internal/ledger/dynamodb ./internal/inventory/s3snap | $(GO) run ./scripts/testsummary

.PHONY: test-aws-kills
test-aws-kills: venv ## 200 sweeps whose worker is killed at random (SHELFLIFE_KILLS=n, SHELFLIFE_SEED=n)
	@SHELFLIFE_KILLS=$${SHELFLIFE_KILLS:-200} $(GO) test -count=1 -json ./functions/e2e -run KilledAtRandom -timeout 60m | $(GO) run ./scripts/testsummary

# The tools that know CloudFormation, in a folder of their own (see the file).
TEMPLATE_VENV := .venv-template
$(TEMPLATE_VENV)/.done: requirements-template.txt
	python3 -m venv $(TEMPLATE_VENV)
	$(TEMPLATE_VENV)/bin/pip install -q -r requirements-template.txt
	@touch $@

.PHONY: validate
validate: $(TEMPLATE_VENV)/.done ## template.yaml: sam validate and build, cfn-lint, checkov (Python 3.11; no account)
	@PATH="$(CURDIR)/$(TEMPLATE_VENV)/bin:$$PATH" scripts/validate.sh

.PHONY: policy-test
policy-test: ## the stock opa checks, formats and tests the policies; every rule is covered
	$(OPA) fmt --list --fail policies
	$(OPA) check --strict --schema policies/schemas $(OPAARGS) $(POLICIES)
	$(OPA) test $(OPAARGS) --schema policies/schemas --coverage --threshold 100 $(POLICIES) > /dev/null
	$(OPA) test $(OPAARGS) --schema policies/schemas $(POLICIES)

.PHONY: race
race: ## the Go tests under the race detector, but for those that only start other programs
	$(GO) test -race $$($(GO) list ./... | grep -v -E '/(docs|action|e2e|functions/e2e|internal/(faults|scenarios|template)|scripts)(/|$$)')

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "$$unformatted: run gofmt -w" >&2; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what is called (needs the network)
	$(TOOL) govulncheck ./...

.PHONY: cover
cover: ## coverage of the packages where behaviour is the point; fails under 85 %
	@scripts/cover.sh 85 internal/guard internal/policy internal/ledger internal/ledger/sqlite

.PHONY: properties
properties: ## closure, rule 5, keep and order over 100,000 random graphs and policies each
	$(GO) test ./internal/guard ./internal/enforce -run Properties -rapid.checks=100000

# Cases, their seeds and how to play one again: docs/safety.md.
SHARE    ?= 100
FUZZTIME ?= 10s
AT_ONCE  ?= $(shell nproc 2>/dev/null || echo 2)
# What is played: the report itself, which each campaign changes, does not count.
PLAYED    = $(shell git describe --tags --always 2>/dev/null || echo dev)$(shell git diff --quiet HEAD -- ':/' ':!/bench/faults.json' 2>/dev/null || { [ $$? != 1 ] || echo -dirty; })
FAULTS   := cd internal/faults && $(GO) test -tags faults -timeout 8h -parallel $(AT_ONCE) -fuzz-time=$(FUZZTIME)

.PHONY: faults
faults: venv ## every fault campaign, as a table; SHARE=5: 5 % of the cases; ONLY=kill: those of a name; AT_ONCE=4: four at a time
	@$(FAULTS) -run 'Campaign/$(ONLY)' -share=$(SHARE) -of=$(PLAYED) $(if $(filter 100,$(SHARE)),-report=$(CURDIR)/bench/faults.json)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	@$(FAULTS) -run Campaign/fuzz

.PHONY: bench
bench: build ## every figure that the project claims, as a table and bench/results.json
	@$(GO) run ./bench

.PHONY: bench-policy
bench-policy: ## policy evaluation, in µs per version
	$(GO) test ./internal/policy -run '^$$' -bench .

.PHONY: e2e
e2e: build ## the demo as a stranger runs it, its output checked
	@scripts/e2e.sh

# The Lambda functions. SAM calls build-…Function with ARTIFACTS_DIR; the
# configuration and the policies that it names go beside the bootstrap.
ARCH          ?= arm64
ARTIFACTS_DIR ?= $(CURDIR)/bin/lambda/$@
SHELFLIFE     ?= shelflife.yaml
# What both functions are built from: the same sources have the same revision.
REVISION       = $(shell find functions internal policies go.mod go.sum -type f ! -path '*/testdata/*' ! -name '*_test.*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)

define lambda
	@mkdir -p '$(ARTIFACTS_DIR)'
	@GOOS=linux GOARCH=$(ARCH) CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X main.revision=$(REVISION)' -tags lambda.norpc -o '$(ARTIFACTS_DIR)/bootstrap' ./functions/$(1)
	@if [ -f '$(SHELFLIFE)' ]; then \
		$(GO) run ./scripts/lambdaconfig '$(SHELFLIFE)' '$(ARTIFACTS_DIR)'; \
	else \
		echo 'note: there is no $(SHELFLIFE), so none is packed: the function needs SHELFLIFE_CONFIG' >&2; \
	fi
endef

.PHONY: build-EnforcerFunction
build-EnforcerFunction: ## the enforcer function into ARTIFACTS_DIR (SAM calls this); ARCH=arm64|amd64
	$(call lambda,enforcer)

.PHONY: build-WebhookFunction
build-WebhookFunction: ## the webhook function into ARTIFACTS_DIR (SAM calls this)
	$(call lambda,webhook)

.PHONY: package
package: build-EnforcerFunction build-WebhookFunction ## both functions as zip files in bin/lambda, with their sizes
	@scripts/package.sh bin/lambda

.PHONY: test-browser
test-browser: build ## the HTML report and the dashboard in a real Chromium (Node, chromium)
	@scripts/browser.sh test

.PHONY: screenshots
screenshots: build ## the pictures in docs/images, from the real thing
	@scripts/browser.sh screenshots

.PHONY: verify
verify: ## modules against go.sum; known vulnerabilities where their database can be reached
	@scripts/verify.sh

.PHONY: reproducible
reproducible: ## builds what is shipped in two different folders and compares it
	@scripts/reproducible.sh

.PHONY: sbom
sbom: build ## bin/shelflife.cdx.json: what is linked into the binary, as CycloneDX
	@$(GO) run ./scripts/sbom $(OUT) > $(OUT).cdx.json
	@echo "$(OUT).cdx.json: $$(grep -c '"purl"' $(OUT).cdx.json) components"

.PHONY: dist
dist: ## dist/: what a release is made of, with bills of materials and checksums; VERSION=v1.2.3
	@scripts/dist.sh
