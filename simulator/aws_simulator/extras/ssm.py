"""Systems Manager Automation: documents are run as AWS runs them, under the role that they assume.

moto keeps documents and runs none. `install` adds `StartAutomationExecution`, which runs the steps before it answers,
and `GetAutomationExecution`. Of the actions it has `aws:executeScript` (Python, in a process of its own, whose boto3
has the role's credentials) and `aws:executeAwsApi`; a document with another action is refused, not half run.

Sources: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-variables.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-troubleshooting.html (messages)
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import boto3
from moto.core.utils import camelcase_to_underscores
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.ssm.models import ssm_backends
from moto.ssm.responses import SimpleSystemManagerResponse

from aws_simulator.core.accounts import account_session
from aws_simulator.core.iam.policies import parse_document
from aws_simulator.core.operations import AwsError, Handler, Request, implement, now

ARRAY_TYPES = ("StringList", "MapList")
LARGEST_OUTPUT = 100_000
"""Bytes that a script may return."""

SCRIPT_SECONDS = 600
"""How long a script may run."""

_MARK = "\n--- the script's answer ---\n"
_SCRIPT_RUNNER = f"""
import json, sys
asked = json.load(sys.stdin)
namespace = {{"__name__": "script"}}
try:
    exec(compile(asked["script"], "script", "exec"), namespace)
    said = {{"payload": json.dumps(namespace[asked["handler"]](*asked["arguments"]))}}
except Exception as error:
    said = {{"failure": f"{{type(error).__name__}} - {{error}}"}}
sys.stdout.write({_MARK!r} + json.dumps(said))
"""
"""Runs what comes in as JSON; whatever a script raises fails its step."""

_VARIABLE = re.compile(r"\{\{\s*([\w:.-]+)\s*\}\}")
_ROLE_ARN = re.compile(r"arn:(?P<partition>[\w-]+):iam::(?P<account>\d{12}):role/(?P<name>.+)")
_STATE = "automations"


@dataclass(slots=True)
class _Execution:
    """An automation, over by the time that anyone can ask for it."""

    id: str
    document: str
    parameters: dict[str, list[str]]
    started: datetime
    role_arn: str
    values: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    failure: str | None = None

    def described(self) -> dict[str, Any]:
        """As `GetAutomationExecution` answers it."""
        answer = {
            "AutomationExecutionId": self.id,
            "DocumentName": self.document,
            "DocumentVersion": "1",
            "AutomationExecutionStatus": "Success" if self.failure is None else "Failed",
            "ExecutionStartTime": self.started,
            "ExecutionEndTime": now(),
            "Parameters": self.parameters,
            "Outputs": self.outputs,
            "StepExecutions": self.steps,
            "StepExecutionsTruncated": False,
            "Mode": "Auto",
            "ExecutedBy": self.role_arn,
        }
        return answer if self.failure is None else answer | {"FailureMessage": self.failure}


class _StepError(Exception):
    """Why a step failed, as its failure message says it."""


def install() -> None:
    """Teaches moto's Systems Manager to run automations. Idempotent."""
    implement(SimpleSystemManagerResponse, HANDLERS)


def _start(request: Request) -> dict[str, Any]:
    name = request.text("DocumentName")
    content = _content(request, name)
    parameters = _parameters(content.get("parameters") or {}, request.parameters.get("Parameters") or {})
    execution = _Execution(str(uuid.uuid4()), name, {}, now(), "")
    execution.parameters = {key: _listed(value) for key, value in parameters.items()}
    execution.values = parameters | _system_variables(request, execution)
    execution.role_arn = str(_resolved(content.get("assumeRole", ""), execution.values))
    _check_role(execution, request)
    unknown = sorted({step["action"] for step in content["mainSteps"]} - set(_ACTIONS))
    if unknown:
        raise AwsError("InvalidAutomationExecutionParametersException", f"Not simulated: {', '.join(unknown)}.")
    session = account_session(request.account, request.region, execution.role_arn.partition(":role/")[2])
    _run(content["mainSteps"], execution, session)
    if execution.failure is None:
        for output in content.get("outputs", []):
            execution.outputs[output] = _listed(execution.values.get(output))
    _executions(request)[execution.id] = execution
    return {"AutomationExecutionId": execution.id}


def _get(request: Request) -> dict[str, Any]:
    execution = _executions(request).get(request.text("AutomationExecutionId"))
    if execution is None:
        raise AwsError(
            "AutomationExecutionNotFoundException",
            f"Could not find an automation execution with ID: {request.text('AutomationExecutionId')}",
        )
    return {"AutomationExecution": execution.described()}


def _executions(request: Request) -> dict[str, _Execution]:
    # moto empties this dictionary when it resets the backend.
    found: dict[str, _Execution] = vars(ssm_backends[request.account][request.region]).setdefault(_STATE, {})
    return found


