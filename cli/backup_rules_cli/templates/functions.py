"""The functions of the rules, what they run under, and what watches over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backup_rules.evaluation.renewal import MOST_REFRESH_DAYS, REFRESH_DAYS
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.declarations import FUNCTION_ROLE, choice, text
from backup_rules_cli.templates.intrinsics import CONFIG, Intrinsic, differs, equals, get_att, given, if_, ref, sub
from backup_rules_cli.templates.names import FUNCTION_PREFIX
from backup_rules_cli.templates.pieces import (
    LESS_THAN_ONE,
    alarm,
    allow,
    function,
    function_role,
    layer,
    log_group,
    metric,
    policy,
    traces,
)
from backup_rules_cli.templates.rule_parameters import FUNCTION_NAME_LENGTH, frequency, on, prefix
from backup_rules_cli.templates.yaml_text import Noted

# Seconds between two runs. TwentyFour_Hours is what is left when it is none of these.
_PERIODS = {"One_Hour": 3600, "Three_Hours": 10800, "Six_Hours": 21600, "Twelve_Hours": 43200}
_DAY = 86400

_KEPT_READS = "arn:${AWS::Partition}:s3:::${KeptReadsBucket}"

_METRICS = "BackupConfigRules"

# Of Lambda's record, which is the detail of the event:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
_KEPT = {
    "time": "$.time",
    "function": "$.detail.requestContext.functionArn",
    "request": "$.detail.requestContext.requestId",
    "condition": "$.detail.requestContext.condition",
    "tries": "$.detail.requestContext.approximateInvokeCount",
    "account": "$.detail.requestPayload.accountId",
    "rule": "$.detail.requestPayload.configRuleName",
}

FUNCTION_ROLE_DESCRIPTION = "The functions of the AWS Backup Config rules run under it."


def function_parameters(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The template parameters of functions."""
    length = FUNCTION_NAME_LENGTH - max(len(rule.config_rule_name) for rule in rules)
    return {
        "CodeBucket": text("The S3 bucket, in this Region, that holds the code.", MinLength=3, MaxLength=63),
        "CodePrefix": text(
            "The prefix of the code's S3 keys; it ends with the package's hash, so that new code is a new prefix.",
            pattern="^[^/](.*[^/])?$",
            constraint="must neither begin nor end with a slash.",
        ),
        "FunctionPrefix": text(
            "What the names of all functions begin with; the name of the Config rule follows.",
            FUNCTION_PREFIX,
            pattern=f"^[a-zA-Z0-9_-]{{1,{length}}}$",
            constraint=f"must have at most {length} letters, digits, hyphens and underscores.",
        ),
        **FUNCTION_ROLE,
        "Architecture": choice("The processors that the functions run on.", "arm64", "x86_64"),
        "ReservedConcurrency": text(
            "How many invocations of each function may run at once. Blank: the account's limit alone.",
            "",
            pattern="^([1-9][0-9]{0,3})?$",
            constraint="must be a whole number from 1 to 9999, or blank.",
        ),
        "Tracing": choice("AWS X-Ray. Active costs money for each trace.", "PassThrough", "Active"),
        "LogRetentionDays": {
            "Type": "Number",
            "Default": 30,
            "AllowedValues": [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653],
            "Description": "How many days the functions' log lines are kept.",
        },
        "LogKmsKeyArn": text(
            "The ARN of the KMS key that encrypts the logs; its policy must admit CloudWatch Logs. Blank: AWS's own.",
            "",
            pattern="^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+)?$",
            constraint="must be the ARN of a KMS key, or blank.",
        ),
        "KeptReadsBucket": text(
            "The bucket of kept-reads.yaml in this Region, in which the functions keep what cannot change of plans and"
            " selections. Blank: they read everything each time.",
            "",
            pattern="^([a-z0-9][a-z0-9-]{1,61}[a-z0-9])?$",
            constraint="must be the name of a bucket without dots, or blank.",
        ),
        "PutEvaluations": choice(
            "What a periodic run puts: all evaluations, or changes: what AWS Config does not hold already, and what was"
            " last put RefreshDays ago. See docs/cost-and-quotas.md.",
            "all",
            "changes",
        ),
        "RefreshDays": {
            "Type": "Number",
            "Default": REFRESH_DAYS,
            "MinValue": 1,
            "MaxValue": MOST_REFRESH_DAYS,
            "Description": "With PutEvaluations=changes: after how many days an evaluation is put again as it is.",
        },
        "AlarmTopicArn": text(
            "The ARN of the SNS topic that alarms notify. Blank: alarms only show in CloudWatch.",
            "",
            pattern="^(arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+)?$",
            constraint="must be the ARN of an SNS topic, or blank.",
        ),
    }


