"""Automation documents in the simulator: who may run them, what their steps see, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aws_simulator.core.accounts import account_session
from aws_simulator.server import serving
from backup_rules_cli.catalogue import ROOT
from tests.front_door import ACCOUNT, CENTRAL, REGION, Door, front_door

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Automation"
TRUST: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "ssm.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ssm:*:{ACCOUNT}:automation-execution/*"},
    },
}


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        it.role("Automation", {"Version": "2012-10-17", "Statement": [TRUST]})
        yield it


def script(name: str, body: str, **step: Any) -> dict[str, Any]:
    """A step that runs `body` in its handler."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    inputs = {
        "Runtime": "python3.11",
        "Handler": "run",
        "Script": f"import boto3\ndef run(events, context):\n{lines}\n",
    }
    inputs["InputPayload"] = step.pop("payload", {})
    return {"name": name, "action": "aws:executeScript", "inputs": inputs, **step}


def output(name: str, kind: str = "String") -> dict[str, str]:
    return {"Name": name, "Selector": f"$.Payload.{name}", "Type": kind}


def put(door: Door, *steps: Mapping[str, Any], **content: Any) -> None:
    document = {"schemaVersion": "0.3", "assumeRole": ROLE, "mainSteps": list(steps), **content}
    door.client("ssm").create_document(
        Name="Example", Content=json.dumps(document), DocumentType="Automation", DocumentFormat="JSON"
    )


def run(door: Door, **parameters: Sequence[str]) -> dict[str, Any]:
    ssm = door.client("ssm")
    given = {name: list(values) for name, values in parameters.items()}
    started = ssm.start_automation_execution(DocumentName="Example", **({"Parameters": given} if given else {}))
    found = ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])
    return dict(found["AutomationExecution"])


def refusal(door: Door, **parameters: Sequence[str]) -> str:
    with pytest.raises(ClientError) as error:
        run(door, **parameters)
    assert error.value.response["Error"]["Code"] == "InvalidAutomationExecutionParametersException"
    return str(error.value)


def test_a_script_works_in_the_account_and_region_under_the_role(door: Door) -> None:
    body = (
        "here = boto3.client('sts').get_caller_identity()['Arn']\n"
        "return {'Arn': here, 'Region': boto3.client('backup').meta.region_name, 'Context': context['global:REGION']}"
    )
    put(
        door,
        script("Look", body, outputs=[output("Arn"), output("Region"), output("Context")]),
        outputs=["Look.Arn", "Look.Region", "Look.Context"],
    )
    before = boto3.DEFAULT_SESSION
    execution = run(door)
    assert execution["AutomationExecutionStatus"] == "Success"
    assert execution["Outputs"]["Look.Arn"][0].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/Automation/")
    assert execution["Outputs"]["Look.Region"] == execution["Outputs"]["Look.Context"] == [REGION]
    assert before is boto3.DEFAULT_SESSION


def test_a_script_has_a_process_of_its_own(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "secret")
    body = (
        "import os, sys\n"
        "print('what a script prints is not its answer')\n"
        "return {'Process': os.getpid(), 'Seen': sorted(set(os.environ) & {'MINE', 'PYTHONPATH', 'VIRTUAL_ENV'}),\n"
        "        'Loaded': sorted(name for name in sys.modules if name.startswith(('moto', 'aws_simulator')))}"
    )
    outputs = [output("Process", "Integer"), output("Seen", "StringList"), output("Loaded", "StringList")]
    put(door, script("Look", body, outputs=outputs), outputs=["Look.Process", "Look.Seen", "Look.Loaded"])
    found = run(door)["Outputs"]
    assert int(found["Look.Process"][0]) != os.getpid()
    assert found["Look.Seen"] == found["Look.Loaded"] == []


def test_a_script_that_ends_its_process_fails_its_step_only(door: Door) -> None:
    put(door, script("Leave", "import os\nos._exit(3)"))
    assert "The script's process ended with 3." in run(door)["FailureMessage"]


