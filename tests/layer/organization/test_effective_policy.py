"""What the effective backup policy says, from AWS's own examples and from policies that nobody should have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_rules.arns import Place
from backup_rules.organization.effective_policy import (
    EffectivePolicy,
    NamedVault,
    PolicyPlan,
    PolicySelection,
    SelectionKind,
    parse_policy,
)
from backup_rules.organization.policy_document import DefectKind
from backup_rules.plans.plans import CopyAction, Lifecycle
from backup_rules.selections.picking import TagCondition
from backup_rules.vaults.vaults import VaultPurpose

FIXTURES = Path(__file__).parents[2] / "fixtures" / "organization_policy"
PLACE = Place("aws", "111122223333", "us-east-1")


def rule(**changes: Any) -> dict[str, Any]:
    return {"schedule_expression": "cron(0 5 ? * * *)", "target_backup_vault_name": "Vault"} | changes


def selection(**changes: Any) -> dict[str, Any]:
    tag = {"iam_role_arn": "arn:aws:iam::$account:role/Backup", "tag_key": "backup", "tag_value": ["true"]}
    return tag | changes


def plan(**changes: Any) -> dict[str, Any]:
    whole = {
        "regions": ["us-east-1"],
        "rules": {"daily": rule()},
        "selections": {"tags": {"tagged": selection()}},
    }
    return whole | changes


def without(element: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in element.items() if key != name}


def parse(document: Any, place: Place = PLACE) -> EffectivePolicy:
    return parse_policy(json.dumps(document), place)


def parse_plan(element: dict[str, Any]) -> PolicyPlan:
    policy = parse({"plans": {"nightly": element}})
    assert policy.defects == ()
    return policy.plans[0]


def parse_example(name: str, place: Place = PLACE) -> EffectivePolicy:
    return parse_policy((FIXTURES / name).read_text(), place)


def defects(policy: EffectivePolicy) -> list[tuple[str, DefectKind]]:
    return [(defect.path, defect.kind) for defect in policy.defects]


# AWS's examples


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_each_example_of_aws_reads_without_a_defect(path: Path) -> None:
    policy = parse_policy(path.read_text(), PLACE)
    assert policy.defects == ()
    assert policy.plans


def test_example_1_whole() -> None:
    (found,) = parse_example("example-1-parent-node.json").plans
    (hourly,) = found.rules
    assert (found.name, found.regions) == ("PII_Backup_Plan", ("us-east-1", "ap-northeast-3", "eu-north-1"))
    assert (hourly.name, hourly.path) == ("hourly", "plans.PII_Backup_Plan.rules.hourly")
    assert hourly.schedule_expression == "cron(0 0/1 ? * * *)"
    assert (hourly.start_window_minutes, hourly.completion_window_minutes) == (60, 10080)
    assert (hourly.schedule_timezone, hourly.continuous) == ("Etc/UTC", False)
    assert hourly.target_vault_name == "FortKnox"
    assert hourly.air_gapped_vault_arn == "arn:aws:backup:us-east-1:111122223333:backup-vault:AirGappedVault"
    assert hourly.lifecycle == Lifecycle(delete_after_days=2, move_to_cold_storage_after_days=180)
    assert hourly.copy_actions == (
        CopyAction("arn:aws:backup:us-east-1:111122223333:backup-vault:secondary_vault", Lifecycle(28, 180)),
        CopyAction("arn:aws:backup:us-west-1:111111111111:backup-vault:tertiary_vault", Lifecycle(28, 180)),
    )
    assert found.selections == (
        PolicySelection(
            "datatype",
            "plans.PII_Backup_Plan.selections.tags.datatype",
            SelectionKind.TAGS,
            "arn:aws:iam::123456789012:role/MyIamRole",
            tag_key="dataType",
            tag_values=("PII", "RED"),
        ),
    )


def test_vaults_are_those_of_this_account_and_region() -> None:
    (found,) = parse_example("example-1-parent-node.json").plans
    assert found.vaults(PLACE) == (
        NamedVault("FortKnox", "PII_Backup_Plan", "hourly", VaultPurpose.TARGET),
        NamedVault("AirGappedVault", "PII_Backup_Plan", "hourly", VaultPurpose.AIR_GAPPED),
        NamedVault("secondary_vault", "PII_Backup_Plan", "hourly", VaultPurpose.COPY),
    )


def test_a_copy_to_another_region_is_no_vault_of_this_one() -> None:
    north = Place("aws", "111122223333", "eu-north-1")
    (found,) = parse_example("example-1-parent-node.json", north).plans
    assert [vault.name for vault in found.vaults(north)] == ["FortKnox", "AirGappedVault"]


def test_a_copy_to_another_account_is_no_vault_of_this_one() -> None:
    elsewhere = Place("aws", "444455556666", "us-east-1")
    (found,) = parse_example("example-3-no-changes-by-child.json", elsewhere).plans
    assert [vault.name for vault in found.vaults(elsewhere)] == ["FortKnox"]
    (home,) = parse_example("example-3-no-changes-by-child.json").plans
    assert home.rules[0].copy_actions == (
        CopyAction("arn:aws:backup:us-east-1:123456789012:backup-vault:secondary_vault", Lifecycle(180, 28)),
    )


def test_example_2_has_two_plans_with_regions_of_their_own() -> None:
    policy = parse_example("example-2-merged-with-child.json")
    assert [each.name for each in policy.plans_for("us-east-1")] == ["PII_Backup_Plan", "Monthly_Backup_Plan"]
    assert [each.name for each in policy.plans_for("eu-central-1")] == ["Monthly_Backup_Plan"]
    assert policy.plans_for("eu-west-1") == ()


def test_the_sample_of_the_cli_names_a_copys_vault_in_its_key_only() -> None:
    (found,) = parse_example("describe-effective-policy.json").plans
    assert found.rules[0].copy_actions == (
        CopyAction("arn:aws:backup:us-east-1:111122223333:backup-vault:secondary-vault", Lifecycle(100, 10)),
    )


def test_example_8_is_read_with_all_its_operators_in_place() -> None:
    (found,) = parse_example("example-8-malware-scan.json").plans
    assert [(each.name, each.lifecycle.delete_after_days) for each in found.rules] == [
        ("Daily_With_Incremental_Scan", 35),
        ("Monthly_With_Full_Scan", 365),
    ]
    assert found.selections[0].role_arn == "arn:aws:iam::111122223333:role/MyBackupRole"


def test_examples_6_and_7_conditions_and_resource_types() -> None:
    by_tag = selection(
        tag_key={"@@assign": "env"},
        tag_value={"@@assign": ["prod", "gamma"]},
        conditions={
            "string_not_equals": {
                "unless": {
                    "condition_key": {"@@assign": "aws:ResourceTag/backup"},
                    "condition_value": {"@@assign": "false"},
                }
            }
        },
    )
    by_type = {
        "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/IAMRole"},
        "resource_types": {"@@assign": ["*"]},
        "not_resource_types": {"@@assign": ["arn:aws:fsx:*:*:file-system/*", "arn:aws:rds:*:*:db:*"]},
        "conditions": {
            "string_equals": {"a": {"condition_key": "aws:ResourceTag/stage", "condition_value": ["a", "b"]}},
            "string_like": {"b": {"condition_key": "aws:ResourceTag/key1", "condition_value": "include*"}},
            "string_not_like": {"c": {"condition_key": "aws:ResourceTag/key2", "condition_value": "*exclude*"}},
        },
    }
    found = parse_plan(plan(selections={"tags": {"one": by_tag}, "resources": {"two": by_type}}))
    one, two = found.selections
    assert (one.kind, one.tag_key, one.tag_values) == (SelectionKind.TAGS, "env", ("prod", "gamma"))
    assert one.string_not_equals == (TagCondition("aws:ResourceTag/backup", "false"),)
    assert (two.kind, two.resource_types, two.tag_key) == (SelectionKind.RESOURCES, ("*",), None)
    assert two.not_resource_types == ("arn:aws:fsx:*:*:file-system/*", "arn:aws:rds:*:*:db:*")
    assert two.string_equals == (
        TagCondition("aws:ResourceTag/stage", "a"),
        TagCondition("aws:ResourceTag/stage", "b"),
    )
    assert two.string_like == (TagCondition("aws:ResourceTag/key1", "include*"),)
    assert two.string_not_like == (TagCondition("aws:ResourceTag/key2", "*exclude*"),)


# Ways to write the same thing


@pytest.mark.parametrize("written", [90, "90", " 90 ", {"@@assign": "90"}, {"@@assign": 90}], ids=repr)
def test_numbers_are_read_however_they_are_written(written: Any) -> None:
    found = parse_plan(
        plan(rules={"r": rule(start_backup_window_minutes=written, lifecycle={"delete_after_days": written})})
    )
    assert found.rules[0].start_window_minutes == 90
    assert found.rules[0].lifecycle == Lifecycle(delete_after_days=90)


@pytest.mark.parametrize(
    ("written", "read"),
    [(True, True), ("true", True), ("True", True), ({"@@assign": True}, True), (False, False), ("FALSE", False)],
    ids=repr,
)
def test_booleans_are_read_however_they_are_written(written: Any, read: bool) -> None:
    found = parse_plan(plan(rules={"r": rule(enable_continuous_backup=written, lifecycle={"delete_after_days": 35})}))
    assert found.rules[0].continuous is read


def test_a_scalar_stands_for_a_list_of_one() -> None:
    found = parse_plan(
        plan(regions={"@@append": "us-east-1"}, selections={"tags": {"s": selection(tag_value={"@@assign": "yes"})}})
    )
    assert found.regions == ("us-east-1",)
    assert found.selections[0].tag_values == ("yes",)


def test_an_empty_tag_value_is_a_value() -> None:
    assert parse_plan(plan(selections={"tags": {"s": selection(tag_value=[""])}})).selections[0].tag_values == ("",)


def test_a_lifecycle_of_minus_one_day_is_for_ever() -> None:
    lifecycle = {"delete_after_days": "-1", "move_to_cold_storage_after_days": -1}
    assert parse_plan(plan(rules={"r": rule(lifecycle=lifecycle)})).rules[0].lifecycle == Lifecycle()


def test_a_time_zone_is_read_though_undocumented() -> None:
    found = parse_plan(plan(rules={"r": rule(schedule_expression_timezone="Europe/Berlin")}))
    assert found.rules[0].schedule_timezone == "Europe/Berlin"


def test_placeholders_are_replaced_in_arns_and_nowhere_else() -> None:
    place = Place("aws-cn", "444455556666", "cn-north-1")
    named = rule(
        target_backup_vault_name="vault-$region",
        target_logically_air_gapped_backup_vault_arn="arn:aws-cn:backup:$region:$account:backup-vault:Gap",
        copy_actions={"arn:aws-cn:backup:$region:$account:backup-vault:Copy": {}},
    )
    role = selection(iam_role_arn="arn:aws-cn:iam::$account:role/backup/Role", tag_key="$account")
    document = plan(regions=["cn-north-1"], rules={"r": named}, selections={"tags": {"s": role}})
    (found,) = parse({"plans": {"p": document}}, place).plans
    assert [vault.name for vault in found.vaults(place)] == ["vault-$region", "Gap", "Copy"]
    assert found.selections[0].role_arn == "arn:aws-cn:iam::444455556666:role/backup/Role"
    assert found.selections[0].tag_key == "$account"


def test_control_operators_and_unknown_elements_are_passed_over() -> None:
    none = {"@@operators_allowed_for_child_policies": ["@@none"]}
    document = {"plans": none | {"nightly": none | plan(rules=none | {"daily": rule(**none)}, invented={"x": [1]})}}
    policy = parse(document | {"version": "1.0"})
    assert policy.defects == ()
    assert [each.name for each in policy.plans[0].rules] == ["daily"]


@pytest.mark.parametrize("text", ["{}", '{"plans": {}}', ' {"plans":{"@@operators_allowed_for_child_policies":[]}} '])
def test_a_policy_without_plans_is_empty(text: str) -> None:
    assert parse_policy(text, PLACE).empty


def test_a_policy_with_a_plan_or_a_defect_is_not_empty() -> None:
    assert not parse({"plans": {"p": plan()}}).empty
    assert not parse({"plan": {"p": plan()}}).empty


@pytest.mark.parametrize(
    ("asked", "found"),
    [("Nightly", "Nightly"), ("NIGHTLY", "Nightly"), ("weekly", "weekly"), ("WEEKLY", "Weekly"), ("nightly ", None)],
)
def test_plans_are_found_by_name_the_exact_one_first(asked: str, found: str | None) -> None:
    policy = parse({"plans": {"Nightly": plan(), "Weekly": plan(), "weekly": plan()}})
    match = policy.plan(asked)
    assert (match.name if match else None) == found


def test_a_region_is_covered_when_it_is_named_exactly() -> None:
    found = parse_plan(plan(regions=["us-east-1"]))
    assert found.covers("us-east-1")
    assert not found.covers("us-east-2")
    assert not found.covers("us-east")


# What cannot be read


RULE = "plans.nightly.rules.daily"
TAGGED = "plans.nightly.selections.tags.tagged"


def daily(**changes: Any) -> dict[str, Any]:
    return plan(rules={"daily": rule(**changes)})


def tagged(**changes: Any) -> dict[str, Any]:
    return plan(selections={"tags": {"tagged": selection(**changes)}})


@pytest.mark.parametrize(
    ("element", "path"),
    [
        pytest.param(without(plan(), "rules"), "plans.nightly.rules", id="no rules"),
        pytest.param(plan(rules={}), "plans.nightly.rules", id="empty rules"),
        pytest.param(without(plan(), "regions"), "plans.nightly.regions", id="no regions"),
        pytest.param(plan(regions=[]), "plans.nightly.regions", id="empty regions"),
        pytest.param(plan(regions=[" "]), "plans.nightly.regions", id="blank Region"),
        pytest.param(without(plan(), "selections"), "plans.nightly.selections", id="no selections"),
        pytest.param(plan(selections={}), "plans.nightly.selections", id="empty selections"),
        pytest.param(plan(selections={"tags": {}}), "plans.nightly.selections", id="no selection in tags"),
        pytest.param(daily(schedule_expression=None), f"{RULE}.schedule_expression", id="no schedule"),
        pytest.param(daily(target_backup_vault_name=""), f"{RULE}.target_backup_vault_name", id="empty vault name"),
        pytest.param(tagged(iam_role_arn=None), f"{TAGGED}.iam_role_arn", id="no role"),
        pytest.param(tagged(tag_key=" "), f"{TAGGED}.tag_key", id="blank tag key"),
        pytest.param(tagged(tag_value=[]), f"{TAGGED}.tag_value", id="no tag values"),
        pytest.param(
            plan(selections={"resources": {"all": {"iam_role_arn": "arn:aws:iam::$account:role/R"}}}),
            "plans.nightly.selections.resources.all.resource_types",
            id="no resource types",
        ),
        pytest.param(
            tagged(conditions={"string_like": {"c": {"condition_value": "x"}}}),
            f"{TAGGED}.conditions.string_like.c.condition_key",
            id="no condition key",
        ),
    ],
)
def test_a_missing_element_is_a_defect_of_its_plan_and_the_other_plan_stays(element: dict[str, Any], path: str) -> None:
    policy = parse({"plans": {"nightly": element, "whole": plan()}})
    assert defects(policy) == [(path, DefectKind.MISSING)]
    assert policy.defects_of("nightly") == policy.defects
    assert policy.defects_of("whole") == ()
    assert policy.plan("whole") == parse({"plans": {"whole": plan()}}).plans[0]
    assert policy.plan("nightly") is not None


@pytest.mark.parametrize(
    ("element", "path"),
    [
        pytest.param("text", "plans.nightly", id="plan is a string"),
        pytest.param(None, "plans.nightly", id="plan is null"),
        pytest.param(plan(rules=["daily"]), "plans.nightly.rules", id="rules are a list"),
        pytest.param(plan(rules={"daily": 5}), RULE, id="rule is a number"),
        pytest.param(plan(regions={"us-east-1": True}), "plans.nightly.regions", id="regions are an object"),
        pytest.param(plan(regions=["us-east-1", None]), "plans.nightly.regions[1]", id="a Region is null"),
        pytest.param(plan(regions=[["us-east-1"]]), "plans.nightly.regions[0]", id="a Region is a list"),
        pytest.param(plan(selections=[]), "plans.nightly.selections", id="selections are a list"),
        pytest.param(plan(selections={"tags": []}), "plans.nightly.selections.tags", id="tags are a list"),
        pytest.param(plan(selections={"tags": {"tagged": None}}), TAGGED, id="selection is null"),
        pytest.param(daily(target_backup_vault_name=["V"]), f"{RULE}.target_backup_vault_name", id="vault is a list"),
        pytest.param(
            daily(start_backup_window_minutes="1h"), f"{RULE}.start_backup_window_minutes", id="window is no number"
        ),
        pytest.param(
            daily(start_backup_window_minutes=True), f"{RULE}.start_backup_window_minutes", id="window is a boolean"
        ),
        pytest.param(
            daily(complete_backup_window_minutes="9" * 5000),
            f"{RULE}.complete_backup_window_minutes",
            id="window beyond all measure",
        ),
        pytest.param(
            daily(enable_continuous_backup="yes"), f"{RULE}.enable_continuous_backup", id="continuous is no boolean"
        ),
        pytest.param(daily(lifecycle="35"), f"{RULE}.lifecycle", id="lifecycle is a string"),
        pytest.param(
            daily(lifecycle={"delete_after_days": 1.5}), f"{RULE}.lifecycle.delete_after_days", id="days are a fraction"
        ),
        pytest.param(
            daily(target_logically_air_gapped_backup_vault_arn="AirGapped"),
            f"{RULE}.target_logically_air_gapped_backup_vault_arn",
            id="air-gapped vault is a name",
        ),
        pytest.param(
            daily(copy_actions={"second.vault": {"lifecycle": {}}}),
            f'{RULE}.copy_actions["second.vault"]',
            id="copy's key is no ARN",
        ),
        pytest.param(
            daily(copy_actions={"c": {"target_backup_vault_arn": "arn:aws:s3:::bucket"}}),
            f"{RULE}.copy_actions.c.target_backup_vault_arn",
            id="copy goes to a bucket",
        ),
        pytest.param(
            daily(lifecycle={"@@assign": {}, "delete_after_days": 1}), f"{RULE}.lifecycle", id="operator beside a value"
        ),
    ],
)
def test_an_unreadable_element_is_a_defect_with_the_path_that_leads_to_it(element: Any, path: str) -> None:
    policy = parse({"plans": {"nightly": element, "whole": plan()}})
    assert defects(policy) == [(path, DefectKind.MALFORMED)]
    assert policy.defects[0].plan == "nightly"
    assert policy.plan("whole") == parse({"plans": {"whole": plan()}}).plans[0]


# What is more than AWS allows


def named(number: int, element: Any) -> dict[str, Any]:
    return {f"n{index}": element for index in range(number)}


def condition(number: int) -> dict[str, Any]:
    return named(number, {"condition_key": "aws:ResourceTag/a", "condition_value": "b"})


def by_types(number: int) -> dict[str, Any]:
    return {"resources": named(number, {"iam_role_arn": "arn:aws:iam::$account:role/R", "resource_types": ["*"]})}


def copies(number: int) -> dict[str, Any]:
    return {f"arn:aws:backup:us-east-1:$account:backup-vault:v{index}": {} for index in range(number)}


def continuous(**lifecycle: Any) -> dict[str, Any]:
    return daily(enable_continuous_backup="true", lifecycle=lifecycle)


@pytest.mark.parametrize(
    ("within", "beyond", "path", "said"),
    [
        pytest.param(
            plan(rules=named(10, rule())),
            plan(rules=named(11, rule())),
            "plans.nightly.rules",
            "has 11 entries; AWS allows 10 backup rules in a plan",
            id="backup rules",
        ),
        pytest.param(
            plan(selections={"tags": named(10, selection())}),
            plan(selections={"tags": named(11, selection())}),
            "plans.nightly.selections.tags",
            "has 11 entries; AWS allows 10 selections by tags in a plan",
            id="selections by tags",
        ),
        pytest.param(
            plan(selections=by_types(100)),
            plan(selections=by_types(101)),
            "plans.nightly.selections",
            "has 101 entries; AWS allows 100 selections in a plan",
            id="selections",
        ),
        pytest.param(
            tagged(tag_value=[f"v{index}" for index in range(30)]),
            tagged(tag_value=[f"v{index}" for index in range(31)]),
            f"{TAGGED}.tag_value",
            "has 31 entries; AWS allows 30 tags in a selection",
            id="tags in a selection",
        ),
        pytest.param(
            tagged(conditions={"string_equals": condition(15), "string_not_like": condition(15)}),
            tagged(conditions={"string_equals": condition(15), "string_not_like": condition(16)}),
            f"{TAGGED}.conditions",
            "has 31 entries; AWS allows 30 conditions in a selection",
            id="conditions in a selection",
        ),
        pytest.param(
            daily(start_backup_window_minutes="60"),
            daily(start_backup_window_minutes="59"),
            f"{RULE}.start_backup_window_minutes",
            "is 59; AWS requires at least 60 minutes",
            id="start window",
        ),
        pytest.param(
            continuous(delete_after_days="35"),
            continuous(delete_after_days="36"),
            f"{RULE}.lifecycle.delete_after_days",
            "is 36; AWS keeps continuous backups for at most 35 days",
            id="retention of continuous backups",
        ),
        pytest.param(
            daily(),
            continuous(delete_after_days="-1"),
            f"{RULE}.lifecycle.delete_after_days",
            "keeps backups for ever; AWS keeps continuous backups for at most 35 days",
            id="continuous backups for ever",
        ),
        pytest.param(
            daily(copy_actions=copies(5)),
            daily(copy_actions=copies(6)),
            f"{RULE}.copy_actions",
            "has 6 entries; AWS allows 5 copy actions in a backup rule",
            id="copy actions",
        ),
        pytest.param(
            daily(recovery_point_tags=named(10, {"tag_key": "a", "tag_value": "b"})),
            daily(recovery_point_tags=named(11, {"tag_key": "a", "tag_value": "b"})),
            f"{RULE}.recovery_point_tags",
            "has 11 entries; AWS allows 10 tags on a recovery point",
            id="tags on a recovery point",
        ),
    ],
)
def test_limits_of_a_policy(within: dict[str, Any], beyond: dict[str, Any], path: str, said: str) -> None:
    assert parse({"plans": {"nightly": within}}).defects == ()
    policy = parse({"plans": {"nightly": beyond}})
    assert [(defect.path, defect.message, defect.kind) for defect in policy.defects] == [
        (path, said, DefectKind.BEYOND_LIMIT)
    ]
    (read,) = policy.plans
    assert (read.rules != (), read.selections != ()) == (True, True)


@pytest.mark.parametrize(
    ("element", "path"),
    [
        pytest.param(
            plan(selections={"tags": {"tagged": selection()}} | by_types(1)),
            "plans.nightly.selections",
            id="both kinds",
        ),
        pytest.param(
            daily(lifecycle={"move_to_cold_storage_after_days": 10, "delete_after_days": 99}),
            f"{RULE}.lifecycle",
            id="deleted too early in cold storage",
        ),
    ],
)
def test_what_aws_calls_an_error_but_shows_itself_is_a_doubt(element: dict[str, Any], path: str) -> None:
    policy = parse({"plans": {"nightly": element}})
    assert policy.defects == ()
    assert [(doubt.path, doubt.kind) for doubt in policy.doubts] == [(path, DefectKind.DISPUTED)]


def test_all_defects_come_out_at_once() -> None:
    broken = plan(rules={"daily": {"lifecycle": []}, "weekly": rule()}, regions=[])
    policy = parse({"plans": {"nightly": broken}})
    assert {defect.path for defect in policy.defects} == {
        f"{RULE}.schedule_expression",
        f"{RULE}.target_backup_vault_name",
        f"{RULE}.lifecycle",
        "plans.nightly.regions",
    }
    assert [each.name for each in policy.plans[0].rules] == ["weekly"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "$ is not JSON", id="nothing"),
        pytest.param('{"plans": {', "$ is not JSON", id="cut off"),
        pytest.param('{"plans": NaN}', "$ is not JSON: NaN is no JSON number", id="not a number"),
        pytest.param('{"plans": ' + "9" * 5000 + "}", "$ is not JSON", id="a number of 5,000 digits"),
        pytest.param("null", "$ is null", id="null"),
        pytest.param('"plans"', "$ is a string", id="string"),
        pytest.param("[]", "$ is a list", id="list"),
        pytest.param('{"plan": {}}', "plans is missing", id="misspelt"),
        pytest.param('{"plans": []}', "plans is a list", id="plans are a list"),
        pytest.param("[" * 200_000, "$ is nested too deeply", id="200,000 brackets"),
        pytest.param('{"a":' * 50_000 + "1" + "}" * 50_000, "$ is nested too deeply", id="50,000 objects"),
    ],
)
def test_an_unreadable_document_is_a_defect_and_no_exception(text: str, message: str) -> None:
    policy = parse_policy(text, PLACE)
    (defect,) = policy.defects
    assert str(defect).startswith(message)
    assert defect.plan is None
    assert policy.plans == ()


def test_deep_nesting_inside_a_plan_spares_the_other_plan() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = {"@@assign": deep}
    policy = parse({"plans": {"nightly": plan(invented=deep), "whole": plan()}})
    assert [defect.plan for defect in policy.defects] == ["nightly"]
    assert [each.name for each in policy.plans] == ["nightly", "whole"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"plans": {}, "plans": {}}', "plans"),
        ('{"plans": {"a b": {"regions": ["x"], "regions": ["y"]}}}', 'plans["a b"].regions'),
        ('{"plans": {"p": {"invented": [{"k": 1, "k": 1}]}}}', "plans.p.invented[0].k"),
    ],
)
def test_a_key_written_twice_is_a_defect(text: str, path: str) -> None:
    found = [defect for defect in parse_policy(text, PLACE).defects if "more than once" in defect.message]
    assert [defect.path for defect in found] == [path]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
ELEMENTS = [
    ("regions",),
    ("rules",),
    ("rules", "daily"),
    ("rules", "daily", "schedule_expression"),
    ("rules", "daily", "target_backup_vault_name"),
    ("rules", "daily", "lifecycle"),
    ("rules", "daily", "copy_actions"),
    ("rules", "daily", "start_backup_window_minutes"),
    ("selections",),
    ("selections", "tags"),
    ("selections", "tags", "tagged"),
    ("selections", "tags", "tagged", "tag_value"),
    ("selections", "tags", "tagged", "conditions"),
]


@settings(max_examples=150)
@given(st.sampled_from(ELEMENTS), JSON)
def test_whatever_stands_in_an_element_nothing_is_raised_and_the_other_plan_stays(
    where: tuple[str, ...], value: Any
) -> None:
    document = plan()
    target = document
    for name in where[:-1]:
        target = target[name]
    target[where[-1]] = value
    policy = parse({"plans": {"nightly": document, "whole": plan()}})
    assert all(defect.plan == "nightly" or "is not JSON" in defect.message for defect in policy.defects)
    if not any(defect.plan is None for defect in policy.defects):
        assert policy.plan("whole") == parse({"plans": {"whole": plan()}}).plans[0]


@settings(max_examples=100)
@given(st.text() | JSON.map(json.dumps))
def test_no_text_at_all_raises(text: str) -> None:
    policy = parse_policy(text, PLACE)
    assert policy.defects or policy.plans or policy.empty