PARAMETER_GROUPS = {
    "Code": ("CodeBucket", "CodePrefix"),
    "Functions": (
        "FunctionPrefix",
        "FunctionRoleName",
        "Architecture",
        "ReservedConcurrency",
        "KeptReadsBucket",
        "PutEvaluations",
        "RefreshDays",
    ),
    "Logs, traces and alarms": ("LogRetentionDays", "LogKmsKeyArn", "Tracing", "AlarmTopicArn"),
}


def function_conditions(rules: Sequence[RuleFolder]) -> dict[str, Intrinsic]:
    """The conditions that the resources below refer to, beside `<Rule>On`."""
    found = {
        "HasReservedConcurrency": given("ReservedConcurrency"),
        "HasKeptReads": given("KeptReadsBucket"),
        "HasLogKey": given("LogKmsKeyArn"),
        "HasAlarmTopic": given("AlarmTopicArn"),
        "IsTraced": differs("Tracing", "PassThrough"),
    }
    return found | {
        f"{prefix(rule)}{value.replace('_', '')}": equals(frequency(rule), value)
        for rule in rules
        for value in _PERIODS
    }


def common_resources(rules: Sequence[RuleFolder], statements: Sequence[Any]) -> dict[str, Any]:
    """The layer, the functions' role, and the queue of what failed.

    `statements`: what the role may do beside logging, reporting failures, and tracing.
    """
    runtimes = sorted({rule.runtime for rule in rules})
    return {
        "Layer": layer(sub("${FunctionPrefix}layer"), "What the rules share.", runtimes),
        "FunctionRole": function_role(
            FUNCTION_ROLE_DESCRIPTION,
            [*_running_statements(rules), *statements],
            name=sub("${FunctionRoleName}-${AWS::Region}"),
        ),
        Noted(
            "FailureBus",
            "Lambda's record of an event that failed at every try holds AWS Config's result token, with"
            " which evaluations are put. It passes here; what the queue keeps is which function failed for whom.",
        ): {"Type": "AWS::Events::EventBus", "Properties": {"Name": sub("${FunctionPrefix}failures")}},
        "Failures": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Description": "Events that failed at every try, to the failure queue, without their result tokens.",
                "EventBusName": ref("FailureBus"),
                "EventPattern": {"source": ["lambda"]},
                "State": "ENABLED",
                "Targets": [
                    {
                        "Id": "queue",
                        "Arn": get_att("FailureQueue", "Arn"),
                        "InputTransformer": {
                            "InputPathsMap": _KEPT,
                            "InputTemplate": "{" + ", ".join(f'"{name}": <{name}>' for name in _KEPT) + "}",
                        },
                    }
                ],
            },
        },
        "FailureQueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [ref("FailureQueue")],
                "PolicyDocument": policy(
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": get_att("FailureQueue", "Arn"),
                        "Condition": {"ArnEquals": {"aws:SourceArn": get_att("Failures", "Arn")}},
                    }
                ),
            },
        },
        Noted("FailureQueue", "Which events failed at every try: for 14 days. The function's log says why."): {
            "Type": "AWS::SQS::Queue",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "QueueName": sub("${FunctionPrefix}failures"),
                "MessageRetentionPeriod": 1209600,
                "SqsManagedSseEnabled": True,
            },
        },
        "FailureQueueAlarm": alarm(
            sub("${FunctionPrefix}failures"),
            "An event failed at every try; the failure queue says which function's, and for which account.",
            metric(
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                "Maximum",
                QueueName=get_att("FailureQueue", "QueueName"),
            ),
        ),
    }


def _running_statements(rules: Sequence[RuleFolder]) -> list[Any]:
    groups = [_log_group_arn(rule) for rule in rules]
    return [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], groups, sid="OwnLogGroups"),
        allow("events:PutEvents", get_att("FailureBus", "Arn"), sid="Failures"),
        # Listing is what tells an object that is not there from one that may not be read.
        if_(
            "HasKeptReads",
            allow(
                ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
                [sub(_KEPT_READS), sub(f"{_KEPT_READS}/*")],
                sid="KeptReads",
            ),
        ),
        traces(sid="Traces"),
    ]


def _log_group_arn(rule: RuleFolder) -> Intrinsic:
    return sub(
        "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
        f"/aws/lambda/${{FunctionPrefix}}{rule.config_rule_name}:*"
    )


def function_name(rule: RuleFolder) -> Intrinsic:
    """The name of the rule's function."""
    return sub(f"${{FunctionPrefix}}{rule.config_rule_name}")


def function_id(rule: RuleFolder) -> str:
    """The logical id of the rule's function."""
    return f"{prefix(rule)}Function"