def test_variables_are_replaced_with_their_types(door: Door) -> None:
    payload = {
        "Names": "{{ Names }}",
        "Where": "{{ global:ACCOUNT_ID }}/{{global:REGION}}",
        "Nested": [{"Deep": "{{ Word }}!"}],
    }
    put(
        door,
        script("First", "return {'Whole': events}", payload=payload, outputs=[output("Whole", "StringMap")]),
        script(
            "Second",
            "return {'Seen': events['Names'] + [events['Where'], events['Nested'][0]['Deep']]}",
            payload="{{ First.Whole }}",
            outputs=[output("Seen", "StringList")],
        ),
        parameters={"Names": {"type": "StringList", "default": []}, "Word": {"type": "String", "default": "none"}},
        outputs=["Second.Seen"],
    )
    assert run(door)["Outputs"]["Second.Seen"] == [f"{ACCOUNT}/{REGION}", "none!"]
    execution = run(door, Names=["a", "b"], Word=["some"])
    assert execution["Outputs"]["Second.Seen"] == ["a", "b", f"{ACCOUNT}/{REGION}", "some!"]
    assert execution["Parameters"] == {"Names": ["a", "b"], "Word": ["some"]}


def test_an_api_is_called_under_the_role_and_its_answer_selected(door: Door) -> None:
    step = {
        "name": "Create",
        "action": "aws:executeAwsApi",
        "inputs": {"Service": "backup", "Api": "CreateBackupVault", "BackupVaultName": "{{ Name }}"},
        "outputs": [{"Name": "Arn", "Selector": "$.BackupVaultArn", "Type": "String"}],
    }
    put(door, step, parameters={"Name": {"type": "String"}}, outputs=["Create.Arn"])
    arn = f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:prod"
    assert run(door, Name=["prod"])["Outputs"] == {"Create.Arn": [arn]}
    failed = run(door, Name=["prod"])
    assert failed["AutomationExecutionStatus"] == "Failed"
    assert "AlreadyExistsException" in failed["FailureMessage"]


FAILING = "raise ValueError('broken')"


@pytest.mark.parametrize(
    ("first", "status", "steps"),
    [
        pytest.param({}, "Failed", ["First"], id="abort by default"),
        pytest.param(
            {"onFailure": "Continue", "isCritical": False}, "Success", ["First", "Second", "Third"], id="go on"
        ),
        pytest.param({"onFailure": "Continue"}, "Failed", ["First", "Second", "Third"], id="go on, and fail"),
        pytest.param(
            {"onFailure": "step:Third", "isCritical": False}, "Success", ["First", "Third"], id="go on elsewhere"
        ),
    ],
)
def test_what_follows_a_failure(door: Door, first: dict[str, Any], status: str, steps: list[str]) -> None:
    put(door, script("First", FAILING, **first), script("Second", "return {}"), script("Third", "return {}"))
    execution = run(door)
    assert execution["AutomationExecutionStatus"] == status
    assert [step["StepName"] for step in execution["StepExecutions"]] == steps
    assert "ValueError - broken" in execution["StepExecutions"][0]["FailureMessage"]
    assert ("broken" in execution.get("FailureMessage", "")) == (status == "Failed")


def test_the_end_and_the_next_step(door: Door) -> None:
    put(
        door,
        script("First", "return {}", nextStep="Third"),
        script("Second", FAILING),
        script("Third", "return {}", isEnd=True),
        script("Fourth", FAILING),
    )
    execution = run(door)
    assert execution["AutomationExecutionStatus"] == "Success"
    assert [step["StepName"] for step in execution["StepExecutions"]] == ["First", "Third"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("return {}", "the selector $.Payload.Name finds nothing", id="no such output"),
        pytest.param("return {'Name': 3}", "Output Name is no String: 3", id="another type"),
        pytest.param("return {'Name': {1}}", "TypeError", id="no JSON"),
        pytest.param("return {'Name': 'x' * 200000}", "at most 100000 are allowed", id="too large"),
    ],
)
def test_outputs_must_be_what_the_document_says(door: Door, body: str, reason: str) -> None:
    put(door, script("Only", body, outputs=[output("Name")]))
    assert reason in run(door)["FailureMessage"]


