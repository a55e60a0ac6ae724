"""SQS, SNS, EventBridge and its scheduler."""

from __future__ import annotations

import json
from typing import Any

from aws_simulator.deployment.cloudformation.resources import (
    Made,
    Properties,
    ResourceType,
    Scope,
    chunks,
    gone,
    only,
    tag_list,
    tag_map,
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


# --- SQS ------------------------------------------------------------------------------------------------------------


def _put_queue(scope: Scope, properties: Properties, made: Made | None) -> Made:
    given = {name: _text(value) for name, value in properties.items() if name not in {"QueueName", "Tags"}}
    if made:
        scope.call("sqs", "set_queue_attributes", QueueUrl=made.id, Attributes=given)
        return made
    fifo = ".fifo" if given.get("FifoQueue") == "true" else ""
    name = properties.get("QueueName") or scope.generated_name(80 - len(fifo)) + fifo
    url = scope.call("sqs", "create_queue", QueueName=name, Attributes=given, tags=tag_map(properties))["QueueUrl"]
    return Made(url, {"Arn": scope.arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _delete_queue(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("sqs", "delete_queue", QueueUrl=made.id)


def _put_queue_policy(scope: Scope, properties: Properties, made: Made | None) -> Made:
    queues = list(properties["Queues"])
    for url in queues:
        attributes = {"Policy": _text(properties["PolicyDocument"])}
        scope.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes=attributes)
    if made:
        _delete_queue_policy(scope, Made(made.id, handle=[url for url in made.handle if url not in queues]))
    return Made(made.id if made else scope.generated_name(), handle=queues)


def _delete_queue_policy(scope: Scope, made: Made) -> None:
    for url in made.handle:
        with gone():
            scope.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": ""})


# --- SNS ------------------------------------------------------------------------------------------------------------

_TOPIC = ("DisplayName", "KmsMasterKeyId", "FifoTopic", "SignatureVersion", "TracingConfig")


def _put_topic(scope: Scope, properties: Properties, made: Made | None) -> Made:
    given = {name: _text(value) for name, value in only(properties, *_TOPIC).items()}
    if made:
        arn = made.id
        for name, value in given.items():
            scope.call("sns", "set_topic_attributes", TopicArn=arn, AttributeName=name, AttributeValue=value)
    else:
        name = properties.get("TopicName") or scope.generated_name(256)
        arn = scope.call("sns", "create_topic", Name=name, Attributes=given, Tags=tag_list(properties))["TopicArn"]
    subscriptions = []
    for old in (made.handle or []) if made else []:
        scope.call("sns", "unsubscribe", SubscriptionArn=old)
    for each in properties.get("Subscription") or []:
        answer = scope.call("sns", "subscribe", TopicArn=arn, ReturnSubscriptionArn=True, **each)
        subscriptions.append(answer["SubscriptionArn"])
    return Made(arn, {"TopicArn": arn, "TopicName": arn.rpartition(":")[2]}, handle=subscriptions)


def _delete_topic(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("sns", "delete_topic", TopicArn=made.id)


def _put_subscription(scope: Scope, properties: Properties, made: Made | None) -> Made:
    names = ("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
    attributes = {name: _text(value) for name, value in only(properties, *names).items()}
    if made:
        for name, value in attributes.items():
            scope.call(
                "sns", "set_subscription_attributes", SubscriptionArn=made.id, AttributeName=name, AttributeValue=value
            )
        return made
    answer = scope.call(
        "sns",
        "subscribe",
        Attributes=attributes,
        ReturnSubscriptionArn=True,
        **only(properties, "Endpoint", "Protocol", "TopicArn"),
    )
    return Made(answer["SubscriptionArn"], {"Arn": answer["SubscriptionArn"]})


def _delete_subscription(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("sns", "unsubscribe", SubscriptionArn=made.id)


def _put_topic_policy(scope: Scope, properties: Properties, made: Made | None) -> Made:
    topics = list(properties["Topics"])
    for arn in topics:
        _set_topic_policy(scope, arn, _text(properties["PolicyDocument"]))
    if made:
        _delete_topic_policy(scope, Made(made.id, handle=[arn for arn in made.handle if arn not in topics]))
    return Made(made.id if made else scope.generated_name(), handle=topics)


def _delete_topic_policy(scope: Scope, made: Made) -> None:
    """A topic cannot be without a policy: it gets the one that lets its owner use it."""
    for arn in made.handle:
        owner = {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "SNS:*",
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": scope.account}},
        }
        with gone():
            _set_topic_policy(scope, arn, json.dumps({"Version": "2008-10-17", "Statement": [owner]}))


def _set_topic_policy(scope: Scope, arn: str, policy: str) -> None:
    scope.call("sns", "set_topic_attributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


# --- EventBridge ----------------------------------------------------------------------------------------------------


def _put_bus(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = properties["Name"]
    if made:
        return made
    given = only(properties, "Description", "EventSourceName", "KmsKeyIdentifier")
    arn = scope.call("events", "create_event_bus", Name=name, Tags=tag_list(properties), **given)["EventBusArn"]
    return Made(name, {"Arn": arn, "Name": name})


def _delete_bus(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("events", "delete_event_bus", Name=made.id)


def _put_event_rule(scope: Scope, properties: Properties, made: Made | None) -> Made:
    bus = properties.get("EventBusName")
    name = made.handle[0] if made else properties.get("Name") or scope.generated_name()
    given = only(properties, "Description", "RoleArn", "ScheduleExpression", "State")
    if "EventPattern" in properties:
        given["EventPattern"] = _text(properties["EventPattern"])
    answer = scope.call("events", "put_rule", Name=name, EventBusName=bus, **given)
    targets = properties.get("Targets") or []
    if made:
        stale = sorted(set(made.handle[2]) - {target["Id"] for target in targets})
        if stale:
            scope.call("events", "remove_targets", Rule=name, EventBusName=bus, Ids=stale)
    for group in chunks(targets, 10):
        failed = scope.call("events", "put_targets", Rule=name, EventBusName=bus, Targets=list(group))
        for entry in failed.get("FailedEntries") or []:
            raise ValueError(entry["ErrorMessage"])
    reference = f"{bus}|{name}" if bus else name
    return Made(reference, {"Arn": answer["RuleArn"]}, handle=(name, bus, [target["Id"] for target in targets]))


def _delete_event_rule(scope: Scope, made: Made) -> None:
    name, bus, targets = made.handle
    with gone():
        if targets:
            scope.call("events", "remove_targets", Rule=name, EventBusName=bus, Ids=targets)
        scope.call("events", "delete_rule", Name=name, EventBusName=bus)


def _put_bus_policy(scope: Scope, properties: Properties, made: Made | None) -> Made:
    """One statement of a bus's policy; the others stay."""
    bus, identity = properties.get("EventBusName", "default"), properties["StatementId"]
    statement = dict(properties["Statement"]) if "Statement" in properties else _bus_statement(scope, bus, properties)
    kept = [each for each in _bus_statements(scope, bus) if each["Sid"] != identity]
    _set_bus_policy(scope, bus, [*kept, {**statement, "Sid": identity}])
    return Made(made.id if made else f"{bus}|{identity}", handle=(bus, identity))


def _bus_statement(scope: Scope, bus: str, properties: Properties) -> dict[str, Any]:
    principal = properties["Principal"]
    account = f"arn:{scope.partition}:iam::{principal}:root"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": account},
        "Action": properties.get("Action", "events:PutEvents"),
        "Resource": scope.arn("events", f"event-bus/{bus}"),
    }
    if "Condition" in properties:
        condition = properties["Condition"]
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


def _bus_statements(scope: Scope, bus: str) -> list[dict[str, Any]]:
    policy = scope.call("events", "describe_event_bus", Name=bus).get("Policy")
    return list(json.loads(policy)["Statement"]) if policy else []


def _set_bus_policy(scope: Scope, bus: str, statements: list[dict[str, Any]]) -> None:
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        scope.call("events", "put_permission", EventBusName=bus, Policy=policy)
    else:
        scope.call("events", "remove_permission", EventBusName=bus, RemoveAllPermissions=True)


def _delete_bus_policy(scope: Scope, made: Made) -> None:
    bus, identity = made.handle
    with gone():
        _set_bus_policy(scope, bus, [each for each in _bus_statements(scope, bus) if each["Sid"] != identity])


# --- EventBridge Scheduler ------------------------------------------------------------------------------------------


def _put_schedule(scope: Scope, properties: Properties, made: Made | None) -> Made:
    given = dict(properties)
    given["Name"] = made.id if made else properties.get("Name") or scope.generated_name()
    answer = scope.call("scheduler", "update_schedule" if made else "create_schedule", **given)
    return Made(given["Name"], {"Arn": answer["ScheduleArn"]}, handle=properties.get("GroupName"))


def _delete_schedule(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("scheduler", "delete_schedule", Name=made.id, GroupName=made.handle)


TYPES = (
    ResourceType("AWS::SQS::Queue", _put_queue, _delete_queue, frozenset({"FifoQueue", "QueueName"})),
    ResourceType("AWS::SQS::QueuePolicy", _put_queue_policy, _delete_queue_policy),
    ResourceType("AWS::SNS::Topic", _put_topic, _delete_topic, frozenset({"FifoTopic", "TopicName"})),
    ResourceType(
        "AWS::SNS::Subscription",
        _put_subscription,
        _delete_subscription,
        frozenset({"Endpoint", "Protocol", "TopicArn"}),
    ),
    ResourceType("AWS::SNS::TopicPolicy", _put_topic_policy, _delete_topic_policy),
    ResourceType("AWS::Events::EventBus", _put_bus, _delete_bus, frozenset({"Name"})),
    ResourceType("AWS::Events::Rule", _put_event_rule, _delete_event_rule, frozenset({"EventBusName", "Name"})),
    ResourceType(
        "AWS::Events::EventBusPolicy",
        _put_bus_policy,
        _delete_bus_policy,
        frozenset({"EventBusName", "StatementId"}),
    ),
    ResourceType("AWS::Scheduler::Schedule", _put_schedule, _delete_schedule, frozenset({"GroupName", "Name"})),
)
