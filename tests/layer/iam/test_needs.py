"""What a selection makes its role's need, from its elements and from what it picks."""

from __future__ import annotations

from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest

from backup_rules.arns import Place
from backup_rules.iam.denials import Decision, SimulationResult, answers_to, withheld
from backup_rules.iam.needs import REPRESENTATIVES_OF_A_TYPE, Assignment, needs_of, types_to_list
from backup_rules.iam.permissions import Needs, probes_for, requests_for
from backup_rules.plans.plans import BackupRule, CopyAction, Plan, PlanSummary
from backup_rules.resources.resource_types import (
    AURORA,
    DOCUMENTDB,
    DYNAMODB,
    EBS,
    EC2,
    NEPTUNE,
    RDS_CLUSTER,
    RDS_INSTANCE,
    RESOURCE_TYPES,
    S3,
    Resource,
    ResourceType,
)
from backup_rules.selections.picking import Selection, SelectionSummary, TagCondition

HERE = Place("aws", "111122223333", "eu-west-1")
ROLE = "arn:aws:iam::111122223333:role/BackupRole"
VOLUMES = "arn:aws:ec2:*:*:volume/*"
CLUSTERS = "arn:aws:rds:*:*:cluster:*"
BACKUP = (TagCondition("backup", "true"),)


def arn(path: str, service: str = "ec2") -> str:
    return f"arn:aws:{service}:eu-west-1:111122223333:{path}"


def assigned(name: str = "s", *rules: BackupRule, role: str = ROLE, **body: Any) -> Assignment:
    plan = Plan(PlanSummary("p", "arn", "prod", "v"), datetime(2026, 1, 1, tzinfo=UTC), rules)
    return Assignment(plan, Selection(SelectionSummary(name, name, "p", "prod", role), **body))


def only(assignment: Assignment, *resources: Resource) -> Needs:
    (found,) = needs_of([assignment], resources, HERE).values()
    return found


@pytest.mark.parametrize(
    ("body", "types"),
    [
        pytest.param({"resources": (VOLUMES,)}, {EBS}, id="type wildcard"),
        pytest.param({"resources": ("arn:aws:ec2:*",)}, {EBS, EC2}, id="service wildcard"),
        pytest.param({"resources": ("arn:aws:s3:::logs",)}, {S3}, id="bucket"),
        pytest.param({"resources": (arn("table/t", "dynamodb"),)}, {DYNAMODB}, id="ARN"),
        pytest.param({"resources": ("*",)}, set(), id="everything names nothing"),
        pytest.param({"list_of_tags": BACKUP}, set(), id="tags name nothing"),
        pytest.param({"resources": (CLUSTERS,)}, {AURORA}, id="one cluster type for all"),
        pytest.param(
            {"resources": ("arn:aws:ec2:*",), "not_resources": ("arn:aws:ec2:*:*:instance/*",)}, {EBS}, id="left out"
        ),
        pytest.param({"resources": (VOLUMES,), "not_resources": (arn("volume/vol-1"),)}, {EBS}, id="one left out"),
        pytest.param({"resources": ("arn:aws-cn:ec2:*:*:volume/*",)}, set(), id="another partition"),
        pytest.param({"resources": ("arn:aws:ec2:us-east-1:*:volume/*",)}, set(), id="another Region"),
        pytest.param(
            {"resources": (VOLUMES,), "string_equals": (TagCondition("aws:ResourceTag/backup", "true"),)},
            set(),
            id="a positive condition",
        ),
        pytest.param(
            {"resources": (VOLUMES,), "string_not_equals": (TagCondition("aws:ResourceTag/backup", "false"),)},
            {EBS},
            id="a negative condition",
        ),
    ],
)
def test_types_that_are_named(body: dict[str, Any], types: set[ResourceType]) -> None:
    assert only(assigned(**body)).types == types


def test_types_that_are_picked() -> None:
    volume = Resource(arn("volume/vol-1"), EBS, {"backup": "true"})
    table = Resource(arn("table/t", "dynamodb"), DYNAMODB, {"backup": "false"})
    found = only(assigned(list_of_tags=BACKUP), volume, table)
    assert (found.types, found.by_tags, found.tagged_types) == (frozenset({EBS}), True, frozenset({EBS}))
    assert found.representatives == {EBS: volume.arn}


def test_clusters_that_exist_tell_the_type() -> None:
    graph = Resource(arn("cluster:graph", "rds"), NEPTUNE)
    assert only(assigned(resources=(CLUSTERS,)), graph).types == {NEPTUNE}


