"""`backup-rules check` on templates that leave open what decides: it is neither passed nor called a problem."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backup_rules_cli.main import main

Check = Callable[..., dict[tuple[str, str], tuple[str, str]]]
WINDOW, VAULT, EMPTY = "BACKUP_WINDOW_CONFIGURED", "BACKUP_VAULT_USABLE", "BACKUP_SELECTION_NOT_EMPTY"
ASSUMABLE, PERMISSIONS = "BACKUP_ROLE_ASSUMABLE", "BACKUP_ROLE_PERMISSIONS"


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Judges a template; gives state and words by rule and name."""

    def judge(text: str, *options: str) -> dict[tuple[str, str], tuple[str, str]]:
        path = tmp_path / "template.yaml"
        path.write_text(text, encoding="utf-8")
        main(["check", "--format", "json", *options, str(path)])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {(each["rule"], each["name"]): (each["state"], each["text"]) for each in document["findings"]}

    return judge


WHOLE = """
Parameters: {Open: {Type: String}}
Conditions:
  Production: !Equals [!Ref Open, production]
  Elsewhere: !Not [!Condition Production]
  Dublin: !Equals [!Ref "AWS::Region", eu-west-1]
  Ours: !Equals [!Ref "AWS::AccountId", "444455556666"]
  Named: !Equals [!Ref "AWS::StackName", backups]
Resources:
  Vault: {Type: AWS::Backup::BackupVault, Properties: {BackupVaultName: main}}
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: nightly
        BackupPlanRule:
          - {RuleName: Daily, TargetBackupVault: main, ScheduleExpression: "cron(0 12 * * ? *)", StartWindowMinutes: 60}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: backups
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: backup.amazonaws.com}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]
  Selection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref Plan
      BackupSelection:
        SelectionName: tables
        IamRoleArn: !Sub "arn:aws:iam::${AWS::AccountId}:role/backups"
        Resources: [!Sub "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders"]
        Conditions: {StringEquals: [{ConditionKey: "aws:ResourceTag/backup", ConditionValue: daily}]}
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders, Tags: [{Key: backup, Value: daily}]}}
"""


def under(condition: str, *names: str) -> str:
    template = WHOLE
    for name in names:
        template = template.replace(f"  {name}:\n", f"  {name}:\n    Condition: {condition}\n", 1)
        template = template.replace(f"  {name}: {{", f"  {name}: {{Condition: {condition}, ", 1)
    assert template.count("    Condition: ") + template.count("{Condition: ") == len(names)
    return template


def test_the_template_holds_as_it_is(check: Check) -> None:
    assert {state for state, _ in check(WHOLE).values()} == {"holds"}


@pytest.mark.parametrize("condition", ["Production", "Dublin", "Ours", "Named"])
@pytest.mark.parametrize(
    ("name", "rule", "about"),
    [
        ("Vault", VAULT, "Plan"),
        ("Role", ASSUMABLE, "Selection"),
        ("Role", PERMISSIONS, "Selection"),
        ("Table", EMPTY, "Selection"),
        ("Selection", EMPTY, "Plan"),
    ],
)
def test_what_may_not_be_made_is_not_there_for_sure(
    check: Check, name: str, rule: str, about: str, condition: str
) -> None:
    state, words = check(under(condition, name))[rule, about]
    assert state == "unknown"
    assert "o settle it, " in words


@pytest.mark.parametrize("name", ["Vault", "Role", "Table"])
def test_what_is_made_under_the_same_condition_is_there(check: Check, name: str) -> None:
    """Plan, selection and the other thing are made together, or not at all."""
    said = check(under("Production", "Plan", "Selection", name))
    assert {state for state, _ in said.values()} == {"holds"}
    other = under("Production", "Plan", "Selection", name).replace(
        f"  {name}:\n    Condition: Production", f"  {name}:\n    Condition: Elsewhere"
    )
    other = other.replace(f"  {name}: {{Condition: Production", f"  {name}: {{Condition: Elsewhere")
    assert "unknown" in {state for state, _ in check(other).values()}


def test_one_of_two_is_made(check: Check) -> None:
    """A vault or a role is made under a condition, or another of the same name under its contrary."""
    one = under("Production", "Vault").replace(
        "  Plan:\n",
        "  Other:\n    {Type: AWS::Backup::BackupVault, Condition: Elsewhere, Properties: {BackupVaultName: main}}\n"
        "  Plan:\n",
    )
    assert check(one)[VAULT, "Plan"][0] == "holds"


