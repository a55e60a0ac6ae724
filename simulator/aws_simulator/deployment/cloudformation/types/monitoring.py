"""CloudWatch and CloudWatch Logs."""

from __future__ import annotations

from aws_simulator.deployment.cloudformation.resources import (
    Made,
    Properties,
    ResourceType,
    Scope,
    gone,
    only,
    tag_list,
    tag_map,
)

# --- Log groups -----------------------------------------------------------------------------------------------------


def _put_group(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("LogGroupName") or scope.generated_name(512)
    key = properties.get("KmsKeyId")
    if not made:
        scope.call("logs", "create_log_group", logGroupName=name, kmsKeyId=key, tags=tag_map(properties))
    elif key:
        scope.call("logs", "associate_kms_key", logGroupName=name, kmsKeyId=key)
    elif made.handle:
        scope.call("logs", "disassociate_kms_key", logGroupName=name)
    days = properties.get("RetentionInDays")
    if days:
        scope.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
    elif made:
        scope.call("logs", "delete_retention_policy", logGroupName=name)
    return Made(name, {"Arn": scope.arn("logs", f"log-group:{name}:*")}, handle=key)


def _delete_group(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("logs", "delete_log_group", logGroupName=made.id)


def _put_filter(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("FilterName") or scope.generated_name(512)
    group = properties["LogGroupName"]
    scope.call("logs", "describe_log_streams", logGroupName=group)  # a filter needs its group
    if made:
        _delete_filter(scope, made)  # moto would keep the old one beside the new
    transformations = [
        {each[0].lower() + each[1:]: value for each, value in transformation.items()}
        for transformation in properties["MetricTransformations"]
    ]
    scope.call(
        "logs",
        "put_metric_filter",
        filterName=name,
        filterPattern=properties["FilterPattern"],
        logGroupName=group,
        metricTransformations=transformations,
    )
    return Made(name, handle=group)


def _delete_filter(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("logs", "delete_metric_filter", filterName=made.id, logGroupName=made.handle)


# --- Alarms ---------------------------------------------------------------------------------------------------------


def _put_alarm(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("AlarmName") or scope.generated_name(255)
    given = {each: value for each, value in properties.items() if each not in {"AlarmName", "Tags"}}
    scope.call("cloudwatch", "put_metric_alarm", AlarmName=name, Tags=tag_list(properties), **given)
    return Made(name, {"Arn": scope.arn("cloudwatch", f"alarm:{name}")})


def _put_composite(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("AlarmName") or scope.generated_name(255)
    given = only(properties, "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmRule", "OKActions")
    scope.call("cloudwatch", "put_composite_alarm", AlarmName=name, **given)
    return Made(name, {"Arn": scope.arn("cloudwatch", f"alarm:{name}")})


def _delete_alarm(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("cloudwatch", "delete_alarms", AlarmNames=[made.id])


TYPES = (
    ResourceType("AWS::Logs::LogGroup", _put_group, _delete_group, frozenset({"LogGroupName"})),
    ResourceType("AWS::Logs::MetricFilter", _put_filter, _delete_filter, frozenset({"FilterName", "LogGroupName"})),
    ResourceType("AWS::CloudWatch::Alarm", _put_alarm, _delete_alarm, frozenset({"AlarmName"})),
    ResourceType("AWS::CloudWatch::CompositeAlarm", _put_composite, _delete_alarm, frozenset({"AlarmName"})),
)