def permission_id(rule: RuleFolder) -> str:
    """The logical id of the permission that lets AWS Config invoke the rule's function."""
    return f"{prefix(rule)}Permission"


def rule_resources(
    rule: RuleFolder, permission: Mapping[str, Any], environment: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The rule's function with its log group, its retries, its alarms, and the permission of AWS Config to invoke it.

    `permission`: what the permission has beside function, action and principal; its Condition too.
    """
    return {
        Noted(function_id(rule), f"{rule.name}: {rule.about['Title']}."): _only_on(
            rule, "AWS::Lambda::Function", _function(rule, environment)
        ),
        f"{prefix(rule)}LogGroup": log_group(
            sub(f"/aws/lambda/${{FunctionPrefix}}{rule.config_rule_name}"), condition=on(rule)
        ),
        f"{prefix(rule)}Retries": _only_on(
            rule,
            "AWS::Lambda::EventInvokeConfig",
            {
                "FunctionName": ref(function_id(rule)),
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 2,
                "MaximumEventAgeInSeconds": 21600,
                "DestinationConfig": {"OnFailure": {"Destination": get_att("FailureBus", "Arn")}},
            },
        ),
        permission_id(rule): {
            "Type": "AWS::Lambda::Permission",
            "Condition": permission.get("Condition", on(rule)),
            "Properties": {
                "FunctionName": ref(function_id(rule)),
                "Action": "lambda:InvokeFunction",
                Noted("Principal", "config.amazonaws.com; in China it is config.amazonaws.com.cn."): CONFIG,
                **permission.get("Properties", {}),
            },
        },
        f"{prefix(rule)}ErrorAlarm": alarm(
            sub(f"${{FunctionPrefix}}{rule.config_rule_name}-errors"),
            f"{rule.name} failed; AWS Config keeps its last verdicts. The function's log says what could not be read.",
            metric("AWS/Lambda", "Errors", "Sum", FunctionName=ref(function_id(rule))),
            condition=on(rule),
        ),
        f"{prefix(rule)}EvaluationsMetric": _only_on(
            rule,
            "AWS::Logs::MetricFilter",
            {
                "LogGroupName": ref(f"{prefix(rule)}LogGroup"),
                "FilterPattern": '{ $.message = "evaluation put" }',
                "MetricTransformations": [
                    {
                        "MetricNamespace": _METRICS,
                        "MetricName": sub(f"${{FunctionPrefix}}{rule.config_rule_name}-evaluations"),
                        "MetricValue": "1",
                        Noted("DefaultValue", "For whatever else it logs: it ran, and put nothing."): 0,
                        "Unit": "Count",
                    }
                ],
            },
        ),
        f"{prefix(rule)}SilenceAlarm": alarm(
            sub(f"${{FunctionPrefix}}{rule.config_rule_name}-silence"),
            f"{rule.name} put no evaluation for two periods of its frequency, in any account: it fails (ALARM), or AWS"
            " Config does not invoke it any more (INSUFFICIENT_DATA, as before its first run, which notifies nobody).",
            metric(
                _METRICS,
                sub(f"${{FunctionPrefix}}{rule.config_rule_name}-evaluations"),
                "Sum",
                period=_period(rule),
            ),
            condition=on(rule),
            breaching=LESS_THAN_ONE,
            evaluation_periods=2,
            or_no_data=True,
        ),
    }


def _only_on(rule: RuleFolder, kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"Type": kind, "Condition": on(rule), "Properties": properties}


def _function(rule: RuleFolder, environment: Mapping[str, Any] | None) -> dict[str, Any]:
    return function(
        name=function_name(rule),
        description=rule.about["Title"],
        runtime=rule.runtime,
        handler=rule.name,
        code=f"{rule.config_rule_name}.zip",
        log_group=f"{prefix(rule)}LogGroup",
        memory=256,
        timeout=900,
        environment={
            "KEPT_READS_BUCKET": if_("HasKeptReads", ref("KeptReadsBucket")),
            "PUT_EVALUATIONS": ref("PutEvaluations"),
            "REFRESH_DAYS": ref("RefreshDays"),
            **(environment or {}),
        },
        ReservedConcurrentExecutions=if_("HasReservedConcurrency", ref("ReservedConcurrency")),
    )


def _period(rule: RuleFolder) -> Any:
    """Seconds between two runs. Twice the longest, a day, is within the 7 days that an alarm may look back.

    No Mapping: its keys take no underscore, which the frequencies have.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    found: Any = _DAY
    for value, seconds in reversed(_PERIODS.items()):
        found = if_(f"{prefix(rule)}{value.replace('_', '')}", seconds, found)
    return found
