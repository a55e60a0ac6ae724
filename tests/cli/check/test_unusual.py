"""`backup-rules check` on documents that are written in unusual ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backup_rules.resources.resource_types import OPT_IN_KEYS
from backup_rules_cli.main import main

Check = Callable[..., dict[str, Any]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Judges texts, each a file of its own; gives what is printed as JSON."""

    def judge(*texts: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
        paths = [tmp_path / f"{number}.yaml" for number, _ in enumerate(texts)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        main(["check", "--format", "json", *options, *map(str, paths)])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return judge


def state(document: dict[str, Any], rule: str, name: str) -> str:
    """What the rule says of the thing; empty where it says nothing."""
    said = {each["state"] for each in document["findings"] if (each["rule"], each["name"]) == (rule, name)}
    return "".join(said)


def text(document: dict[str, Any], rule: str) -> str:
    """All that the rule says."""
    return "\n".join(each["text"] for each in document["findings"] if each["rule"] == rule)


TEMPLATE = """
Resources:
  Unselected:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan: {BackupPlanName: one, BackupPlanRule: [{RuleName: a, TargetBackupVault: v}]}
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan: {BackupPlanName: two, BackupPlanRule: [{RuleName: 1, TargetBackupVault: v, StartWindowMinutes: 60.0}]}
  Selection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref Plan
      BackupSelection:
        SelectionName: s
        IamRoleArn: !Sub "arn:aws:iam::${AWS::AccountId}:role/r"
        ListOfTags: [{ConditionType: STRINGEQUALS, ConditionKey: backup, ConditionValue: <ASKED>}]
  Table: {Type: AWS::DynamoDB::Table, Properties: {Tags: [{Key: backup, Value: <BORNE>}]}}
"""


@pytest.mark.parametrize("asked", ["true", '"true"', "30", '"30"'])
@pytest.mark.parametrize("quoted", [True, False])
def test_scalars_are_texts_whatever_yaml_takes_them_for(check: Check, asked: str, quoted: bool) -> None:
    bare = asked.strip('"')
    borne = f'"{bare}"' if quoted else bare
    document = check(TEMPLATE.replace("<ASKED>", asked).replace("<BORNE>", borne))
    assert state(document, "BACKUP_SELECTION_NOT_EMPTY", "Selection") == "holds"
    assert state(document, "BACKUP_TAG_CASE", "Table") == ""
    assert state(document, "BACKUP_WINDOW_CONFIGURED", "Plan") == "holds"


def test_a_plan_without_selection_leaves_nothing_open_but_itself(check: Check) -> None:
    document = check(TEMPLATE.replace("<ASKED>", "yes").replace("<BORNE>", "Yes"))
    assert state(document, "BACKUP_SELECTION_NOT_EMPTY", "Unselected") == "unknown"
    assert state(document, "BACKUP_SELECTION_NOT_EMPTY", "Plan") == "holds"
    assert "no selection" not in text(document, "BACKUP_TAG_CASE")


def test_two_plans_of_which_one_has_its_selections_listed(check: Check) -> None:
    def plan(name: str) -> str:
        rules = [{"RuleName": "r", "TargetBackupVaultName": "v"}]
        return json.dumps({"BackupPlanId": name, "BackupPlan": {"BackupPlanName": name, "Rules": rules}})

    document = check(plan("one"), plan("two"), json.dumps({"BackupSelectionsList": []}))
    assert state(document, "BACKUP_SELECTION_NOT_EMPTY", "one") == "unknown"
    assert state(check(plan("one"), json.dumps({"BackupSelectionsList": []})), "BACKUP_SELECTION_NOT_EMPTY", "one") == (
        "broken"
    )


@pytest.mark.parametrize(
    ("content", "said", "words"),
    [
        ('"{"', "broken", "can't be read as JSON"),
        ("{plans: [a]}", "broken", "needs an operator"),
        ('!Sub \'{"plans": {"${Open}": {}}}\'', "unknown", "parameter Open has no default"),
        ("{plans: !Ref Open}", "unknown", "parameter Open has no default"),
        ('!Sub "{}"', "", ""),
    ],
)
def test_a_declared_policy_is_never_passed_over(check: Check, content: str, said: str, words: str) -> None:
    document = check(
        "Parameters: {Open: {Type: String}}\n"
        "Resources:\n"
        f"  P: {{Type: AWS::Organizations::Policy, Properties: {{Name: p, Type: BACKUP_POLICY, Content: {content}}}}}\n"
    )
    if said:
        assert state(document, "BACKUP_POLICY_VALID", "p") == said
    assert words in text(document, "BACKUP_POLICY_VALID")


def test_what_create_backup_plan_takes(check: Check) -> None:
    plan = {"BackupPlanName": "p", "Rules": [{"RuleName": "r", "TargetBackupVaultName": "v", "StartWindowMinutes": 30}]}
    selection = {"SelectionName": "s", "IamRoleArn": "arn:aws:iam::111122223333:role/r", "Resources": ["*"]}
    document = check(json.dumps(plan), json.dumps(selection))
    assert state(document, "BACKUP_WINDOW_CONFIGURED", "p") == "broken"
    assert state(document, "BACKUP_SELECTION_NOT_EMPTY", "p") == "holds"


def test_a_lustre_file_system_that_is_linked_to_a_bucket(check: Check) -> None:
    document = check(
        TEMPLATE.replace("<ASKED>", "true").replace("<BORNE>", "true") + "  Files:\n"
        "    Type: AWS::FSx::FileSystem\n"
        "    Properties:\n"
        "      FileSystemType: LUSTRE\n"
        "      Tags: [{Key: backup, Value: true}]\n"
        "      LustreConfiguration: {DeploymentType: PERSISTENT_1, ImportPath: 's3://b'}\n"
    )
    assert state(document, "BACKUP_RESOURCE_READY", "Selection") == "broken"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{BackupPlanName: e, BackupPlanRule: {RuleName: x}}", "Rules is {'RuleName': 'x'}, not list"),
        ("{BackupPlanName: e, BackupPlanRule: [{TargetBackupVault: v}]}", "RuleName"),
    ],
)
def test_what_is_not_as_aws_takes_it_is_told_without_program_words(check: Check, body: str, words: str) -> None:
    document = check(f"Resources: {{E: {{Type: AWS::Backup::BackupPlan, Properties: {{BackupPlan: {body}}}}}}}")
    assert state(document, "BACKUP_WINDOW_CONFIGURED", "E") == "unknown"
    told = text(document, "BACKUP_WINDOW_CONFIGURED")
    assert words in told
    assert "Error" not in told
    assert "To settle it, correct it." in told


