"""Remediation configurations of Config rules on the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core import config
from aws_simulator.simulation import simulated_aws
from tests.simulator.callers import client

FIX = {"ConfigRuleName": "tags", "TargetType": "SSM_DOCUMENT", "TargetId": "fix"}
SOURCE = {
    "Owner": "CUSTOM_LAMBDA",
    "SourceIdentifier": "arn:aws:lambda:eu-west-1:123456789012:function:judge",
    "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
}


def put(**changes: Any) -> None:
    client("config").put_remediation_configurations(RemediationConfigurations=[FIX | changes])


def kept() -> list[dict[str, Any]]:
    answer = client("config").describe_remediation_configurations(ConfigRuleNames=["tags", "others"])
    return list(answer["RemediationConfigurations"])


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


@pytest.fixture(autouse=True)
def simulation() -> Iterator[None]:
    with simulated_aws():
        config.install(require_functions=False)
        client("config").put_config_rule(ConfigRule={"ConfigRuleName": "tags", "Source": SOURCE})
        yield


def test_it_is_kept_shown_and_deleted() -> None:
    put(Parameters={"ResourceId": {"ResourceValue": {"Value": "RESOURCE_ID"}}})
    (shown,) = kept()
    assert (shown["TargetId"], shown["Automatic"]) == ("fix", False)
    assert shown["Parameters"] == {"ResourceId": {"ResourceValue": {"Value": "RESOURCE_ID"}}}
    client("config").delete_remediation_configuration(ConfigRuleName="tags")
    assert kept() == []
    with pytest.raises(ClientError) as raised:
        client("config").delete_remediation_configuration(ConfigRuleName="tags")
    assert code(raised) == "NoSuchRemediationConfigurationException"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ConfigRuleName": "missing"}, "NoSuchConfigRuleException"),
        ({"TargetType": "SCRIPT"}, "InvalidParameterValueException"),
        ({"Automatic": True}, "InvalidParameterValueException"),
        ({"MaximumAutomaticAttempts": 26}, "InvalidParameterValueException"),
    ],
    ids=["no rule", "no document", "automatic without a role", "too many attempts"],
)
def test_it_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ClientError) as raised:
        put(**changes)
    assert code(raised) == expected
    assert kept() == []


def test_a_rule_with_a_remediation_is_not_deleted() -> None:
    put()
    with pytest.raises(ClientError) as raised:
        client("config").delete_config_rule(ConfigRuleName="tags")
    assert code(raised) == "ResourceInUseException"
