"""Amazon EventBridge, and what Lambda takes from Amazon SQS: how a function hears of a change of compliance.

moto matches patterns and keeps rules, buses and queues. It loses the account of an event on its way to another
account's bus, asks for no permission, fires scheduled rules at any event, and invokes functions in Docker only. Here
AWS Config emits its event when a resource's compliance changes, deliveries need what they need in AWS (the role of the
rule, the policy of the bus or queue), and `pump` polls the queues and invokes the functions.
Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html,
https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Protocol

from moto.awslambda.models import EventSourceMapping, lambda_backends
from moto.events.models import EventsBackend, Rule, events_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import Role, iam_backends
from moto.sqs.models import Message, Queue, sqs_backends
from moto.utilities.arns import parse_arn

from aws_simulator.core.config import compliance_change
from aws_simulator.core.config.compliance_change import aws_event
from aws_simulator.core.iam.policies import decide, parse_document
from aws_simulator.core.iam.principals import membership, policies_of_role
from aws_simulator.core.operations import AwsError

Event = dict[str, Any]
Context = dict[str, tuple[str, ...]]

EVENTS = "events.amazonaws.com"


class Invocation(Protocol):
    """What became of an invocation: see `aws_simulator.deployment.lambda_runtime`."""

    @property
    def payload(self) -> Any: ...

    @property
    def error(self) -> str | None: ...


class Runtime(Protocol):
    """What runs functions: a `LambdaRuntime`, or anything like it."""

    def invoke(
        self,
        function_arn: str,
        event: Any,
        *,
        principal: str | None = None,
        source_account: str | None = None,
        source_arn: str | None = None,
    ) -> Invocation: ...


def install() -> None:
    """Teaches moto's EventBridge and AWS Config what they lack. Idempotent."""
    if emit not in compliance_change.listeners:
        compliance_change.listeners.append(emit)
    if not hasattr(Rule.send_to_targets, "asks_permission"):
        setattr(Rule, "send_to_targets", _sender(Rule.send_to_targets))  # noqa: B010 - mypy forbids assigning to a method
    # moto hands messages to functions as they come, in Docker; here `pump` does, so no queue knows of its functions.
    setattr(Queue, "lambda_event_source_mappings", property(lambda _: {}, lambda _, __: None))  # noqa: B010 - as above
    # For each message it handles, moto asks all others what time it is, and takes microseconds for each answer.
    setattr(Message, "visible", property(lambda self: time.time() * 1000 > self.visible_at))  # noqa: B010 - as above
    setattr(Message, "delayed", property(lambda self: time.time() * 1000 < self.delayed_until))  # noqa: B010 - as above


# --- Events of AWS's services ---------------------------------------------------------------------------------------


def emit(event: Mapping[str, Any]) -> None:
    """Puts an event of an AWS service on the default bus of its account and Region."""
    _arrive(events_backends[event["account"]][event["region"]], "default", event)


def emit_to(bus_arn: str, event: Mapping[str, Any]) -> bool:
    """Puts an event of an AWS service on another bus; False when there is none."""
    arn = parse_arn(bus_arn)
    backend = events_backends[arn.account][arn.region]
    if arn.resource_id not in backend.event_buses:
        return False
    _arrive(backend, arn.resource_id, event)
    return True


# --- Delivery --------------------------------------------------------------------------------------------------------


def undelivered(account: str, region: str) -> list[str]:
    """Why events of the account's rules did not reach a target, in order; in AWS a metric counts them."""
    return list(_undelivered(events_backends[account][region]))


def _undelivered(backend: EventsBackend) -> list[str]:
    # moto empties this dictionary when it resets the backend.
    reasons: list[str] = vars(backend).setdefault("_undelivered", [])
    return reasons


def _arrive(backend: EventsBackend, bus: str, event: Mapping[str, Any]) -> None:
    for rule in list(backend.event_buses[bus].rules.values()):
        rule.send_to_targets(copy.deepcopy(dict(event)))