def _content(request: Request, name: str) -> dict[str, Any]:
    documents = ssm_backends[request.account][request.region]._documents  # noqa: SLF001 - moto's API gives it as text
    if name not in documents:
        raise AwsError("AutomationDefinitionNotFoundException", f"Automation definition with name {name} not found")
    document = documents[name].get_default_version()
    content: dict[str, Any] = document.content_json
    if document.document_type != "Automation" or str(content.get("schemaVersion")) != "0.3":
        raise AwsError("AutomationDefinitionNotFoundException", f"{name} is no Automation document of schema 0.3")
    return content


# --- Parameters and variables ----------------------------------------------------------------------------------------


def _parameters(declared: Mapping[str, Any], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The value of each parameter of the document.

    Raises:
        AwsError: for one that is not declared, is missing, or is not allowed.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise _invalid(f"Parameters [{', '.join(unknown)}] are not defined in the document.")
    values = {}
    for name, definition in declared.items():
        if name in given:
            values[name] = list(given[name]) if definition["type"] in ARRAY_TYPES else given[name][0]
        elif "default" in definition:
            values[name] = definition["default"]
        else:
            raise _invalid(f"Parameter {name} is required.")
        for value in _listed(values[name]):
            _check_value(name, value, definition)
    return values


def _check_value(name: str, value: str, definition: Mapping[str, Any]) -> None:
    allowed = definition.get("allowedValues")
    if allowed and value not in allowed:
        raise _invalid(f"Parameter {name} has value {value}, which is not one of {allowed}.")
    pattern = definition.get("allowedPattern")
    if pattern and re.fullmatch(pattern, value) is None:
        raise _invalid(f"Parameter {name} has value {value}, which does not match {pattern}.")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidAutomationExecutionParametersException", message)


def _system_variables(request: Request, execution: _Execution) -> dict[str, str]:
    return {
        "global:ACCOUNT_ID": request.account,
        "global:REGION": request.region,
        "global:AWS_PARTITION": request.partition,
        "global:DATE": f"{execution.started:%Y-%m-%d}",
        "global:DATE_TIME": f"{execution.started:%Y-%m-%d_%H.%M.%S}",
        "automation:EXECUTION_ID": execution.id,
    }


def _resolved(element: Any, values: Mapping[str, Any]) -> Any:
    """The element with each `{{ name }}` replaced; where a text is nothing but one, by the value with its type.

    Raises:
        AwsError: when there is no such parameter, variable or output.
    """
    if isinstance(element, Mapping):
        return {key: _resolved(value, values) for key, value in element.items()}
    if isinstance(element, list):
        return [_resolved(value, values) for value in element]
    if not isinstance(element, str):
        return element
    whole = _VARIABLE.fullmatch(element)
    if whole:
        return _value(whole[1], values)
    return _VARIABLE.sub(lambda match: _text(_value(match[1], values)), element)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise _invalid(f"Unable to resolve the variable {name}.")
    return values[name]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _listed(value: Any) -> list[str]:
    """As the API writes the values of parameters and outputs: texts in a list."""
    if value is None:
        return []
    return [_text(each) for each in value] if isinstance(value, list) else [_text(value)]


# --- The role --------------------------------------------------------------------------------------------------------


def _check_role(execution: _Execution, request: Request) -> None:
    """That Systems Manager can assume the role for this automation.

    Raises:
        AwsError: when there is no such role in the account, or it does not trust Systems Manager.
    """
    match = _ROLE_ARN.fullmatch(execution.role_arn)
    refusal = _invalid("The defined assume role is unable to be assumed.")
    if match is None or match["account"] != request.account:
        raise refusal
    try:
        role = iam_backends[request.account][match["partition"]].get_role_by_arn(execution.role_arn)
    except NotFoundException:
        raise refusal from None
    automation = f"arn:{request.partition}:ssm:{request.region}:{request.account}:automation-execution/{execution.id}"
    context = {"aws:sourceaccount": (request.account,), "aws:sourcearn": (automation,)}
    speaking = [
        statement
        for statement in parse_document("trust", role.assume_role_policy_document).statements
        if _names_service(statement.principal) and statement.applies("sts:AssumeRole", role.arn, context)
    ]
    if not speaking or any(statement.denies for statement in speaking):
        raise refusal


def _names_service(principal: Any) -> bool:
    services = principal.get("Service", []) if isinstance(principal, Mapping) else principal
    return "ssm.amazonaws.com" in _listed(services)


# --- Steps -----------------------------------------------------------------------------------------------------------


def _run(steps: Sequence[Mapping[str, Any]], execution: _Execution, session: boto3.Session) -> None:
    """Run the steps in the order that they ask for. One that fails ends the automation unless it says otherwise."""
    by_name = {step["name"]: number for number, step in enumerate(steps)}
    number: int | None = 0
    while number is not None and number < len(steps):
        step = steps[number]
        failure = _run_step(step, execution, session)
        follow = step.get("nextStep")
        if failure is not None:
            on_failure = step.get("onFailure", "Abort")
            if on_failure == "Abort":
                execution.failure = f"Step fails when it is running the action. {failure}"
                return
            follow = on_failure.removeprefix("step:") if on_failure.startswith("step:") else follow
            if step.get("isCritical", True):
                execution.failure = failure
        if step.get("isEnd") and failure is None:
            return
        number = by_name[follow] if follow else number + 1


def _run_step(step: Mapping[str, Any], execution: _Execution, session: boto3.Session) -> str | None:
    """Run one step and keep its outputs; the failure message, or None."""
    record: dict[str, Any] = {"StepName": step["name"], "Action": step["action"], "StepExecutionId": str(uuid.uuid4())}
    execution.steps.append(record)
    try:
        result = _ACTIONS[step["action"]](_resolved(step["inputs"], execution.values), execution, session)
        outputs = {output["Name"]: _selected(result, output) for output in step.get("outputs", [])}
    except _StepError as error:
        record |= {"StepStatus": "Failed", "FailureMessage": str(error)}
        return str(error)
    execution.values |= {f"{step['name']}.{name}": value for name, value in outputs.items()}
    record |= {"StepStatus": "Success", "Outputs": {name: _listed(value) for name, value in outputs.items()}}
    return None


def _execute_script(inputs: Mapping[str, Any], execution: _Execution, session: boto3.Session) -> Any:
    if not str(inputs["Runtime"]).startswith("python3."):
        raise _StepError(f"Not simulated: runtime {inputs['Runtime']}.")
    context = {name: value for name, value in execution.values.items() if ":" in name}
    asked = {
        "script": inputs["Script"],
        "handler": inputs["Handler"],
        "arguments": [inputs.get("InputPayload", {}), context],
    }
    said = _in_a_process_of_its_own(json.dumps(asked), session)
    if "failure" in said:
        raise _StepError(said["failure"])
    if len(said["payload"]) > LARGEST_OUTPUT:
        raise _StepError(f"The output has {len(said['payload'])} bytes; at most {LARGEST_OUTPUT} are allowed.")
    return {"Payload": json.loads(said["payload"])}


def _in_a_process_of_its_own(asked: str, session: boto3.Session) -> dict[str, str]:
    """What the script's process says: `payload` (JSON), or `failure`.

    It has the role's credentials, boto3 and the simulation behind a port that it alone is told of; of this process it
    has neither memory nor environment.
    """
    # Takes long to import, and few simulations run scripts.
    from aws_simulator.core.wire import listening  # noqa: PLC0415

    credentials = session.get_credentials()
    if credentials is None:
        raise _StepError("The role gave no credentials.")
    keys = credentials.get_frozen_credentials()
    with listening(access_key=keys.access_key) as url, tempfile.TemporaryDirectory(prefix="automation-") as folder:
        environment = {
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token or "",
            "AWS_DEFAULT_REGION": session.region_name or "",
            "AWS_ENDPOINT_URL": url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": folder,
        }
        command = [sys.executable, "-I", "-c", _SCRIPT_RUNNER]
        try:
            done = subprocess.run(  # noqa: S603 - what the action is for
                command,
                input=asked,
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=SCRIPT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _StepError(f"The script ran for longer than {SCRIPT_SECONDS} seconds.") from None
    if done.returncode:
        raise _StepError(f"The script's process ended with {done.returncode}. {done.stderr[-500:]}".strip())
    said: dict[str, str] = json.loads(done.stdout.rpartition(_MARK)[2])
    return said


def _execute_aws_api(inputs: Mapping[str, Any], _execution: _Execution, session: boto3.Session) -> Any:
    parameters = {name: value for name, value in inputs.items() if name not in ("Service", "Api")}
    client = session.client(inputs["Service"])
    try:
        answer = getattr(client, camelcase_to_underscores(inputs["Api"]))(**parameters)
    except Exception as error:  # an error of AWS or of botocore's validation fails the step
        raise _StepError(f"{type(error).__name__} - {error}") from error
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "String": str,
    "StringList": list,
    "StringMap": dict,
    "MapList": list,
    "Boolean": bool,
    "Integer": int,
}


def _selected(result: Any, output: Mapping[str, str]) -> Any:
    """What the output's selector (`$.Payload.Name`) finds; it must be of the output's type."""
    found = result
    for part in output["Selector"].removeprefix("$.").split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise _StepError(f"Output {output['Name']}: the selector {output['Selector']} finds nothing.")
        found = found[part]
    if not isinstance(found, _PYTHON_TYPES[output.get("Type", "String")]):
        raise _StepError(f"Output {output['Name']} is no {output.get('Type', 'String')}: {found!r}.")
    return found


_ACTIONS: Mapping[str, Callable[[Mapping[str, Any], _Execution, boto3.Session], Any]] = {
    "aws:executeScript": _execute_script,
    "aws:executeAwsApi": _execute_aws_api,
}

HANDLERS: dict[str, Handler] = {
    "StartAutomationExecution": _start,
    "GetAutomationExecution": _get,
}