def test_where_copies_go_does_not_name_the_account(check: Check) -> None:
    copies = ", ".join(
        f"{{DestinationBackupVaultArn: 'arn:aws:backup:us-west-2:222222222222:backup-vault:{name}'}}" for name in "abc"
    )
    document = check(
        "Resources:\n"
        "  V: {Type: AWS::Backup::BackupVault, Properties: {BackupVaultName: v}}\n"
        "  P:\n"
        "    Type: AWS::Backup::BackupPlan\n"
        "    Properties: {BackupPlan: {BackupPlanName: p, BackupPlanRule:"
        f" [{{RuleName: r, TargetBackupVault: !Ref V, CopyActions: [{copies}]}}]}}}}\n"
    )
    assert state(document, "BACKUP_VAULT_USABLE", "P") == "holds"


def test_a_vault_that_is_elsewhere_is_named_and_so_is_one_of_other_letter_case(check: Check) -> None:
    plan = "{Type: AWS::Backup::BackupPlan, Properties: {BackupPlan: {BackupPlanName: p, BackupPlanRule: [<RULE>]}}}"
    vault = "{Type: AWS::Backup::BackupVault, Properties: {BackupVaultName: Main}}"
    resources = f"{{P: {plan}, V: {vault}}}".replace("<RULE>", "{RuleName: r, TargetBackupVault: main}")
    document = check(f"Resources: {resources}")
    assert state(document, "BACKUP_VAULT_USABLE", "P") == "unknown"
    assert "Vault main is not declared in these files, but vault Main" in text(document, "BACKUP_VAULT_USABLE")


