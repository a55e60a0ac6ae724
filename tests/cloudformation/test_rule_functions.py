"""rule-functions.yaml: the functions, what they run under, who may invoke them, and what watches over them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from aws_simulator.core.operations import AwsError
from backup_rules_cli.catalogue import RuleFolder
from tests.cloudformation.rendering import CENTRAL, CODE, ORGANIZATION, RULES, committed, of_type, rendered
from tests.front_door import front_door

NAME = "rule-functions.yaml"
FUNCTIONS = {each["FunctionName"]: each for each in of_type(rendered(NAME), "AWS::Lambda::Function").values()}


def named(kind: str, given: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    return of_type(rendered(NAME, given), kind)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_has_its_function(rule: RuleFolder) -> None:
    made = FUNCTIONS[f"backup-config-rules-{rule.config_rule_name}"]
    assert made["Handler"] == f"{rule.name}.lambda_handler"
    assert made["Runtime"] == "python3.13"
    assert made["Code"] == {
        "S3Bucket": CODE["CodeBucket"],
        "S3Key": f"{CODE['CodePrefix']}/{rule.config_rule_name}.zip",
    }
    assert (made["MemorySize"], made["Timeout"], made["Architectures"]) == (256, 900, ["arm64"])
    assert made["Layers"] == ["<Layer>"]
    assert made["Role"] == "<FunctionRole.Arn>"
    assert made["TracingConfig"] == {"Mode": "PassThrough"}
    assert made["Environment"] == {
        "Variables": {
            "ANYBODY_INVOKES": "true",
            "ORGANIZATION_ID": "",
            "PUT_EVALUATIONS": "all",
            "REFRESH_DAYS": "7",
        }
    }
    assert "ReservedConcurrentExecutions" not in made
    assert len(made["FunctionName"]) <= 64


def test_the_longest_prefix_still_makes_a_name_of_a_function() -> None:
    rendered(NAME, {"FunctionPrefix": "p" * (64 - max(len(rule.config_rule_name) for rule in RULES))})
    with pytest.raises(AwsError):
        rendered(NAME, {"FunctionPrefix": "p" * (65 - max(len(rule.config_rule_name) for rule in RULES))})


def test_what_a_deployer_sets_reaches_every_function() -> None:
    given = {
        "Architecture": "x86_64",
        "ReservedConcurrency": "20",
        "Tracing": "Active",
        "OrganizationId": ORGANIZATION,
        "CheckOrganizationInCode": "true",
        "PutEvaluations": "changes",
        "RefreshDays": "14",
        "CodePrefix": "elsewhere/0",
        "FunctionPrefix": "mine-",
    }
    made = named("AWS::Lambda::Function", given)
    assert len(made) == len(RULES)
    for each in made.values():
        assert each["Architectures"] == ["x86_64"]
        assert each["ReservedConcurrentExecutions"] == "20"
        assert each["TracingConfig"] == {"Mode": "Active"}
        assert each["Environment"]["Variables"] | {"ANYBODY_INVOKES": ""} == {
            "ANYBODY_INVOKES": "",
            "ORGANIZATION_ID": ORGANIZATION,
            "PUT_EVALUATIONS": "changes",
            "REFRESH_DAYS": "14",
        }
        assert each["Code"]["S3Key"].startswith("elsewhere/0/")
        assert each["FunctionName"].startswith("mine-backup-")
    (layer,) = named("AWS::Lambda::LayerVersion", given).values()
    assert layer["LayerName"] == "mine-layer"
    assert layer["Content"] == {"S3Bucket": CODE["CodeBucket"], "S3Key": "elsewhere/0/layer.zip"}
    assert layer["CompatibleArchitectures"] == ["x86_64"]
    assert rendered(NAME, given, section="Outputs")["FunctionArnPrefix"]["Value"] == (
        f"arn:aws:lambda:eu-west-1:{CENTRAL}:function:mine-"
    )


def test_logs_are_kept_thirty_days_in_a_group_of_each_functions_own() -> None:
    groups = named("AWS::Logs::LogGroup")
    for key, function in named("AWS::Lambda::Function").items():
        group = key.removesuffix("Function") + "LogGroup"
        assert function["LoggingConfig"] == {"LogGroup": f"<{group}>", "LogFormat": "Text"}
        assert groups[group] == {"LogGroupName": f"/aws/lambda/{function['FunctionName']}", "RetentionInDays": "30"}
    key_arn = f"arn:aws:kms:eu-west-1:{CENTRAL}:key/1"
    encrypted = named("AWS::Logs::LogGroup", {"LogKmsKeyArn": key_arn}).values()
    assert {each["KmsKeyId"] for each in encrypted} == {key_arn}


def allowed(given: dict[str, str] | None = None) -> dict[str, Any]:
    (policy,) = rendered(NAME, given)["FunctionRole"]["Properties"]["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_the_functions_role_can_do_this_and_nothing_else() -> None:
    made = allowed({"InvokePermission": "Managed"})
    groups = [f"arn:aws:logs:eu-west-1:{CENTRAL}:log-group:/aws/lambda/{name}:*" for name in FUNCTIONS]
    assert {sid: (each["Action"], each["Resource"]) for sid, each in made.items()} == {
        "OwnLogGroups": (["logs:CreateLogStream", "logs:PutLogEvents"], groups),
        "Failures": ("events:PutEvents", "<FailureBus.Arn>"),
        "MemberRoles": ("sts:AssumeRole", "arn:aws:iam::*:role/BackupConfigRulesMemberRole"),
    }
    assert {sid for sid, each in made.items() if "Condition" in each} == {"MemberRoles"}


def test_where_anybody_may_invoke_them_they_can_tell_strangers() -> None:
    opened, managed = allowed(), allowed({"InvokePermission": "Managed"})
    assert {sid: opened[sid] for sid in opened.keys() - managed.keys()} == {
        "Strangers": {
            "Sid": "Strangers",
            "Effect": "Allow",
            "Action": "organizations:DescribeAccount",
            "Resource": f"arn:aws:organizations::*:account/{ORGANIZATION}/*",
        }
    }
    functions = named("AWS::Lambda::Function", {"InvokePermission": "Managed"}).values()
    assert {each["Environment"]["Variables"]["ANYBODY_INVOKES"] for each in functions} == {""}


def test_no_role_outside_the_organization_can_be_assumed() -> None:
    made = allowed({"MemberRoleName": "Reader"})["MemberRoles"]
    assert made["Condition"] == {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}}
    assert made["Resource"] == "arn:aws:iam::*:role/Reader"


def test_traces_may_be_written_only_when_there_are_any() -> None:
    assert set(allowed({"Tracing": "Active"})) - set(allowed()) == {"Traces"}


@pytest.mark.parametrize("name", [NAME, "single-account.yaml"])
def test_what_is_kept_is_read_and_written_only_where_a_bucket_is_named(name: str) -> None:
    def role(given: dict[str, str]) -> dict[str, Any]:
        (policy,) = rendered(name, given)["FunctionRole"]["Properties"]["Policies"]
        return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"] if "Sid" in each}

    def buckets(given: dict[str, str]) -> set[str | None]:
        functions = of_type(rendered(name, given), "AWS::Lambda::Function").values()
        return {each["Environment"]["Variables"].get("KEPT_READS_BUCKET") for each in functions}

    given = {"KeptReadsBucket": "kept"}
    assert set(role(given)) - set(role({})) == {"KeptReads"}
    assert role(given)["KeptReads"] == {
        "Sid": "KeptReads",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::kept", "arn:aws:s3:::kept/*"],
    }
    assert (buckets(given), buckets({})) == ({"kept"}, {None})


def test_what_failed_at_every_try_is_kept() -> None:
    (queue,) = named("AWS::SQS::Queue").values()
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    retries = named("AWS::Lambda::EventInvokeConfig")
    assert len(retries) == len(RULES)
    for each in retries.values():
        assert (each["MaximumRetryAttempts"], each["MaximumEventAgeInSeconds"]) == (2, 6 * 3600)
        assert each["DestinationConfig"] == {"OnFailure": {"Destination": "<FailureBus.Arn>"}}
        assert each["Qualifier"] == "$LATEST"


@pytest.mark.parametrize(
    ("region", "principal"),
    [
        ("eu-west-1", "config.amazonaws.com"),
        ("cn-north-1", "config.amazonaws.com.cn"),
        ("us-gov-west-1", "config.amazonaws.com"),
    ],
)
def test_config_may_invoke_the_functions(region: str, principal: str) -> None:
    made = of_type(rendered(NAME, region=region), "AWS::Lambda::Permission")
    assert {each["FunctionName"] for each in made.values()} == {f"<{key}>" for key in named("AWS::Lambda::Function")}
    for each in made.values():
        assert each["Principal"] == principal
        assert each["Action"] == "lambda:InvokeFunction"


def test_managed_permissions_are_left_to_the_other_stack() -> None:
    assert not named("AWS::Lambda::Permission", {"InvokePermission": "Managed"})
    assert len(named("AWS::Lambda::Function", {"InvokePermission": "Managed"})) == len(RULES)


def policies(given: dict[str, str]) -> list[dict[str, Any]]:
    found = of_type(rendered("invoke-permissions.yaml", given), "AWS::Lambda::ResourcePolicy")
    assert len(found) == len(RULES)
    statements = []
    for each in found.values():
        (statement,) = each["PolicyDocument"]["Statement"]
        assert statement["Resource"] == each["ResourceArn"]
        assert len(json.dumps(each["PolicyDocument"])) <= 20_480
        statements.append(statement)
    return statements


def test_the_other_stack_admits_the_accounts_that_are_named() -> None:
    members = [str(111122223333 + number) for number in range(300)]
    for statement in policies({"MemberAccountIds": ",".join(members), "FunctionPrefix": "mine-"}):
        assert statement["Principal"] == {"Service": "config.amazonaws.com"}
        assert statement["Action"] == "lambda:InvokeFunction"
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": members}}
        assert statement["Resource"].startswith(f"arn:aws:lambda:eu-west-1:{CENTRAL}:function:mine-backup-")


def test_the_other_stack_admits_an_organization() -> None:
    for statement in policies({"UseSourceOrganization": "true", "OrganizationId": ORGANIZATION}):
        assert statement["Condition"] == {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}}


# --- Alarms ---------------------------------------------------------------------------------------------------------


def test_every_function_has_an_alarm_on_its_errors() -> None:
    alarms = [each for each in named("AWS::CloudWatch::Alarm").values() if each["MetricName"] == "Errors"]
    watched = {each["Dimensions"][0]["Value"] for each in alarms}
    assert watched == {f"<{key}>" for key in named("AWS::Lambda::Function")}
    for each in alarms:
        assert (each["Namespace"], each["Statistic"], each["Threshold"]) == ("AWS/Lambda", "Sum", 1)
        assert each["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert each["TreatMissingData"] == "notBreaching"
        assert "AlarmActions" not in each


FREQUENCIES = {
    "One_Hour": 3600,
    "Three_Hours": 3 * 3600,
    "Six_Hours": 6 * 3600,
    "Twelve_Hours": 12 * 3600,
    "TwentyFour_Hours": 24 * 3600,
}


@pytest.mark.parametrize(("frequency", "seconds"), FREQUENCIES.items())
def test_two_periods_without_evaluation_are_an_alarm(frequency: str, seconds: int) -> None:
    made = rendered(NAME, {"TagCaseFrequency": frequency})
    alarm, metric = made["TagCaseSilenceAlarm"]["Properties"], made["TagCaseEvaluationsMetric"]["Properties"]
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (seconds, 2)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 7 * 24 * 3600
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["Statistic"]) == ("LessThanThreshold", 1, "Sum")
    # Before the first run there is no data, which is no alarm; when there is no more, that notifies.
    assert alarm["TreatMissingData"] == "missing"
    (transformation,) = metric["MetricTransformations"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        transformation["MetricNamespace"],
        transformation["MetricName"],
    )
    assert metric["LogGroupName"] == "<TagCaseLogGroup>"
    assert (transformation["MetricValue"], transformation["DefaultValue"]) == ("1", 0)


def test_what_is_counted_is_the_line_that_a_rule_logs(capsys: pytest.CaptureFixture[str]) -> None:
    with front_door() as door:
        door.evaluate("BACKUP_TAG_CASE")
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    patterns = {each["FilterPattern"] for each in named("AWS::Logs::MetricFilter").values()}
    assert patterns == {f'{{ $.message = "{line["message"]}" }}'}


def test_alarms_notify_the_topic_that_is_given() -> None:
    topic = f"arn:aws:sns:eu-west-1:{CENTRAL}:alarms"
    alarms = named("AWS::CloudWatch::Alarm", {"AlarmTopicArn": topic})
    assert len(alarms) == 2 * len(RULES) + 1
    assert all(each["AlarmActions"] == [topic] for each in alarms.values())
    silence = {name for name, each in alarms.items() if each.get("InsufficientDataActions") == [topic]}
    assert silence == {name for name in alarms if name.endswith("SilenceAlarm")}
    assert len(silence) == len(RULES)


def test_the_failure_queue_takes_from_its_rule_only_and_keeps_no_event_whole() -> None:
    """The event holds AWS Config's result token: who has it may put evaluations."""
    made = rendered(NAME)
    rule = made["Failures"]["Properties"]
    assert (rule["EventBusName"], rule["EventPattern"]) == ("<FailureBus>", {"source": ["lambda"]})
    (target,) = rule["Targets"]
    assert target["Arn"] == "<FailureQueue.Arn>"
    paths = target["InputTransformer"]["InputPathsMap"]
    of_the_event = {path for path in paths.values() if "requestPayload" in path}
    assert of_the_event == {"$.detail.requestPayload.accountId", "$.detail.requestPayload.configRuleName"}
    template = re.sub(r"<\w+>", "0", target["InputTransformer"]["InputTemplate"])
    assert json.loads(template) == dict.fromkeys(paths, 0)
    (statement,) = made["FailureQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": "<Failures.Arn>"}}


def test_a_filled_failure_queue_is_an_alarm() -> None:
    alarm = rendered(NAME)["FailureQueueAlarm"]["Properties"]
    assert alarm["Namespace"] == "AWS/SQS"
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "<FailureQueue.QueueName>"}]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("TagCaseFrequency", "Daily"),
        ("OrganizationId", "123456789012"),
        ("CodePrefix", "code/"),
        ("ReservedConcurrency", "0"),
        ("AlarmTopicArn", "alarms"),
        ("LogRetentionDays", "31"),
        ("MemberRoleName", "path/Role"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(parameter: str, value: str) -> None:
    assert parameter in committed(NAME)["Parameters"]
    with pytest.raises(AwsError, match=parameter):
        rendered(NAME, {parameter: value})
