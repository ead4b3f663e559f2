# The two commands of the README: `make demo` and `make test`. Both do all their set-up.

GO       ?= go
BIN      := .tools/bin
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)

PROMETHEUS   := v0.316.0
ALERTMANAGER := v0.31.1
OTELCOL      := v0.161.0
NFPM         := v2.43.4
AXE          := 4.14.1
AXEDIR       := collector/web/browser
GOLANGCI     := v2.15.0

.DEFAULT_GOAL := build

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  \1\t/' | expand -t 24

.PHONY: help build engine demo test unit check race lint tidy generated chromium axe office packages deb format generate \
	dashboards dashboards-schemas dashboards-preview otelcol bench bench-country bench-against torture soak fuzz \
	properties tools

build: ## the program
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o monev112 ./cmd/monev112

engine: build ## the embedded ClickHouse, once, into the user's cache folder
	./monev112 engine install

demo: engine ## a simulated call centre: history, then live traffic, until Ctrl-C
	./monev112 demo

# Rules, routes and messages are tested on real servers, built here: minutes once, then kept in .tools/bin.
# Most tests of whole programs wait for one another's servers: more of them side by side than there are processors. The
# engine gives way to whatever runs beside it, here compilers and other tests: at the lowest priority all are equal.
test: engine tools chromium axe office packages ## every test, with real servers
	nice -n 19 $(GO) test -timeout 240m -parallel 3 ./...
	$(GO) test -timeout 10m -tags faults ./collector/internal/faultpoint
	$(GO) test -timeout 10m -tags faults ./collector/ingest -run Killed

unit: ## the tests that start no server, need no tool and no root
	$(GO) test -short -timeout 10m ./...

check: tidy lint generated race ## what a pull request must pass beside make test

race: ## the tests of make unit under the race detector
	$(GO) test -race -short -timeout 30m ./...

tidy:
	$(GO) mod tidy -diff

lint: $(BIN)/golangci-lint ## .golangci.yml says what is looked for
	$(BIN)/golangci-lint run ./...
	$(GO) vet -tags faults ./...

generated: generate ## generated files are current
	@git diff --exit-code -- alerts collector dashboards deploy docs || \
	  { echo "generated files differ: commit what 'make generate' wrote"; exit 1; }

# Debian's Chromium, for the tests that look at the pages. Where it cannot be had they are skipped, and say so.
chromium:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  timeout 600 sh -c 'apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends chromium chromium-driver' >/dev/null 2>&1; \
	} || echo "chromium and chromium-driver are not here and could not be installed: the tests of the pages in a browser are skipped"

# axe-core, for the tests that look at the pages as a reader without eyes does: npm's, beside the tests. Likewise.
axe:
	@grep -qs '"version": "$(AXE)"' $(AXEDIR)/node_modules/axe-core/package.json || \
	  timeout 300 npm install --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --silent --prefix $(AXEDIR) axe-core@$(AXE) >/dev/null 2>&1 || \
	  echo "axe-core is not here and npm could not install it: whether the pages are accessible is not tested"

# LibreOffice without its windows, for the tests that open reports as offices do and save them. Likewise.
office:
	@command -v soffice >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  timeout 600 sh -c 'apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends libreoffice-writer-nogui libreoffice-calc-nogui fonts-liberation' >/dev/null 2>&1; \
	} || echo "LibreOffice is not here and could not be installed: the tests that open reports in it are skipped"

# Debian's programs for the test that installs our package under a real systemd, in a container. Likewise.
packages:
	@command -v systemd-nspawn >/dev/null && command -v systemd-analyze >/dev/null && command -v curl >/dev/null && command -v openssl >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  timeout 600 sh -c 'apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends systemd systemd-container curl openssl' >/dev/null 2>&1; \
	} || echo "systemd-container, curl or openssl is not here and could not be installed: the test of the Debian package is skipped"

deb: $(BIN)/nfpm ## the Debian package, in dist
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/monev112 ./cmd/monev112
	deploy/debian/build.sh dist/monev112 '$(VERSION)' dist

format: ## gofmt over all Go code
	gofmt -w alerts cmd collector dashboards deploy docs

generate: dashboards ## everything that is generated: docs/metrics.md, deploy/clickhouse/cluster.sql and the dashboards
	$(GO) generate ./...
	$(GO) test ./collector/observability/metrics -run 'TestTable' -update
	$(GO) test ./collector/store -run 'TestClusterSchema' -args -update-cluster

