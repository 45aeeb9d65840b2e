.PHONY: apidocs corpora fuzz corpus judges test lint golden modules bench soak build tools servers race

TOOLS := $(CURDIR)/.tools
GOLANGCI := $(TOOLS)/golangci-lint
GOLANGCI_VERSION := v2.15.0
STATICCHECK := $(TOOLS)/staticcheck
STATICCHECK_VERSION := v0.8.2
VERSITYGW := $(TOOLS)/versitygw
VERSITYGW_VERSION := v1.8.0
export PATH := $(TOOLS):$(PATH)

build: ## the command in ./backend
	go build -o backend .

test: tools servers judges ## everything: units, real servers, generated projects built, linted, booted and load-tested
	go vet ./...
	go test -timeout 20m $$(go list ./... | grep -v -e /cmd/acceptance -e /loadtest$$)
	go test -timeout 60m -p 1 ./loadtest ./cmd/acceptance # these measure: nothing beside them
	$(MAKE) race

race: ## the packages where goroutines meet, under the race detector
	@if command -v "$$(go env CC)" >/dev/null; then \
	  go test -race -timeout 20m -short ./cmd ./cmd/state/... ./loadtest/... ./templates/platform/...; \
	else echo "race: left out, for the race detector needs a C compiler and there is none"; fi

lint: tools ## golangci-lint with the import arrows
	$(GOLANGCI) run ./...

corpus: ## every document of testdata/corpus.tsv through scaffold, vet, build and boot; writes docs/coverage.md
	BACKEND_CORPUS=all go test ./cmd/acceptance -timeout 3h -run 'TestCorpus$$' -count=1 -v

golden: ## rewrite testdata/golden
	BACKEND_UPDATE=1 go test ./cmd/acceptance -run 'TestGolden|TestScripts' -count=1

modules: ## rewrite the go.mod and go.sum that generated projects get
	go run ./generator/modules

# Swagger UI, for the page that generated servers show of their API (templates/platform/apidocs).
SWAGGER_UI := swagger-ui-dist@5.35.0
apidocs: ## fetch the page's bundle anew, at the pinned version; nothing else of the package is kept, and nothing of it is run
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; to=$(CURDIR)/templates/platform/apidocs/assets; \
	cd "$$dir"; npm pack --silent $(SWAGGER_UI); tar xzf ./*.tgz; cd package; \
	for f in swagger-ui-bundle.js swagger-ui.css; do sed '/^[/][/*]# sourceMappingURL=/d' $$f | gzip -9 -n > $$to/$$f.gz; done; \
	cp LICENSE $$to/swagger-ui.LICENSE.txt; cp NOTICE $$to/swagger-ui.NOTICE.txt; \
	cp swagger-ui-bundle.js.LICENSE.txt $$to/swagger-ui-bundle.js.LICENSE.txt; \
	echo $(SWAGGER_UI) > $$to/swagger-ui.VERSION.txt; ls -l $$to

bench: ## figures, each beside a peer in the same run
	go test -run '^$$' -bench . -benchmem ./generator ./templates/platform/wire ./templates/platform/rest ./templates/platform/store/... ./templates/platform/gateway ./loadtest/...
	go test -run '^$$' -bench . -benchmem ./cmd/acceptance

FUZZTIME ?= 10m
FAULTS ?= 20
JUDGE_EXAMPLES ?= 200
soak: tools servers judges fuzz ## long runs: every fuzz target for FUZZTIME, judges with many examples, faults under load FAULTS times
	BACKEND_JUDGE_EXAMPLES=$(JUDGE_EXAMPLES) go test ./cmd/acceptance -timeout 6h -count=1 -run 'TestSchemathesis|TestPrism'
	go test ./cmd/acceptance -timeout 6h -count=$(FAULTS) -run 'TestKilledService|TestStoppedUnderLoad|TestDatabaseAway'

CORPORA := $(CURDIR)/testdata/corpora
fuzz: ## every fuzz target for FUZZTIME, from the inputs in testdata/corpora on
	@set -e; cache="$$(go env GOCACHE)/fuzz"; mkdir -p "$$cache"; \
	for kept in $(CORPORA)/*.tar.gz; do tar -xzf "$$kept" -C "$$cache"; done; \
	for p in $$(go list ./...); do \
	  for t in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "== $$p $$t for $(FUZZTIME)"; go test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 3s -timeout 0 $$p; \
	  done; \
	done

corpora: ## keep the inputs that fuzzing has found, in testdata/corpora
	@set -e; cache="$$(go env GOCACHE)/fuzz"; mkdir -p $(CORPORA); cd "$$cache"; \
	for dir in $$(find "$$(cd $(CURDIR) && go list -m)" -type d -name 'Fuzz*'); do \
	  tar --sort=name --mtime=@0 --owner=0 --group=0 -c "$$dir" | gzip -9n > "$(CORPORA)/$$(basename "$$dir").tar.gz"; \
	done

tools: $(GOLANGCI) $(STATICCHECK)

servers: $(VERSITYGW) ## what tests start: an S3 server, and Debian's packages where they are missing and we may install them
	@missing=""; \
	command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v docker-compose >/dev/null || missing="$$missing docker-compose"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	else echo "not installed:$$missing; tests that need them are skipped, and say so"; fi

# Who judges generated servers from outside, in .tools/judges.
JUDGES := $(TOOLS)/judges
SCHEMATHESIS := schemathesis==4.32.5
PRISM := @stoplight/prism-cli@5.16.0
judges: ## schemathesis and prism, where Python 3.10 or later and npm can have them
	@mkdir -p $(JUDGES); cd $(JUDGES); \
	if [ "$$(cat schemathesis.version 2>/dev/null)" != "$(SCHEMATHESIS)" ]; then \
	  for python in python3.13 python3.12 python3.11 python3.10 python3; do $$python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && break; done; \
	  { $$python -m venv --clear venv && venv/bin/pip install -q --disable-pip-version-check "$(SCHEMATHESIS)" && echo "$(SCHEMATHESIS)" > schemathesis.version; } \
	  || echo "not installed: $(SCHEMATHESIS); TestSchemathesis is skipped, and says so"; \
	fi; \
	if [ "$$(cat prism.version 2>/dev/null)" != "$(PRISM)" ]; then \
	  { npm install --silent --no-audit --no-fund --ignore-scripts --prefix . "$(PRISM)" && echo "$(PRISM)" > prism.version; } \
	  || echo "not installed: $(PRISM); TestPrism is skipped, and says so"; \
	fi

$(GOLANGCI):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

$(STATICCHECK):
	GOBIN=$(TOOLS) go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)

$(VERSITYGW):
	GOBIN=$(TOOLS) go install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION) || \
	  echo "not installed: versitygw; tests that need an S3 server are skipped, and say so"
