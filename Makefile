# One door: `make run` and `make test` work from a fresh clone; the rest is for daily work.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

DATA_DIR ?= data
BIND ?= 127.0.0.1:8080
# The program that the checks below run. It is built first, as for a release; another one, as that of the
# tests in target/debug/bist, is taken as it is.
BIST ?= target/release/bist
WEB_SOURCES := $(shell find web/src web/public web/scripts web/index.html web/package-lock.json web/vite.config.ts -type f 2>/dev/null)

.PHONY: help program run test test-rust test-web check fmt lint lint-deploy tidy deny snapshots bench fuzz coverage e2e e2e-cluster outside watch-check deploy-check runbook ci web setup clean

help: ## Lists the targets.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

setup: ## Checks for Rust, a C compiler and Node; installs missing Debian packages when root.
	@scripts/setup.sh

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run --silent build

program: web
	[ "$(BIST)" != target/release/bist ] || cargo build --release --locked --bin bist

web: setup web/dist/index.html ## Builds the web app into web/dist.

run: program ## Builds everything, makes the sample market, validates, trains, and serves http://127.0.0.1:8080.
	scripts/first_run.sh $(BIST) "$(DATA_DIR)" "$(BIND)"

test: web test-rust test-web ## Runs all tests of the Rust workspace and of the web app.

test-rust:
	cargo test --workspace --locked --quiet

test-web: web/node_modules/.package-lock.json
	cd web && npm run --silent check && npm test --silent

check: ## Type-checks the workspace.
	cargo check --workspace --all-targets --locked

fmt: ## Formats the Rust code.
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

lint: ## Format check, clippy and rustdoc with warnings as errors.
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

lint-deploy: ## What deploys it, read by nginx, HAProxy, hadolint, docker compose, systemd, actionlint and shellcheck.
	scripts/deploy_files_check.sh

tidy: ## The tests that read the tree itself.
	cargo test --locked -p bist --test it tidy

snapshots: ## Rewrites the reviewed snapshots (OpenAPI document, golden reports); read the diff.
	BIST_UPDATE_SNAPSHOTS=1 cargo test --workspace --locked --quiet

deny: ## Licences, advisories and sources of the dependencies (needs cargo-deny and cargo-audit).
	scripts/deny_check.sh

bench: program ## Ours beside what users would choose instead, from PyPI, on one core, as ratios.
	test -x target/bench-venv/bin/python || python3 -m venv target/bench-venv
	target/bench-venv/bin/pip install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.6 polars==2.1.0 pandas==3.1.1 pandera==0.35.0 TA-Lib==0.8.2 prophet==1.5.0 torch==2.15.0 shap==0.51.0 lime==0.2.0.1 matplotlib==3.11.2 optuna==5.0.0 cmaes==0.13.1 mlflow==3.17.2 fastapi==0.165.0 slowapi==0.1.10 uvicorn==0.54.0 uvloop==0.23.0 httptools==0.9.0
	$(BIST) bench ingest --python target/bench-venv/bin/python
	$(BIST) bench models --python target/bench-venv/bin/python
	$(BIST) bench explain --python target/bench-venv/bin/python
	$(BIST) bench plots --python target/bench-venv/bin/python
	$(BIST) bench registry --python target/bench-venv/bin/python
	$(BIST) bench tune --python target/bench-venv/bin/python
	$(BIST) bench http --python target/bench-venv/bin/python

fuzz: ## What reads bytes of others, FUZZ_SECONDS each (20), before inputs that libFuzzer looks for.
	scripts/fuzz.sh

coverage: web ## How many lines of each crate the tests reach.
	scripts/coverage.sh

e2e: program ## The real binary in headless Chromium, as one process and as several.
	scripts/with_postgres.sh scripts/e2e.sh $(BIST)

e2e-cluster: program ## The same as several processes only, on PostgreSQL and Redis behind nginx.
	scripts/with_postgres.sh scripts/e2e.sh $(BIST) target/e2e cluster

outside: program ## What is counted beside the log of 100,000 requests; the real binary beside Optuna, its dashboard, LightGBM, an S3 server, Schemathesis, Bugsink, Prometheus and the library of Grafana.
	scripts/usage_check.py $(BIST)
	scripts/outside_check.sh $(BIST)

watch-check: program ## The real binary before Bugsink, and, with its rules and dashboards, before Prometheus, Alertmanager and the library of Grafana.
	scripts/watch_check.sh $(BIST)

security: program ## The real binary before sslyze, the MDN HTTP Observatory, Wapiti, sqlmap and Schemathesis; its dependencies by cargo-deny and cargo-audit.
	scripts/security_check.sh $(BIST)

deploy-check: program ## Versions switched under load behind HAProxy and nginx, bad ones taken back; and the edge with TLS before sslyze.
	scripts/with_postgres.sh scripts/deploy_check.sh $(BIST)
	scripts/edge_check.sh

runbook: program ## Types each command of docs/OPERATIONS.md on a copy of this machine that is thrown away.
	scripts/runbook_check.py $(BIST)

ci: ## What must be green before a commit lands.
	.ci/run

clean: ## Removes what the targets above built; the data directory stays.
	cargo clean
	rm -rf web/dist web/node_modules
