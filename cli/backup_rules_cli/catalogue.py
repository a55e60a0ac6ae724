"""The pack's rules, found by their folders: a new folder under `rules/` is a new rule, and nothing else is edited."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules_cli import resources
from backup_rules_cli.errors import CommandError, UnknownNameError
from backup_rules_cli.suggestions import did_you_mean

# What the evaluator needs for every rule: to put evaluations, and to find those that no longer have a subject.
COMMON_PERMISSIONS = frozenset({"config:GetComplianceDetailsByConfigRule", "config:PutEvaluations"})
# And where the functions serve an organization (ORGANIZATION_ID): to see that the account is in it.
ORGANIZATION_PERMISSIONS = frozenset({"organizations:DescribeOrganization"})

ROOT = resources.ROOT
RULES = ROOT / "rules"


@dataclass(frozen=True)
class RuleFolder:
    """One folder of `rules/`: its code, its metadata (`parameters.json`) and its page (`README.md`)."""

    name: str
    path: Path

    @property
    def metadata(self) -> dict[str, Any]:
        """RDK's `Parameters`: Description, SourceEvents, SourcePeriodic, InputParameters, OptionalParameters, …"""
        return dict(_metadata(self.path)["Parameters"])

    @property
    def about(self) -> dict[str, Any]:
        """What RDK does not know of: Title, Severity, Condition, Remediation, and Permissions (IAM actions)."""
        return dict(_metadata(self.path)["About"])

    @property
    def severity(self) -> str:
        """`low`, `medium`, `high` or `critical`."""
        return str(self.about["Severity"]).lower()

    @property
    def permissions(self) -> frozenset[str]:
        """The IAM actions that the rule needs in the account that it judges, beside those that every rule needs."""
        return frozenset(self.about["Permissions"])

    @property
    def defaults(self) -> dict[str, str]:
        """The parameters that have a default, as AWS Config passes them: texts."""
        return {key: str(value) for key, value in json.loads(self.metadata["InputParameters"]).items()}

    @property
    def optional(self) -> tuple[str, ...]:
        """The parameters that may be left out."""
        return tuple(json.loads(self.metadata["OptionalParameters"]))

    @property
    def triggers(self) -> tuple[str, ...]:
        """The types of configuration items whose change triggers the rule."""
        return tuple(part.strip() for part in self.metadata.get("SourceEvents", "").split(",") if part.strip())

    @property
    def runtime(self) -> str:
        """The `Runtime` of its function in AWS Lambda: `python3.13`."""
        return str(self.metadata["SourceRuntime"]).removesuffix("-lib")

    @property
    def frequency(self) -> str:
        """How often it runs: `TwentyFour_Hours`, as AWS Config spells it."""
        return str(self.metadata["SourcePeriodic"])

    @property
    def config_rule_name(self) -> str:
        """Its name in AWS Config: lower case, with hyphens."""
        return self.name.lower().replace("_", "-")

    def module(self) -> ModuleType:
        """Its code, imported as Lambda would import it: by file."""
        return _module(self.name, self.path)

    def beside(self, name: str) -> ModuleType | None:
        """A module beside the rule's code that only the commands use (`demo`, `cost`); None where it has none."""
        path = self.path / f"{name}.py"
        return _extra(f"{name}_of_{self.name}", path) if path.is_file() else None

    def rule(self) -> BackupConfigRule[Any, Any]:
        """A new instance of its class."""
        return getattr(self.module(), self.name)()  # type: ignore[no-any-return]


def rule_folders(*names: str) -> tuple[RuleFolder, ...]:
    """All rules in alphabetical order, or those that are named.

    Raises:
        UnknownNameError: when a name is not that of a rule.
        CommandError: there are no rules at all.
    """
    found = {path.parent.name: path.parent for path in sorted(RULES.glob("*/parameters.json"))}
    if not found:
        raise CommandError(f"There are no rules in {RULES}: the installation is not complete. Install it anew.")
    for name in names:
        if name not in found:
            hint = did_you_mean(name, found)
            raise UnknownNameError(f"There is no rule {name}.{hint} The rules are {', '.join(found)}.")
    return tuple(RuleFolder(name, found[name]) for name in (names or found))


@lru_cache
def _metadata(path: Path) -> dict[str, Any]:
    return dict(json.loads((path / "parameters.json").read_text(encoding="utf-8")))


def planted() -> list[Any]:
    """What the rules plant in the demo organization for themselves: `PLANTED` of each `demo.py`."""
    demos = (folder.beside("demo") for folder in rule_folders())
    return [demo.PLANTED for demo in demos if demo is not None and hasattr(demo, "PLANTED")]


def expected() -> tuple[Any, ...]:
    """What must be found in the demo organization, and what must not: `EXPECTED` of each rule's `demo.py`."""
    demos = (folder.beside("demo") for folder in rule_folders())
    return tuple(row for demo in demos if demo is not None for row in demo.EXPECTED)


def _module(name: str, path: Path) -> ModuleType:
    return _extra(name, path / f"{name}.py")


@lru_cache
def _extra(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"{path} is missing.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
