# Sallyport: `make demo` shows it at work, `make test` proves it. Both install what is missing, and say so.

SWIFT ?= swift
# An import that Package.swift does not declare is an error, so that the house's dependency rule holds.
SWIFT_FLAGS ?= --explicit-target-dependency-import-check error
PORT ?= 8443

.PHONY: demo test build release format lint bench clean packages test-peers

demo: release
	.build/release/sallyport demo --port $(PORT)

test: packages test-peers lint
	$(SWIFT) build $(SWIFT_FLAGS) --build-tests
	$(SWIFT) test $(SWIFT_FLAGS) --skip-build

build: packages
	$(SWIFT) build $(SWIFT_FLAGS)

release: packages
	$(SWIFT) build $(SWIFT_FLAGS) --configuration release --product sallyport

packages:
	@scripts/install-packages build

test-peers:
	@scripts/install-packages test
	@scripts/install-python-peers

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	@scripts/check-house

bench: release
	Benchmarks/run

clean:
	$(SWIFT) package clean
