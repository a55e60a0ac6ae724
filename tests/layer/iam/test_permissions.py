"""The probes, against AWS's own managed policies, its action catalogue and roles as people scope them.

The policies are evaluated by a small IAM of this test's own, written from IAM's evaluation logic, not from the code
under test: identity policies only, the condition operators of the managed policies, and no resource policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from backup_rules.arns import Place
from backup_rules.evaluation.subjects import selection_subject, verdict
from backup_rules.iam.denials import Decision, SimulationResult, Withheld, WithheldBy, answers_to, problems, withheld
from backup_rules.iam.permission_table import FULLY_MANAGED, PERMISSIONS
from backup_rules.iam.permissions import (
    BACKUP_POLICY,
    COMBINATIONS_A_CALL,
    S3_BACKUP_POLICY,
    Needs,
    Probe,
    SimulationRequest,
    probes_for,
    requests_for,
)
from backup_rules.resources.resource_types import (
    AURORA,
    DYNAMODB,
    EBS,
    EC2,
    EFS,
    EKS,
    FSX_VOLUME,
    RDS_INSTANCE,
    REDSHIFT,
    RESOURCE_TYPES,
    S3,
    STORAGE_GATEWAY,
    TIMESTREAM,
    ResourceType,
)
from backup_rules.selections.picking import SelectionSummary
from backup_rules.wording.annotations import MAX_ANNOTATION
from backup_rules.wording.findings import Problem
from tests.aws_statements import Policy, documented, managed

HERE = Place("aws", "111122223333", "eu-west-1")
CHINA = Place("aws-cn", "111122223333", "cn-north-1")
GOVERNMENT = Place("aws-us-gov", "111122223333", "us-gov-west-1")
RESTORE_POLICY = "AWSBackupServiceRolePolicyForRestores"


def type_id(kind: ResourceType) -> str:
    return kind.singular.replace(" ", "-")


def everything(*types: ResourceType, **others: Any) -> Needs:
    """The heaviest needs for these types: by tags, continuous, with tags on recovery points."""
    picked = frozenset(types)
    needs = Needs(picked, by_tags=True, tagged_types=picked, recovery_point_tags=True, continuous=True)
    return replace(needs, **others)


# --- IAM in small ---------------------------------------------------------------------------------------------------


def allow(*actions: str, resources: Iterable[str] = ("*",), condition: Mapping[str, Any] | None = None) -> Policy:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {"Statement": [statement | ({"Condition": condition} if condition else {})]}


def deny(*actions: str) -> Policy:
    return {"Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def fits(pattern: str, text: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def condition_holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        operator_holds(operator.removeprefix("ForAnyValue:"), context.get(key.lower()), as_list(values), context)
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def operator_holds(operator: str, sent: str | None, values: list[str], context: Mapping[str, str]) -> bool:
    wanted = [re.sub(r"\$\{(.*?)\}", lambda found: context.get(found[1].lower(), "\0"), value) for value in values]
    if operator == "Null":
        return str(sent is None).lower() in wanted
    if operator == "StringNotEquals":
        return sent not in wanted
    if sent is None:
        return False
    if operator in ("StringEquals", "Bool"):
        return sent in wanted
    assert operator == "StringLike", operator
    return any(fits(value, sent) for value in wanted)


def decide(policies: Iterable[Policy], action: str, resource: str, context: Mapping[str, str]) -> Decision:
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in as_list(policy["Statement"])
        if any(fits(each.lower(), action.lower()) for each in as_list(statement["Action"]))
        and any(fits(each, resource) for each in as_list(statement["Resource"]))
        and condition_holds(statement.get("Condition", {}), context)
    }
    if "Deny" in effects:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if "Allow" in effects else Decision.IMPLICIT_DENY


def eligible(action: str, resource: str) -> bool:
    """Whether AWS lists the resource for the action; if not, its simulator denies it whatever the policies say."""
    if resource == "*":
        return True
    formats = [re.sub(r"\$\{.*?\}", "*", each) for each in catalogue(action) if each != "*"]
    return any(fits(each, resource) for each in formats)


def condition_keys(action: str) -> set[str]:
    """The condition keys of an action in the service authorization reference."""
    service, name = action.split(":")
    found = get_action_data(service, name)
    return {key for each in found[service] for key in each["condition_keys"]} if found else set()


@cache
def catalogue(action: str) -> tuple[str, ...]:
    """The ARN formats of an action in the service authorization reference; empty for an action that does not exist."""
    service, name = action.split(":")
    found = get_action_data(service, name)
    return tuple(each["resource_arn_format"] for each in found[service]) if found else ()


def simulate(requests: Iterable[SimulationRequest], *policies: Policy) -> list[SimulationResult]:
    results = []
    for request in requests:
        context = {entry.key.lower(): entry.value for entry in request.context}
        for action in request.actions:
            for resource in request.resource_arns or ("*",):
                decision = decide(policies, action, resource, context)
                if decision is Decision.ALLOWED and not eligible(action, resource):
                    decision = Decision.IMPLICIT_DENY
                missing = () if decision is Decision.ALLOWED else tuple(keys_of(policies, context))
                results.append(SimulationResult(action, resource, decision, missing_context=missing))
    return results


def keys_of(policies: Iterable[Policy], context: Mapping[str, str]) -> set[str]:
    """The condition keys without a value: of all statements, as IAM gives them, and not of those about the action."""
    return {
        key
        for policy in policies
        for statement in as_list(policy["Statement"])
        for keys in statement.get("Condition", {}).values()
        for key in keys
        if key.lower() not in context
    }


def denials(needs: Needs, *policies: Policy, place: Place = HERE) -> tuple[Withheld, ...]:
    probes = probes_for(needs, place)
    return withheld(probes, answers_to(simulate(requests_for(probes, place), *policies)))


def lacking(needs: Needs, *policies: Policy, place: Place = HERE) -> set[str]:
    return {denial.probe.action for denial in denials(needs, *policies, place=place)}


# --- AWS's managed policies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [HERE, CHINA, GOVERNMENT], ids=lambda place: place.partition)
@pytest.mark.parametrize("kind", [kind for kind in RESOURCE_TYPES if kind is not S3], ids=type_id)
def test_the_managed_policy_for_backup_is_sufficient(kind: ResourceType, place: Place) -> None:
    assert denials(everything(kind), managed(BACKUP_POLICY, place.partition), place=place) == ()


def test_the_managed_policy_for_backup_is_sufficient_for_copies() -> None:
    copies = frozenset({"arn:aws:backup:eu-central-1:444455556666:backup-vault:Central"})
    assert denials(everything(EBS, EFS, vault_arns_copied_to=copies), managed(BACKUP_POLICY)) == ()


def test_the_managed_policy_for_s3_backup_is_sufficient_for_s3() -> None:
    by_arn = Needs(frozenset({S3}), tagged_types=frozenset({S3}), continuous=True)
    assert denials(by_arn, managed(S3_BACKUP_POLICY)) == ()


@pytest.mark.parametrize("kind", [kind for kind in RESOURCE_TYPES if kind is not S3], ids=type_id)
def test_the_managed_policy_for_s3_backup_is_sufficient_for_nothing_else(kind: ResourceType) -> None:
    found = denials(Needs(frozenset({kind})), managed(S3_BACKUP_POLICY))
    assert {denial.probe.subject for denial in found} == {kind.plural}


def test_the_default_role_is_insufficient_for_s3_only() -> None:
    found = denials(everything(*RESOURCE_TYPES), managed(BACKUP_POLICY), managed(RESTORE_POLICY))
    assert {denial.probe.subject for denial in found} == {"S3 buckets"}
    assert {denial.probe.managed_policy for denial in found} == {S3_BACKUP_POLICY}
    assert {denial.withheld_by for denial in found} == {WithheldBy.POLICY}
    assert {"s3:GetBucketVersioning", "s3:GetObjectVersion", "events:PutRule", "cloudwatch:GetMetricData"} <= {
        denial.probe.action for denial in found
    }


def test_both_managed_policies_are_sufficient_for_everything() -> None:
    assert denials(everything(*RESOURCE_TYPES), managed(BACKUP_POLICY), managed(S3_BACKUP_POLICY)) == ()


@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=type_id)
def test_a_role_without_policies_is_insufficient(kind: ResourceType) -> None:
    assert {denial.probe.subject for denial in denials(Needs(frozenset({kind})))} == {kind.plural}


@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=type_id)
def test_each_permission_is_missed(kind: ResourceType) -> None:
    """Each action that is asked about makes the difference, unless another stands in for it."""
    for probe in probes_for(Needs(frozenset({kind})), HERE):
        withheld = {action for action, _ in probe.asks}
        assert lacking(Needs(frozenset({kind})), allow("*"), deny(*withheld)) == {probe.action}


# --- AWS's lists of statements for each service ---------------------------------------------------------------------

ADVANCED = pytest.mark.parametrize("advanced", [True, False, None], ids=["advanced", "not advanced", "not told"])


@ADVANCED
@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=type_id)
def test_a_role_made_of_the_documented_statements_alone_is_sufficient(
    kind: ResourceType, advanced: bool | None
) -> None:
    assert denials(Needs(frozenset({kind}), advanced_dynamodb=advanced), {"Statement": documented(kind)}) == ()


@ADVANCED
@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=type_id)
def test_the_documented_statements_less_one_demanded_action_are_not(kind: ResourceType, advanced: bool | None) -> None:
    needs = Needs(frozenset({kind}), advanced_dynamodb=advanced)
    for probe in probes_for(needs, HERE):
        gone = {action for action, _ in probe.asks}
        rest = [each | {"Action": [a for a in as_list(each["Action"]) if a not in gone]} for each in documented(kind)]
        assert probe.action in lacking(needs, {"Statement": rest})


@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=type_id)
def test_each_action_is_in_the_statement_that_it_is_said_to_come_from(kind: ResourceType) -> None:
    statements = {
        each["Sid"]: each for name in (BACKUP_POLICY, S3_BACKUP_POLICY) for each in managed(name)["Statement"]
    }
    for permission in PERMISSIONS[kind]:
        granted = set(as_list(statements[permission.source]["Action"]))
        assert granted & set(permission.actions) if permission.either else set(permission.actions) <= granted


# What roles work without, whatever the lists hold.
NOT_DEMANDED: dict[str, tuple[ResourceType, str]] = {
    "the plan's own vault": (EBS, "backup:DescribeBackupVault"),
    "into the plan's own vault": (EBS, "backup:CopyIntoBackupVault"),
    "copies of snapshots of an instance": (RDS_INSTANCE, "rds:CopyDBSnapshot"),
    "copies of snapshots of a cluster": (AURORA, "rds:CopyDBClusterSnapshot"),
}


@pytest.mark.parametrize(("kind", "action"), NOT_DEMANDED.values(), ids=NOT_DEMANDED)
def test_what_a_job_does_not_fail_without_is_not_demanded(kind: ResourceType, action: str) -> None:
    assert denials(Needs(frozenset({kind})), allow("*"), deny(action)) == ()


def test_a_condition_on_what_aws_backup_made_is_answered() -> None:
    made = {"Null": {"aws:ResourceTag/aws:backup:source-resource": "false"}}
    role = (allow("ec2:Create*", "ec2:Describe*"), allow("ec2:DeleteSnapshot", condition=made))
    assert denials(Needs(frozenset({EBS})), *role) == ()


# --- The table ------------------------------------------------------------------------------------------------------


def all_probes(place: Place = HERE) -> tuple[Probe, ...]:
    copies = frozenset({f"arn:{place.partition}:backup:{place.region}:444455556666:backup-vault:Central"})
    return probes_for(everything(*RESOURCE_TYPES, vault_arns_copied_to=copies), place)


def test_every_type_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(RESOURCE_TYPES)
    assert set(RESOURCE_TYPES) >= FULLY_MANAGED


@pytest.mark.parametrize("action", sorted({action for probe in all_probes() for action, _ in probe.asks}))
def test_every_action_exists(action: str) -> None:
    assert catalogue(action)


@pytest.mark.parametrize("place", [HERE, CHINA, GOVERNMENT], ids=lambda place: place.partition)
def test_every_action_is_asked_about_on_a_resource_that_its_service_authorises_it_on(place: Place) -> None:
    asks = {ask for probe in all_probes(place) for ask in probe.asks}
    without_resource = {action for action, resource in asks if resource == "*"}
    assert all(catalogue(action) == ("*",) for action in without_resource)
    assert [ask for ask in asks if not eligible(*ask)] == []


def test_what_is_not_asked_about_could_not_be_judged() -> None:
    """Each of these is granted by AWS on ARNs while the reference lists no resource: even AWS's policies would fail."""
    unjudged = {
        "fsx:DescribeFileSystems",
        "fsx:DescribeVolumes",
        "fsx:DescribeBackups",
        "redshift:DescribeClusterSnapshots",
        "timestream:GetAwsBackupStatus",
        "cloudformation:ListStacks",
        "ssm-sap:BackupDatabase",
        "ssm-sap:GetDatabase",
        "ssm-sap:UpdateHanaBackupSettings",
    }
    assert {catalogue(action) for action in unjudged} == {("*",)}
    assert {decide([managed(BACKUP_POLICY)], action, "*", {}) for action in unjudged} == {Decision.IMPLICIT_DENY}
    assert unjudged.isdisjoint(action for probe in all_probes() for action, _ in probe.asks)


