"""No resource misses a backup selection because of white space in a tag, and no selection has stray white space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backup_rules.aws import backup
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import ResourceParameters
from backup_rules.evaluation.subjects import Subject
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.near_misses import Difference, stray_white_space
from backup_rules.selections.picking import SelectionSummary
from backup_rules.selections.words import callings
from backup_rules.shared_rules.near_miss_rule import NearMissRule, without_white_space
from backup_rules.wording.annotations import name, sentence
from backup_rules.wording.findings import Finding, Problem


class BACKUP_TAG_WHITESPACE(NearMissRule):
    """Verdicts are about selections, and about each resource that one of them misses by white space only."""

    difference = Difference.WHITE_SPACE
    unlike = "with other white space"
    reason = "White space counts in tags"

    def findings(
        self, subject: Subject[SelectionSummary | Resource], invocation: Invocation[ResourceParameters]
    ) -> Iterator[Finding]:
        if isinstance(subject.of, SelectionSummary):
            for tag in stray_white_space(backup.selection(invocation.account, subject.of)):
                words = (
                    f"{sentence(name(tag, length))} of {whose} begins or ends with white space, which counts in tags."
                    for length in (80, 50)
                    for whose in callings(subject.of)
                )
                yield Problem.worded(words, *without_white_space(subject.of))
        yield from super().findings(subject, invocation)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_TAG_WHITESPACE()).handle(event, context)