def test_tables_of_sam(check: Check) -> None:
    document = check(
        TEMPLATE.replace("<ASKED>", '"true"')
        .replace("AWS::DynamoDB::Table", "AWS::Serverless::SimpleTable")
        .replace("[{Key: backup, Value: <BORNE>}]", '{backup: "True"}')
    )
    assert state(document, "BACKUP_TAG_CASE", "Table") == "broken"


WITH_ROLE = """
Resources:
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties: {BackupPlan: {BackupPlanName: p, BackupPlanRule: [{RuleName: a, TargetBackupVault: v}]}}
  Selection:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref Plan
      BackupSelection: {SelectionName: s, IamRoleArn: !GetAtt Role.Arn, <WHAT>}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: []}
      ManagedPolicyArns: [<POLICIES>]
"""
TAGGED = "ListOfTags: [{ConditionType: STRINGEQUALS, ConditionKey: backup, ConditionValue: yes}]"
BACKUPS = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
S3_BACKUPS = "arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup"


@pytest.mark.parametrize(
    ("what", "policies", "said"),
    [
        (TAGGED, f"{BACKUPS}, {S3_BACKUPS}", "holds"),
        (TAGGED, "arn:aws:iam::aws:policy/AdministratorAccess", "holds"),
        (TAGGED, BACKUPS, "unknown"),  # buckets may bear the tag
        (TAGGED, S3_BACKUPS, "broken"),  # nothing is found by tags
        ('Resources: ["*"]', f"{BACKUPS}, {S3_BACKUPS}", "holds"),
        ('Resources: ["*"]', BACKUPS, "unknown"),
        ('Resources: ["*"], NotResources: ["arn:aws:s3:::*"]', BACKUPS, "holds"),
        ('Resources: ["arn:aws:dynamodb:*:*:table/prod-*"]', BACKUPS, "holds"),
        ('Resources: ["arn:aws:s3:::prod-*"]', BACKUPS, "broken"),
        ('Resources: ["arn:aws:s3:::one"]', S3_BACKUPS, "holds"),
    ],
)
def test_a_role_that_may_do_all_holds_whatever_there_is(check: Check, what: str, policies: str, said: str) -> None:
    document = check(WITH_ROLE.replace("<WHAT>", what).replace("<POLICIES>", policies))
    assert state(document, "BACKUP_ROLE_PERMISSIONS", "Selection") == said


@pytest.mark.parametrize(("turned_on", "said"), [(True, "holds"), (False, "unknown")])
def test_with_all_types_opted_in_it_matters_not_what_is_tagged(check: Check, turned_on: bool, said: str) -> None:
    settings = {"ResourceTypeOptInPreference": dict.fromkeys(OPT_IN_KEYS, True) | {"EFS": turned_on}}
    rules = [{"RuleName": "r", "TargetBackupVaultName": "v"}]
    tags = [{"ConditionType": "STRINGEQUALS", "ConditionKey": "k", "ConditionValue": "v"}]
    body = {"SelectionName": "s", "IamRoleArn": "arn:aws:iam::111122223333:role/r", "ListOfTags": tags}
    document = check(json.dumps(settings), json.dumps({"BackupPlanName": "p", "Rules": rules}), json.dumps(body))
    assert state(document, "BACKUP_SERVICE_OPT_IN", "s") == said