def test_every_arn_is_of_the_partition_judged() -> None:
    arns = {arn for probe in all_probes(CHINA) for _, arn in probe.asks if arn != "*"}
    assert {arn.split(":")[1] for arn in arns} == {"aws-cn"}
    assert {arn.split(":")[3] for arn in arns} == {"", "cn-north-1"}


# --- What depends on the needs -------------------------------------------------------------------------------------


def asked(needs: Needs) -> set[tuple[str, str]]:
    return {ask for probe in probes_for(needs, HERE) for ask in probe.asks}


def actions_asked(needs: Needs) -> set[str]:
    return {action for action, _ in asked(needs)}


def test_tags_are_looked_up_for_tag_selections_only() -> None:
    assert ("tag:GetResources", "*") in asked(Needs(frozenset({EBS}), by_tags=True))
    assert "tag:GetResources" not in actions_asked(Needs(frozenset({EBS}), tagged_types=frozenset({EBS})))


def test_copies_need_more() -> None:
    central = "arn:aws:backup:eu-central-1:444455556666:backup-vault:Central"
    found = asked(Needs(frozenset({S3}), vault_arns_copied_to=frozenset({central})))
    assert ("backup:CopyIntoBackupVault", central) in found
    assert "backup:CopyFromBackupVault" in {action for action, _ in found}
    assert "backup:CopyFromBackupVault" not in actions_asked(Needs(frozenset({EBS})))


