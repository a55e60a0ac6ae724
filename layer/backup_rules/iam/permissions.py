"""The questions for IAM's policy simulator: what a role must be allowed to do for what selections pick."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache

from backup_rules.arns import Place
from backup_rules.iam.permission_table import (
    ANY_RESOURCE,
    CONTINUOUSLY_KEPT,
    EXAMPLES,
    FULLY_MANAGED,
    PERMISSIONS,
    RECOVERY_POINT,
    TAG_RECOVERY_POINT,
    When,
)
from backup_rules.resources.resource_types import DYNAMODB, RESOURCE_TYPES, S3, ResourceType
from backup_rules.values import dataclass

BACKUP_POLICY = "AWSBackupServiceRolePolicyForBackup"
S3_BACKUP_POLICY = "AWSBackupServiceRolePolicyForS3Backup"

# A call judges every action on every ARN that it is given. This many combinations fit on one page of the answer
# (`MaxItems`), also in the older form of the answer that has an item for each.
COMBINATIONS_A_CALL = 1_000


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """A condition key with the value that it has in the simulated calls. `kind` is its `ContextKeyType`."""

    key: str
    value: str
    kind: str = "string"


@dataclass(frozen=True, slots=True)
class Needs:
    """What AWS Backup does under a role for a selection.

    Attributes:
        types: the types that the selection picks.
        by_tags: whether the selection picks by tags (ListOfTags or Conditions): AWS Backup looks them up itself.
        tagged_types: those of which something picked bears tags, which end up on its recovery points.
        recovery_point_tags: whether a backup rule of the plan adds tags to every recovery point.
        continuous: whether a backup rule of the plan makes continuous backups.
        vault_arns_copied_to: the vaults that its copy actions write to, and its logically air-gapped targets.
        advanced_dynamodb: whether advanced DynamoDB backup is on in the Region; None where that is not told.
        representatives: by type the ARN of a picked resource, so that a role that is scoped to names is judged by one
            of them. Take one per type and role, not one per selection: each distinct ARN enlarges the calls.
    """

    types: frozenset[ResourceType]
    by_tags: bool = False
    tagged_types: frozenset[ResourceType] = frozenset()
    recovery_point_tags: bool = False
    continuous: bool = False
    vault_arns_copied_to: frozenset[str] = frozenset()
    advanced_dynamodb: bool | None = None
    representatives: Mapping[ResourceType, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question: may the role call one of these actions on these resources?

    `asks` holds (action, ARN or `*`); one allowed pair is enough. `subject` is what it is for, as a reader knows it;
    `managed_policy` is AWS's policy that would allow it.
    """

    asks: tuple[tuple[str, str], ...]
    subject: str
    managed_policy: str = BACKUP_POLICY
    context: tuple[ContextEntry, ...] = ()

    @property
    def action(self) -> str:
        """The action by which the probe is named: the first, which AWS recommends."""
        return self.asks[0][0]


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """One call of `SimulatePrincipalPolicy` for a role. No `resource_arns`: the actions are judged on `*`."""

    actions: tuple[str, ...]
    resource_arns: tuple[str, ...]
    context: tuple[ContextEntry, ...]


def probes_for(needs: Needs, place: Place) -> tuple[Probe, ...]:
    """What to ask about a role on which these needs are put, each question once."""
    return tuple(dict.fromkeys(_probes(needs, place)))


def _probes(needs: Needs, place: Place) -> Iterator[Probe]:
    if needs.by_tags:
        yield Probe((("tag:GetResources", ANY_RESOURCE),), "tag-based selections")
    for vault_arn in sorted(needs.vault_arns_copied_to):
        yield Probe((("backup:CopyIntoBackupVault", vault_arn),), "copies")
    if needs.vault_arns_copied_to:
        yield Probe(_on_recovery_points("backup:CopyFromBackupVault", place), "copies")
    for each in RESOURCE_TYPES:
        if each in needs.types:
            yield from _type_probes(each, needs.representatives.get(each), _occasions(needs), place)
            if _tags_recovery_points(each, needs):
                policy = S3_BACKUP_POLICY if each is S3 else BACKUP_POLICY
                yield Probe(_on_recovery_points(TAG_RECOVERY_POINT, place), each.plural, policy)


def _occasions(needs: Needs) -> frozenset[When]:
    """For which occasions permissions are needed. Only DynamoDB has any that depend on who manages the backups."""
    found = {When.ALWAYS}
    if needs.continuous:
        found.add(When.CONTINUOUS)
    if needs.vault_arns_copied_to:
        found.add(When.COPIED)
    if needs.advanced_dynamodb is None:
        found.add(When.NOT_TOLD)
    else:
        found.add(When.FULLY_MANAGED if needs.advanced_dynamodb else When.NOT_FULLY_MANAGED)
    return frozenset(found)


