"""What a rule does in one run: the AWS calls that it makes and the evaluations that it puts, for an account of a size.

What a rule asks follows from the permissions that its `parameters.json` declares, as each question is asked once in a
run (`counts.CALLS`), and from the `cost.py` beside its code where it asks less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.costs.counts import CALLS, CONFIG_PAGE, Account, Count, Run, Trigger, once, pages

__all__ = ["Account", "Run", "Trigger", "calls", "evaluations", "pages"]


def evaluations(folder: RuleFolder, run: Run) -> int:
    """How many evaluations the run puts, those that are NOT_APPLICABLE among them."""
    own = getattr(folder.beside("cost"), "evaluations", None)
    if own is not None:
        return int(own(run))
    if "backup:ListBackupSelections" in folder.permissions:
        return run.selections
    return run.plans if "backup:ListBackupPlans" in folder.permissions else 1


def calls(folder: RuleFolder, run: Run) -> Counter[str]:
    """How often the run makes which call, by IAM action, in a state that has not changed since the run before."""
    exceptions: Mapping[str, Count] = getattr(folder.beside("cost"), "CALLS", {})
    found = Counter({action: exceptions.get(action, CALLS.get(action, once))(run) for action in folder.permissions})
    put = evaluations(folder, run)
    found["sts:AssumeRole"] = 1
    found["config:PutEvaluations"] = -(-put // CONFIG_PAGE)
    found["config:GetComplianceDetailsByConfigRule"] = pages(put, CONFIG_PAGE) if run.scheduled else 0
    return +found