def of(kind: ResourceType, **others: Any) -> Needs:
    return Needs(frozenset({kind}), **others)


TAGS_ON_RECOVERY_POINTS: dict[str, tuple[Needs, bool]] = {
    "tagged file systems": (of(EFS, tagged_types=frozenset({EFS})), True),
    "file systems without tags": (of(EFS, tagged_types=frozenset({EBS})), False),
    "file systems picked by a negative condition": (of(EFS, by_tags=True), False),
    "continuous backups of tagged clusters": (of(AURORA, tagged_types=frozenset({AURORA}), continuous=True), True),
    "snapshots of tagged clusters": (of(AURORA, tagged_types=frozenset({AURORA})), False),
    "snapshots of tagged volumes": (of(EBS, tagged_types=frozenset({EBS}), continuous=True), False),
    "tagged tables, advanced": (of(DYNAMODB, tagged_types=frozenset({DYNAMODB}), advanced_dynamodb=True), True),
    "tables without tags, advanced": (of(DYNAMODB, advanced_dynamodb=True), False),
    "tagged tables, not advanced": (of(DYNAMODB, tagged_types=frozenset({DYNAMODB}), advanced_dynamodb=False), False),
    "tagged tables, not told": (of(DYNAMODB, tagged_types=frozenset({DYNAMODB})), False),
    "volumes without tags, the plan adds some": (of(EBS, recovery_point_tags=True), True),
}


