"""`backup-rules check` on Terraform plans as the provider makes them: what is computed, dynamic blocks, Regions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from backup_rules_cli.main import main

Values = dict[str, dict[str, Any]]
Check = Callable[..., dict[tuple[str, str], str]]
PLAN, SELECTION, VAULT = "aws_backup_plan.p", "aws_backup_selection.s", "aws_backup_vault.v"
TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
REGIONS = {
    "aws": {"name": "aws", "expressions": {"region": {"constant_value": "us-east-1"}}},
    "aws.recovery": {"name": "aws", "alias": "recovery", "expressions": {"region": {"references": ["var.recovery"]}}},
}


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Judges a plan; gives the state by rule and name, and whatever is wrong with files."""

    def judge(document: Mapping[str, Any], *options: str) -> dict[tuple[str, str], str]:
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        main(["check", "--format", "json", *options, str(path)])
        found = json.loads(capsys.readouterr().out)
        assert found["broken_files"] == []
        assert len(found["files"]) == 1
        return {(each["rule"], each["name"]): each["state"] for each in found["findings"]}

    return judge


def rule(**given: Any) -> dict[str, Any]:
    """A rule as the provider plans it, defaults filled in."""
    defaults = {"completion_window": 180, "start_window": 60, "copy_action": [], "lifecycle": []}
    return {
        **defaults,
        "rule_name": "daily",
        "target_vault_name": "main",
        "schedule": "cron(0 12 * * ? *)",
        "schedule_expression_timezone": "Etc/UTC",
        **given,
    }


VALUES: Values = {
    PLAN: {"name": "nightly", "rule": [rule()], "tags": None},
    VAULT: {"name": "main", "tags": None},
    "aws_iam_role.r": {"name": "backups", "path": "/", "assume_role_policy": json.dumps(TRUST)},
    "aws_iam_role_policy_attachment.a": {
        "role": "backups",
        "policy_arn": "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
    },
    SELECTION: {"name": "tables", "resources": [TABLE], "selection_tag": []},
    "aws_dynamodb_table.t": {"name": "orders", "tags": None},
}
UNKNOWN: Values = {
    PLAN: {"arn": True, "id": True, "tags_all": True, "version": True, "rule": [{"copy_action": [], "lifecycle": []}]},
    VAULT: {"arn": True, "id": True, "kms_key_arn": True, "recovery_points": True, "tags_all": True},
    "aws_iam_role.r": {"arn": True, "inline_policy": True, "managed_policy_arns": True, "tags_all": True},
    "aws_iam_role_policy_attachment.a": {"id": True},
    # Nobody gives condition and not_resources: the provider computes them.
    SELECTION: {"condition": True, "iam_role_arn": True, "id": True, "not_resources": True, "plan_id": True},
    "aws_dynamodb_table.t": {"arn": True, "id": True, "tags_all": True},
}
GIVEN: Values = {
    SELECTION: {
        "iam_role_arn": {"references": ["aws_iam_role.r.arn", "aws_iam_role.r"]},
        "plan_id": {"references": ["aws_backup_plan.p.id", "aws_backup_plan.p"]},
    }
}


def plan(
    values: Mapping[str, Mapping[str, Any]] = {},
    unknown: Mapping[str, Mapping[str, Any]] = {},
    given: Mapping[str, Mapping[str, Any]] = {},
    provider: Mapping[str, str] = {},
) -> dict[str, Any]:
    """A plan in which all holds, but for what is said: a value of None is not there."""
    resources, changes, configuration = [], [], []
    for address in dict.fromkeys((*VALUES, *values)):
        kind, name = address.split(".")
        whole = {**VALUES.get(address, {}), **values.get(address, {})}
        shown = {key: value for key, value in whole.items() if value is not ...}
        resources.append({"address": address, "mode": "managed", "type": kind, "name": name, "values": shown})
        after = {**UNKNOWN.get(address, {}), **unknown.get(address, {})}
        changes.append({"address": address, "change": {"actions": ["create"], "after_unknown": after}})
        expressions = {**GIVEN.get(address, {}), **given.get(address, {})}
        key = provider.get(address, "aws")
        configuration.append({"address": address, "provider_config_key": key, "expressions": expressions})
    return {
        "format_version": "1.2",
        "variables": {"recovery": {"value": "eu-west-1"}},
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {"provider_config": REGIONS, "root_module": {"resources": configuration}},
    }


def test_what_the_provider_computes_is_no_open_value(check: Check) -> None:
    assert set(check(plan()).values()) == {"holds"}


@pytest.mark.parametrize("block", ["selection_tag", "condition", "not_resources"])
def test_blocks_that_are_known_after_apply(check: Check, block: str) -> None:
    open_block = plan({SELECTION: {block: ...}}, {SELECTION: {block: True}}, {SELECTION: {block: {}}})
    assert check(open_block)["BACKUP_SELECTION_NOT_EMPTY", SELECTION] == "unknown"


