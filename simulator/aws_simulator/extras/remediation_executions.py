"""Remediation started by hand: AWS Config runs a rule's remediation action on the resources that a person picks.

Config starts the Automation document of the rule's remediation configuration with the parameters that are written
there, the id of the resource among them; here the automation is over when the call answers.

Source: https://docs.aws.amazon.com/config/latest/APIReference/API_StartRemediationExecution.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.config.models import config_backends
from moto.config.responses import ConfigResponse

from aws_simulator.core.operations import AwsError, Handler, Request, implement, now
from aws_simulator.extras import ssm
from aws_simulator.extras.remediation import remediations_of

Document = dict[str, Any]

MAX_RESOURCES = 100
RESOURCE_ID = "RESOURCE_ID"
_STATE = "_remediation_executions"


def install() -> None:
    """Puts these operations into moto's AWS Config. Idempotent."""
    implement(ConfigResponse, HANDLERS)


def _start(request: Request) -> Document:
    configuration = _configuration(request)
    keys = request.parameters["ResourceKeys"]
    if not 1 <= len(keys) <= MAX_RESOURCES:
        raise AwsError("InvalidParameterValueException", f"Between 1 and {MAX_RESOURCES} resource keys.")
    failed = []
    for key in keys:
        status = {"ResourceKey": key, "InvocationTime": now(), "LastUpdatedTime": now()}
        try:
            status |= _execution(request, configuration, key["resourceId"])
        except AwsError as error:
            failed.append(key)
            status |= {"State": "FAILED", "StepDetails": [{"State": "FAILED", "ErrorMessage": error.message}]}
        _statuses(request)[key["resourceType"], key["resourceId"]] = status
    reason = {"FailureMessage": "The automation could not be started."} if failed else {}
    return {"FailedItems": failed, **reason}


def _configuration(request: Request) -> Document:
    name = request.text("ConfigRuleName")
    kept = remediations_of(config_backends[request.account][request.region])
    if name not in kept:
        raise AwsError(
            "NoSuchRemediationConfigurationException", f"No RemediationConfiguration for rule {name} exists."
        )
    return kept[name]


def _execution(request: Request, configuration: Document, resource_id: str) -> Document:
    parameters = {name: _values(value, resource_id) for name, value in (configuration.get("Parameters") or {}).items()}
    started = Request(
        request.account, request.region, {"DocumentName": configuration["TargetId"], "Parameters": parameters}
    )
    execution_id = ssm.HANDLERS["StartAutomationExecution"](started)["AutomationExecutionId"]
    asked = Request(request.account, request.region, {"AutomationExecutionId": execution_id})
    execution = ssm.HANDLERS["GetAutomationExecution"](asked)["AutomationExecution"]
    steps = [
        {
            "Name": step["StepName"],
            "State": "SUCCEEDED" if step["StepStatus"] == "Success" else "FAILED",
            **({"ErrorMessage": step["FailureMessage"]} if "FailureMessage" in step else {}),
        }
        for step in execution["StepExecutions"]
    ]
    succeeded = execution["AutomationExecutionStatus"] == "Success"
    return {"State": "SUCCEEDED" if succeeded else "FAILED", "StepDetails": steps}


def _values(value: Mapping[str, Any], resource_id: str) -> list[str]:
    """What a parameter of the remediation configuration passes to the document."""
    if value.get("ResourceValue", {}).get("Value") == RESOURCE_ID:
        return [resource_id]
    return list(value["StaticValue"]["Values"])


def _describe(request: Request) -> Document:
    _configuration(request)
    statuses = _statuses(request)
    wanted = request.parameters.get("ResourceKeys")
    keys = [(each["resourceType"], each["resourceId"]) for each in wanted] if wanted else list(statuses)
    return {"RemediationExecutionStatuses": [statuses[key] for key in keys if key in statuses]}


def _statuses(request: Request) -> dict[tuple[str, str], Document]:
    """The last execution for each resource, by rule. moto empties what holds them when it resets the backend."""
    backend = vars(config_backends[request.account][request.region])
    by_rule: dict[str, dict[tuple[str, str], Document]] = backend.setdefault(_STATE, {})
    return by_rule.setdefault(request.text("ConfigRuleName"), {})


HANDLERS: Mapping[str, Handler] = {
    "DescribeRemediationExecutionStatus": _describe,
    "StartRemediationExecution": _start,
}