@pytest.mark.parametrize(("needs", "tags"), TAGS_ON_RECOVERY_POINTS.values(), ids=TAGS_ON_RECOVERY_POINTS)
def test_where_recovery_points_are_tagged_under_the_role(needs: Needs, tags: bool) -> None:
    assert ("backup:TagResource" in actions_asked(needs)) is tags
    withholding = (allow("*"), deny("backup:TagResource"))
    assert lacking(needs, *withholding) == ({"backup:TagResource"} if tags else set())


@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=type_id)
def test_a_type_is_copied_with_permissions_of_its_own(kind: ResourceType) -> None:
    gapped = frozenset({"arn:aws:backup:eu-west-1:111122223333:backup-vault:Gapped"})
    more = actions_asked(of(kind, vault_arns_copied_to=gapped)) - actions_asked(of(kind))
    assert {"backup:CopyIntoBackupVault", "backup:CopyFromBackupVault"} <= more
    assert "backup:DescribeBackupVault" not in more
    own = {action for action in more if not action.startswith("backup:")}
    assert own == {
        "rds:cluster:": {"rds:CopyDBClusterSnapshot"},
        "rds:db:": {"rds:CopyDBSnapshot"},
        "ec2:volume/": {"ec2:CopySnapshot"},
        "ec2:instance/": {"ec2:CopyImage"},
        "fsx:file-system/": {"fsx:CopyBackup"},
        "fsx:volume/": {"fsx:CopyBackup"},
    }.get(f"{kind.service}:{kind.resource_prefix}", set())


def test_tagging_is_granted_within_the_account() -> None:
    grant = {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}
    own = "arn:aws:backup:*:111122223333:recovery-point:*"
    role = allow("backup:TagResource", resources=[own], condition=grant)
    assert "backup:TagResource" not in lacking(everything(EFS), role)
    elsewhere = allow("backup:TagResource", condition={"StringEquals": {"aws:PrincipalAccount": "444455556666"}})
    assert "backup:TagResource" in lacking(everything(EFS), elsewhere)


