# One door: `make run` and `make test` work from a fresh clone; the rest is for daily work.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

DATA_DIR ?= data
BIND ?= 127.0.0.1:8080
WEB_SOURCES := $(shell find web/src web/public web/scripts web/index.html web/package-lock.json web/vite.config.ts -type f 2>/dev/null)

.PHONY: help run test test-rust test-web check fmt lint lint-deploy tidy deny snapshots bench fuzz coverage e2e e2e-cluster outside watch-check deploy-check ci web setup clean

help: ## Lists the targets.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

setup: ## Checks for Rust, a C compiler and Node; installs missing Debian packages when root.
	@scripts/setup.sh

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run --silent build

web: setup web/dist/index.html ## Builds the web app into web/dist.

run: web ## Builds everything, makes the sample market, validates, trains, and serves http://127.0.0.1:8080.
	cargo build --release --locked --bin bist
	scripts/first_run.sh target/release/bist "$(DATA_DIR)" "$(BIND)"

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

bench: web ## Ours beside what users would choose instead, from PyPI, on one core, as ratios.
	cargo build --release --locked --bin bist
	test -x target/bench-venv/bin/python || python3 -m venv target/bench-venv
	target/bench-venv/bin/pip install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.6 polars==2.1.0 pandas==3.1.1 pandera==0.35.0 TA-Lib==0.8.2 prophet==1.5.0 torch==2.15.0 shap==0.51.0 lime==0.2.0.1 matplotlib==3.11.2 optuna==5.0.0 cmaes==0.13.1 mlflow==3.17.2 fastapi==0.165.0 slowapi==0.1.10 uvicorn==0.54.0 uvloop==0.23.0 httptools==0.9.0
	target/release/bist bench ingest --python target/bench-venv/bin/python
	target/release/bist bench models --python target/bench-venv/bin/python
	target/release/bist bench explain --python target/bench-venv/bin/python
	target/release/bist bench plots --python target/bench-venv/bin/python
	target/release/bist bench registry --python target/bench-venv/bin/python
	target/release/bist bench tune --python target/bench-venv/bin/python
	target/release/bist bench http --python target/bench-venv/bin/python

fuzz: ## What reads bytes of others, FUZZ_SECONDS each (20), before inputs that libFuzzer looks for.
	scripts/fuzz.sh

coverage: web ## How many lines of each crate the tests reach.
	scripts/coverage.sh

e2e: web ## The real binary in headless Chromium, as one process and as several.
	cargo build --release --locked --bin bist
	scripts/with_postgres.sh scripts/e2e.sh target/release/bist

e2e-cluster: web ## The same as several processes only, on PostgreSQL and Redis behind nginx.
	cargo build --release --locked --bin bist
	scripts/with_postgres.sh scripts/e2e.sh target/release/bist target/e2e cluster

outside: web ## What is counted beside the log of 100,000 requests; the real binary beside Optuna, its dashboard, LightGBM, an S3 server, Schemathesis, Bugsink, Prometheus and the library of Grafana.
	cargo build --release --locked --bin bist
	scripts/usage_check.py target/release/bist
	scripts/outside_check.sh target/release/bist

watch-check: web ## The real binary before Bugsink, and, with its rules and dashboards, before Prometheus, Alertmanager and the library of Grafana.
	cargo build --release --locked --bin bist
	scripts/watch_check.sh target/release/bist

security: web ## The real binary before sslyze, the MDN HTTP Observatory, Wapiti, sqlmap and Schemathesis; its dependencies by cargo-deny and cargo-audit.
	cargo build --release --locked --bin bist
	scripts/security_check.sh target/release/bist

deploy-check: web ## Versions switched under load behind HAProxy and nginx, bad ones taken back; and the edge with TLS before sslyze.
	cargo build --release --locked --bin bist
	scripts/with_postgres.sh scripts/deploy_check.sh target/release/bist
	scripts/edge_check.sh

ci: ## What must be green before a commit lands.
	.ci/run

clean: ## Removes what the targets above built; the data directory stays.
	cargo clean
	rm -rf web/dist web/node_modules
