"""What a rule does in one invocation: the AWS calls that it makes and the evaluations that it puts.

What a rule asks follows from the permissions that its `parameters.json` declares, as each question is asked once in an
invocation (`counts.CALLS`), and from the `cost.py` beside its code where it asks less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.costs.counts import CALLS, CONFIG_PAGE, Account, Count, Invocation, Trigger, once, pages

__all__ = ["Account", "Invocation", "Trigger", "calls", "evaluations", "pages"]


def evaluations(folder: RuleFolder, invocation: Invocation) -> int:
    """How many evaluations the invocation puts, those that are NOT_APPLICABLE among them."""
    own = getattr(folder.beside("cost"), "evaluations", None)
    if own is not None:
        return int(own(invocation))
    if "backup:ListBackupSelections" in folder.permissions:
        return invocation.selections
    return invocation.plans if "backup:ListBackupPlans" in folder.permissions else 1


def calls(folder: RuleFolder, invocation: Invocation) -> Counter[str]:
    """How often the invocation makes which call, by IAM action, while nothing has changed since the one before."""
    exceptions: Mapping[str, Count] = getattr(folder.beside("cost"), "CALLS", {})
    found = Counter(
        {action: exceptions.get(action, CALLS.get(action, once))(invocation) for action in folder.permissions}
    )
    put = evaluations(folder, invocation)
    found["sts:AssumeRole"] = 1
    found["config:PutEvaluations"] = -(-put // CONFIG_PAGE)
    found["config:GetComplianceDetailsByConfigRule"] = pages(put, CONFIG_PAGE) if invocation.scheduled else 0
    return +found