def test_an_inline_policy_under_a_condition(check: Check) -> None:
    managed = "      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]\n"
    policy = (
        "  Policy:\n"
        "    Type: AWS::IAM::Policy\n"
        "    Condition: Production\n"
        "    Properties:\n"
        "      PolicyName: p\n"
        "      Roles: [!Ref Role]\n"
        "      PolicyDocument: {Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}\n"
    )
    template = WHOLE.replace(managed, "") + policy
    assert check(template)[PERMISSIONS, "Selection"][0] == "unknown"
    assert check(template.replace("    Condition: Production\n", ""))[PERMISSIONS, "Selection"][0] == "holds"


def test_a_problem_of_what_may_not_be_made(check: Check) -> None:
    for condition, settle in (("Production", "give Open"), ("Dublin", "--region"), ("Ours", "--account")):
        template = under(condition, "Plan").replace("StartWindowMinutes: 60", "StartWindowMinutes: 30")
        state, words = check(template)[WINDOW, "Plan"]
        assert state == "unknown"
        assert "30 minutes" in words
        assert settle.removeprefix("give ") in words or "Whether it is made at all" in words
    template = under("Dublin", "Plan").replace("StartWindowMinutes: 60", "StartWindowMinutes: 30")
    assert check(template, "--region", "eu-west-1")[WINDOW, "Plan"][0] == "broken"
    assert (WINDOW, "Plan") not in check(template, "--region", "eu-central-1")


def test_a_mapping_by_region_waits_for_the_region(check: Check) -> None:
    template = WHOLE.replace("StartWindowMinutes: 60", 'StartWindowMinutes: !FindInMap [M, !Ref "AWS::Region", W]')
    template = f"Mappings: {{M: {{us-east-1: {{W: 60}}, eu-west-1: {{W: 30}}}}}}{template}"
    state, words = check(template)[WINDOW, "Plan"]
    assert (state, "name it (--region)" in words) == ("unknown", True)
    assert check(template, "--region", "us-east-1")[WINDOW, "Plan"][0] == "holds"
    assert check(template, "--region", "eu-west-1")[WINDOW, "Plan"][0] == "broken"


def test_the_stack_s_name_is_told_as_it_is_written(check: Check) -> None:
    template = WHOLE.replace("BackupPlanName: nightly", 'BackupPlanName: !Sub "${AWS::StackName}-nightly"')
    template = template.replace("StartWindowMinutes: 60", "StartWindowMinutes: 30")
    assert "plan ${AWS::StackName}-nightly" in check(template)[WINDOW, "Plan"][1]


def test_the_arns_that_are_made_name_no_region(check: Check) -> None:
    """One ARN that is written out tells the Region, however many are made from the pseudo parameters."""
    template = under("Dublin", "Plan").replace("StartWindowMinutes: 60", "StartWindowMinutes: 30")
    written = (
        "  Other: {Type: AWS::DynamoDB::Table, Properties: {KeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/k'}}\n"
    )
    assert check(template + written)[WINDOW, "Plan"][0] == "broken"


@pytest.mark.parametrize(
    ("before", "after", "rule", "name"),
    [
        ("ScheduleExpression: ", ",", WINDOW, "Plan"),
        ("TargetBackupVault: ", ",", VAULT, "Plan"),
        ("IamRoleArn: ", "\n", ASSUMABLE, "Selection"),
        ("ConditionValue: ", "}", EMPTY, "Selection"),
        ("Key: backup, Value: ", "}", EMPTY, "Selection"),
    ],
)
@pytest.mark.parametrize("reference", ["{{resolve:ssm:/backup/value}}", "{{resolve:ssm:/backup/value:3}}"])
def test_a_dynamic_reference_is_open(
    check: Check, before: str, after: str, rule: str, name: str, reference: str
) -> None:
    start = WHOLE.index(before) + len(before)
    end = WHOLE.index(after, start)
    said = check(f'{WHOLE[:start]}"{reference}"{WHOLE[end:]}')
    assert said[rule, name][0] == "unknown"
    assert "broken" not in {state for state, _ in said.values()}


