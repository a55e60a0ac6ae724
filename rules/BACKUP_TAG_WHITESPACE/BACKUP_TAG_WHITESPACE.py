"""No resource misses a backup selection because of white space in a tag, and no selection has stray white space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backup_rules.annotations import name, sentence
from backup_rules.evaluator import Evaluator
from backup_rules.findings import Finding, Problem, Subject
from backup_rules.near_misses import NearMissRule, without_white_space
from backup_rules.parameters import RuleParameters
from backup_rules.resource_types import Resource
from backup_rules.run import Run
from backup_rules.selection_words import called
from backup_rules.selections import SelectionSummary
from backup_rules.tags import Difference, stray_white_space


class BACKUP_TAG_WHITESPACE(NearMissRule):
    """Verdicts are about selections, and about each resource that one of them misses by white space only."""

    difference = Difference.WHITE_SPACE
    unlike = "with other white space"
    reason = "White space counts in tags"

    def findings(self, subject: Subject[SelectionSummary | Resource], run: Run[RuleParameters]) -> Iterator[Finding]:
        if isinstance(subject.of, SelectionSummary):
            for tag in stray_white_space(run.account.selection(subject.of)):
                whose = f"{sentence(name(tag, 80))} of {called(subject.of)}"
                words = f"{whose} begins or ends with white space, which counts in tags."
                yield Problem.worded([words], *without_white_space(subject.of))
        yield from super().findings(subject, run)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_TAG_WHITESPACE()).handle(event, context)
