"""The effective backup policy of an account: which plans AWS Organizations asks AWS Backup to make here.

AWS validates the policy that results from all that are attached: where it lacks an element or breaks a limit, the
account stays on the last valid one, in silence. Whether the vaults and roles that it names exist, nobody validates. So
each thing that is the matter with a policy is kept as a defect, with the path that leads to it, and what can be read
beside it stays usable.

`parse_policy` reads what `organizations:DescribeEffectivePolicy` gives in `PolicyContent`: the tree of the authored
policy with its inheritance operators merged. AWS's own examples are not tidy, and all of them must be read: operators
left in place (`{"@@assign": …}`), numbers and booleans as strings, copy actions that name their vault in the key only
or in no key at all, names of backup rules, selections and even plans turned to lower case.

Sources: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html,
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_effective.html and
https://docs.aws.amazon.com/organizations/latest/userguide/invalid-policy-alerts.html
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from backup_rules.arns import Place
from backup_rules.organization import limits
from backup_rules.organization.policy_document import DefectKind, Element, PolicyDefect, read_document
from backup_rules.plans.plans import (
    DEFAULT_COMPLETION_WINDOW_MINUTES,
    DEFAULT_SCHEDULE,
    DEFAULT_START_WINDOW_MINUTES,
    DEFAULT_TIMEZONE,
    CopyAction,
    Lifecycle,
)
from backup_rules.selections.picking import TagCondition
from backup_rules.values import dataclass
from backup_rules.vaults.vaults import VaultPurpose, vault_name_in

NEVER = -1  # a lifecycle of -1 days stands for "never", as in the API

_FOR_EVER = Lifecycle()


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A backup rule of a policy's plan. Windows are in minutes; `$account` and `$region` are replaced in ARNs."""

    name: str
    path: str
    target_vault_name: str
    schedule_expression: str = DEFAULT_SCHEDULE
    schedule_timezone: str = DEFAULT_TIMEZONE
    air_gapped_vault_arn: str | None = None
    start_window_minutes: int = DEFAULT_START_WINDOW_MINUTES
    completion_window_minutes: int = DEFAULT_COMPLETION_WINDOW_MINUTES
    lifecycle: Lifecycle = _FOR_EVER
    continuous: bool = False
    copy_actions: tuple[CopyAction, ...] = ()


class NoPolicy(StrEnum):
    """Why an account has no effective backup policy, by AWS's error code."""

    NOT_IN_ORGANIZATION = "AWSOrganizationsNotInUseException"
    NONE_IN_EFFECT = "EffectivePolicyNotFoundException"


class SelectionKind(StrEnum):
    """How a selection of a policy picks: by a tag, or by resource types."""

    TAGS = "tags"
    RESOURCES = "resources"