@pytest.mark.parametrize(
    "tags",
    [
        "[{Key: backup, Value: !Ref Open}]",
        "[{Key: !Ref Open, Value: daily}]",
        "!Ref Open",
        "[!Ref Open]",
        "[{Key: backup, Value: !If [Production, daily, weekly]}]",
    ],
)
def test_tags_that_are_open(check: Check, tags: str) -> None:
    template = WHOLE.replace("[{Key: backup, Value: daily}]", tags)
    said = check(template)
    assert said[EMPTY, "Selection"][0] == "unknown"
    assert "broken" not in {state for state, _ in said.values()}
    without = template.replace("        Conditions: ", "        # ")
    assert {state for state, _ in check(without).values()} == {"holds"}


def test_tag_and_what_is_asked_for_are_the_same_open_value(check: Check) -> None:
    template = WHOLE.replace("Value: daily", "Value: !Ref Open")
    assert check(template)[EMPTY, "Selection"][0] == "unknown"


def test_a_global_table_has_its_tags_in_the_region(check: Check) -> None:
    table = (
        "Type: AWS::DynamoDB::GlobalTable, Properties: {TableName: orders, Replicas:"
        " [{Region: us-east-1, Tags: [{Key: backup, Value: daily}]}, {Region: eu-west-1}]}"
    )
    template = WHOLE.replace(
        "Type: AWS::DynamoDB::Table, Properties: {TableName: orders, Tags: [{Key: backup, Value: daily}]}", table
    )
    assert check(template, "--region", "us-east-1")[EMPTY, "Selection"][0] == "holds"
    assert check(template, "--region", "eu-west-1")[EMPTY, "Selection"][0] == "broken"


@pytest.mark.parametrize("versioning", ["!Ref Open", "{Status: !Ref Open}"])
def test_a_bucket_whose_versioning_is_open(check: Check, versioning: str) -> None:
    bucket = (
        "  Bucket:\n"
        "    Type: AWS::S3::Bucket\n"
        f"    Properties: {{Tags: [{{Key: backup, Value: daily}}], VersioningConfiguration: {versioning}}}\n"
    )
    template = WHOLE.replace(
        'Resources: [!Sub "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders"]',
        "Resources: [!GetAtt Bucket.Arn]",
    )
    assert check(template + bucket)["BACKUP_RESOURCE_READY", "Bucket"][0] == "unknown"


@pytest.mark.parametrize(
    "macro",
    [
        "Transform: OurMacro",
        "Transform: [AWS::Serverless-2016-10-31, OurMacro]",
        "Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}",
    ],
)
def test_nothing_holds_before_a_macro_has_made_the_template(check: Check, macro: str) -> None:
    said = check(f"{macro}{WHOLE}")
    assert {state for state, _ in said.values()} == {"unknown"}
    assert "judge the processed template" in said[WINDOW, "Plan"][1]
    problem = WHOLE.replace("StartWindowMinutes: 60", "StartWindowMinutes: 30")
    assert check(f"{macro}{problem}")[WINDOW, "Plan"][0] == "broken"


@pytest.mark.parametrize("transform", ["AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"])
def test_transforms_of_aws_leave_it_as_it_is(check: Check, transform: str) -> None:
    assert {state for state, _ in check(f"Transform: {transform}{WHOLE}").values()} == {"holds"}


@pytest.mark.parametrize(
    ("before", "rule", "name"),
    [
        ("      BackupPlan:\n", WINDOW, "Plan"),
        ("        SelectionName: tables\n", EMPTY, "Selection"),
        ("      RoleName: backups\n", ASSUMABLE, "Selection"),
    ],
)
def test_a_macro_inside_may_change_what_it_stands_in(check: Check, before: str, rule: str, name: str) -> None:
    indent = " " * (len(before) - len(before.lstrip()))
    macro = f"{indent}Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: 's3://b/k'}}}}\n"
    said = check(WHOLE.replace(before, macro + before))
    assert said[rule, name][0] == "unknown"
    assert "broken" not in {state for state, _ in said.values()}


def test_the_line_of_a_backup_rule_whose_name_has_capitals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(WHOLE.replace("StartWindowMinutes: 60", "StartWindowMinutes: 30"), encoding="utf-8")
    main(["check", "--format", "json", "--rules", WINDOW, str(path)])
    (problem,) = json.loads(capsys.readouterr().out)["findings"]
    assert "RuleName: Daily" in path.read_text(encoding="utf-8").splitlines()[problem["line"] - 1]


