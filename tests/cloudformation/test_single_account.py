"""single-account.yaml: functions that read their own account, and the Config rules that invoke them."""

from __future__ import annotations

import pytest

from backup_rules_cli.catalogue import COMMON_PERMISSIONS, RuleFolder
from tests.cloudformation.rendering import CENTRAL, RULES, as_list, committed, of_type, rendered

NAME = "single-account.yaml"
CONFIG_RULES = {
    each["Properties"]["ConfigRuleName"]: each
    for each in rendered(NAME).values()
    if each["Type"] == "AWS::Config::ConfigRule"
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_invokes_its_own_function_and_reads_with_its_role(rule: RuleFolder) -> None:
    made = CONFIG_RULES[rule.config_rule_name]
    source = made["Properties"]["Source"]
    function = source["SourceIdentifier"].strip("<>").removesuffix(".Arn")
    functions = of_type(rendered(NAME), "AWS::Lambda::Function")
    assert functions[function]["Handler"] == f"{rule.name}.lambda_handler"
    assert functions[function]["Environment"] == {"Variables": {"PUT_EVALUATIONS": "all", "REFRESH_DAYS": "7"}}
    assert made["Properties"]["InputParameters"] == {"AssumeRoleMode": "false", **rule.defaults}
    assert ("Scope" in made["Properties"]) == bool(rule.triggers)
    # A rule whose function AWS Config may not invoke is refused.
    (permission,) = made["DependsOn"]
    assert rendered(NAME)[permission]["Properties"]["FunctionName"] == f"<{function}>"


def test_only_this_accounts_config_may_invoke_the_functions() -> None:
    permissions = of_type(rendered(NAME), "AWS::Lambda::Permission").values()
    assert len(permissions) == len(RULES)
    assert {each["SourceAccount"] for each in permissions} == {CENTRAL}


def test_the_functions_role_can_read_what_the_rules_need_and_no_other_account() -> None:
    (policy,) = rendered(NAME)["FunctionRole"]["Properties"]["Policies"]
    actions = {action for each in policy["PolicyDocument"]["Statement"] for action in as_list(each["Action"])}
    running = {"logs:CreateLogStream", "logs:PutLogEvents", "events:PutEvents"}
    assert actions == running | COMMON_PERMISSIONS.union(*(rule.permissions for rule in RULES))


def test_names_can_be_prefixed() -> None:
    made = of_type(rendered(NAME, {"RuleNamePrefix": "trial-"}), "AWS::Config::ConfigRule").values()
    assert {each["ConfigRuleName"] for each in made} == {f"trial-{rule.config_rule_name}" for rule in RULES}


def test_what_is_blank_is_left_out_and_what_is_given_arrives() -> None:
    given = {"ServiceOptInRequiredResourceTypes": "EBS,RDS", "ServiceOptInStrict": "true", "ExcludedPlans": "sandbox"}
    assert rendered(NAME, given)["ServiceOptInRule"]["Properties"]["InputParameters"] == {
        "AssumeRoleMode": "false",
        "ExcludedPlans": "sandbox",
        "Strict": "true",
        "RequiredResourceTypes": "EBS,RDS",
    }


def test_the_frequency_is_that_of_the_rule_and_of_its_alarm() -> None:
    made = rendered(NAME, {"RoleAssumableFrequency": "Six_Hours"})
    details = made["RoleAssumableRule"]["Properties"]["Source"]["SourceDetails"]
    assert details[0]["MaximumExecutionFrequency"] == "Six_Hours"
    assert made["RoleAssumableSilenceAlarm"]["Properties"]["Period"] == 6 * 3600


def test_it_asks_for_nothing_but_the_code() -> None:
    declared = committed(NAME)["Parameters"]
    assert {name for name, each in declared.items() if "Default" not in each} == {"CodeBucket", "CodePrefix"}
