# Everything starts with `make help`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
TOOL    := $(GO) tool -modfile=tools/go.mod
OPA     := $(TOOL) opa
OPAARGS := --capabilities policies/capabilities.json
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## the main job on the embedded simulator: plan, apply, undo, verify
	@bin/shelflife demo

.PHONY: build
build: ## bin/shelflife
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/shelflife ./cmd/shelflife

.PHONY: test
test: policy-test ## what CI runs first: policies with the stock opa, then every Go test
	$(GO) test ./...

.PHONY: policy-test
policy-test: ## the stock opa checks, formats and tests the policies; every rule is covered
	$(OPA) fmt --list --fail policies
	$(OPA) check --strict --schema policies/schemas $(OPAARGS) policies/lib policies/retention policies/data.json
	$(OPA) test $(OPAARGS) --schema policies/schemas --coverage --threshold 100 policies/lib policies/retention policies/data.json > /dev/null
	$(OPA) test $(OPAARGS) --schema policies/schemas policies/lib policies/retention policies/data.json

.PHONY: race
race: ## every Go test under the race detector
	$(GO) test -race ./...

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what is called (needs the network)
	$(TOOL) govulncheck ./...

.PHONY: cover
cover: ## coverage of the packages where behaviour is the point; fails under 85 %
	@scripts/cover.sh 85 internal/guard internal/policy internal/ledger internal/ledger/sqlite

.PHONY: properties
properties: ## the graph properties over 100,000 random cases
	$(GO) test ./internal/guard -run Properties -rapid.checks=100000

.PHONY: bench
bench: ## policy evaluation, in µs per version
	$(GO) test ./internal/policy -run '^$$' -bench .

.PHONY: e2e
e2e: build ## the demo as a stranger runs it, its output checked
	@scripts/e2e.sh
