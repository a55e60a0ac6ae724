# Every target sets up what it needs: from nothing but Python (3.11 or newer) and make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The interpreter that makes the virtual environment; the first of these that is 3.11 or newer.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# One more than there are processors: some tests wait.
WORKERS := $(shell echo $$(($$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1)))

.PHONY: help
help:  ## Show the targets, a line each.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/ready  ## Make the virtual environment .venv with everything that is needed.

# Tool settings in pyproject.toml change nothing in the environment; dependencies do, through the lock.
$(VENV)/ready: requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found. Name one: make setup PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) (once; a minute or so) …" >&2
	@$(PYTHON) -m venv $(VENV) >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-virtualenv --require-hashes -r requirements.lock >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . >&2
	@touch $@

# The variables that each target takes on the command line. Others are refused: a misspelt one would not be missed.
KNOWN_evaluate := PROFILE REGION ACCOUNTS ROLE RULES PARAMETERS FORMAT ALL
KNOWN_deploy := PROFILE MANAGEMENT_PROFILE SECURITY_HUB_PROFILE REGIONS SETTINGS EXCLUSIONS PLAN YES EXPECT_ACCOUNT EXPECT_ORGANIZATION
KNOWN_deploy-single-account := PROFILE MANAGEMENT_PROFILE SECURITY_HUB_PROFILE REGIONS SETTINGS EXCLUSIONS PLAN YES EXPECT_ACCOUNT
KNOWN_verify := PROFILE MANAGEMENT_PROFILE SECURITY_HUB_PROFILE REGIONS SETTINGS ALL PROBE PROBE_UNIT YES
KNOWN_undeploy := PROFILE MANAGEMENT_PROFILE SECURITY_HUB_PROFILE REGIONS SETTINGS YES EXPECT_ACCOUNT EXPECT_ORGANIZATION
KNOWN_query := PROFILE REGION AGGREGATOR QUERY PACK RULE_PREFIX FORMAT ANNOTATIONS SHOW
KNOWN_costs := OPTIONS
KNOWN_rdk-rules := RULES PARAMETERS PERIODIC_ONLY
KNOWN_simulate := PORT
KNOWN_cfn-guard := REGISTRY
KNOWN_test := TESTS
KNOWN_test-fast := TESTS
KNOWN_mutants := MODULE TESTS
KNOWN_faults := RULES EVERY
KNOWN_fuzz := SEED SECONDS
KNOWN_fuzz-coverage := SEED SECONDS TARGETS
KNOWN_recorded := RECORDED_ANSWERS

GOALS := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
KNOWN := $(sort PYTHON $(foreach goal,$(GOALS),$(KNOWN_$(goal))))
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
UNKNOWN := $(firstword $(filter-out $(KNOWN) MAKEFLAGS MAKEOVERRIDES,$(GIVEN)))
ifneq ($(UNKNOWN),)
NEAR := $(shell $(PYTHON) -c 'import difflib, sys; print(*difflib.get_close_matches(sys.argv[1], sys.argv[2:], 1))' '$(UNKNOWN)' $(KNOWN))
$(error make $(GOALS) takes no $(UNKNOWN).$(if $(NEAR), Did you mean $(NEAR)?) It takes $(KNOWN))
endif

# A value as one word of the shell.
quoted = '$(subst ','\'',$(1))'
# An option with a value, where the variable has one: $(call option,--profile,$(PROFILE)).
option = $(if $(2),$(1) $(call quoted,$(2)))

.PHONY: evaluate
evaluate: setup  ## Judge a simulated organization, or a real account: PROFILE=… REGION=… (read-only).
	@status=0; $(BIN)/backup-rules evaluate $(call option,--profile,$(PROFILE)) $(call option,--region,$(REGION)) \
		$(call option,--accounts,$(ACCOUNTS)) $(call option,--role,$(ROLE)) \
		$(call option,--format,$(FORMAT)) $(call option,--rules,$(RULES)) \
		$(foreach parameter,$(PARAMETERS),$(call option,--parameter,$(parameter))) $(if $(ALL),--all) || status=$$?; \
	if [ $$status -eq 1 ] && [ -z $(call quoted,$(PROFILE)$(REGION)$(ROLE)) ]; then exit 0; fi; exit $$status

.PHONY: package
package: setup  ## Pack what AWS Lambda runs into build/package, reproducibly: a zip per function, and the layer.
	@$(BIN)/backup-rules package

# What the targets below take: docs/deploying.md.
DEPLOYMENT = $(call option,--profile,$(PROFILE)) $(call option,--management-profile,$(MANAGEMENT_PROFILE)) \
	$(call option,--security-hub-profile,$(SECURITY_HUB_PROFILE)) \
	$(call option,--settings,$(SETTINGS)) $(call option,--region,$(REGIONS)) \
	$(call option,--expect-account,$(EXPECT_ACCOUNT)) $(call option,--expect-organization,$(EXPECT_ORGANIZATION)) \
	$(if $(YES),--yes) $(if $(PLAN),--plan) $(if $(ALL),--all)

