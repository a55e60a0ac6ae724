"""AWS Config's part, played locally: put a rule, call its real Lambda handler, read back what it put.

The handler gets the event that Config would send; rules and evaluations go through the Config API.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import boto3

from aws_simulator.core.messages.config_events import change_event, scheduled_event
from backup_rules.arns import Place
from backup_rules_cli.catalogue import RuleFolder

# The role under which the pack reads an account: see cloudformation/member-role.yaml.
MEMBER_ROLE = "BackupConfigRulesMemberRole"
CENTRAL_FUNCTION_PREFIX = "backup-config-rules-"


@dataclass(frozen=True)
class Evaluated:
    """An evaluation as the AWS Config console shows it."""

    rule: str
    account: str
    region: str
    resource_type: str
    resource_id: str
    compliance: str
    annotation: str


@dataclass(frozen=True)
class Caller:
    """Where and how a rule is invoked. `token` gives the result token of a rule by name, which only Config can make."""

    place: Place
    token: str
    now: datetime
    role_name: str = MEMBER_ROLE


@lru_cache(maxsize=8)  # making a client takes longer than most of its calls
def _config(session: boto3.Session, region: str) -> Any:
    return session.client("config", region_name=region)


def put_rule(folder: RuleFolder, session: boto3.Session, function_account: str, place: Place) -> None:
    """Create or update the Config rule in the account of `session`, as the conformance pack would."""
    details = [
        {
            "EventSource": "aws.config",
            "MessageType": "ScheduledNotification",
            "MaximumExecutionFrequency": folder.frequency,
        },
    ]
    _config(session, place.region).put_config_rule(
        ConfigRule={
            "ConfigRuleName": folder.config_rule_name,
            "Description": folder.metadata["Description"],
            "InputParameters": json.dumps(folder.defaults),
            "Source": {
                "Owner": "CUSTOM_LAMBDA",
                "SourceIdentifier": f"arn:{place.partition}:lambda:{place.region}:{function_account}:function:"
                f"{CENTRAL_FUNCTION_PREFIX}{folder.config_rule_name}",
                "SourceDetails": details,
            },
        }
    )


def invoke(
    folder: RuleFolder,
    caller: Caller,
    parameters: Mapping[str, str] | None = None,
    item: Mapping[str, Any] | None = None,
    **event_changes: Any,
) -> dict[str, Any]:
    """Call the rule's `lambda_handler` as Lambda would, in the Region of the caller.

    With `item`, a configuration item, it is a change that invokes the rule; without, its schedule.
    """
    place = caller.place
    given: dict[str, Any] = {
        "rule_name": folder.config_rule_name,
        "account": place.account,
        "region": place.region,
        "token": caller.token,
        "parameters": {"ExecutionRoleName": caller.role_name, **folder.defaults, **(parameters or {})},
        "execution_role_arn": f"arn:{place.partition}:iam::{place.account}:role/aws-service-role/"
        "config.amazonaws.com/AWSServiceRoleForConfig",
        "now": caller.now,
        "partition": place.partition,
    }
    event = scheduled_event(**given) if item is None else change_event(**given, item=item)
    event |= event_changes
    with lambda_environment(place.region):
        return dict(folder.module().lambda_handler(event, None))


@contextmanager
def lambda_environment(region: str) -> Iterator[None]:
    """The part of a Lambda function's environment that the rules depend on."""
    before = os.environ.get("AWS_REGION")
    os.environ["AWS_REGION"] = region
    try:
        yield
    finally:
        if before is None:
            del os.environ["AWS_REGION"]
        else:
            os.environ["AWS_REGION"] = before


def read_back(folder: RuleFolder, session: boto3.Session, place: Place) -> list[Evaluated]:
    """The stored evaluations of the rule, through the Config API, page by page."""
    pages = (
        _config(session, place.region)
        .get_paginator("get_compliance_details_by_config_rule")
        .paginate(ConfigRuleName=folder.config_rule_name)
    )
    found = []
    for result in (each for page in pages for each in page["EvaluationResults"]):
        qualifier = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
        found.append(
            Evaluated(
                rule=folder.name,
                account=place.account,
                region=place.region,
                resource_type=qualifier["ResourceType"],
                resource_id=qualifier["ResourceId"],
                compliance=result["ComplianceType"],
                annotation=result.get("Annotation", ""),
            )
        )
    return found