def test_each_script_has_a_namespace_of_its_own(door: Door) -> None:
    put(
        door,
        script("First", "global kept\nkept = 1\nreturn {}"),
        script("Second", "return {'Kept': str('kept' in globals())}", outputs=[output("Kept")]),
        outputs=["Second.Kept"],
    )
    assert run(door)["Outputs"] == {"Second.Kept": ["False"]}


def test_parameters_are_checked(door: Door) -> None:
    put(
        door,
        script("Only", "return {}"),
        parameters={
            "Needed": {"type": "String", "allowedPattern": "^[a-z]+$"},
            "Chosen": {"type": "String", "allowedValues": ["one", "two"], "default": "one"},
        },
    )
    assert "Parameter Needed is required." in refusal(door)
    assert "Parameters [Other] are not defined" in refusal(door, Needed=["a"], Other=["b"])
    assert "Parameter Needed has value A, which does not match" in refusal(door, Needed=["A"])
    assert "Parameter Chosen has value three" in refusal(door, Needed=["a"], Chosen=["three"])
    assert run(door, Needed=["a"], Chosen=["two"])["AutomationExecutionStatus"] == "Success"


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(TRUST | {"Principal": {"Service": "backup.amazonaws.com"}}, id="another service"),
        pytest.param(TRUST | {"Condition": {"StringEquals": {"aws:SourceAccount": CENTRAL}}}, id="another account"),
        pytest.param(TRUST | {"Effect": "Deny"}, id="a Deny"),
    ],
)
def test_a_role_that_does_not_trust_systems_manager_is_refused(door: Door, statement: dict[str, Any]) -> None:
    put(door, script("Only", "return {}"))
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    door.client("iam").update_assume_role_policy(RoleName="Automation", PolicyDocument=document)
    assert "The defined assume role is unable to be assumed." in refusal(door)


@pytest.mark.parametrize("role", [f"arn:aws:iam::{ACCOUNT}:role/Gone", f"arn:aws:iam::{CENTRAL}:role/Automation", ""])
def test_a_role_that_is_not_there_is_refused(door: Door, role: str) -> None:
    put(door, script("Only", "return {}"), assumeRole=role)
    assert "The defined assume role is unable to be assumed." in refusal(door)


def test_what_is_not_simulated_is_refused_and_not_half_run(door: Door) -> None:
    put(
        door,
        {"name": "First", "action": "aws:executeAwsApi", "inputs": {"Service": "backup", "Api": "ListBackupVaults"}},
        {"name": "Second", "action": "aws:approve", "inputs": {}},
    )
    assert "Not simulated: aws:approve." in refusal(door)


def test_unknown_variables_documents_and_executions(door: Door) -> None:
    put(door, script("Only", "return {}", payload={"Name": "{{ Nothing }}"}))
    assert "Unable to resolve the variable Nothing." in refusal(door)
    ssm = door.client("ssm")
    with pytest.raises(ssm.exceptions.AutomationDefinitionNotFoundException):
        ssm.start_automation_execution(DocumentName="Unknown")
    with pytest.raises(ssm.exceptions.AutomationExecutionNotFoundException):
        ssm.get_automation_execution(AutomationExecutionId="0" * 36)


def test_the_aws_cli_runs_one_on_the_server() -> None:
    with front_door() as door, serving() as url:
        door.role("Automation", {"Version": "2012-10-17", "Statement": [TRUST]})
        body = "return {'Arn': boto3.client('sts').get_caller_identity()['Arn']}"
        put(door, script("Look", body, outputs=[output("Arn")]), outputs=["Look.Arn"])
        credentials = account_session(ACCOUNT, REGION).get_credentials().get_frozen_credentials()
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_SESSION_TOKEN": credentials.token,
        }
        command = (
            "id=$(aws ssm start-automation-execution --document-name Example --output text);"
            "aws ssm get-automation-execution --automation-execution-id $id --query AutomationExecution.Outputs"
        )
        done = subprocess.run(  # noqa: S603 - our own command
            ["/bin/bash", "-euc", command.replace("aws ", f"{ROOT / '.venv/bin/aws'} ")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Look.Arn"][0].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/Automation/")