@pytest.mark.parametrize(("kind", "action"), [(RDS_INSTANCE, "rds:ModifyDBInstance"), (AURORA, "rds:ModifyDBCluster")])
def test_continuous_backups_need_more(kind: ResourceType, action: str) -> None:
    assert action in actions_asked(Needs(frozenset({kind}), continuous=True))
    assert action not in actions_asked(Needs(frozenset({kind})))


@pytest.mark.parametrize(
    ("advanced", "start", "missing"),
    [
        pytest.param(True, "dynamodb:StartAwsBackupJob", set(), id="advanced, starts a job"),
        pytest.param(True, "dynamodb:CreateBackup", {"dynamodb:StartAwsBackupJob"}, id="advanced, makes a backup"),
        pytest.param(False, "dynamodb:CreateBackup", set(), id="not advanced, makes a backup"),
        pytest.param(False, "dynamodb:StartAwsBackupJob", {"dynamodb:CreateBackup"}, id="not advanced, starts a job"),
        pytest.param(None, "dynamodb:StartAwsBackupJob", set(), id="not told, starts a job"),
        pytest.param(None, "dynamodb:CreateBackup", set(), id="not told, makes a backup"),
        pytest.param(None, "dynamodb:DescribeBackup", {"dynamodb:StartAwsBackupJob"}, id="not told, neither"),
    ],
)
def test_how_a_table_is_backed_up(advanced: bool | None, start: str, missing: set[str]) -> None:
    role = allow(start, "dynamodb:Describe*", "dynamodb:List*")
    assert lacking(of(DYNAMODB, advanced_dynamodb=advanced), role) == missing


def test_eks_access_is_granted_for_aws_backups_own_access_policy() -> None:
    granted = "arn:aws:eks::aws:cluster-access-policy/AWSBackupFullAccessPolicyForBackup"
    base = allow("eks:DescribeCluster", "eks:ListClusters", "eks:CreateAccessEntry")
    fitting = allow("eks:AssociateAccessPolicy", condition={"StringEquals": {"eks:policyArn": granted}})
    other = allow("eks:AssociateAccessPolicy", condition={"StringEquals": {"eks:policyArn": granted + "X"}})
    assert lacking(Needs(frozenset({EKS})), base, fitting) == set()
    assert lacking(Needs(frozenset({EKS})), base, other) == {"eks:AssociateAccessPolicy"}


def test_a_region_that_is_denied_and_one_that_is_not() -> None:
    def region_lock(region: str) -> Policy:
        condition = {"StringNotEquals": {"aws:RequestedRegion": region}}
        return {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}]}

    assert denials(Needs(frozenset({EBS})), allow("ec2:*"), region_lock("eu-west-1")) == ()
    locked = denials(Needs(frozenset({EBS})), allow("ec2:*"), region_lock("us-east-1"))
    assert {denial.withheld_by for denial in locked} == {WithheldBy.EXPLICIT_DENY}


LEAST_PRIVILEGE: dict[str, tuple[ResourceType, str, tuple[Policy, ...]]] = {
    "tables by prefix": (
        DYNAMODB,
        "arn:aws:dynamodb:eu-west-1:111122223333:table/prod-orders",
        (allow("dynamodb:*", resources=["arn:aws:dynamodb:*:*:table/prod-*"]),),
    ),
    "a bucket and its objects": (
        S3,
        "arn:aws:s3:::invoices",
        (
            allow("s3:*", resources=["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"]),
            allow("s3:ListAllMyBuckets", "cloudwatch:GetMetricData", "events:*"),
        ),
    ),
    "volumes and snapshots": (
        EBS,
        "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
        (
            allow(
                "ec2:CreateSnapshot",
                "ec2:CreateTags",
                "ec2:DeleteSnapshot",
                resources=["arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*::snapshot/*"],
            ),
            allow("ec2:Describe*"),
        ),
    ),
    "a database and AWS Backup's snapshots": (
        RDS_INSTANCE,
        "arn:aws:rds:eu-west-1:111122223333:db:shop",
        (
            allow(
                "rds:*",
                resources=["arn:aws:rds:*:*:db:shop", "arn:aws:rds:*:*:snapshot:awsbackup:*"],
            ),
        ),
    ),
    "a warehouse and its snapshots": (
        REDSHIFT,
        "arn:aws:redshift:eu-west-1:111122223333:cluster:sales",
        (
            allow(
                "redshift:*", resources=["arn:aws:redshift:*:*:cluster:sales", "arn:aws:redshift:*:*:snapshot:sales/*"]
            ),
        ),
    ),
    "a time series table and its database": (
        TIMESTREAM,
        "arn:aws:timestream:eu-west-1:111122223333:database/metrics/table/cpu",
        (
            allow("timestream:*", resources=["arn:aws:timestream:*:*:database/metrics*"]),
            allow("timestream:DescribeEndpoints"),
        ),
    ),
    "an ONTAP volume": (
        FSX_VOLUME,
        "arn:aws:fsx:eu-west-1:111122223333:volume/fs-1/fsvol-2",
        (allow("fsx:*", resources=["arn:aws:fsx:*:*:volume/fs-1/*", "arn:aws:fsx:*:*:backup/*"]),),
    ),
}