def test_values_of_a_condition_that_are_known_after_apply(check: Check) -> None:
    tagged: Values = {"aws_dynamodb_table.t": {"tags": {"backup": "daily"}, "tags_all": {"backup": "daily"}}}
    equals: list[dict[str, Any]] = [{"string_equals": [{"key": "aws:ResourceTag/backup"}]}]
    document = plan(
        tagged | {SELECTION: {"condition": equals}},
        {SELECTION: {"condition": [{"string_equals": [{"value": True}]}]}, "aws_dynamodb_table.t": {"tags_all": {}}},
    )
    assert check(document)["BACKUP_SELECTION_NOT_EMPTY", SELECTION] == "unknown"
    equals[0]["string_equals"][0]["value"] = "daily"
    document = plan(
        tagged | {SELECTION: {"condition": equals}},
        {SELECTION: {"condition": [{}]}, "aws_dynamodb_table.t": {"tags_all": {}}},
    )
    assert check(document)["BACKUP_SELECTION_NOT_EMPTY", SELECTION] == "holds"


def test_a_lifecycle_that_is_known_after_apply_breaks_no_lock(check: Check) -> None:
    lock: Values = {"aws_backup_vault_lock_configuration.l": {"backup_vault_name": "main", "max_retention_days": 30}}
    without = rule()
    without.pop("lifecycle")
    forever: Values = {PLAN: {"rule": [without]}}
    unknown = {PLAN: {"rule": [{"lifecycle": True}]}}
    assert check(plan(lock))["BACKUP_VAULT_USABLE", PLAN] == "broken"
    assert check(plan(lock | forever, unknown))["BACKUP_VAULT_USABLE", PLAN] == "unknown"


def test_copies_that_are_known_after_apply(check: Check) -> None:
    without = rule()
    without.pop("copy_action")
    said = check(plan({PLAN: {"rule": [without]}}, {PLAN: {"rule": [{"copy_action": True, "lifecycle": []}]}}))
    assert said["BACKUP_VAULT_USABLE", PLAN] == "unknown"
    assert said["BACKUP_WINDOW_CONFIGURED", PLAN] == "holds"


def test_versioning_that_no_resource_tells(check: Check) -> None:
    bucket: Values = {"aws_s3_bucket.b": {"bucket": "invoices"}, SELECTION: {"resources": ["arn:aws:s3:::invoices"]}}
    said = check(plan(bucket, {"aws_s3_bucket.b": {"versioning": True, "tags_all": True}}))
    assert said["BACKUP_RESOURCE_READY", "aws_s3_bucket.b"] == "unknown"


@pytest.mark.parametrize("tells", ["provider", "argument"])
def test_a_vault_of_another_region_is_not_there(check: Check, tells: str) -> None:
    """By a provider's alias, whose Region is a variable; or by the argument that version 6 of the provider has."""
    elsewhere = plan(provider={VAULT: "aws.recovery"})
    if tells == "argument":
        own: Values = {each: {"region": "us-east-1"} for each in (PLAN, SELECTION, "aws_dynamodb_table.t")}
        elsewhere = plan({**own, VAULT: {"region": "eu-west-1"}})
    assert check(elsewhere)["BACKUP_VAULT_USABLE", PLAN] == "unknown"


def test_plans_of_two_regions_are_each_judged_in_theirs(check: Check) -> None:
    other: Values = {
        "aws_backup_plan.q": {"name": "recovery", "rule": [rule(target_vault_name="second")]},
        "aws_backup_vault.w": {"name": "second"},
        "aws_backup_vault_lock_configuration.l": {"backup_vault_name": "main", "max_retention_days": 30},
    }
    unknown = {"aws_backup_plan.q": {"id": True}, "aws_backup_vault.w": {"arn": True}}
    said = check(plan(other, unknown, provider=dict.fromkeys(other, "aws.recovery")))
    assert said["BACKUP_VAULT_USABLE", PLAN] == "holds"  # the lock is that of a vault elsewhere
    assert said["BACKUP_VAULT_USABLE", "aws_backup_plan.q"] == "holds"
    assert said["BACKUP_ROLE_PERMISSIONS", SELECTION] == "holds"


def test_a_provider_s_region_that_is_not_known_is_another_one(check: Check) -> None:
    document = plan(provider={VAULT: "aws.recovery"})
    document["variables"] = {}
    assert check(document)["BACKUP_VAULT_USABLE", PLAN] == "unknown"