dashboards: ## dashboards/json, from dashboards/pages
	$(GO) test ./dashboards -run 'TestTheCommittedJSON' -update

dashboards-schemas: ## dashboards/testdata/schema, from the types of @grafana/schema; needs npm
	cd dashboards/schema && npm install --ignore-scripts --no-audit --no-fund && node generate.mjs ../testdata/schema

dashboards-preview: ## pictures of the pages in docs/img, from a running demo; needs npm, Chromium, and Prometheus on :9090
	cd dashboards/preview && npm install --ignore-scripts --no-audit --no-fund && SCALE=0.75 node shots.mjs ../../docs/img $(PAGES)

otelcol: $(BIN)/otelcol ## an OpenTelemetry Collector for make bench to compare with

$(BIN)/otelcol: cmd/monev112-bench/otelcol.yaml
	@mkdir -p $(BIN)
	$(GO) run go.opentelemetry.io/collector/cmd/builder@$(OTELCOL) --config $<
	cp .tools/otelcol/otelcol $@

RUNS ?= 1
bench: engine ## the table of docs/performance.md, the worst of RUNS runs; make otelcol builds its peer
	$(GO) run ./cmd/monev112-bench -runs $(RUNS)

bench-country: engine ## pages and reports over a year of the whole country: half an hour and 5 GB of disk
	$(GO) run ./cmd/monev112-bench -only queries,report -runs $(RUNS)

bench-against: engine ## this tree beside an older commit, REV=...; fails where it lost 10 %
	@test -n '$(REV)' || { echo "name the commit to compare with: make bench-against REV=v0.1.0"; exit 2; }
	$(GO) run ./cmd/monev112-bench against -rev '$(REV)'

# docs/proof.md says what these do and how to run one again from its seed.
ROUNDS ?= 20
KILLS  ?= 200
SEED   ?= 0
torture: engine ## faults by chance until the service was killed KILLS times, then the tests of single faults
	$(GO) test -v -timeout 180m ./collector/e2e -run '^TestTorture$$' -torture.rounds $(ROUNDS) -torture.kills $(KILLS) -torture.seed $(SEED)
	$(GO) test -v -timeout 60m ./collector/e2e -run '^TestTorture$$' -torture.rounds 6 -torture.seed $(SEED) -torture.ordinary
	$(GO) test -timeout 120m -count 3 ./collector/e2e -run 'Killed|ClickHouse|Disk|Board|Hostile'
	RAPID_SEED=0 $(GO) test -timeout 120m -count 3 -tags faults ./collector/ingest ./collector/journal ./collector/upkeep/rebuild ./collector/shipper

DURATION ?= 30m
RATE     ?= 2000
soak: engine ## an even load for DURATION, and whether memory, files or lag grow
	$(GO) run ./cmd/monev112-bench soak -duration $(DURATION) -rate $(RATE)

FUZZTIME ?= 30s
fuzz: ## each fuzz test for FUZZTIME
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
	    echo "$$pkg $$f"; $(GO) test $$pkg -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) || exit 1; \
	  done; done

CHECKS ?= 1000
properties: engine ## the packages with properties, each property on CHECKS new cases
	RAPID_SEED=0 RAPID_CHECKS=$(CHECKS) $(GO) test -timeout 240m \
	  $$(grep -rl --include='*_test.go' pgregory.net/rapid collector | xargs -n 1 dirname | sort -u | sed 's|^|./|')

tools: $(BIN)/prometheus $(BIN)/promtool $(BIN)/alertmanager $(BIN)/amtool $(BIN)/nfpm ## real servers for tests and rules

$(BIN)/prometheus $(BIN)/promtool: $(BIN)/%:
	GOBIN=$(CURDIR)/$(BIN) GOFLAGS=-tags=remove_all_sd $(GO) install -ldflags='-s -w' github.com/prometheus/prometheus/cmd/$*@$(PROMETHEUS)

$(BIN)/alertmanager $(BIN)/amtool: $(BIN)/%:
	GOBIN=$(CURDIR)/$(BIN) $(GO) install -ldflags='-s -w' github.com/prometheus/alertmanager/cmd/$*@$(ALERTMANAGER)

# The last release whose modules are all on Go's proxy.
$(BIN)/nfpm:
	GOBIN=$(CURDIR)/$(BIN) $(GO) install -ldflags='-s -w' github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM)

$(BIN)/golangci-lint:
	GOBIN=$(CURDIR)/$(BIN) $(GO) install -ldflags='-s -w' github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