@pytest.mark.parametrize(("kind", "picked", "policies"), LEAST_PRIVILEGE.values(), ids=LEAST_PRIVILEGE)
def test_a_role_scoped_to_what_it_backs_up(kind: ResourceType, picked: str, policies: tuple[Policy, ...]) -> None:
    assert denials(Needs(frozenset({kind}), representatives={kind: picked}), *policies) == ()
    assert "{" not in "".join(arn for _, arn in asked(Needs(frozenset({kind}), representatives={kind: picked})))


def test_a_gateway_stands_for_its_volumes() -> None:
    gateway = "arn:aws:storagegateway:eu-west-1:111122223333:gateway/sgw-12A3456B"
    needs = Needs(frozenset({STORAGE_GATEWAY}), representatives={STORAGE_GATEWAY: gateway})
    assert denials(needs, managed(BACKUP_POLICY)) == ()


# --- Calls ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needs", "calls"),
    [
        (Needs(frozenset({EFS})), 1),
        (everything(EFS), 2),
        (everything(EBS, EC2, RDS_INSTANCE, DYNAMODB, EFS, S3), 2),
    ],
    ids=["one type by ARN", "one type by tags", "six types by tags"],
)
def test_few_calls(needs: Needs, calls: int) -> None:
    assert len(requests_for(probes_for(needs, HERE), HERE)) == calls


def test_all_there_is_fits_into_a_handful_of_calls() -> None:
    vaults = frozenset(f"arn:aws:backup:eu-west-1:111122223333:backup-vault:vault-{number}" for number in range(20))
    requests = requests_for(probes_for(everything(*RESOURCE_TYPES, vault_arns_copied_to=vaults), HERE), HERE)
    assert len(requests) <= 6
    assert all(len(each.actions) * max(1, len(each.resource_arns)) <= COMBINATIONS_A_CALL for each in requests)


def test_many_vaults_fit_into_calls_of_bounded_size() -> None:
    vaults = frozenset(f"arn:aws:backup:eu-west-1:111122223333:backup-vault:vault-{number}" for number in range(1_500))
    requests = requests_for(probes_for(everything(EBS, vault_arns_copied_to=vaults), HERE), HERE)
    assert len(requests) <= 6
    assert all(len(each.actions) * max(1, len(each.resource_arns)) <= COMBINATIONS_A_CALL for each in requests)


def test_a_question_asked_for_several_selections_is_asked_once() -> None:
    one = probes_for(Needs(frozenset({EBS, EFS})), HERE)
    other = probes_for(Needs(frozenset({EFS, EC2})), HERE)
    (anything, on_arns) = requests_for(one + other, HERE)
    assert len(set(anything.actions)) == len(anything.actions)
    assert len(set(on_arns.resource_arns)) == len(on_arns.resource_arns)
    results = simulate((anything, on_arns), managed(BACKUP_POLICY))
    answers = answers_to(results)
    assert withheld(one, answers) == withheld(other, answers) == ()


def test_no_call_mixes_a_star_with_arns() -> None:
    for request in requests_for(all_probes(), HERE):
        assert "*" not in request.resource_arns


def test_no_context_key_has_two_values() -> None:
    for request in requests_for(all_probes(), HERE):
        keys = [entry.key.lower() for entry in request.context]
        assert len(set(keys)) == len(keys)


def test_nothing_to_ask() -> None:
    assert requests_for((), HERE) == ()
    assert withheld((), answers_to(())) == ()


# --- Judging --------------------------------------------------------------------------------------------------------

DESCRIBE = Probe((("ec2:DescribeVolumes", "*"),), "EBS volumes")


def answer(decision: Decision, **details: Any) -> SimulationResult:
    return SimulationResult("ec2:DescribeVolumes", "*", decision, **details)


