"""`backup-rules check` on Terraform plans of modules: what is known after apply is followed to what it refers to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backup_rules_cli.main import main

Check = Callable[[dict[str, Any]], dict[tuple[str, str], str]]
SELECTION_A, SELECTION_B = (f'module.backup["{key}"].aws_backup_selection.s' for key in "ab")
PLAN_A, PLAN_B = (f'module.backup["{key}"].aws_backup_plan.p' for key in "ab")
ATTACHMENT, LOCK = "module.iam.aws_iam_role_policy_attachment.a", "aws_backup_vault_lock_configuration.l"
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
TRUST = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
)


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Judges a plan; gives the state by rule and name."""

    def judge(plan: dict[str, Any]) -> dict[tuple[str, str], str]:
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(plan, indent=1), encoding="utf-8")
        main(["check", "--format", "json", str(path)])
        document = json.loads(capsys.readouterr().out)
        return {(each["rule"], each["name"]): each["state"] for each in document["findings"]}

    return judge


def _resource(address: str, **values: Any) -> dict[str, Any]:
    kind, name = address.split(".")[-2:]
    return {"address": address, "mode": "managed", "type": kind, "name": name, "values": values}


def _after(address: str, *arguments: str) -> dict[str, Any]:
    return {"address": address, "change": {"after_unknown": dict.fromkeys(arguments, True)}}


def _expressions(address: str, **references: list[str]) -> dict[str, Any]:
    expressions = {name: {"references": each} for name, each in references.items()}
    return {"address": address, "mode": "managed", "type": address.split(".", 1)[0], "expressions": expressions}


def plan() -> dict[str, Any]:
    """Two instances of a module with a plan and a selection each, a module with the role, and a vault with a lock."""
    rule = {
        "rule_name": "r",
        "target_vault_name": "main",
        "schedule": "cron(0 3 * * ? *)",
        "lifecycle": [{"delete_after": 30}],
    }
    instances = [
        {
            "address": f'module.backup["{key}"]',
            "resources": [
                _resource(f'module.backup["{key}"].aws_backup_plan.p', name=key, rule=[rule]),
                _resource(f'module.backup["{key}"].aws_backup_selection.s', name=key, selection_tag=[], condition=[]),
            ],
        }
        for key in "ab"
    ]
    role = [
        _resource("module.iam.aws_iam_role.r", name_prefix="backup-", path="/", assume_role_policy=TRUST),
        _resource(ATTACHMENT, policy_arn=MANAGED),
    ]
    own = [
        _resource("aws_backup_vault.v", name="main"),
        _resource(LOCK, backup_vault_name="main", max_retention_days=36500),
        _resource("aws_dynamodb_table.t", name="t"),
    ]
    modules = [{"address": "module.iam", "resources": role}, *instances]
    calls = {
        "iam": {
            "module": {
                "outputs": {"role_arn": {"expression": {"references": ["aws_iam_role.r.arn", "aws_iam_role.r"]}}},
                "resources": [
                    _expressions("aws_iam_role.r"),
                    _expressions("aws_iam_role_policy_attachment.a", role=["aws_iam_role.r.name", "aws_iam_role.r"]),
                ],
            }
        },
        "backup": {
            "expressions": {
                "role_arn": {"references": ["module.iam.role_arn", "module.iam"]},
                "arns": {"references": ["aws_dynamodb_table.t.arn", "aws_dynamodb_table.t"]},
            },
            "module": {
                "resources": [
                    _expressions("aws_backup_plan.p"),
                    _expressions(
                        "aws_backup_selection.s",
                        iam_role_arn=["var.role_arn"],
                        plan_id=["aws_backup_plan.p.id", "aws_backup_plan.p"],
                        resources=["var.arns"],
                    ),
                ]
            },
        },
    }
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": own, "child_modules": modules}},
        "resource_changes": [
            _after("module.iam.aws_iam_role.r", "arn", "name"),
            _after(ATTACHMENT, "role"),
            *(_after(each, "iam_role_arn", "plan_id", "resources") for each in (SELECTION_A, SELECTION_B)),
        ],
        "configuration": {"root_module": {"module_calls": calls}},
    }


def test_outputs_and_variables_are_followed_in_each_instance_of_a_module(check: Check) -> None:
    said = check(plan())
    assert set(said.values()) == {"holds"}
    assert said["BACKUP_SELECTION_NOT_EMPTY", PLAN_A] == said["BACKUP_SELECTION_NOT_EMPTY", PLAN_B] == "holds"
    assert said["BACKUP_ROLE_PERMISSIONS", SELECTION_B] == "holds"


def test_each_instance_has_its_own_plan(check: Check) -> None:
    whole = plan()
    whole["planned_values"]["root_module"]["child_modules"][2]["resources"].pop(1)
    said = check(whole)
    assert said["BACKUP_SELECTION_NOT_EMPTY", PLAN_A] == "holds"
    assert said["BACKUP_SELECTION_NOT_EMPTY", PLAN_B] == "unknown"


def test_a_policy_that_may_belong_to_the_role_keeps_its_permissions_open(check: Check) -> None:
    whole = plan()
    whole["configuration"]["root_module"]["module_calls"]["iam"]["module"]["resources"].pop()
    assert check(whole)["BACKUP_ROLE_PERMISSIONS", SELECTION_A] == "unknown"


def test_a_policy_attachment_names_several_roles(check: Check) -> None:
    whole = plan()
    role, _ = whole["planned_values"]["root_module"]["child_modules"][0]["resources"]
    role["values"] |= {"name": "backup"}
    attachment = _resource("module.iam.aws_iam_policy_attachment.a", policy_arn=MANAGED, roles=["other", "backup"])
    whole["planned_values"]["root_module"]["child_modules"][0]["resources"] = [role, attachment]
    assert check(whole)["BACKUP_ROLE_PERMISSIONS", SELECTION_A] == "holds"
    attachment["values"]["roles"] = ["other"]
    assert check(whole)["BACKUP_ROLE_PERMISSIONS", SELECTION_A] == "broken"


def test_a_lock_that_may_be_the_vault_s_is_open(check: Check) -> None:
    whole = plan()
    whole["planned_values"]["root_module"]["resources"][1]["values"] = {"min_retention_days": 7}
    whole["resource_changes"].append(_after(LOCK, "backup_vault_name"))
    assert check(whole)["BACKUP_VAULT_USABLE", PLAN_A] == "unknown"


def test_a_list_of_which_part_is_elsewhere_is_open(check: Check) -> None:
    whole = plan()
    arns = whole["configuration"]["root_module"]["module_calls"]["backup"]["expressions"]["arns"]
    arns["references"] += ["data.aws_instance.i.arn", "data.aws_instance.i"]
    said = check(whole)
    assert said["BACKUP_SERVICE_OPT_IN", SELECTION_A] == "unknown"
    assert said["BACKUP_ROLE_ASSUMABLE", SELECTION_A] == "holds"
