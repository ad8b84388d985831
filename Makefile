# Sallyport: `make demo` shows it at work, `make test` proves it. Both install what is missing, and say so.

SWIFT ?= swift
# An import that Package.swift does not declare is an error, so that the house's dependency rule holds.
SWIFT_FLAGS ?= --explicit-target-dependency-import-check error
# More for a release build: docs/decisions/0040.
RELEASE_FLAGS ?= --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked
PORT ?= 8443

.PHONY: demo test build release format lint bench policy-bench audit-bench credential-bench clean packages test-peers

# The build of `make test` serves: an optimised one takes twice as long from nothing, and nobody measures a demo.
demo: packages
	$(SWIFT) build $(SWIFT_FLAGS) --product sallyport
	.build/debug/sallyport demo --port $(PORT)

# One test at a time: many of them are about timeouts, and all at once starve each other on two cores.
# The system tests come last and alone: they start processes, measure their memory and kill them.
test: packages test-peers lint
	$(SWIFT) build $(SWIFT_FLAGS) --build-tests
	scripts/run-tests 25 $(SWIFT) test $(SWIFT_FLAGS) --disable-xctest --skip-build --no-parallel --skip SallyportSystemTests
	scripts/run-tests 25 $(SWIFT) test $(SWIFT_FLAGS) --disable-xctest --skip-build --no-parallel --filter SallyportSystemTests

build: packages
	$(SWIFT) build $(SWIFT_FLAGS)

release: packages
	$(SWIFT) build $(SWIFT_FLAGS) $(RELEASE_FLAGS) --configuration release --product sallyport

packages:
	@command -v $(SWIFT) >/dev/null || { echo 'No `$(SWIFT)` in PATH. With sudo: sudo env "PATH=$$PATH" make …' >&2; exit 1; }
	@scripts/install-packages build

test-peers:
	@scripts/install-packages test
	@scripts/install-debian-kubectl
	@scripts/install-debian-glewlwyd
	@scripts/install-python-peers
	@scripts/install-kube-web-view

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	@scripts/check-house

bench: release policy-bench audit-bench credential-bench
	Benchmarks/run

# Decisions by the number of rules, and the reading of a large API description.
policy-bench: packages
	$(SWIFT) build $(SWIFT_FLAGS) $(RELEASE_FLAGS) --configuration release --product sallyport-policy-bench
	.build/release/sallyport-policy-bench

# What a record costs, and how fast a log is read.
audit-bench: packages
	$(SWIFT) build $(SWIFT_FLAGS) $(RELEASE_FLAGS) --configuration release --product sallyport-audit-bench
	.build/release/sallyport-audit-bench

# What it costs to tell an upstream who asks.
credential-bench: packages
	$(SWIFT) build $(SWIFT_FLAGS) $(RELEASE_FLAGS) --configuration release --product sallyport-credential-bench
	.build/release/sallyport-credential-bench

clean:
	$(SWIFT) package clean