WITHHOLDERS: dict[str, tuple[SimulationResult, WithheldBy]] = {
    "nothing allows it": (answer(Decision.IMPLICIT_DENY), WithheldBy.POLICY),
    "nothing allows it, though boundary and organization would": (
        answer(Decision.IMPLICIT_DENY, allowed_by_boundary=True, allowed_by_organizations=True),
        WithheldBy.POLICY,
    ),
    "a policy denies it": (answer(Decision.EXPLICIT_DENY), WithheldBy.EXPLICIT_DENY),
    "a policy denies it, the boundary would not": (
        answer(Decision.EXPLICIT_DENY, allowed_by_boundary=True),
        WithheldBy.EXPLICIT_DENY,
    ),
    "the boundary leaves it out": (
        answer(Decision.IMPLICIT_DENY, allowed_by_boundary=False, allowed_by_organizations=True),
        WithheldBy.PERMISSIONS_BOUNDARY,
    ),
    "the boundary denies it": (
        answer(Decision.EXPLICIT_DENY, allowed_by_boundary=False),
        WithheldBy.PERMISSIONS_BOUNDARY,
    ),
    "the organization denies it": (
        answer(Decision.EXPLICIT_DENY, allowed_by_organizations=False),
        WithheldBy.SERVICE_CONTROL_POLICY,
    ),
    "the organization and the boundary deny it": (
        answer(Decision.IMPLICIT_DENY, allowed_by_boundary=False, allowed_by_organizations=False),
        WithheldBy.SERVICE_CONTROL_POLICY,
    ),
}


@pytest.mark.parametrize(("result", "withheld_by"), WITHHOLDERS.values(), ids=WITHHOLDERS)
def test_who_withholds_it(result: SimulationResult, withheld_by: WithheldBy) -> None:
    assert withheld([DESCRIBE], answers_to([result])) == (Withheld(DESCRIBE, withheld_by),)


def test_an_answer_that_is_missing_is_no_permission() -> None:
    elsewhere = SimulationResult("ec2:DescribeVolumes", "arn:aws:ec2:eu-west-1:111122223333:volume/x", Decision.ALLOWED)
    with pytest.raises(ValueError, match=r"no answer for ec2:DescribeVolumes on \*"):
        withheld([DESCRIBE], answers_to([elsewhere]))


def test_answers_that_contradict_one_another() -> None:
    with pytest.raises(ValueError, match="simulated as allowed and as implicitDeny"):
        answers_to([answer(Decision.ALLOWED), answer(Decision.IMPLICIT_DENY)])


@pytest.mark.parametrize(
    ("action", "resource", "key", "told"),
    [
        pytest.param("ec2:CreateSnapshot", "arn:a", "aws:PrincipalTag/team", True, id="whoever calls"),
        pytest.param("ec2:CreateSnapshot", "arn:a", "ec2:ResourceTag/env", True, id="of the service"),
        pytest.param("s3:ListBucket", "arn:a", "ec2:ResourceTag/env", False, id="of another service"),
        pytest.param("ec2:CreateSnapshot", "arn:a", "kms:ViaService", False, id="of KMS"),
        pytest.param("s3:ListBucket", "arn:a", "aws:ResourceTag/env", True, id="tags of a resource"),
        pytest.param("s3:ListAllMyBuckets", "*", "aws:ResourceTag/env", False, id="tags of no resource"),
        pytest.param(
            "ec2:DescribeVolumes", "*", "ec2:ResourceTag/env", False, id="tags of no resource, by the service"
        ),
        pytest.param("ec2:CreateTags", "arn:a", "aws:TagKeys", True, id="tags that the call adds"),
        pytest.param("rds:AddTagsToResource", "arn:a", "aws:RequestTag/env", True, id="a tag that the call adds"),
        pytest.param("s3:ListBucket", "arn:a", "aws:TagKeys", False, id="tags that a reading call cannot add"),
        pytest.param("s3:PutBucketNotification", "arn:a", "aws:RequestTag/env", False, id="nor a writing one"),
        pytest.param("ec2:CreateTags", "arn:a", "ec2:CreateAction", True, id="why tags are added"),
        pytest.param(
            "ec2:CreateImage", "arn:a", "ec2:CreateAction", False, id="why tags are added, by no tagging call"
        ),
        pytest.param("ec2:CreateTags", "arn:a", "aws:ResourceTag/AmazonFSx", False, id="AWS's own, on FSx's things"),
        pytest.param(
            "ec2:DeleteSnapshot",
            "arn:a",
            "aws:ResourceTag/aws:backup:source-resource",
            False,
            id="AWS's own, on copies",
        ),
    ],
)
def test_conditions_that_may_allow_it_after_all(action: str, resource: str, key: str, told: bool) -> None:
    result = SimulationResult(action, resource, Decision.IMPLICIT_DENY, missing_context=(key,))
    (denial,) = withheld([Probe(((action, resource),), "things")], answers_to([result]))
    assert denial.unknown_conditions == ((key,) if told else ())


