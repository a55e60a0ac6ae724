"""What tests of several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.plans import PlanAnswer, plan_answers
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.readings.files import load
from backup_rules_cli.sources import of_reading


@pytest.fixture(scope="session")
def answers(demo_reading: tuple[Path, Any]) -> list[PlanAnswer]:
    """All that is known of all plans of the simulated organization."""
    sources = of_reading(load(demo_reading[0]))
    accounts = [Account(Calls(each.place, each.clients)) for each in sources.found]
    judged = [JudgedAccount(each, rule_folders(), {}, sources.now, sources.called) for each in accounts]
    return [answer for each in judged for answer in plan_answers(each)]
