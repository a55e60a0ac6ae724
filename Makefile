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

.PHONY: help
help:  ## Show the targets, a line each.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/ready  ## Make the virtual environment .venv with everything that is needed.

# Tool settings in pyproject.toml change nothing in the environment; dependencies do, through the lock.
$(VENV)/ready: requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found. Name one: make setup PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) (once; a minute or so) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-virtualenv -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.PHONY: evaluate
evaluate: setup  ## Judge a simulated organization, or a real account: PROFILE=… REGION=… (read-only).
	@status=0; $(BIN)/python -m backup_rules_cli.evaluate \
		$(if $(PROFILE),--profile "$(PROFILE)") $(if $(REGION),--region "$(REGION)") \
		$(if $(FORMAT),--format "$(FORMAT)") $(if $(ACCOUNTS),--accounts "$(ACCOUNTS)") $(if $(ALL),--all) \
		$(foreach parameter,$(PARAMETERS),--parameter "$(parameter)") $(if $(RULES),--rules $(RULES)) || status=$$?; \
	if [ $$status -eq 1 ] && [ -z "$(PROFILE)$(REGION)" ]; then exit 0; fi; exit $$status

.PHONY: package
package: setup  ## Pack what AWS Lambda runs into build/package, reproducibly: a zip per function, and the layer.
	@$(BIN)/python -m backup_rules_cli.package

# What the targets below take: docs/deploying.md.
DEPLOYMENT = $(if $(PROFILE),--profile "$(PROFILE)") \
	$(if $(MANAGEMENT_PROFILE),--management-profile "$(MANAGEMENT_PROFILE)") \
	$(if $(SETTINGS),--settings "$(SETTINGS)") $(if $(REGIONS),--regions $(REGIONS)) \
	$(if $(YES),--yes) $(if $(PLAN),--plan) $(if $(ALL),--all)

.PHONY: deploy
deploy: setup  ## Bring the pack to an organization: PROFILE=… [REGIONS="…"] [PLAN=1] [YES=1]. See docs/deploying.md.
	@$(BIN)/python -m backup_rules_cli.deploy deploy $(DEPLOYMENT)

.PHONY: deploy-single-account
deploy-single-account: setup  ## Bring the pack to the one account of PROFILE=…, for a trial.
	@$(BIN)/python -m backup_rules_cli.deploy deploy-single-account $(DEPLOYMENT)

.PHONY: verify
verify: setup  ## How the deployed pack is, in every account and Region: PROFILE=… (read-only).
	@$(BIN)/python -m backup_rules_cli.deploy verify $(DEPLOYMENT)

.PHONY: undeploy
undeploy: setup  ## Take the deployed pack away again: PROFILE=… It asks first.
	@$(BIN)/python -m backup_rules_cli.deploy undeploy $(DEPLOYMENT)

.PHONY: query
query: setup  ## Ask AWS Config what the pack found in all accounts: AGGREGATOR=… PROFILE=… REGION=… (read-only).
	@$(BIN)/python -m backup_rules_cli.queries \
		$(if $(PROFILE),--profile "$(PROFILE)") $(if $(REGION),--region "$(REGION)") \
		$(if $(AGGREGATOR),--aggregator "$(AGGREGATOR)") $(if $(QUERY),--query "$(QUERY)") \
		$(if $(PACK),--pack-name "$(PACK)") $(if $(RULE_PREFIX),--rule-prefix "$(RULE_PREFIX)") \
		$(if $(FORMAT),--format "$(FORMAT)") $(if $(filter 0,$(ANNOTATIONS)),--no-annotations) \
		$(if $(SHOW),--show) || test $$? -eq 1

.PHONY: costs
costs: setup  ## Work out what the pack does and costs in a month: OPTIONS="--accounts 350 --plans 12 …".
	@$(BIN)/python -m backup_rules_cli.costs $(OPTIONS)

.PHONY: rdk-rules
rdk-rules: setup  ## Copy the rule folders for RDK into build/rdk: PARAMETERS="Name=value …", PERIODIC_ONLY=1.
	@$(BIN)/python -m backup_rules_cli.rdk_copy $(if $(RULES),--rules $(RULES)) $(if $(PERIODIC_ONLY),--periodic-only) \
		$(foreach parameter,$(PARAMETERS),--parameter "$(parameter)")

.PHONY: simulate
simulate: setup  ## Serve the simulated organization to other programs, the AWS CLI among them. PORT=5000.
	@$(BIN)/python -m backup_rules_cli.simulate --port $(or $(PORT),5000)

.PHONY: test
test: setup  ## Run all tests.
	@$(BIN)/python -m pytest -n auto

.PHONY: lint
lint: setup  ## Check style, types and templates: ruff (lint and format), mypy (strict), cfn-lint.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy layer cli simulator tests rules functions remediation
	@$(BIN)/cfn-lint --regions eu-west-1 us-east-1 cn-north-1 us-gov-west-1 -- $(filter-out $(ONLY_AWS),$(TEMPLATES))
	@$(BIN)/cfn-lint --regions eu-west-1 us-east-1 -- $(ONLY_AWS)

.PHONY: check
check: lint test  ## Everything that must hold before a commit: lint, format, types, tests.

.PHONY: docs
docs: setup  ## Rewrite the parts of the documentation that are made from the rules' metadata.
	@$(BIN)/python -m backup_rules_cli.docs
	@$(BIN)/python -m backup_rules_cli.costs --write-page

TEMPLATES = $(wildcard cloudformation/*.yaml)
# Of a resource type that China and GovCloud do not have.
ONLY_AWS := cloudformation/invoke-permissions.yaml

.PHONY: templates
templates: setup  ## Rewrite the CloudFormation templates that are made from the rules' metadata.
	@$(BIN)/python -m backup_rules_cli.templates

.PHONY: bench
bench: setup  ## Measure how long judging takes, and what a cold start costs.
	@for bench in tests/bench/bench_*.py; do $(BIN)/python $$bench; done

.PHONY: clean
clean:  ## Remove the virtual environment and all caches.
	@rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
