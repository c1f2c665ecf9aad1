# Needs Go, and for the tests with real peers Debian or Ubuntu. No target needs
# root. All that is made here goes to .cache.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

MODULE := github.com/assay-iot/assay
BIN := .cache/bin
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GOLANGCI := v2.15.0

# For a slow machine, or a single package: make test PKG=./harness/check
PKG ?= ./...
TESTFLAGS ?=
TEST_TIMEOUT ?= 15m
BENCH ?= .
FUZZTIME ?= 10s

.PHONY: demo build test peers lint fuzz bench docs man mutate check-fmt clean new-check new-probe new-device new-report

demo: build
	$(BIN)/assay demo

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '-X $(MODULE)/harness/cli.Version=$(VERSION)' -o $(BIN)/assay .

# Without the peers their tests are skipped, and named at the end; under
# ASSAY_NO_SKIP=1 that is an error.
test:
	@scripts/peers || [ "$${ASSAY_NO_SKIP:-}" != 1 ]
	@mkdir -p $(BIN)
	@go build -buildvcs=false -o $(BIN)/testsummary ./scripts/testsummary
	go vet $(PKG)
	@go test -json -timeout $(TEST_TIMEOUT) $(TESTFLAGS) $(PKG) | tee .cache/test.json | $(BIN)/testsummary

peers:
	@scripts/peers

lint:
	@[ "$$($(BIN)/golangci-lint version --short 2>/dev/null)" = $(GOLANGCI:v%=%) ] || \
		GOBIN=$(CURDIR)/$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	$(BIN)/golangci-lint run $(PKG)

fuzz:
	@FUZZTIME=$(FUZZTIME) scripts/fuzz

bench:
	go test -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)

docs:
	@mkdir -p docs
	go run ./scripts/docs > docs/reference.md

# The manual pages, for packages.
man: build
	$(BIN)/assay man --dir .cache/man/man1

# Begins an addition: files that compile and pass their tests as they stand, and
# a list of what is left to do. make new-check ID=area.assertion, the others with
# NAME=some-name.
new-check:
	@go run ./scripts/scaffold check '$(ID)'

new-probe:
	@go run ./scripts/scaffold probe '$(NAME)'

new-device:
	@go run ./scripts/scaffold device '$(NAME)'

new-report:
	@go run ./scripts/scaffold report '$(NAME)'
	go test ./reports -run 'TestFormats/^$(NAME)$$' -update

# Changes one thing at a time in the engine: what no test notices is printed.
mutate:
	go run ./scripts/mutate harness/verdict harness/evidence harness/msg
	go run ./scripts/mutate -tests ./harness/probe,./harness harness/probe
	go run ./scripts/mutate -tests ./harness/check harness/check
	go run ./scripts/mutate -tests ./harness/profile harness/profile
	go run ./scripts/mutate -tests ./harness harness

check-fmt:
	@files=$$(find . -name .cache -prune -o -name '*.go' -print0 | xargs -0 gofmt -l); \
	[ -z "$$files" ] || { echo "not formatted, run gofmt -w on:"; echo "$$files"; exit 1; }

clean:
	rm -rf .cache
