"""AWS Config at work: it invokes the functions of an account's rules, on their schedule and when a resource changes.

Config invokes asynchronously: nobody sees an error but the function's own logs, metrics and failure destination. What
each invocation came to is returned here, for tests and tools to look at.
Source: https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_lambda-functions.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import boto3
from botocore.exceptions import ClientError
from moto.config.models import ConfigBackend, ConfigRule, config_backends
from moto.utilities.utils import get_partition

from aws_simulator.core.config.evaluations import result_token
from aws_simulator.core.config.history import put_configuration_item
from aws_simulator.core.config.rules import principal, take_requested_evaluations
from aws_simulator.core.messages.config_events import change_event, scheduled_event
from aws_simulator.core.operations import AwsError, now

SCHEDULED = "ScheduledNotification"
CHANGED = "ConfigurationItemChangeNotification"
OVERSIZED = "OversizedConfigurationItemChangeNotification"
_AT_A_TIME = 4


class Invocation(Protocol):
    """What became of an invocation of a function."""

    @property
    def payload(self) -> Any: ...

    @property
    def error(self) -> str | None: ...

    @property
    def log_lines(self) -> tuple[str, ...]: ...

    @property
    def seconds(self) -> float: ...


class Runtime(Protocol):
    """What runs functions: `aws_simulator.deployment.lambda_runtime.LambdaRuntime`, or anything like it."""

    def invoke_async(
        self,
        function_arn: str,
        event: Any,
        *,
        principal: str | None = None,
        source_account: str | None = None,
        source_arn: str | None = None,
    ) -> tuple[Invocation, ...]: ...


@dataclass(frozen=True)
class RuleRun:
    """What came of invoking the function of one rule."""

    rule: str
    event: Mapping[str, Any]
    tries: tuple[Invocation, ...]
    """Its invocations: more than one when it failed. Empty when Config could not invoke it."""

    refusal: str | None = None
    """Why Config could not invoke it."""

    @property
    def failure(self) -> str | None:
        """Why there is no result; None after an invocation that succeeded."""
        if self.refusal:
            return self.refusal
        error = self.tries[-1].error
        return None if error is None else str(error)


def run_rules(
    runtime: Runtime,
    account: str,
    region: str,
    names: Iterable[str] | None = None,
    now: datetime | None = None,
) -> list[RuleRun]:
    """The schedule of rules is due: their functions are invoked, a few at a time.

    Args:
        runtime: runs the functions.
        account: the account of the rules.
        region: their Region.
        names: only these rules; default: all custom Lambda rules of the account that have a schedule.
        now: the time in the events, with time zone; default: the simulation's present.

    Raises:
        ValueError: a rule of `names` does not exist, or has no function or no schedule.
    """
    rules = {rule.config_rule_name: rule for rule in _custom_rules(account, region) if SCHEDULED in _messages(rule)}
    wanted = sorted(rules) if names is None else list(names)
    unknown = [name for name in wanted if name not in rules]
    if unknown:
        raise ValueError(f"No custom Lambda rule with a schedule is named {', '.join(unknown)} in {account}, {region}.")
    instant = now or _present()
    return _invoke_all(
        runtime, account, region, [rules[name] for name in wanted], lambda given: scheduled_event(**given, now=instant)
    )


def notify_change(  # noqa: PLR0913 - what changed, where and when
    runtime: Runtime,
    account: str,
    region: str,
    item: Mapping[str, Any],
    *,
    oversized: bool = False,
    now: datetime | None = None,
) -> list[RuleRun]:
    """Config records a configuration item, and the rules in whose scope it is are invoked.

    Args:
        runtime: runs the functions.
        account: the account of the resource and the rules.
        region: their Region.
        item: as `aws_simulator.core.messages.configuration_items` makes it.
        oversized: the item is larger than an event can be.
        now: the time in the events, with time zone; default: the simulation's present.
    """
    put_configuration_item(account, region, item)
    message = OVERSIZED if oversized else CHANGED
    rules = [
        rule for rule in _custom_rules(account, region) if message in _messages(rule) and _is_in_scope(item, rule.scope)
    ]
    instant = now or _present()
    return _invoke_all(
        runtime,
        account,
        region,
        rules,
        lambda given: change_event(**given, item=item, now=instant, oversized=oversized),
    )


class Clockwork:
    """Config's own clock, for a simulation that people work with: each `tick` runs what nobody has run yet.

    That is what a person waits for: a rule's first evaluation after it was made or changed, the evaluations that
    `StartConfigRulesEvaluation` asked for, and those of places where something changed. Later periods do not come:
    nobody waits here for a day.
    """

    def __init__(self, runtime: Runtime, places: Iterable[tuple[str, str]]) -> None:
        """Args:
        runtime: runs the functions.
        places: the accounts and Regions to look after.
        """
        self._runtime = runtime
        self._places = tuple(places)
        self._seen: dict[tuple[str, str, str], str] = {}

    def look_after(self, places: Iterable[tuple[str, str]]) -> None:
        """These accounts and Regions from now on: accounts come and go."""
        self._places = tuple(places)

    def tick(self, changed: Collection[tuple[str, str]] = ()) -> list[RuleRun]:
        """Run what is due, place after place: in those that `changed`, all rules with a schedule."""
        return [run for runs in self.round(changed) for run in runs]

    def round(self, changed: Collection[tuple[str, str]] = ()) -> Iterator[list[RuleRun]]:
        """As `tick`, place after place: what one place's rules came to, before the next one's run."""
        for account, region in self._places:
            due = {
                rule.config_rule_name
                for rule in _custom_rules(account, region)
                if SCHEDULED in _messages(rule)
                and (self._is_new(rule, account, region) or (account, region) in changed)
            }
            asked = set(take_requested_evaluations(account, region))
            if names := sorted(due | asked):
                yield run_rules(self._runtime, account, region, names)

    def _is_new(self, rule: ConfigRule, account: str, region: str) -> bool:
        key = (account, region, rule.config_rule_arn)
        made = json.dumps([rule.input_parameters, str(rule.last_updated_time)])
        before, self._seen[key] = self._seen.get(key), made
        return before != made


def start_recorder(
    session: boto3.Session, region: str, *, only: Collection[str] = (), excluding: Collection[str] = ()
) -> None:
    """Turns AWS Config on in the account of the session, as its console does with one click. Idempotent.

    Whatever exists when a query asks counts as recorded, if its type is.

    Args:
        session: of the account.
        region: its Region.
        only: the resource types to record; none: all.
        excluding: the resource types not to record, of all.
    """
    client = session.client("config", region_name=region)
    account = session.client("sts", region_name=region).get_caller_identity()["Account"]
    group: dict[str, Any] = {"allSupported": True, "includeGlobalResourceTypes": True}
    if only:
        group = {"allSupported": False, "resourceTypes": sorted(only)}
    elif excluding:
        group = {
            "allSupported": False,
            "exclusionByResourceTypes": {"resourceTypes": sorted(excluding)},
            "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
        }
    recorder = {"name": "default", "roleARN": service_linked_role(account, region), "recordingGroup": group}
    client.put_configuration_recorder(ConfigurationRecorder=recorder)
    bucket = f"config-bucket-{account}-{region}"
    storage = session.client("s3", region_name=region)
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        storage.create_bucket(Bucket=bucket, **location)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise
    client.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
    client.start_configuration_recorder(ConfigurationRecorderName="default")


def service_linked_role(account: str, region: str) -> str:
    path = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    return f"arn:{get_partition(region)}:iam::{account}:role/{path}"


def _present() -> datetime:
    return now()


def _custom_rules(account: str, region: str) -> list[ConfigRule]:
    backend: ConfigBackend = config_backends[account][region]
    rules = sorted(backend.config_rules.items())
    return [rule for _, rule in rules if rule.source.owner == "CUSTOM_LAMBDA"]


def _messages(rule: ConfigRule) -> set[str]:
    return {detail.message_type for detail in rule.source.source_details or []}


def _is_in_scope(item: Mapping[str, Any], scope: Any) -> bool:
    """A rule without a scope is about every resource that is recorded."""
    if scope is None:
        return True
    if scope.tags:
        ((key, value),) = scope.tags.items()
        tags = item.get("tags") or {}
        return key in tags and (not value or tags[key] == value)
    types, resource_id = scope.compliance_resource_types, scope.compliance_resource_id
    return (not types or item["resourceType"] in types) and (not resource_id or item["resourceId"] == resource_id)


def _invoke_all(
    runtime: Runtime,
    account: str,
    region: str,
    rules: Sequence[ConfigRule],
    event_of: Callable[[dict[str, Any]], dict[str, Any]],
) -> list[RuleRun]:
    def run(rule: ConfigRule) -> RuleRun:
        event = event_of(_given(rule, account, region)) | {
            "configRuleArn": rule.config_rule_arn,
            "configRuleId": rule.config_rule_id,
        }
        try:
            tries = runtime.invoke_async(
                rule.source.source_identifier,
                event,
                principal=principal(region),
                source_account=account,
                source_arn=rule.config_rule_arn,
            )
        except AwsError as error:
            return RuleRun(rule.config_rule_name, event, (), f"{error.code}: {error.message}")
        return RuleRun(rule.config_rule_name, event, tries)

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(run, rules))


def _given(rule: ConfigRule, account: str, region: str) -> dict[str, Any]:
    """What every event of the rule says."""
    backend: ConfigBackend = config_backends[account][region]
    roles = [recorder.role_arn for recorder in backend.recorders.values()]
    return {
        "rule_name": rule.config_rule_name,
        "account": account,
        "region": region,
        "token": result_token(account, region, rule.config_rule_name),
        "parameters": json.loads(rule.input_parameters or "{}"),
        "execution_role_arn": roles[0] if roles else service_linked_role(account, region),
        "partition": get_partition(region),
    }