.PHONY: deploy
deploy: setup  ## Bring the pack to an organization: PROFILE=… [REGIONS="…"] [PLAN=1] [YES=1]. See docs/deploying.md.
	@$(BIN)/backup-rules deploy $(DEPLOYMENT) $(call option,--exclusions,$(EXCLUSIONS))

.PHONY: deploy-single-account
deploy-single-account: setup  ## Bring the pack to the one account of PROFILE=…, for a trial.
	@$(BIN)/backup-rules deploy-single-account $(DEPLOYMENT) $(call option,--exclusions,$(EXCLUSIONS))

.PHONY: verify
verify: setup  ## How the deployed pack is, in every account and Region: PROFILE=… (read-only).
	@$(BIN)/backup-rules verify $(DEPLOYMENT) $(if $(PROBE),--probe) $(call option,--probe-unit,$(PROBE_UNIT))

.PHONY: undeploy
undeploy: setup  ## Take the deployed pack away again: PROFILE=… It asks first.
	@$(BIN)/backup-rules undeploy $(DEPLOYMENT)

.PHONY: query
query: setup  ## Ask AWS Config what the pack found in all accounts: AGGREGATOR=… PROFILE=… REGION=… (read-only).
	@$(BIN)/backup-rules query $(call option,--profile,$(PROFILE)) $(call option,--region,$(REGION)) \
		$(call option,--aggregator,$(AGGREGATOR)) $(call option,--query,$(QUERY)) \
		$(call option,--pack-name,$(PACK)) $(call option,--rule-prefix,$(RULE_PREFIX)) \
		$(call option,--format,$(FORMAT)) $(if $(filter 0,$(ANNOTATIONS)),--no-annotations) \
		$(if $(SHOW),--show) || test $$? -eq 1

.PHONY: costs
costs: setup  ## Work out what the pack does and costs in a month: OPTIONS="--accounts 350 --plans 12 …".
	@$(BIN)/backup-rules costs $(OPTIONS)

.PHONY: rdk-rules
rdk-rules: setup  ## Copy the rule folders for RDK into build/rdk: PARAMETERS="Name=value …", PERIODIC_ONLY=1.
	@$(BIN)/backup-rules rdk-rules $(call option,--rules,$(RULES)) $(if $(PERIODIC_ONLY),--periodic-only) \
		$(foreach parameter,$(PARAMETERS),$(call option,--parameter,$(parameter)))

.PHONY: simulate
simulate: setup  ## Serve the simulated organization to other programs, the AWS CLI among them: PORT=…
	@exec $(BIN)/backup-rules simulate $(call option,--port,$(PORT))

.PHONY: test
test: setup  ## Run the tests but for the few slow ones, or those of TESTS="path …".
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" $(TESTS)

.PHONY: test-all
test-all: setup  ## Run all tests, the slow ones too.
	@$(BIN)/python -m pytest -n $(WORKERS)

.PHONY: test-fast
test-fast: setup  ## Run the tests of layer and rules: no server, no deployed function.
	@$(BIN)/python -m pytest -n auto $(or $(TESTS),tests/layer tests/rules rules)

.PHONY: lint
lint: setup  ## Check style, types and templates: ruff (lint and format), mypy (strict), cfn-lint.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy layer cli simulator tests rules functions remediation
	@$(BIN)/cfn-lint --regions eu-west-1 us-east-1 cn-north-1 us-gov-west-1 -- $(filter-out $(ONLY_AWS),$(TEMPLATES))
	@$(BIN)/cfn-lint --regions eu-west-1 us-east-1 -- $(ONLY_AWS)

CHECKOV = build/checkov/bin/checkov

# In an environment of its own: it brings a hundred packages, and pins some that the simulator needs newer.
$(CHECKOV):
	@$(PYTHON) -m venv build/checkov
	@build/checkov/bin/python -m pip install --quiet checkov==3.3.30

.PHONY: checkov
checkov: $(CHECKOV)  ## Check the templates with checkov; .checkov.yaml says what is left out, and why. Not part of lint.
	@$(CHECKOV) --config-file .checkov.yaml

GUARD = build/cfn-guard
GUARD_PACKAGE = $(GUARD)/node_modules/@cdklabs/cdk-validator-cfnguard
# AWS's registry of Guard rules, in its newest state; REGISTRY names a folder that has it, where GitHub is out of reach.
REGISTRY ?= $(GUARD)/registry

# Without what the package wants beside it (the CDK, 200 MB): only its cfn-guard and its rules are used.
$(GUARD_PACKAGE):
	@npm install --silent --prefix $(GUARD) --ignore-scripts --legacy-peer-deps --no-save @cdklabs/cdk-validator-cfnguard@0.0.62