# The reference lists the keys of tags in the request for these as well, though their requests carry none; and AWS's
# policies for S3 grant no events:TagResource, without which events:PutRule carries none either.
WITHOUT_TAGS = {"ec2:DeleteSnapshot", "ec2:DeregisterImage", "ec2:DescribeInstanceAttribute", "events:PutRule"}


def test_conditions_on_tags_in_the_request_are_told_where_the_service_knows_them() -> None:
    actions = {action for probe in all_probes() for action, _ in probe.asks}
    tagging = {action for action in actions if "aws:TagKeys" in condition_keys(action)} - WITHOUT_TAGS
    told = {
        action
        for action in actions
        for denial in withheld(
            [Probe(((action, "arn:a"),), "things")],
            answers_to([SimulationResult(action, "arn:a", Decision.IMPLICIT_DENY, missing_context=("aws:TagKeys",))]),
        )
        if denial.unknown_conditions
    }
    assert tagging <= told
    assert told - tagging <= {"dynamodb:CreateBackup"}


@pytest.mark.parametrize("policies", [(BACKUP_POLICY, RESTORE_POLICY), (S3_BACKUP_POLICY,)], ids=" and ".join)
@pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=type_id)
def test_the_managed_policies_hold_no_condition_on_what_they_withhold(
    kind: ResourceType, policies: tuple[str, ...]
) -> None:
    found = denials(everything(kind), *(managed(policy) for policy in policies))
    assert {key for denial in found for key in denial.unknown_conditions} == set()


# --- Words ----------------------------------------------------------------------------------------------------------

SELECTION = SelectionSummary("1", "tagged", "2", "nightly", "arn:aws:iam::111122223333:role/backup")


def said(*found: Problem) -> str:
    text = verdict(selection_subject(SELECTION), found).annotation
    assert len(text) <= MAX_ANNOTATION
    return text


def test_the_words_for_the_default_role_and_s3() -> None:
    found = denials(everything(S3, EBS), managed(BACKUP_POLICY), managed(RESTORE_POLICY))
    (problem,) = problems("AWSBackupDefaultServiceRole", SELECTION, found)
    assert said(problem) == (
        "Role AWSBackupDefaultServiceRole of selection tagged of plan nightly lacks 27 actions (all in the log):"
        " s3:GetBucketVersioning and 26 more (S3 buckets): no policy of the role allows it."
        " Attach AWSBackupServiceRolePolicyForS3Backup."
    )


def test_the_words_for_several_types_and_withholders() -> None:
    volumes = Probe((("ec2:CreateSnapshot", "arn:a"),), "EBS volumes")
    again = Probe((("ec2:CreateSnapshot", "arn:b"),), "EBS volumes")
    buckets = Probe((("s3:ListBucket", "arn:c"),), "S3 buckets", S3_BACKUP_POLICY)
    found = problems(
        "backup",
        SELECTION,
        [
            Withheld(volumes, WithheldBy.POLICY, ("ec2:ResourceTag/env",)),
            Withheld(again, WithheldBy.POLICY),
            Withheld(buckets, WithheldBy.POLICY),
            Withheld(DESCRIBE, WithheldBy.SERVICE_CONTROL_POLICY),
            Withheld(buckets, WithheldBy.PERMISSIONS_BOUNDARY),
            Withheld(buckets, WithheldBy.EXPLICIT_DENY),
        ],
    )
    who = "Role backup of selection tagged of plan nightly lacks"
    assert [said(each) for each in found] == [
        f"{who} ec2:DescribeVolumes (EBS volumes): a service control policy withholds it. Allow it in that policy.",
        f"{who} s3:ListBucket (S3 buckets): its permissions boundary withholds it. Allow it in the boundary.",
        f"{who} s3:ListBucket (S3 buckets): a policy of the role denies it. Remove that Deny.",
        "Role backup lacks ec2:CreateSnapshot (EBS volumes); s3:ListBucket (S3 buckets): no policy of the role allows"
        " it (unless its conditions on ec2:ResourceTag/env hold). Attach AWSBackupServiceRolePolicyForBackup and"
        " AWSBackupServiceRolePolicyForS3Backup.",
    ]
    assert said(*found).endswith(". Allow it in that policy. (+3 more)")