def _tags_recovery_points(kind: ResourceType, needs: Needs) -> bool:
    """Whether AWS Backup tags the recovery points of the type under the role."""
    if needs.recovery_point_tags:
        return True
    fully_managed = kind in FULLY_MANAGED or (kind is DYNAMODB and needs.advanced_dynamodb is True)
    return kind in needs.tagged_types and (fully_managed or (needs.continuous and kind in CONTINUOUSLY_KEPT))


# Thousands of selections ask the same of a few types and roles.
@lru_cache(maxsize=4_096)
def _type_probes(
    kind: ResourceType, representative: str | None, occasions: frozenset[When], place: Place
) -> tuple[Probe, ...]:
    policy = S3_BACKUP_POLICY if kind is S3 else BACKUP_POLICY
    names = _names(kind, representative, place)
    found: list[Probe] = []
    for permission in PERMISSIONS[kind]:
        if permission.when not in occasions:
            continue
        context = tuple(ContextEntry(key, value.format(**names)) for key, value in permission.context)
        for resource in (template.format(**names) for template in permission.resources):
            asks = tuple((action, resource) for action in permission.actions)
            choices = (asks,) if permission.either else ((ask,) for ask in asks)
            found.extend(Probe(choice, kind.plural, policy, context) for choice in choices)
    return tuple(found)


def _on_recovery_points(action: str, place: Place) -> tuple[tuple[str, str], ...]:
    """The action on a recovery point, whose ARN the service reference gives with a star for the account."""
    return tuple(
        (action, f"arn:{place.partition}:backup:{place.region}:{account}:{RECOVERY_POINT}")
        for account in (place.account, "*")
    )


def _names(kind: ResourceType, representative: str | None, place: Place) -> dict[str, str]:
    region, account = ("", "") if kind is S3 else (place.region, place.account)
    example = f"arn:{place.partition}:{kind.service}:{region}:{account}:{EXAMPLES[kind]}"
    # A picked ARN of another depth (a whole gateway) contains what is backed up (its volumes).
    resource = representative if representative and representative.count("/") == example.count("/") else example
    return {
        "partition": place.partition,
        "region": place.region,
        "account": place.account,
        "resource": resource,
        "name": resource.split(":", 5)[-1].removeprefix(kind.resource_prefix),
        "container": resource.rsplit("/", 2)[0],
    }


def requests_for(probes: Iterable[Probe], place: Place) -> tuple[SimulationRequest, ...]:
    """The calls that answer all probes: as few as they allow, for one role.

    Every request carries the same context, which is true of whatever AWS Backup calls in this place, besides keys that
    only one service knows. So probes never have to be kept apart for their context, and as a call judges every action
    on every ARN, only two things part them: actions without a resource (`*` may not stand beside ARNs), and
    `COMBINATIONS_A_CALL`. The pairs that nobody asked about are judged along and not looked at.
    """
    asked = tuple(dict.fromkeys(probes))
    on_anything = [probe for probe in asked if probe.asks[0][1] == ANY_RESOURCE]
    on_arns = [probe for probe in asked if probe.asks[0][1] != ANY_RESOURCE]
    batches = ([on_anything] if on_anything else []) + list(_batches(on_arns))
    return tuple(_request(batch, place) for batch in batches)


def _batches(probes: Sequence[Probe]) -> Iterator[list[Probe]]:
    batch: list[Probe] = []
    actions: set[str] = set()
    arns: set[str] = set()
    for probe in probes:
        more_actions = {action for action, _ in probe.asks} - actions
        more_arns = {arn for _, arn in probe.asks} - arns
        combinations = (len(actions) + len(more_actions)) * (len(arns) + len(more_arns))
        if batch and combinations > COMBINATIONS_A_CALL:
            yield batch
            batch, actions, arns = [], set(), set()
            more_actions, more_arns = {action for action, _ in probe.asks}, {arn for _, arn in probe.asks}
        batch.append(probe)
        actions |= more_actions
        arns |= more_arns
    if batch:
        yield batch


def _request(probes: Sequence[Probe], place: Place) -> SimulationRequest:
    asks = [ask for probe in probes for ask in probe.asks]
    own = (entry for probe in probes for entry in probe.context)
    return SimulationRequest(
        actions=tuple(dict.fromkeys(action for action, _ in asks)),
        resource_arns=tuple(dict.fromkeys(arn for _, arn in asks if arn != ANY_RESOURCE)),
        context=tuple(dict.fromkeys((*_common_context(place), *own))),
    )


def _common_context(place: Place) -> tuple[ContextEntry, ...]:
    # AWS's managed policies ask that the role and the resource be of one account; a missing Region or transport would
    # make the usual Deny statements of service control policies (`StringNotEquals aws:RequestedRegion`) fit.
    return (
        ContextEntry("aws:PrincipalAccount", place.account),
        ContextEntry("aws:ResourceAccount", place.account),
        ContextEntry("aws:RequestedRegion", place.region),
        ContextEntry("aws:SecureTransport", "true", "boolean"),
    )
