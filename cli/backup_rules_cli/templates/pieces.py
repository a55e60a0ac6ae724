"""What several templates are made of: policies, roles, functions with layer and log group, StackSets, alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backup_rules_cli.templates.intrinsics import Intrinsic, get_att, if_, ref, sub

AT_LEAST_ONE = "GreaterThanOrEqualToThreshold"
LESS_THAN_ONE = "LessThanThreshold"


def policy(*statements: Any) -> dict[str, Any]:
    """An IAM policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: str | Sequence[str], resource: Any, condition: Any = None, *, sid: str = "") -> dict[str, Any]:
    """A statement of an IAM policy."""
    return {
        **({"Sid": sid} if sid else {}),
        "Effect": "Allow",
        "Action": actions if isinstance(actions, str) else list(actions),
        "Resource": resource,
        **({} if condition is None else {"Condition": condition}),
    }


def traces(*, sid: str = "") -> Intrinsic:
    """A statement that lets a function write its traces, where it is traced. X-Ray knows no resources for the two."""
    return if_("IsTraced", allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*", sid=sid))


def trust(service: str, condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The trust policy of a role that an AWS service assumes."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return policy(statement | ({} if condition is None else {"Condition": condition}))


def function_role(description: str, statements: Sequence[Any], name: Intrinsic | None = None) -> dict[str, Any]:
    """The role that functions run under."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            **({} if name is None else {"RoleName": name}),
            "Description": description,
            "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
            "Policies": [{"PolicyName": "run", "PolicyDocument": policy(*statements)}],
        },
    }


def function(  # noqa: PLR0913 - what tells one function from another
    *,
    name: Intrinsic,
    description: str,
    runtime: str,
    handler: str,
    code: str,
    log_group: str,
    memory: int,
    timeout: int,
    environment: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The properties of a function with the resources `Layer` and `FunctionRole`.

    Args:
        name: of the function.
        description: what the console shows of it.
        runtime: `python3.13`.
        handler: the module with `lambda_handler`.
        code: the zip, under the parameter `CodePrefix` of the bucket `CodeBucket`.
        log_group: the logical id of its log group.
        memory: in MB.
        timeout: in seconds.
        environment: its variables.
        more: other properties.
    """
    return {
        "FunctionName": name,
        "Description": description,
        "Runtime": runtime,
        "Architectures": [ref("Architecture")],
        "Handler": f"{handler}.lambda_handler",
        "Code": {"S3Bucket": ref("CodeBucket"), "S3Key": sub(f"${{CodePrefix}}/{code}")},
        "Layers": [ref("Layer")],
        "Role": get_att("FunctionRole", "Arn"),
        "MemorySize": memory,
        "Timeout": timeout,
        **more,
        **({"Environment": {"Variables": dict(environment)}} if environment else {}),
        "LoggingConfig": {"LogGroup": ref(log_group), "LogFormat": "Text"},
        "TracingConfig": {"Mode": ref("Tracing")},
    }


def layer(name: Intrinsic, description: str, runtimes: Sequence[str]) -> dict[str, Any]:
    """The layer that functions share."""
    return {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {
            "LayerName": name,
            "Description": description,
            "CompatibleRuntimes": list(runtimes),
            "CompatibleArchitectures": [ref("Architecture")],
            "Content": {"S3Bucket": ref("CodeBucket"), "S3Key": sub("${CodePrefix}/layer.zip")},
        },
    }


def stack_set(
    name: Intrinsic, description: str, parameters: Iterable[str], regions: str, body: Mapping[str, str]
) -> dict[str, Any]:
    """The properties of a StackSet that brings a stack to every account under `TargetIds`, new ones too.

    Args:
        name: of the StackSet.
        description: what the console shows of it.
        parameters: those of this template that its stacks get, under the same names.
        regions: the key under which its one Region, this one, stands; with a note, or plain.
        body: the stacks' template, under its key.
    """
    return {
        "StackSetName": name,
        "Description": description,
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": ref("CallAs"),
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "ManagedExecution": {"Active": True},
        "OperationPreferences": {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100},
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": [{"ParameterKey": each, "ParameterValue": ref(each)} for each in sorted(parameters)],
        "StackInstancesGroup": [
            {"DeploymentTargets": {"OrganizationalUnitIds": ref("TargetIds")}, regions: [ref("AWS::Region")]}
        ],
        **body,
    }


def log_group(name: Intrinsic, condition: str = "") -> dict[str, Any]:
    """A function's log group, gone with the stack."""
    properties = {
        "LogGroupName": name,
        "RetentionInDays": ref("LogRetentionDays"),
        "KmsKeyId": if_("HasLogKey", ref("LogKmsKeyArn")),
    }
    gone = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
    if condition:
        return {"Type": "AWS::Logs::LogGroup", "Condition": condition, "Properties": properties, **gone}
    return {"Type": "AWS::Logs::LogGroup", **gone, "Properties": properties}


def metric(
    namespace: str, name: str | Intrinsic, statistic: str, period: Any = 300, **dimensions: Any
) -> dict[str, Any]:
    """What an alarm watches; `period` in seconds."""
    return {
        "Namespace": namespace,
        "MetricName": name,
        **({"Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()]} if dimensions else {}),
        "Statistic": statistic,
        "Period": period,
    }


def alarm(  # noqa: PLR0913 - what alarms differ in
    name: Intrinsic,
    description: str,
    watched: Mapping[str, Any],
    *,
    breaching: str = AT_LEAST_ONE,
    condition: str = "",
    evaluation_periods: int = 1,
    or_no_data: bool = False,
) -> dict[str, Any]:
    """An alarm at one of something or more, or at less than one.

    `or_no_data`: it also notifies once there is no more data. An alarm begins without data, and no notification follows
    from that: one that took missing data for bad would go off before anything has run.
    """
    notified = if_("HasAlarmTopic", [ref("AlarmTopicArn")])
    return {
        "Type": "AWS::CloudWatch::Alarm",
        **({"Condition": condition} if condition else {}),
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": description,
            **watched,
            "EvaluationPeriods": evaluation_periods,
            "Threshold": 1,
            "ComparisonOperator": breaching,
            "TreatMissingData": "missing" if or_no_data else "notBreaching",
            "AlarmActions": notified,
            **({"InsufficientDataActions": notified} if or_no_data else {}),
        },
    }
