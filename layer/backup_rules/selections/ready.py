"""What a selection picks, or would: is it of a kind and in a state that AWS Backup can back up?

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html (versioning),
https://docs.aws.amazon.com/aws-backup/latest/devguide/eks-backups.html (authentication mode) and those of `Unsupported`
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from backup_rules.resources.resource_types import EKS, S3, Resource
from backup_rules.selections.picking import ElementKind, Selection, SelectionIndex, SelectionSummary, alike
from backup_rules.selections.words import called
from backup_rules.wording.annotations import NAMES, name, sentence
from backup_rules.wording.findings import Finding, Note, Problem

CONFIG_MAP = "CONFIG_MAP"
ENABLED = "Enabled"

# A wild card picks around what cannot be backed up; a tag or an ARN means that very thing.
_MEANT = {ElementKind.TAG, ElementKind.ARN}


@dataclass(slots=True)
class Meant:
    """What a selection picks that may not be ready: each resource with how it is meant (`tag` or `name` it)."""

    unsupported: list[tuple[Resource, str]] = field(default_factory=list)
    clusters: list[Resource] = field(default_factory=list)
    buckets: list[Resource] = field(default_factory=list)


def meant(selections: Iterable[Selection], resources: Iterable[Resource]) -> dict[SelectionSummary, Meant]:
    """What each selection picks of S3 and EKS, and what it names or tags though AWS Backup cannot back it up."""
    groups = alike(selections)
    index = SelectionIndex(groups)
    found: dict[SelectionSummary, Meant] = defaultdict(Meant)
    for resource in resources:
        if not (resource.unsupported or resource.type in {EKS, S3}):
            continue
        for pick in index.selections_picking(replace(resource, unsupported=None)):
            of_selection = found[pick.selection.summary]
            kinds = {each.kind for each in pick.elements} & _MEANT
            if resource.type is S3:
                of_selection.buckets.append(resource)
            elif kinds and resource.unsupported:
                of_selection.unsupported.append((resource, "tag" if ElementKind.TAG in kinds else "name"))
            elif kinds:
                of_selection.clusters.append(resource)
    return {
        each.summary: found[first.summary]
        for first, group in groups.items()
        if first.summary in found
        for each in group
    }


def selection_findings(
    selection: SelectionSummary,
    picked: Meant,
    versioning: Mapping[str, str | None],
    authentication_modes: Mapping[str, str | None],
) -> Iterator[Finding]:
    """What is said about the selection.

    Args:
        selection: which.
        picked: what it picks: see `meant`.
        versioning: of the recorded buckets, by name; None where AWS Config does not have it.
        authentication_modes: of the recorded EKS clusters, by ARN; in the same way.
    """
    by_reason = defaultdict(list)
    for resource, act in picked.unsupported:
        by_reason[resource.unsupported, act].append(resource)
    for (reason, act), resources in by_reason.items():
        if reason is not None:
            yield _unsupported(selection, reason.what, reason.instead.format(act=act), act, resources)
    wrong = [each for each in picked.clusters if authentication_modes.get(each.arn) == CONFIG_MAP]
    if wrong:
        act = "picks"
        words = (
            f"{sentence(called(selection, shown))} {act} {_counted(wrong, 'EKS cluster', shown[0])} with authentication"
            f" mode {CONFIG_MAP}, which AWS Backup cannot back up."
            for shown in NAMES
        )
        yield Problem.worded(words, "Set the authentication mode to API_AND_CONFIG_MAP.")
    unknown = sum(authentication_modes.get(each.arn) is None for each in picked.clusters)
    if unknown:
        yield Note(
            f"AWS Config does not tell the authentication mode of {_number(unknown, 'EKS cluster')} that it picks: AWS"
            " Backup needs API or API_AND_CONFIG_MAP."
        )
    unrecorded = sum(versioning.get(_bucket_name(each)) is None for each in picked.buckets)
    if unrecorded:
        yield Note(
            f"AWS Config has not recorded the versioning of {_number(unrecorded, 'S3 bucket')} that it picks: AWS"
            " Backup needs it Enabled."
        )


def _unsupported(selection: SelectionSummary, what: str, instead: str, act: str, resources: list[Resource]) -> Problem:
    words = (
        f"{sentence(called(selection, shown))} {act}s {_counted(resources, what, shown[0])}, which AWS Backup cannot"
        " back up."
        for shown in NAMES
    )
    return Problem.worded(words, sentence(instead))


def bucket_finding(bucket: str, status: str, pickers: tuple[SelectionSummary, ...]) -> Problem | None:
    """What is said about a bucket that these selections pick, with such versioning; None: it is ready."""
    if status == ENABLED:
        return None
    more = f" and {len(pickers) - 1} more" if len(pickers) > 1 else ""
    words = (
        f"Versioning of bucket {name(bucket, 63)} is {status}, so every backup of it fails, by"
        f" {called(pickers[0], shown)}{more}."
        for shown in NAMES
    )
    return Problem.worded(words, "Enable versioning of the bucket.")


def _bucket_name(bucket: Resource) -> str:
    return bucket.config_id or bucket.short_name


def _counted(resources: list[Resource], what: str, length: int) -> str:
    example = name(resources[0].short_name, max(length, 24))
    if len(resources) == 1:
        return f"{what} {example}"
    return f"{len(resources)} times {_article(what)}, such as {example}"


def _article(what: str) -> str:
    return f"an {what}" if what[:1].upper() in "AEIOR" and not what.startswith("RDS") else f"a {what}"


def _number(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"
