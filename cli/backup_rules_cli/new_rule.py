"""`backup-rules new-rule`: the folder and the tests of a new rule, to be filled in where they say REPLACE.

What is written works: a rule about plans, its page, its place in the demo organization and its tests. Nothing else is
edited: templates, pages and tables are made from the folder by `make templates docs`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from backup_rules_cli.errors import CommandError
from backup_rules_cli.resources import IN_CHECKOUT, ROOT

LONGEST_NAME = 37
"""AWS Config's names have at most 64 characters, and a conformance pack appends 27:
https://docs.aws.amazon.com/config/latest/developerguide/conformance-packs.html"""


def check_name(name: str) -> None:
    """That a rule may be called so.

    Raises:
        CommandError: naming what is wrong, and what is allowed.
    """
    if not re.fullmatch(r"BACKUP_[A-Z0-9]+(?:_[A-Z0-9]+)*", name):
        raise CommandError(
            f"{name!r} is no name of a rule: allowed are capital letters, digits and single underscores after BACKUP_,"
            " such as BACKUP_COPY_ENCRYPTED."
        )
    if len(name) > LONGEST_NAME:
        raise CommandError(
            f"{name} has {len(name)} characters: a conformance pack appends 27 to a rule's name, and AWS Config takes"
            f" 64, so that {LONGEST_NAME} are allowed. Find a shorter one."
        )