def test_many_conditions_are_tried_each_by_itself(check: Check) -> None:
    names = [f"C{number}" for number in range(12)]
    parameters = ", ".join(f"P{name}: {{Type: String}}" for name in names)
    conditions = "".join(f"  {name}: !Equals [!Ref P{name}, 'x']\n" for name in names)
    vaults = "".join(
        f"  V{name}: {{Type: AWS::Backup::BackupVault, Condition: {name}, Properties: {{BackupVaultName: v{name}}}}}\n"
        for name in names
    )
    template = WHOLE.replace("{Open: ", f"{{{parameters}, Open: ").replace(
        "Conditions:\n", f"Conditions:\n{conditions}", 1
    )
    said = check(template.replace("TargetBackupVault: main", "TargetBackupVault: vC7") + vaults)
    assert said[VAULT, "Plan"][0] == "unknown"
    assert said[WINDOW, "Plan"][0] == "holds"


@pytest.mark.parametrize(
    ("actions", "resource", "said"),
    [("'*'", "'*'", "holds"), ("'s3:*'", "'*'", "broken"), ("'*'", "!Ref Open", "unknown")],
)
@pytest.mark.parametrize("named", ["", "ManagedPolicyName: ours, "])
def test_a_managed_policy_of_the_template(check: Check, actions: str, resource: str, said: str, named: str) -> None:
    policy = (
        f"  Ours:\n    Type: AWS::IAM::ManagedPolicy\n    Properties: {{{named}PolicyDocument:"
        f" {{Statement: [{{Effect: Allow, Action: {actions}, Resource: {resource}}}]}}}}\n"
    )
    aws = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    assert check(WHOLE.replace(aws, "!Ref Ours") + policy)[PERMISSIONS, "Selection"][0] == said


def test_a_vault_whose_access_policy_is_open_has_its_other_problems(check: Check) -> None:
    lock = "BackupVaultName: main, AccessPolicy: !Ref Open, LockConfiguration: {MinRetentionDays: 9}"
    template = WHOLE.replace("BackupVaultName: main", lock)
    short = template.replace("StartWindowMinutes: 60", "StartWindowMinutes: 60, Lifecycle: {DeleteAfterDays: 7}")
    assert check(template)[VAULT, "Plan"][0] == "unknown"
    assert check(short)[VAULT, "Plan"][0] == "broken"


def test_a_loop_over_what_is_open(check: Check) -> None:
    loop = (
        "Transform: AWS::LanguageExtensions\n"
        "Parameters: {Names: {Type: CommaDelimitedList}}\n"
        "Resources:\n"
        "  Fn::ForEach::Plans:\n"
        "    - Name\n"
        "    - !Ref Names\n"
        "    - ${Name}Plan:\n"
        "        Type: AWS::Backup::BackupPlan\n"
        "        Properties:\n"
        "          BackupPlan:\n"
        '            BackupPlanName: !Sub "${Name}-plan"\n'
        "            BackupPlanRule: [{RuleName: d, TargetBackupVault: !Ref Name, StartWindowMinutes: 30}]\n"
    )
    said = check(loop)
    assert said[WINDOW, "${Name}Plan"][0] == "broken"
    assert said[VAULT, "${Name}Plan"][0] == "unknown"


@pytest.mark.parametrize(
    "given",
    [
        "RecoveryPointTags: {team: !Ref Open}",
        "Lifecycle: !Ref Open",
        "Lifecycle: {DeleteAfterDays: 7, OptInToArchiveForSupportedResources: !Ref Open}",
        "CopyActions: [{DestinationBackupVaultArn: !Ref Open}]",
        "CopyActions: [!Ref Open]",
        "TargetLogicallyAirGappedBackupVaultArn: !Ref Open",
        "IndexActions: [{ResourceTypes: !Ref Open}]",
    ],
)
def test_what_is_open_in_a_backup_rule_hides_no_other_problem(check: Check, given: str) -> None:
    said = check(WHOLE.replace("StartWindowMinutes: 60", f"StartWindowMinutes: 60, {given}"))
    assert said[WINDOW, "Plan"][0] == "holds"
    assert "broken" not in {state for state, _ in said.values()}
    said = check(WHOLE.replace("StartWindowMinutes: 60", f"StartWindowMinutes: 30, {given}"))
    assert said[WINDOW, "Plan"][0] == "broken"