def _sender(moto_sends: Callable[..., None]) -> Callable[..., None]:
    @wraps(moto_sends)
    def send_to_targets(self: Rule, original_event: Event, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002 - moto's signature
        # A rule without a pattern runs by its schedule.
        heeds = self.state == "ENABLED" and self.event_pattern.get_pattern()
        if not heeds or not self.event_pattern.matches_event(original_event):
            return
        for target in list(self.targets):
            arn = parse_arn(target["Arn"])
            deliver = _DELIVERIES.get(arn.service)
            plain = not {"Input", "InputPath"} & set(target)
            # An archive, or an API destination, has a rule of moto's own making.
            own = arn.service == "events" and arn.resource_type != "event-bus"
            if deliver is None or not plain or own:
                only = copy.copy(self)
                only.targets = [target]
                moto_sends(only, copy.deepcopy(original_event), transform_input)
                continue
            problem = deliver(self, target, _as_sent(original_event))
            if problem:
                _give_up(self, target, original_event, problem)

    setattr(send_to_targets, "asks_permission", True)  # noqa: B010 - a function has no such attribute by type
    return send_to_targets


def _as_sent(event: Event) -> Event:
    """Moto's own events have a time in seconds, and a field that only input transformers see."""
    sent = copy.deepcopy({name: value for name, value in event.items() if name != "ingestion-time"})
    if not isinstance(sent.get("time"), str):
        sent["time"] = f"{datetime.fromtimestamp(float(sent['time']), UTC):%Y-%m-%dT%H:%M:%SZ}"
    return sent


def _give_up(rule: Rule, target: Mapping[str, Any], event: Event, problem: str) -> None:
    _undelivered(events_backends[rule.account_id][rule.region_name]).append(f"{target['Arn']}: {problem}")
    dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
    if dead_letters:
        _to_queue(rule, {"Arn": dead_letters}, _as_sent(event))


def _to_queue(rule: Rule, target: Mapping[str, Any], event: Event) -> str | None:
    arn = parse_arn(target["Arn"])
    queue = sqs_backends[arn.account][arn.region].queues.get(arn.resource_id)
    if queue is None:
        return "The queue does not exist."
    context: Context = {
        "aws:sourcearn": (rule.arn,),
        "aws:sourceaccount": (rule.account_id,),
        "aws:securetransport": ("true",),
    }
    if not _admits(queue.policy, EVENTS, "sqs:SendMessage", queue.queue_arn, context):
        return f"The queue's policy does not let {EVENTS} send messages for {rule.arn}."
    body = json.dumps(_transformed(target, event))
    sqs_backends[arn.account][arn.region].send_message(
        queue_name=arn.resource_id,
        message_body=body,
        group_id=target.get("SqsParameters", {}).get("MessageGroupId"),
        deduplication_id=str(event["id"]) if queue.fifo_queue and not queue.content_based_deduplication else None,
    )
    return None


def _transformed(target: Mapping[str, Any], event: Event) -> Any:
    """What an input transformer with a JSON template makes of the event: each `<name>` is the value at its path.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    transformer = target.get("InputTransformer")
    if not transformer:
        return event
    values: dict[str, Any] = {}
    for name, path in transformer.get("InputPathsMap", {}).items():
        value: Any = event
        for step in path.removeprefix("$.").split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        values[name] = value

    def filled(found: re.Match[str]) -> str:
        """A placeholder alone becomes a JSON value, and text within a JSON string."""
        if not found[0].startswith('"'):
            return json.dumps(values.get(found[0][1:-1]))
        return _PLACEHOLDER.sub(lambda inner: json.dumps(_as_text(values.get(inner[0][1:-1])))[1:-1], found[0])

    return json.loads(_STRING_OR_PLACEHOLDER.sub(filled, transformer["InputTemplate"]))


_PLACEHOLDER = re.compile(r"<[\w.-]+>")
_STRING_OR_PLACEHOLDER = re.compile(r'"(?:[^"\\]|\\.)*"|<[\w.-]+>')


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _to_bus(rule: Rule, target: Mapping[str, Any], event: Event) -> str | None:
    arn = parse_arn(target["Arn"])
    backend = events_backends[arn.account][arn.region]
    bus = backend.event_buses.get(arn.resource_id)
    if bus is None:
        return "The event bus does not exist."
    role = _role(target.get("RoleArn"))
    context: Context = {"aws:sourcearn": (rule.arn,), "aws:sourceaccount": (rule.account_id,)}
    if role is None or not _admits(role.assume_role_policy_document, EVENTS, "sts:AssumeRole", role.arn, context):
        return f"EventBridge cannot assume the role {target.get('RoleArn')} of the target."
    place = membership(rule.account_id, _partition(target["Arn"]))
    principal: Context = {
        "aws:principalarn": (role.arn,),
        "aws:principalaccount": (rule.account_id,),
        **({"aws:principalorgid": (place.organization_id,)} if place else {}),
        "events:source": (str(event.get("source", "")),),
    }
    if not decide(policies_of_role(role), "events:PutEvents", bus.arn, principal).allowed:
        return f"The role {role.arn} may not events:PutEvents on {bus.arn}."
    if arn.account != rule.account_id and not _admits_account(bus.policy, rule.account_id, bus.arn, principal):
        return f"The policy of {bus.arn} does not admit account {rule.account_id}."
    _arrive(backend, arn.resource_id, event)
    return None


def _to_function(rule: Rule, target: Mapping[str, Any], event: Event) -> None:
    backend = events_backends[rule.account_id][rule.region_name]
    vars(backend).setdefault("_for_functions", []).append((target["Arn"], event, rule))


_DELIVERIES: Mapping[str, Callable[[Rule, Mapping[str, Any], Event], str | None]] = {
    "events": _to_bus,
    "lambda": _to_function,
    "sqs": _to_queue,
}


def _partition(arn: str) -> str:
    return arn.split(":")[1]


def _role(arn: str | None) -> Role | None:
    if not arn:
        return None
    parts = parse_arn(arn)
    try:
        return iam_backends[parts.account][_partition(arn)].get_role_by_arn(arn)
    except NotFoundException:
        return None


def _admits(policy: str | None, service: str, action: str, resource: str, context: Context) -> bool:
    """Whether a resource's policy lets an AWS service do something on behalf of `context`."""
    return _decides(policy, action, resource, context, lambda principal: service in _listed(principal, "Service"))


def _admits_account(policy: str | None, account: str, resource: str, context: Context) -> bool:
    names = {"*", account, f"arn:{_partition(resource)}:iam::{account}:root"}
    return _decides(
        policy, "events:PutEvents", resource, context, lambda principal: bool(names & _listed(principal, "AWS"))
    )


def _decides(
    policy: str | None, action: str, resource: str, context: Context, speaks_of: Callable[[Any], bool]
) -> bool:
    statements = parse_document("resource", policy).statements if policy else ()
    applying = [each for each in statements if speaks_of(each.principal) and each.applies(action, resource, context)]
    return bool(applying) and not any(each.denies for each in applying)


def _listed(principal: Any, kind: str) -> set[str]:
    if principal == "*":
        return {"*"}
    named = (principal or {}).get(kind, [])
    return {named} if isinstance(named, str) else set(named)


# --- Functions -------------------------------------------------------------------------------------------------------


def pump(runtime: Runtime) -> list[Invocation]:
    """Invokes what waits for it: functions that are targets of rules, and those that read from queues.

    Each message is handed over at most once a call: one that fails is visible again when this returns, and goes to the
    dead-letter queue, where there is one, when it has been received as often as the redrive policy says.

    Raises:
        AwsError: when a function's role may not read the queue, which AWS refuses when the mapping is made.
    """
    return [*_invoke_targets(runtime), *(each for mapping in _mappings() for each in _poll(runtime, mapping))]


def run_schedules(runtime: Runtime, account: str, region: str) -> list[Invocation]:
    """Invokes the functions of all scheduled rules once, as if all were due."""
    rules = [rule for bus in events_backends[account][region].event_buses.values() for rule in bus.rules.values()]
    done = []
    for rule in rules:
        if rule.scheduled_expression and rule.state == "ENABLED":
            event = aws_event(account, region, "aws.events", "Scheduled Event", {}) | {"resources": [rule.arn]}
            for target in rule.targets:
                given = json.loads(target["Input"]) if "Input" in target else event
                done.append(_invoke_for(runtime, rule, target["Arn"], given))
    return done


def _invoke_targets(runtime: Runtime) -> Iterator[Invocation]:
    for backend in _backends(events_backends):
        waiting = vars(backend).get("_for_functions", [])
        while waiting:
            function, event, rule = waiting.pop(0)
            yield _invoke_for(runtime, rule, function, event)


def _invoke_for(runtime: Runtime, rule: Rule, function: str, event: Event) -> Invocation:
    return runtime.invoke(function, event, principal=EVENTS, source_account=rule.account_id, source_arn=rule.arn)


def _mappings() -> Iterator[EventSourceMapping]:
    for backend in _backends(lambda_backends):
        yield from list(backend._event_source_mappings.values())  # noqa: SLF001 - moto offers no public way


def _backends(backends: Any) -> Iterator[Any]:
    for account in list(backends):
        for region in list(backends[account].keys()):
            yield backends[account][region]


def _poll(runtime: Runtime, mapping: EventSourceMapping) -> Iterator[Invocation]:
    arn = parse_arn(mapping.event_source_arn)
    if arn.service != "sqs" or not mapping.enabled:
        return
    backend = sqs_backends[arn.account][arn.region]
    queue = backend.get_queue(arn.resource_id)
    _check_role(mapping, queue)
    kept: list[Message] = []
    while messages := backend.receive_message(queue.name, mapping.batch_size, 0, queue.visibility_timeout):
        done = runtime.invoke(mapping.function_arn, {"Records": [_record(each, queue) for each in messages]})
        failed = _failed(done, messages, mapping)
        kept += [each for each in messages if each.id in failed]
        for message in messages:
            if message.id not in failed:
                backend.delete_message(queue.name, str(message.receipt_handle))
        yield done
    for message in kept:
        backend.change_message_visibility(queue.name, str(message.receipt_handle), visibility_timeout=0)


def _check_role(mapping: EventSourceMapping, queue: Queue) -> None:
    parts = parse_arn(mapping.function_arn)
    function = lambda_backends[parts.account][parts.region].get_function(mapping.function_arn)
    role = _role(function.role)
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        if role is None or not decide(policies_of_role(role), action, queue.queue_arn, {}).allowed:
            operation = action.partition(":")[2]
            raise AwsError(
                "InvalidParameterValueException",
                f"The provided execution role does not have permissions to call {operation} on SQS",
            )


def _record(message: Message, queue: Queue) -> Event:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": queue.region,
    }


def _failed(done: Invocation, messages: Sequence[Message], mapping: EventSourceMapping) -> set[str]:
    """The messages to keep: all when the function failed, or answered what Lambda cannot read."""
    everything = {str(each.id) for each in messages}
    if done.error is not None:
        return everything
    if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
        return set()
    if not done.payload:
        return set()
    try:
        named = {each["itemIdentifier"] for each in done.payload.get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return everything
    return everything if named - everything else named