def write(name: str, root: Path = ROOT) -> list[Path]:
    """Write the folder `rules/<name>` and `tests/rules/test_<name>.py`; what was written.

    Raises:
        CommandError: the name is not allowed or taken, or this is no checkout of the project.
    """
    check_name(name)
    if root == ROOT and not IN_CHECKOUT:
        raise CommandError("A new rule is written into a checkout of the project, and this is an installed copy.")
    folder = root / "rules" / name
    if folder.exists():
        raise CommandError(f"There is a rule {name} already, in {folder}.")
    files = {root / path: text for path, text in contents(name).items()}
    taken = [path for path in files if path.exists()]
    if taken:
        raise CommandError(f"{taken[0]} is there already.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def contents(name: str) -> dict[str, str]:
    """The files of the rule, by their paths in the project."""
    folder = f"rules/{name}"
    words = {"{NAME}": name, "{TITLE}": _title(name)}

    def filled(text: str) -> str:
        for mark, word in words.items():
            text = text.replace(mark, word)
        return text.lstrip("\n")

    return {
        f"{folder}/{name}.py": filled(_RULE),
        f"{folder}/{name}_test.py": filled(_RDK_TEST),
        f"{folder}/parameters.json": json.dumps(_metadata(name), indent=2) + "\n",
        f"{folder}/README.md": filled(_PAGE),
        f"{folder}/demo.py": filled(_DEMO),
        f"tests/rules/test_{name}.py": filled(_TEST),
    }


def _title(name: str) -> str:
    return name.removeprefix("BACKUP_").replace("_", " ").lower()


def _metadata(name: str) -> dict[str, object]:
    optional = {"ExecutionRoleName": "", "AssumeRoleMode": "", "ExcludedPlans": ""}
    return {
        "Version": "1.0",
        "Parameters": {
            "RuleName": name,
            "Description": "REPLACE: what is so of every plan, in at most 256 characters.",
            "SourceRuntime": "python3.13-lib",
            "CodeKey": f"{name}.zip",
            "InputParameters": "{}",
            "OptionalParameters": json.dumps(optional),
            "SourcePeriodic": "TwentyFour_Hours",
            "RuleSets": ["schedule"],
        },
        "About": {
            "Title": "REPLACE what is so where all is well",
            "Condition": "REPLACE: the condition, in one sentence.",
            "Severity": "MEDIUM",
            "Remediation": "REPLACE: what to do.",
            "Permissions": ["backup:GetBackupPlan", "backup:ListBackupPlans"],
        },
        "Tags": "[]",
    }


_RULE = '''
"""REPLACE: what is so of every plan: {TITLE}."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from backup_rules.aws import backup
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.plans.plans import PlanSummary
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, Problem


class {NAME}(BackupConfigRule[RuleParameters, PlanSummary]):
    """Verdicts are about plans."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[PlanSummary]]:
        return invocation.plans()

    def findings(self, subject: Subject[PlanSummary], invocation: Invocation[RuleParameters]) -> Iterator[Finding]:
        plan = backup.plan(invocation.account, subject.of)
        if plan.name.startswith("broken-"):  # REPLACE by the condition, judged in a room of layer/backup_rules
            yield Problem(f"Plan {name(plan.name)} is broken.", "REPLACE: what to do.")


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator({NAME}()).handle(event, context)
'''

_RDK_TEST = '''
"""A plan with the problem, and its healthy twin."""

from __future__ import annotations

import unittest

from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import front_door

RULE = "{NAME}"
PLAN = "AWS::Backup::BackupPlan"


class TestTheRule(unittest.TestCase):
    """Two plans, judged through the front door."""

    def test_a_plan_with_the_problem_and_one_without(self) -> None:
        with front_door() as door:
            broken, healthy = door.plan("broken-nightly"), door.plan("nightly")
            found = door.evaluate(RULE)
        self.assertEqual(found[PLAN, broken].compliance, "NON_COMPLIANT")
        self.assertEqual(found[PLAN, healthy].compliance, "COMPLIANT")

    def test_a_parameter_that_is_not_known_is_refused(self) -> None:
        with front_door() as door, self.assertRaises(InvalidRuleParametersError):
            door.evaluate(RULE, {"Unheard": "of"})
'''

_TEST = '''
"""{NAME} through the front door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aws_simulator.core.faults import denied, failing
from backup_rules.errors import IncompleteEvaluationError, ReadError
from tests.front_door import Door, front_door

RULE = "{NAME}"
PLAN = "AWS::Backup::BackupPlan"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        yield it


@pytest.mark.parametrize(("name", "compliance"), [("broken-nightly", "NON_COMPLIANT"), ("nightly", "COMPLIANT")])
def test_what_the_rule_says_of_a_plan(door: Door, name: str, compliance: str) -> None:
    plan = door.plan(name)
    assert door.evaluate(RULE)[PLAN, plan].compliance == compliance


@pytest.mark.parametrize("operation", ["ListBackupPlans", "GetBackupPlan"])
def test_what_cannot_be_read_gets_no_verdict(door: Door, operation: str) -> None:
    door.plan()
    with (
        failing(denied, "backup", operation),
        pytest.raises((ReadError, IncompleteEvaluationError), match=f"backup:{operation}"),
    ):
        door.evaluate(RULE)
    assert door.stored(RULE) == {}
'''

_DEMO = '''
"""What the demo organization plants for the rule: the problem, and its healthy twin."""

from __future__ import annotations

from demo_organization.expected import ANALYTICS, VIRGINIA, Expected, rows
from demo_organization.site import Site


def plans(site: Site) -> None:
    """Healthy: `{NAME}-healthy`. Broken: `broken-{NAME}`."""
    for name in ("{NAME}-healthy", "broken-{NAME}"):
        plan = site.plan(name)
        site.selection(plan, f"tables-of-{name}", Resources=[site.table(name)])


PLANTED = {(ANALYTICS, VIRGINIA): (plans,)}

EXPECTED: tuple[Expected, ...] = rows(
    "{NAME}",
    ANALYTICS,
    VIRGINIA,
    {"broken-{NAME}": "broken-"},
    ("{NAME}-healthy",),
)
'''

_PAGE = """
# {NAME}

REPLACE: what is so of every plan.

## What it finds

- REPLACE

## Why that stops backups

REPLACE

## Verdicts

About each backup plan.

| Verdict | When |
|---|---|
| COMPLIANT | nothing of the above was found |
| NON_COMPLIANT | something of the above was found |
| NOT_APPLICABLE | only to clear a plan that is gone or excluded |
| failed evaluation | a plan or the list of plans could not be read; the last verdict stays |

## Examples

> Plan broken-nightly is broken. REPLACE: what to do.

## How to fix it

Console: REPLACE

```sh
aws backup get-backup-plan --backup-plan-id PLAN_ID
```

```yaml
Resources:
  Nightly:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: nightly
        BackupPlanRule:
          - RuleName: daily
            TargetBackupVault: main
            ScheduleExpression: cron(0 5 ? * * *)
```

## Parameters

| Parameter | Default | Allowed |
|---|---|---|
| `ExcludedPlans` | none | comma-separated plan names or ids; `*` and `?` are wildcards |
| `ExecutionRoleName` | none | the name of the role to assume in the account |
| `AssumeRoleMode` | `true` | `true` or `false` |

## Permissions

`backup:ListBackupPlans`, `backup:GetBackupPlan`.

## Limits

- REPLACE: what the rule does not see, and where AWS's texts disagree.

## Sources

- REPLACE: the pages of AWS that say so.
"""