def test_copies_to_what_is_open(check: Check) -> None:
    copies = "StartWindowMinutes: 60, CopyActions: [{DestinationBackupVaultArn: !Ref Open}]"
    said = check(WHOLE.replace("StartWindowMinutes: 60", copies))
    assert said[VAULT, "Plan"][0] == "unknown"


def test_what_only_names_a_thing_settles_nothing(check: Check) -> None:
    template = WHOLE.replace("SelectionName: tables", "SelectionName: !Ref Open").replace("table/orders", "table/other")
    state, words = check(template)[EMPTY, "Selection"]
    assert (state, "parameter Open" in words) == ("unknown", False)


RULE = '- {RuleName: Daily, TargetBackupVault: main, ScheduleExpression: "cron(0 12 * * ? *)", StartWindowMinutes: 60}'
TWO = "Parameters: {A: {Type: Number}, B: {Type: Number}, "


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ScheduleExpression: !Ref A, Lifecycle: {DeleteAfterDays: 7}", "ScheduleExpression: !Ref B"),
        ("ScheduleExpression: !Ref A, Lifecycle: {DeleteAfterDays: 7}", 'ScheduleExpression: "cron(0 5 * * ? *)"'),
        ("Lifecycle: {DeleteAfterDays: !Ref A}", "Lifecycle: {DeleteAfterDays: !Ref B}"),
        ("Lifecycle: !Ref A", "Lifecycle: {DeleteAfterDays: 70}"),
    ],
)
def test_rules_that_swallow_each_other_by_what_is_open(check: Check, first: str, second: str) -> None:
    """Each is neither called swallowed nor passed: it depends on both."""
    rules = "".join(
        f"          - {{RuleName: r{number}, TargetBackupVault: main, {given}}}\n"
        for number, given in enumerate((first, second))
    )
    template = WHOLE.replace(f"          {RULE}\n", rules).replace("Parameters: {", TWO)
    assert check(template)[WINDOW, "Plan"][0] == "unknown"


@pytest.mark.parametrize("limit", ["MinRetentionDays", "MaxRetentionDays"])
def test_a_retention_and_a_lock_that_are_both_open(check: Check, limit: str) -> None:
    lock = f"BackupVaultName: main, LockConfiguration: {{{limit}: !Ref A}}"
    template = WHOLE.replace("BackupVaultName: main", lock).replace("Parameters: {", TWO)
    template = template.replace(
        "StartWindowMinutes: 60", "StartWindowMinutes: 60, Lifecycle: {DeleteAfterDays: !Ref B}"
    )
    assert check(template)[VAULT, "Plan"][0] == "unknown"


def test_a_time_zone_that_is_open(check: Check) -> None:
    """It may be none at all, and it may move a start into a window that no zone to try does."""
    database = (
        "  Table:\n"
        "    Type: AWS::RDS::DBInstance\n"
        "    Properties:\n"
        "      Engine: mysql\n"
        "      PreferredBackupWindow: '17:00-17:30'\n"
        "      PreferredMaintenanceWindow: 'sun:02:00-sun:02:30'\n"
    )
    start = WHOLE.index("  Table: ")
    template = WHOLE[:start] + database
    template = template.replace("dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders", "rds:*:*:db:*")
    template = template.replace("        Conditions: ", "        # ")
    assert check(template)["BACKUP_RDS_WINDOW_CONFLICT", "Table"][0] == "holds"
    said = check(
        template.replace("StartWindowMinutes: 60", "StartWindowMinutes: 60, ScheduleExpressionTimezone: !Ref Open")
    )
    assert said["BACKUP_RDS_WINDOW_CONFLICT", "Table"][0] == "unknown"
    assert said[WINDOW, "Plan"][0] == "unknown"


@pytest.mark.parametrize("value", ["!ImportValue vault", "!GetAtt Custom.Name"])
def test_what_would_settle_it_does(check: Check, value: str) -> None:
    """An account is not named as what settles it, where it is not asked."""
    custom = '  Custom: {Type: "Custom::Lookup"}\n'
    said = check(WHOLE.replace("ConditionValue: daily", f"ConditionValue: {value}") + custom)
    state, words = said[EMPTY, "Selection"]
    assert (state, "--with-account" in words) == ("unknown", False)