@pytest.mark.parametrize(
    "document",
    [
        {"format_version": "1.2", "planned_values": True},
        {"format_version": "1.2", "planned_values": {"root_module": {"resources": 5}}},
        {"format_version": 5, "planned_values": {}, "resource_changes": 5, "configuration": {"root_module": 5}},
        {"format_version": "1.2", "values": {"root_module": {"resources": [{"type": "aws_backup_plan", "values": 5}]}}},
        {
            "BackupSelection": {
                "SelectionName": "s",
                "IamRoleArn": "r",
                "ListOfTags": 5,
                "Conditions": {"StringLike": 1},
            }
        },
        {"Resources": {"A": {"Type": "AWS::Backup::BackupPlan", "Properties": []}, "B": {"Type": 5}, "C": "x"}},
        {"plans": {"p": {"rules": 5}}},
    ],
)
def test_other_shapes_end_nothing(check: Check, document: dict[str, Any]) -> None:
    good = TEMPLATE.replace("<ASKED>", "a").replace("<BORNE>", "b")
    said = check(json.dumps(document), good)
    assert state(said, "BACKUP_WINDOW_CONFIGURED", "Plan") == "holds"


def test_a_refused_policy_when_other_rules_are_asked(check: Check) -> None:
    policy = json.dumps({"plans": {"p": {"regions": {"@@asign": ["eu-west-1"]}}}})
    assert check(policy, options=("--rules", "BACKUP_TAG_CASE"))["findings"] == []
    assert state(check(policy), "BACKUP_POLICY_VALID", "0.yaml") == "broken"


@pytest.mark.parametrize(("managed", "said"), [(True, "holds"), (False, "broken")])
def test_a_database_whose_daily_window_aws_backup_keeps(check: Check, managed: bool, said: str) -> None:
    """What describe-db-instances tells of continuous backups that AWS Backup manages."""
    arn = "arn:aws:rds:eu-west-1:111122223333:db:orders"
    database = {
        "DBInstanceIdentifier": "orders",
        "DBInstanceArn": arn,
        "Engine": "mysql",
        "PreferredBackupWindow": "03:00-03:30",
        "PreferredMaintenanceWindow": "sun:12:00-sun:12:30",
        "BackupRetentionPeriod": 7,
    }
    if managed:
        database["AwsBackupRecoveryPointArn"] = "arn:aws:backup:eu-west-1:111122223333:recovery-point:continuous:db-1"
    rules = [{"RuleName": "r", "TargetBackupVaultName": "v", "ScheduleExpression": "cron(0 3 * * ? *)"}]
    selection = {"SelectionName": "s", "IamRoleArn": "arn:aws:iam::111122223333:role/r", "Resources": [arn]}
    plan = json.dumps({"BackupPlanName": "p", "Rules": rules})
    document = check(plan, json.dumps(selection), json.dumps({"DBInstances": [database]}))
    assert state(document, "BACKUP_RDS_WINDOW_CONFLICT", "orders") == said


def test_a_window_that_aws_chooses_leaves_open_what_it_may_meet_and_no_more(check: Check) -> None:
    database = "AllocatedStorage: 20, DBInstanceClass: db.t3.micro, Engine: mysql, Tags: [{Key: backup, Value: yes}]"
    found = check(
        TEMPLATE.replace("<ASKED>", "yes").replace("<BORNE>", "no")
        + f"""
  Open: {{Type: AWS::RDS::DBInstance, Properties: {{DBInstanceIdentifier: open, {database}}}}}
  Met:
    Type: AWS::RDS::DBInstance
    Properties: {{DBInstanceIdentifier: met, PreferredBackupWindow: "05:30-06:00", {database}}}
"""
    )
    rule = "BACKUP_RDS_WINDOW_CONFLICT"
    assert (state(found, rule, "Open"), state(found, rule, "Met")) == ("unknown", "broken")
    assert "It depends on what AWS chooses" in text(found, rule)