@dataclass(frozen=True, slots=True)
class PolicySelection:
    """A selection of a policy's plan. Conditions are as in a local selection: keys carry `aws:ResourceTag/`."""

    name: str
    path: str
    kind: SelectionKind
    role_arn: str
    tag_key: str | None = None
    tag_values: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    not_resource_types: tuple[str, ...] = ()
    string_equals: tuple[TagCondition, ...] = ()
    string_not_equals: tuple[TagCondition, ...] = ()
    string_like: tuple[TagCondition, ...] = ()
    string_not_like: tuple[TagCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedVault:
    """A vault of this account and Region that a policy names: by which plan and backup rule, and what for."""

    name: str
    plan_name: str
    rule_name: str
    purpose: VaultPurpose


@dataclass(frozen=True, slots=True)
class PolicyPlan:
    """A plan of the effective policy.

    Backup rules and selections that lack a required element are left out; each is a defect of the policy.
    """

    name: str
    regions: tuple[str, ...]
    rules: tuple[PolicyRule, ...]
    selections: tuple[PolicySelection, ...]

    def covers(self, region: str) -> bool:
        """Whether AWS Backup makes this plan in `region`."""
        return region in self.regions

    def vaults(self, place: Place) -> tuple[NamedVault, ...]:
        """The vaults that must exist in `place`: targets, and the copies' destinations in this account and Region."""
        return tuple(
            NamedVault(name, self.name, rule.name, purpose)
            for rule in self.rules
            for name, purpose in _vaults_of(rule, place)
        )


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The effective backup policy as the member account gets it, as far as it can be read.

    `defects` make it invalid; on `doubts`, AWS's own texts disagree.
    """

    plans: tuple[PolicyPlan, ...]
    defects: tuple[PolicyDefect, ...]
    doubts: tuple[PolicyDefect, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is left of it, which is as good as no policy: `{}` or no plan, and no defect."""
        return not self.plans and not self.defects

    def plan(self, name: str) -> PolicyPlan | None:
        """The plan of that name, or else one whose name differs in letter case only.

        AWS shows one and the same plan as `PII_Backup_Plan` and as `pii_backup_plan`, so case cannot tell plans apart.
        """
        exact = (plan for plan in self.plans if plan.name == name)
        folded = (plan for plan in self.plans if plan.name.casefold() == name.casefold())
        return next(exact, None) or next(folded, None)

    def plans_for(self, region: str) -> tuple[PolicyPlan, ...]:
        """The plans that AWS Backup makes in `region`."""
        return tuple(plan for plan in self.plans if plan.covers(region))

    def defects_of(self, plan_name: str) -> tuple[PolicyDefect, ...]:
        """What is the matter with one plan."""
        return tuple(defect for defect in self.defects if defect.plan == plan_name)


def parse_policy(text: str, place: Place) -> EffectivePolicy:
    """Read `PolicyContent` as it applies to `place`, whose account and Region replace `$account` and `$region`.

    Never raises: what is the matter with it is among the result's `defects`, in the order of the document.
    """
    document = read_document(text, place)
    plans = tuple(_plan(name, element) for name, element in _plan_elements(document))
    doubts = tuple(defect for defect in document.defects if defect.kind is DefectKind.DISPUTED)
    return EffectivePolicy(plans, tuple(defect for defect in document.defects if defect not in doubts), doubts)


def _plan_elements(document: Element) -> Iterator[tuple[str, Element]]:
    """The plans by their name. An empty policy has none and is no defect, one with other elements only is."""
    plans = document.child("plans")
    if document.value and not plans.present:
        plans.missing("is missing")
    yield from plans.members()


def _plan(name: str, plan: Element) -> PolicyPlan:
    if not plan.expect_object():
        return PolicyPlan(name, (), (), ())
    rules = [_rule(rule_name, rule) for rule_name, rule in plan.required_members("rules", "backup rules")]
    regions, selections = plan.required_texts("regions", "Regions are"), tuple(_selections(plan))
    limits.check_plan(plan)
    return PolicyPlan(name, regions, tuple(rule for rule in rules if rule is not None), selections)


def _rule(name: str, rule: Element) -> PolicyRule | None:
    if not rule.expect_object():
        return None
    schedule = rule.required_text("schedule_expression", "a schedule")
    vault = rule.required_text("target_backup_vault_name", "a backup vault")
    air_gapped = rule.child("target_logically_air_gapped_backup_vault_arn").vault_arn()
    # Everything is read, so that all defects come out at once, whether or not the backup rule can be kept.
    start = rule.child("start_backup_window_minutes").whole_number()
    completion = rule.child("complete_backup_window_minutes").whole_number()
    timezone = rule.child("schedule_expression_timezone").text()
    lifecycle = _lifecycle(rule.child("lifecycle"))
    continuous = rule.child("enable_continuous_backup").truth()
    copies = tuple(_copy_actions(rule.child("copy_actions")))
    limits.check_rule(rule, start, lifecycle, continuous=continuous)
    if schedule is None or vault is None:
        return None
    return PolicyRule(
        name=name,
        path=rule.path,
        target_vault_name=vault,
        schedule_expression=schedule,
        schedule_timezone=timezone or DEFAULT_TIMEZONE,
        air_gapped_vault_arn=air_gapped,
        start_window_minutes=DEFAULT_START_WINDOW_MINUTES if start is None else start,
        completion_window_minutes=DEFAULT_COMPLETION_WINDOW_MINUTES if completion is None else completion,
        lifecycle=lifecycle,
        continuous=continuous,
        copy_actions=copies,
    )


def _lifecycle(lifecycle: Element) -> Lifecycle:
    if not lifecycle.present or not lifecycle.expect_object():
        return Lifecycle()
    delete, move = (
        lifecycle.child(name).whole_number() for name in ("delete_after_days", "move_to_cold_storage_after_days")
    )
    read = Lifecycle(None if delete == NEVER else delete, None if move == NEVER else move)
    limits.check_lifecycle(lifecycle, read)
    return read


def _copy_actions(actions: Element) -> Iterator[CopyAction]:
    """Copy actions by the ARN of their vault; one of AWS's examples shows a single one without that key."""
    if not actions.present or not actions.expect_object():
        return
    if actions.child("target_backup_vault_arn").present:
        yield from _copy_action(actions, actions.child("target_backup_vault_arn"))
        return
    for key, action in actions.members():
        if action.expect_object():
            target = action.child("target_backup_vault_arn")
            yield from _copy_action(action, target if target.present else action.containing(key))


def _copy_action(action: Element, target: Element) -> Iterator[CopyAction]:
    arn = target.vault_arn()
    lifecycle = _lifecycle(action.child("lifecycle"))
    if arn is not None:
        yield CopyAction(arn, lifecycle)


def _selections(plan: Element) -> Iterator[PolicySelection]:
    """The selections by tags and by resources. AWS calls the two exclusive; where both stand, both are read."""
    selections = plan.child("selections")
    if not selections.present:
        selections.missing("is missing, so the plan picks no resources")
    if not selections.present or not selections.expect_object():
        return
    groups = {kind: selections.child(kind) for kind in SelectionKind}
    if not any(group.present and group.value != {} for group in groups.values()):
        selections.missing("has neither tags nor resources, so the plan picks no resources")
    for kind, group in groups.items():
        for name, selection in group.members():
            yield from _selection(name, kind, selection)


def _selection(name: str, kind: SelectionKind, selection: Element) -> Iterator[PolicySelection]:
    if not selection.expect_object():
        return
    role = selection.required_text("iam_role_arn", "a role", is_arn=True)
    by_tags = kind is SelectionKind.TAGS
    tag_key = selection.required_text("tag_key", "a tag key") if by_tags else None
    tag_values = selection.required_texts("tag_value", "tag values are", may_be_blank=True) if by_tags else ()
    types = () if by_tags else selection.required_texts("resource_types", "resource types are")
    not_types = () if by_tags else selection.child("not_resource_types").texts()
    conditions = selection.child("conditions")
    equals, not_equals, like, not_like = operators = [
        tuple(_conditions(conditions.child(operator)))
        for operator in ("string_equals", "string_not_equals", "string_like", "string_not_like")
    ]
    limits.check_selection(selection, tags=len(tag_values), conditions=sum(map(len, operators)))
    picks = tag_key is not None and tag_values if by_tags else types
    if role is None or not picks:
        return
    yield PolicySelection(
        name=name,
        path=selection.path,
        kind=kind,
        role_arn=role,
        tag_key=tag_key,
        tag_values=tag_values,
        resource_types=types,
        not_resource_types=not_types,
        string_equals=equals,
        string_not_equals=not_equals,
        string_like=like,
        string_not_like=not_like,
    )


def _conditions(operator: Element) -> Iterator[TagCondition]:
    for _, condition in operator.members():
        if condition.expect_object():
            key = condition.required_text("condition_key", "a condition key")
            values = condition.required_texts("condition_value", "a value is", may_be_blank=True)
            if key is not None:
                yield from (TagCondition(key, value) for value in values)


def _vaults_of(rule: PolicyRule, place: Place) -> Iterator[tuple[str, VaultPurpose]]:
    yield rule.target_vault_name, VaultPurpose.TARGET
    arns = [(rule.air_gapped_vault_arn, VaultPurpose.AIR_GAPPED)]
    arns += [(action.destination_vault_arn, VaultPurpose.COPY) for action in rule.copy_actions]
    for arn, purpose in arns:
        name = None if arn is None else vault_name_in(arn, place)
        if name is not None:
            yield name, purpose