$(GUARD)/registry:
	@git clone --quiet https://github.com/aws-cloudformation/aws-guard-rules-registry $@
	@git -C $@ checkout --quiet 7f7340c26ae5d5e8874651dbffeb12e0e9f505b6

.PHONY: cfn-guard
cfn-guard: setup $(GUARD_PACKAGE) $(REGISTRY)  ## Check the templates with AWS's Guard rules; .cfn-guard.yaml says what is left out, and why. Not part of lint.
	@$(BIN)/python -m tests.cfn_guard $(GUARD_PACKAGE) $(call quoted,$(REGISTRY))

.PHONY: check
check: lint test-all  ## Everything that must hold before a commit: lint, format, types, tests.

.PHONY: docs
docs: setup  ## Rewrite the parts of the documentation that are made from the rules' metadata.
	@$(BIN)/backup-rules docs

TEMPLATES = $(wildcard cloudformation/*.yaml)
# Of a resource type that China and GovCloud do not have.
ONLY_AWS := cloudformation/invoke-permissions.yaml

.PHONY: templates
templates: setup  ## Rewrite the CloudFormation templates that are made from the rules' metadata.
	@$(BIN)/backup-rules templates

.PHONY: pictures
pictures: setup  ## Take the pictures of the report that the documentation shows anew. It needs Chromium.
	@$(BIN)/python -m tests.pictures

.PHONY: bench
bench: setup  ## Measure how judging grows, how long it takes, what a cold start costs; fails where a limit is missed.
	@status=0; for bench in $(filter-out %_peers.py,$(wildcard tests/bench/bench_*.py)); do \
		$(BIN)/python $$bench || status=1; done; exit $$status

.PHONY: bench-peers
bench-peers: setup  ## Measure the pack beside a bare fetch, Cloud Custodian and Prowler, installed into build/peers.
	@test -x build/peers/c7n/bin/custodian || { $(PYTHON) -m venv build/peers/c7n && \
		build/peers/c7n/bin/pip install --quiet --disable-pip-version-check c7n==0.9.53 || \
		echo "Cloud Custodian could not be installed." >&2; }
	@test -x build/peers/prowler/bin/prowler || { $(PYTHON) -m venv build/peers/prowler && \
		build/peers/prowler/bin/pip install --quiet --disable-pip-version-check prowler==5.46.0 || \
		echo "Prowler could not be installed." >&2; }
	@$(BIN)/python tests/bench/bench_peers.py

.PHONY: load
load: setup  ## All rules of an account at once, against AWS Backup's call rates, on a clock of its own: some minutes.
	@$(BIN)/python -m tests.load.at_once --plans 100 --selections 10 --days 2
	@$(BIN)/python -m tests.load.at_once --plans 300 --selections 20 --days 3

.PHONY: mutants
mutants: setup  ## Change judging code a little at a time, and list what no test notices: MODULE=path TESTS="path …".
	@$(BIN)/python tests/mutants.py $(or $(MODULE),layer/backup_rules/vaults/vaults.py) $(or $(TESTS),tests/layer/vaults)

.PHONY: faults
faults: setup  ## Try each rule with each fault of each AWS operation that it calls: RULES="…" EVERY=… for each n-th only.
	@$(BIN)/python -m tests.faults.matrix $(if $(EVERY),--every $(call quoted,$(EVERY))) \
		$(foreach rule,$(RULES),$(call option,--rule,$(rule)))

.PHONY: fuzz
fuzz: setup  ## Feed parsers and handlers what nobody would write, for SECONDS=60; SEED=… repeats a run.
	@$(BIN)/python -m tests.fuzz.fuzz $(if $(SEED),--seed $(call quoted,$(SEED))) $(if $(SECONDS),--seconds $(call quoted,$(SECONDS)))

ATHERIS = build/atheris/ready

# Beside the environment, not in it: it is of use to this target alone, and has no wheel for every system.
$(ATHERIS): $(VENV)/ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target build/atheris 'atheris>=3,<4'
	@touch $@

.PHONY: fuzz-coverage
fuzz-coverage: $(ATHERIS)  ## The same readers under atheris, guided by coverage: SECONDS=10 for each, TARGETS="cron runs …", SEED=….
	@PYTHONPATH=build/atheris $(BIN)/python -m tests.fuzz.guided $(if $(SEED),--seed $(call quoted,$(SEED))) \
		$(if $(SECONDS),--seconds $(call quoted,$(SECONDS))) $(foreach target,$(TARGETS),$(call option,--target,$(target)))

.PHONY: recorded
recorded: setup  ## Answers that AWS gave and others recorded, through readers and rules: RECORDED_ANSWERS=/path/to/answers.json.
	@$(if $(RECORDED_ANSWERS),RECORDED_ANSWERS=$(call quoted,$(RECORDED_ANSWERS))) $(BIN)/python -m tests.recorded.recorded

.PHONY: clean
clean:  ## Remove the virtual environment and all caches.
	@rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