def test_a_state_tells_regions_by_arns(check: Check) -> None:
    values: Values = {
        PLAN: {"id": "plan-1", "arn": "arn:aws:backup:us-east-1:111122223333:backup-plan:plan-1"},
        VAULT: {"arn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:main"},
        SELECTION: {"plan_id": "plan-1", "iam_role_arn": "arn:aws:iam::111122223333:role/backups", "condition": []},
        "aws_dynamodb_table.t": {"arn": TABLE},
    }
    document = plan(values)
    state = {"format_version": "1.0", "values": document["planned_values"]}
    said = check(state)
    assert said["BACKUP_VAULT_USABLE", PLAN] == "unknown"
    assert said["BACKUP_SELECTION_NOT_EMPTY", PLAN] == "holds"
    values[VAULT]["arn"] = "arn:aws:backup:us-east-1:111122223333:backup-vault:main"
    assert check({**state, "values": plan(values)["planned_values"]})["BACKUP_VAULT_USABLE", PLAN] == "holds"


def test_a_policy_of_a_list_of_roles_of_which_one_is_open(check: Check) -> None:
    attached = {"aws_iam_policy_attachment.o": {"name": "o", "roles": [], "policy_arn": "arn:aws:iam::aws:policy/X"}}
    said = check(plan(attached, {"aws_iam_policy_attachment.o": {"roles": [True]}}))
    assert said["BACKUP_ROLE_PERMISSIONS", SELECTION] == "unknown"


@pytest.mark.slow
def test_a_plan_of_3000_resources_takes_at_most_six_seconds_of_the_processor(check: Check) -> None:
    values: Values = {}
    for number in range(1000):
        values[f"aws_iam_role.r{number}"] = {"name": f"r{number}", "assume_role_policy": json.dumps(TRUST)}
        values[f"aws_iam_role_policy_attachment.a{number}"] = {"role": f"r{number}", "policy_arn": TABLE}
        values[f"aws_s3_bucket.b{number}"] = {"bucket": f"b{number}", "tags": None}
    document = plan(values)
    started = time.process_time()
    assert "broken" not in check(document).values()
    assert time.process_time() - started < 6


# --- Policies --------------------------------------------------------------------------------------------------------


def policy(schedule: str, region: str = "us-east-1", name: str = "nightly") -> str:
    """A backup policy as the resource has it."""
    rules = {
        "daily": {
            "schedule_expression": {"@@assign": schedule},
            "target_backup_vault_name": {"@@assign": "main"},
            "start_backup_window_minutes": {"@@assign": "60"},
        }
    }
    tags = {
        "tagged": {
            "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/backups"},
            "tag_key": {"@@assign": "backup"},
            "tag_value": {"@@assign": ["daily"]},
        }
    }
    body = {"regions": {"@@assign": [region]}, "rules": rules, "selections": {"tags": tags}}
    return json.dumps({"plans": {name: body}})


def test_policies_of_the_same_plan_are_for_different_accounts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Merged, the last one's good schedule would hide what the first one's does not do."""
    policies: Values = {
        "aws_organizations_policy.a": {"name": "a", "type": "BACKUP_POLICY", "content": policy("cron(0 5 30 2 ? *)")},
        "aws_organizations_policy.b": {"name": "b", "type": "BACKUP_POLICY", "content": policy("cron(0 5 * * ? *)")},
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan(policies)), encoding="utf-8")
    main(["check", "--format", "json", "--rules", "BACKUP_WINDOW_CONFIGURED,BACKUP_POLICY_VALID", str(path)])
    found = [each for each in json.loads(capsys.readouterr().out)["findings"] if each["name"] != PLAN]
    assert sorted((each["name"], each["state"]) for each in found) == [
        ("a", "holds"),
        ("b", "holds"),
        ("nightly", "broken"),
        ("nightly", "holds"),
    ]


def test_every_plan_of_a_policy_is_judged_in_a_region_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = (
        json.loads(policy(f"cron(0 5 {day} ? *)", region, region))
        for day, region in (
            ("* *", "eu-west-1"),
            ("30 2", "us-west-2"),
        )
    )
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"plans": here["plans"] | there["plans"]}, indent=1), encoding="utf-8")
    rules = ("--rules", "BACKUP_WINDOW_CONFIGURED,BACKUP_POLICY_ATTACHED")
    assert main(["check", "--format", "json", *rules, str(path)]) == 1
    document = json.loads(capsys.readouterr().out)
    (problem,) = (each for each in document["findings"] if each["state"] == "broken")
    assert problem["name"] == "us-west-2"
    assert '"us-west-2": {' in path.read_text(encoding="utf-8").splitlines()[problem["line"] - 1]
    assert [(each["plan"], each["region"]) for each in document["plans"]] == [
        ("eu-west-1", "eu-west-1"),
        ("us-west-2", "us-west-2"),
    ]
    assert len([each for each in document["findings"] if each["rule"] == "BACKUP_POLICY_ATTACHED"]) == 1
    assert main(["check", "--format", "json", *rules, "--region", "eu-west-1", str(path)]) == 0
