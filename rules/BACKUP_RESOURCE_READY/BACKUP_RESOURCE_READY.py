"""What a selection picks is of a kind and in a state that AWS Backup can back up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backup_rules.aws import backup, config, resources
from backup_rules.aws.memory import gaps_noticed, remembered
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import ResourceParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, resource_subject
from backup_rules.resources.resource_types import S3, Resource, ResourceType
from backup_rules.selections.picking import ElementKind, SelectionSummary, elements, types_named
from backup_rules.selections.ready import Meant, bucket_finding, meant, selection_findings
from backup_rules.selections.untagged import reached_without_tags
from backup_rules.wording.findings import Finding


class BACKUP_RESOURCE_READY(BackupConfigRule[ResourceParameters, SelectionSummary | Resource]):
    """Verdicts are about selections, and about each S3 bucket that one picks and AWS Config has recorded."""

    parameters_type = ResourceParameters

    def subjects(self, invocation: Invocation[ResourceParameters]) -> Iterator[Subject[SelectionSummary | Resource]]:
        yield from invocation.selections()
        versioning = _versioning(invocation)
        for bucket, _ in _buckets(invocation).values():
            subject = resource_subject(bucket)
            if subject is not None and versioning.get(subject.resource_id) is not None:
                yield subject

    def findings(
        self, subject: Subject[SelectionSummary | Resource], invocation: Invocation[ResourceParameters]
    ) -> Iterator[Finding]:
        if isinstance(subject.of, Resource):
            with gaps_noticed():  # which other buckets there are does not matter
                _, pickers = _buckets(invocation)[subject.of.arn]
                status = _versioning(invocation)[subject.resource_id] or ""
            problem = bucket_finding(subject.resource_id, status, pickers)
            if problem is not None:
                yield problem
            return
        backup.selection(invocation.account, subject.of)  # one that cannot be read has no verdict
        picked = _meant(invocation).get(subject.of)
        if picked is not None:
            modes = config.authentication_modes(invocation.account) if picked.clusters else {}
            versioning = _versioning(invocation) if picked.buckets else {}
            yield from selection_findings(subject.of, picked, versioning, modes)


@remembered
def _meant(invocation: Invocation[ResourceParameters]) -> dict[SelectionSummary, Meant]:
    """What the judged selections pick; a selection that cannot be read fails by itself."""
    account = invocation.account
    selections = backup.readable_selections(account, [subject.of for subject in invocation.selections()])
    if not selections:
        return {}
    untagged: set[ResourceType] = set()
    for selection in selections:
        reached = reached_without_tags(selection, account.place)
        untagged |= {kind for kind, element in reached if kind is S3 or element.kind is ElementKind.ARN}
        named = (each for each in elements(selection) if each.kind is ElementKind.ARN)
        untagged |= {kind for each in named for kind in types_named(each) if kind.service in {"rds", "fsx"}}
    found = resources.could_be_picked(account, untagged)
    return meant(selections, [each for each in found if not invocation.excludes_resource(each)])


@remembered
def _buckets(
    invocation: Invocation[ResourceParameters],
) -> dict[str, tuple[Resource, tuple[SelectionSummary, ...]]]:
    """The buckets that are picked, by ARN, each with the selections that pick it."""
    found: dict[str, tuple[Resource, tuple[SelectionSummary, ...]]] = {}
    for selection, picked in _meant(invocation).items():
        for bucket in picked.buckets:
            _, pickers = found.get(bucket.arn, (bucket, ()))
            found[bucket.arn] = bucket, (*pickers, selection)
    return found


def _versioning(invocation: Invocation[ResourceParameters]) -> dict[str, str | None]:
    """The versioning of the recorded buckets by name; nothing is read where no bucket is picked."""
    return config.bucket_versioning(invocation.account) if _buckets(invocation) else {}


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_RESOURCE_READY()).handle(event, context)