def test_a_member_of_a_cluster_is_no_roles_need() -> None:
    member = Resource(arn("db:sales-1", "rds"), RDS_INSTANCE, cluster_member=True)
    assert only(assigned(resources=(member.arn,)), member).types == set()


def test_the_plan_tells_of_vaults_copies_and_continuous_backup() -> None:
    gapped = arn("backup-vault:gapped", "backup")
    away = "arn:aws:backup:us-east-1:111122223333:backup-vault:away"
    rules = (
        BackupRule("1", "daily", "Default", copy_actions=(CopyAction(away),)),
        BackupRule("2", "pitr", "Other", continuous=True, air_gapped_vault_arn=gapped, recovery_point_tags=True),
    )
    found = only(assigned("s", *rules, resources=(VOLUMES,)))
    assert found.vault_arns_copied_to == {away, gapped}
    assert found.continuous
    assert found.recovery_point_tags
    plain = only(assigned("s", BackupRule("1", "daily", "Default"), resources=(VOLUMES,)))
    assert (plain.continuous, plain.recovery_point_tags, plain.vault_arns_copied_to) == (False, False, frozenset())


def test_few_representatives_for_many_selections_of_a_role() -> None:
    assignments = [assigned(str(number), resources=(arn(f"volume/vol-{number}"),)) for number in range(10)]
    other = assigned("other", role=f"{ROLE}2", resources=(arn("volume/vol-9"),))
    found = [each.representatives[EBS] for each in needs_of([*assignments, other], [], HERE).values()]
    assert found[:REPRESENTATIVES_OF_A_TYPE] == [arn(f"volume/vol-{n}") for n in range(REPRESENTATIVES_OF_A_TYPE)]
    assert set(found[REPRESENTATIVES_OF_A_TYPE:-1]) == {arn("volume/vol-0")}
    assert found[-1] == arn("volume/vol-9")


def test_everything_reaches_what_exists_without_tags() -> None:
    table, bucket = Resource(arn("table/t", "dynamodb"), DYNAMODB), Resource("arn:aws:s3:::logs", S3, {"a": "b"})
    found = only(assigned(resources=("*",), not_resources=(bucket.arn,)), table, bucket)
    assert (found.types, found.tagged_types) == (frozenset({DYNAMODB}), frozenset())
    assert only(assigned(resources=("*",)), table, bucket).tagged_types == {S3}


def test_tags_that_only_aws_can_set_are_put_on_no_recovery_point() -> None:
    tags = {"aws:cloudformation:stack-name": "shop"}
    assert only(assigned(resources=("*",)), Resource(arn("volume/v"), EBS, tags)).tagged_types == set()
    assert only(assigned(resources=("*",)), Resource(arn("volume/v"), EBS, tags | {"a": "b"})).tagged_types == {EBS}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(CLUSTERS, {AURORA, DOCUMENTDB, NEPTUNE, RDS_CLUSTER}, id="clusters"),
        pytest.param(VOLUMES, set(), id="a type that is named"),
        pytest.param("*", set(RESOURCE_TYPES), id="everything"),
    ],
)
def test_what_must_be_listed(entry: str, expected: set[ResourceType]) -> None:
    assert types_to_list(assigned(resources=(entry,)).selection, HERE) == expected


def seconds(scale: int) -> float:
    """Processor time for the needs and probes of so many plans of 20 selections, over as many times 60 resources."""
    resources = [Resource(arn(f"volume/vol-{n}"), EBS, {"team": str(n % (20 * scale))}) for n in range(60 * scale)]
    assignments = [
        assigned(f"s-{n}", BackupRule("1", "daily", "Default"), list_of_tags=(TagCondition("team", str(n)),))
        for n in range(20 * scale)
    ]
    began = process_time()
    probes = [each for needs in needs_of(assignments, resources, HERE).values() for each in probes_for(needs, HERE)]
    requests = requests_for(probes, HERE)
    answers = answers_to(
        SimulationResult(action, resource, Decision.ALLOWED)
        for request in requests
        for action in request.actions
        for resource in request.resource_arns or ("*",)
    )
    assert withheld(probes, answers) == ()
    return process_time() - began


def test_ten_times_the_account_takes_at_most_twelve_times_the_time() -> None:
    seconds(1)
    small, large = min(seconds(15) for _ in range(3)), min(seconds(150) for _ in range(2))
    assert large < 12 * small + 0.2
