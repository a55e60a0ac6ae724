"""Deployed functions run as in AWS Lambda: what they see, who may invoke them, and what becomes of their failures."""

from __future__ import annotations

import base64
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import requires
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from aws_simulator.core.accounts import account_session
from aws_simulator.core.config import result_token
from aws_simulator.core.messages.config_events import scheduled_event
from aws_simulator.core.operations import AwsError
from aws_simulator.deployment.authorization import enforced_permissions
from aws_simulator.deployment.lambda_runtime import LambdaRuntime, lambda_runtime, packages, runtime
from aws_simulator.deployment.lambda_runtime.interpreters import interpreter_of
from aws_simulator.server import serving
from backup_rules_cli.catalogue import COMMON_PERMISSIONS, ROOT, rule_folders
from backup_rules_cli.invoke import MEMBER_ROLE, put_rule, read_back
from backup_rules_cli.package import package, zipped
from tests.front_door import ACCOUNT, CENTRAL, NOW, REGION, Door

LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
CONFIG = "config.amazonaws.com"
FUNCTION_ROLE = "BackupConfigRulesFunctions-eu-west-1"
PROBE = """
import importlib.util, json, os, sys, time
served = 0

def handler(event, context):
    global served
    served += 1
    print("served", served)
    if "fail" in event and served <= event["fail"]:
        raise ValueError(f"failure {served}")
    if "exit" in event:
        os._exit(event["exit"])
    time.sleep(event.get("sleep", 0))
    return {
        "served": served,
        "pid": os.getpid(),
        "arn": context.invoked_function_arn,
        "request": context.aws_request_id,
        "remaining": context.get_remaining_time_in_millis(),
        "path": sys.path,
        "environment": dict(os.environ),
        "found": {name: getattr(importlib.util.find_spec(name), "origin", None) for name in event.get("find", ())},
        "event": event,
    }
"""
_names = count()


@dataclass(frozen=True)
class Service:
    """A served simulation with a running Lambda service, and the zips of the package."""

    url: str
    runtime: LambdaRuntime
    zips: Mapping[str, bytes]
    layer_arn: str

    def client(self, service: str, account: str = CENTRAL) -> Any:
        return account_session(account, REGION).client(service)

    def role(self, statements: list[Mapping[str, Any]] | None = None, name: str = "", **options: Any) -> str:
        """A role of the central account that Lambda may assume, with these permissions; its ARN."""
        trust = json.dumps(options.get("trust", LAMBDA))
        iam = self.client("iam", options.get("account", CENTRAL))
        name = name or f"role-{next(_names)}"
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=document)
        return str(arn)

    def deploy(self, code: bytes | None = None, **options: Any) -> str:
        """A function of the central account; its ARN. By default the probe, under a role that may write logs."""
        made = self.client("lambda").create_function(
            **{
                "FunctionName": f"function-{next(_names)}",
                "Runtime": "python3.13",
                "Handler": "probe.handler",
                "Timeout": 30,
                "Role": options.get("Role") or self.role([LOGS]),
                "Code": {"ZipFile": code or zipped({"probe.py": PROBE.encode()})},
                **options,
            }
        )
        return str(made["FunctionArn"])

    def log(self, function_arn: str) -> list[str]:
        """All lines in the function's log group; none when there is no group."""
        logs, group = self.client("logs"), f"/aws/lambda/{function_arn.rpartition(':')[2]}"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]

    def metric(self, function_arn: str, metric: str) -> float:
        """The sum of a metric of the function in AWS/Lambda."""
        now = datetime.now(UTC)
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": function_arn.rpartition(":")[2]}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    def queue(self) -> tuple[str, str]:
        """A new queue of the central account: URL and ARN."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"queue-{next(_names)}")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return url, attributes["QueueArn"]

    def messages(self, queue_url: str) -> list[Any]:
        received = self.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]


LOGS: Mapping[str, Any] = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": f"arn:aws:logs:{REGION}:{CENTRAL}:log-group:/aws/lambda/*",
}
ASSUME_MEMBER = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::*:role/{MEMBER_ROLE}"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = package(tmp_path_factory.mktemp("built") / "package")
    zips = {name: path.read_bytes() for name, path in made.files.items()}
    with serving() as url, lambda_runtime(url) as runtime:
        layer = (
            account_session(CENTRAL, REGION)
            .client("lambda")
            .publish_layer_version(LayerName="backup-config-rules", Content={"ZipFile": zips["layer.zip"]})
        )
        yield Service(url, runtime, zips, layer["LayerVersionArn"])


# --- A rule's zip, from Config's event to stored evaluations ---------------------------------------------------------

RULE = "BACKUP_ROLE_ASSUMABLE"


@pytest.fixture(scope="module")
def rule_function(site: Service) -> str:
    """The deployed zip of a rule with the layer, under a role that may do no more than assume the member role."""
    (folder,) = rule_folders(RULE)
    name = f"backup-config-rules-{folder.config_rule_name}"
    arn = site.deploy(
        site.zips[f"{folder.config_rule_name}.zip"],
        FunctionName=name,
        Handler=f"{RULE}.lambda_handler",
        Layers=[site.layer_arn],
        Role=site.role([LOGS, ASSUME_MEMBER], name=FUNCTION_ROLE),
    )
    site.client("lambda").add_permission(
        FunctionName=name, StatementId="config", Action="lambda:InvokeFunction", Principal=CONFIG
    )
    return arn


@dataclass(frozen=True)
class Member:
    """A member account with a selection whose role does not exist, and what reads it."""

    account: str
    selection: str
    event: Mapping[str, Any]


def member(
    site: Service, account: str, *, withheld: str | None = None, trusted: str = CENTRAL, role: bool = True
) -> Member:
    """An account that is judged under the member role, as far as `withheld`, `trusted` and `role` leave it usable."""
    (folder,) = rule_folders(RULE)
    door = Door(account)
    selection = door.selection(door.plan())
    put_rule(folder, door.session, CENTRAL, door.place)
    if role:
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{trusted}:root"}, "Action": "sts:AssumeRole"}
        allowed = sorted((folder.permissions | COMMON_PERMISSIONS) - {withheld})
        site.role(
            [{"Effect": "Allow", "Action": allowed, "Resource": "*"}],
            name=MEMBER_ROLE,
            account=account,
            trust={"Version": "2012-10-17", "Statement": [trust]},
        )
    event = scheduled_event(
        rule_name=folder.config_rule_name,
        account=account,
        region=REGION,
        token=result_token(account, REGION, folder.config_rule_name),
        parameters={"ExecutionRoleName": MEMBER_ROLE, **folder.defaults},
        execution_role_arn=f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
        now=NOW,
    )
    return Member(account, selection, event)


def test_a_deployed_rule_judges_a_member_account(site: Service, rule_function: str) -> None:
    judged = member(site, ACCOUNT)
    with enforced_permissions():
        invocation = site.runtime.invoke(rule_function, judged.event, principal=CONFIG, source_account=judged.account)
    assert invocation.error is None
    assert invocation.payload["evaluations"] == {"NON_COMPLIANT": 1}
    (folder,) = rule_folders(RULE)
    door = Door(judged.account)
    (stored,) = read_back(folder, door.session, door.place)
    assert (stored.resource_id, stored.compliance) == (judged.selection, "NON_COMPLIANT")
    assert "does not exist" in stored.annotation
    put = [line for line in site.log(rule_function) if '"evaluation put"' in line]
    assert json.loads(put[0])["account"] == judged.account


@pytest.mark.parametrize(
    ("account", "broken", "named"),
    [
        ("111111111101", {"role": False}, f"{MEMBER_ROLE} for account 111111111101"),
        ("111111111102", {"trusted": "999999999999"}, "sts:AssumeRole"),
        ("111111111103", {"withheld": "backup:ListBackupSelections"}, "backup:ListBackupSelections"),
        ("111111111104", {"withheld": "config:PutEvaluations"}, "config:PutEvaluations"),
    ],
    ids=["no member role", "a member role of another pack", "a read is withheld", "storing is withheld"],
)
def test_a_broken_member_fails_the_invocation(
    site: Service, rule_function: str, account: str, broken: dict[str, Any], named: str
) -> None:
    judged = member(site, account, **broken)
    with enforced_permissions():
        invocation = site.runtime.invoke(rule_function, judged.event, principal=CONFIG, source_account=judged.account)
    assert invocation.error is not None
    assert named in invocation.error
    (folder,) = rule_folders(RULE)
    door = Door(account)
    assert read_back(folder, door.session, door.place) == []


def test_without_the_layer_the_rule_cannot_be_imported(site: Service) -> None:
    function = site.deploy(site.zips["backup-role-assumable.zip"], Handler=f"{RULE}.lambda_handler")
    invocation = site.runtime.invoke(function, {})
    assert invocation.error == (
        "Runtime.ImportModuleError: Unable to import module 'BACKUP_ROLE_ASSUMABLE': No module named 'backup_rules'"
    )
    assert any("Runtime.ImportModuleError" in line for line in site.log(function))
    assert site.runtime.invoke(function, {}).error == invocation.error


# --- What a function sees --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def probe(site: Service) -> str:
    return site.deploy(Layers=[site.layer_arn], Environment={"Variables": {"ORGANIZATION_ID": "o-example"}})


def test_a_function_sees_its_zip_its_layers_and_boto3_and_nothing_of_the_checkout(site: Service, probe: str) -> None:
    here = ["local", "tests", "rules", "moto", "pytest", "yaml", "BACKUP_ROLE_ASSUMABLE"]
    seen = site.runtime.invoke(probe, {"find": ["backup_rules", "rdklib", "tzdata", "boto3", *here]}).payload
    found = seen["found"]
    task, opt, runtime = seen["path"][:3]
    assert seen["environment"]["LAMBDA_TASK_ROOT"] == task
    assert [found[name] for name in ("backup_rules", "rdklib", "tzdata")] == [
        f"{opt}/{name}/__init__.py" for name in ("backup_rules", "rdklib", "tzdata")
    ]
    assert opt.endswith("/python")
    assert found["boto3"] == f"{runtime}/boto3/__init__.py"
    assert {name: found[name] for name in here} == dict.fromkeys(here)
    assert not [path for path in seen["path"] if str(ROOT) in path or "site-packages" in path]


def test_a_function_gets_lambdas_environment_and_nothing_of_this_process(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODYS_SECRET", "secret")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    function = site.deploy(MemorySize=256, Environment={"Variables": {"ORGANIZATION_ID": "o-example"}})
    environment = site.runtime.invoke(function, {}).payload["environment"]
    assert not {"SOMEBODYS_SECRET", "PYTHONPATH"} & set(environment)
    assert "secret" not in environment.values()
    name = function.rpartition(":")[2]
    expected = {
        "_HANDLER": "probe.handler",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": site.url,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "ORGANIZATION_ID": "o-example",
        "TZ": ":UTC",
    }
    assert {key: environment[key] for key in expected} == expected


def test_the_context_tells_the_arn_the_request_and_the_time_left(site: Service, probe: str) -> None:
    invocation = site.runtime.invoke(probe, {})
    assert invocation.payload["arn"] == probe
    assert invocation.payload["request"] == invocation.request_id
    assert 20_000 < invocation.payload["remaining"] <= 30_000


def test_a_function_acts_as_a_session_of_its_role(site: Service) -> None:
    code = "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']\n"
    role = site.role([LOGS])
    function = site.deploy(zipped({"probe.py": code.encode()}), Role=role)
    name = function.rpartition(":")[2]
    who = site.runtime.invoke(function, {}).payload
    assert who == f"arn:aws:sts::{CENTRAL}:assumed-role/{role.rpartition('/')[2]}/{name}"


def test_the_runtime_ships_boto3_awslambdaric_and_all_that_they_need() -> None:
    needed = {"boto3", "awslambdaric"}
    for name in packages.DISTRIBUTIONS:
        unconditional = [each for each in requires(name) or () if ";" not in each]
        needed |= {re.split(r"[^A-Za-z0-9._-]", each.strip(), maxsplit=1)[0].lower() for each in unconditional}
    assert needed == set(packages.DISTRIBUTIONS)


# --- The Python that Runtime names -----------------------------------------------------------------------------------

VERSION = b"import sys\ndef handler(event, context):\n    return '.'.join(map(str, sys.version_info[:3]))\n"
RAISES = b"def handler(event, context):\n    raise ValueError('too much')\n"


@pytest.mark.parametrize("runtime", ["python3.11", "python3.12", "python3.13"])
def test_a_function_runs_under_the_python_that_it_names_or_its_log_says(site: Service, runtime: str) -> None:
    function = site.deploy(zipped({"probe.py": VERSION}), Runtime=runtime)
    version = site.runtime.invoke(function, {}).payload
    line = f"INIT_START Runtime Version: python:{version}"
    if interpreter_of(runtime).missing:
        assert version == platform.python_version()
        line += f" (in place of {runtime}, which this machine does not have)"
    else:
        assert version.startswith(f"{runtime.removeprefix('python')}.")
    assert site.log(function)[0] == line


def test_a_python_that_no_machine_has_is_told(site: Service) -> None:
    function = site.deploy(zipped({"probe.py": VERSION}), Runtime="python3.6")
    with patch("findpython.find", return_value=None):
        interpreter_of.cache_clear()
        version = site.runtime.invoke(function, {}).payload
    interpreter_of.cache_clear()
    assert version == platform.python_version()
    assert site.log(function)[0].endswith("(in place of python3.6, which this machine does not have)")


def test_an_interpreter_without_native_code_of_awslambdaric_answers_and_fails_alike(
    site: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a runtime folder that lacks the native module, what stands in for it serves two events and an error."""
    shipped = tmp_path / "runtime"
    shipped.mkdir()
    for entry in packages.runtime_folder(tmp_path / "whole").iterdir():
        if not entry.name.endswith(".so"):
            (shipped / entry.name).symlink_to(entry.resolve())
    monkeypatch.setattr(site.runtime, "_packages", shipped)
    served = site.deploy()
    assert [site.runtime.invoke(served, {}).payload["served"] for _ in range(2)] == [1, 2]
    failing = site.runtime.invoke(site.deploy(zipped({"probe.py": RAISES})), {})
    assert failing.error == "ValueError: too much"


# --- Processes -------------------------------------------------------------------------------------------------------


def test_a_warm_process_is_used_again_until_the_function_changes(site: Service) -> None:
    function = site.deploy()
    first, second = (site.runtime.invoke(function, {}) for _ in range(2))
    assert (first.cold, second.cold) == (True, False)
    assert first.payload["pid"] == second.payload["pid"]
    assert [first.payload["served"], second.payload["served"]] == [1, 2]
    assert (first.log_lines, second.log_lines) == (("served 1",), ("served 2",))
    name = function.rpartition(":")[2]
    site.client("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"NEW": "1"}})
    third = site.runtime.invoke(function, {})
    assert third.cold
    assert third.payload["environment"]["NEW"] == "1"


def test_a_handler_that_fails_leaves_its_process_warm(site: Service) -> None:
    function = site.deploy()
    failed = site.runtime.invoke(function, {"fail": 1})
    assert failed.error == "ValueError: failure 1"
    assert failed.payload["errorMessage"] == "failure 1"
    assert "probe.py" in failed.payload["stackTrace"][0]
    assert not site.runtime.invoke(function, {}).cold


def test_a_process_that_takes_too_long_is_killed(site: Service) -> None:
    function = site.deploy(Timeout=1)
    pid = site.runtime.invoke(function, {}).payload["pid"]
    invocation = site.runtime.invoke(function, {"sleep": 30})
    assert invocation.error == (
        f"Sandbox.Timedout: RequestId: {invocation.request_id} Error: Task timed out after 1.00 seconds"
    )
    assert invocation.seconds < 5
    assert any(
        line.endswith(f"{invocation.request_id} Task timed out after 1.00 seconds") for line in site.log(function)
    )
    assert not is_running(pid)
    assert site.runtime.invoke(function, {}).cold


def test_a_process_that_ends_itself_is_an_error(site: Service) -> None:
    function = site.deploy()
    invocation = site.runtime.invoke(function, {"exit": 3})
    assert invocation.error == (
        f"Runtime.ExitError: RequestId: {invocation.request_id} Error: Runtime exited with error: exit status 3"
    )
    assert site.runtime.invoke(function, {}).cold


def test_of_many_functions_the_one_idle_for_longest_is_stopped(site: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    functions = [site.deploy() for _ in range(2)]
    monkeypatch.setattr(runtime, "MAX_PROCESSES", 1)
    with lambda_runtime(site.url) as service:
        first, second = (service.invoke(function, {}).payload["pid"] for function in functions)
        assert (is_running(first), is_running(second)) == (False, True)


def test_no_process_outlives_the_runtime(site: Service) -> None:
    function = site.deploy()
    with lambda_runtime(site.url) as runtime:
        pid = runtime.invoke(function, {}).payload["pid"]
        assert is_running(pid)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# --- Who may invoke --------------------------------------------------------------------------------------------------

RULE_ARN = f"arn:aws:config:{REGION}:{ACCOUNT}:config-rule/config-rule-abcdef"


@pytest.mark.parametrize(
    ("permission", "account", "allowed"),
    [
        (None, ACCOUNT, False),
        ({"Principal": CONFIG}, ACCOUNT, True),
        ({"Principal": CONFIG, "SourceAccount": ACCOUNT}, ACCOUNT, True),
        ({"Principal": CONFIG, "SourceAccount": ACCOUNT}, "999999999999", False),
        ({"Principal": CONFIG, "SourceArn": f"arn:aws:config:*:{ACCOUNT}:config-rule/*"}, ACCOUNT, True),
        ({"Principal": CONFIG, "SourceArn": "arn:aws:config:*:999999999999:config-rule/*"}, ACCOUNT, False),
        ({"Principal": "events.amazonaws.com"}, ACCOUNT, False),
        ({"Principal": CONFIG, "Action": "lambda:GetFunction"}, ACCOUNT, False),
        ({"Principal": "*", "PrincipalOrgID": "o-exampleorg1"}, ACCOUNT, False),
    ],
    ids=[
        "no policy",
        "Config",
        "Config for the account",
        "Config for another account",
        "Config for a rule",
        "Config for a rule of another account",
        "another service",
        "another action",
        "an organization's principals, which no service is",
    ],
)
def test_a_service_needs_the_functions_permission(
    site: Service, probe: str, permission: dict[str, str] | None, account: str, *, allowed: bool
) -> None:
    client, name = site.client("lambda"), probe.rpartition(":")[2]
    if permission:
        client.add_permission(
            **{"FunctionName": name, "StatementId": "it", "Action": "lambda:InvokeFunction", **permission}
        )
    try:
        given: dict[str, Any] = {"principal": CONFIG, "source_account": account, "source_arn": RULE_ARN}
        if allowed:
            assert site.runtime.invoke(probe, {}, **given).error is None
        else:
            with pytest.raises(
                AwsError, match=f"User: {CONFIG} is not authorized to perform: lambda:Invoke"
            ) as refused:
                site.runtime.invoke_async(probe, {}, **given)
            assert (refused.value.code, refused.value.status) == ("AccessDeniedException", 403)
    finally:
        if permission:
            client.remove_permission(FunctionName=name, StatementId="it")


def test_a_deny_in_the_resource_policy_wins(site: Service) -> None:
    function = site.deploy()
    name = function.rpartition(":")[2]
    site.client("lambda").add_permission(
        FunctionName=name, StatementId="it", Action="lambda:InvokeFunction", Principal=CONFIG
    )
    from moto.awslambda.models import lambda_backends  # noqa: PLC0415 - AddPermission cannot deny

    statement = {"Effect": "Deny", "Principal": "*", "Action": "lambda:*", "Resource": function}
    lambda_backends[CENTRAL][REGION].get_function(name).policy.statements.append(statement)
    with pytest.raises(AwsError, match="not authorized"):
        site.runtime.invoke(function, {}, principal=CONFIG, source_account=ACCOUNT)


def test_a_function_that_does_not_exist_is_not_found(site: Service) -> None:
    with pytest.raises(AwsError, match="ResourceNotFoundException: Function not found"):
        site.runtime.invoke(f"arn:aws:lambda:{REGION}:{CENTRAL}:function:nothing", {})


@pytest.mark.parametrize("trust", [None, "ec2.amazonaws.com"], ids=["the role is gone", "the role trusts another"])
def test_lambda_must_be_able_to_assume_the_role(site: Service, trust: str | None) -> None:
    document = json.loads(json.dumps(LAMBDA).replace("lambda.amazonaws.com", trust or "lambda.amazonaws.com"))
    role = site.role(trust=document)
    function = site.deploy(Role=role)
    if trust is None:
        site.client("iam").delete_role(RoleName=role.rpartition("/")[2])
    with pytest.raises(AwsError, match="The role defined for the function cannot be assumed by Lambda"):
        site.runtime.invoke(function, {})


# --- Events ----------------------------------------------------------------------------------------------------------


def with_destination(site: Service, function: str, destination: str, **settings: Any) -> None:
    site.client("lambda").put_function_event_invoke_config(
        FunctionName=function.rpartition(":")[2],
        DestinationConfig={"OnFailure": {"Destination": destination}},
        **settings,
    )


def send_to(queue_arn: str) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn}


def test_an_event_whose_three_tries_fail_ends_in_the_queue(site: Service) -> None:
    queue, queue_arn = site.queue()
    function = site.deploy(Role=site.role([LOGS, send_to(queue_arn)]))
    with_destination(site, function, queue_arn)
    event = {"fail": 99, "of": "the event"}
    tries = site.runtime.invoke_async(function, event)
    assert [each.error for each in tries] == [f"ValueError: failure {number}" for number in (1, 2, 3)]
    (record,) = site.messages(queue)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("timestamp"))
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": tries[0].request_id,
            "functionArn": f"{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": dict(tries[2].payload),
    }
    assert {each.request_id for each in tries} == {tries[0].request_id}
    assert [site.metric(function, name) for name in ("Invocations", "Errors")] == [3, 3]


def test_the_record_may_go_to_an_event_bus(site: Service) -> None:
    events = site.client("events")
    bus = events.create_event_bus(Name="failures")["EventBusArn"]
    queue, queue_arn = site.queue()
    rule = events.put_rule(Name="all", EventBusName="failures", EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule="all", EventBusName="failures", Targets=[{"Id": "1", "Arn": queue_arn}])
    condition = {"ArnEquals": {"aws:SourceArn": rule["RuleArn"]}}
    admits = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [admits | {"Resource": queue_arn, "Condition": condition}]}
    site.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    put = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}
    may, may_not = (site.deploy(Role=site.role(allowed)) for allowed in ([LOGS, put], [LOGS]))
    for function in (may, may_not):
        with_destination(site, function, bus, MaximumRetryAttempts=0)
        site.runtime.invoke_async(function, {"fail": 99})
    (record,) = site.messages(queue)
    assert (record["source"], record["detail-type"]) == ("lambda", "Lambda Function Invocation Result - Failure")
    assert record["resources"] == [bus, f"{may}:$LATEST"]
    assert record["detail"]["requestPayload"] == {"fail": 99}
    assert [site.metric(each, "DestinationDeliveryFailures") for each in (may, may_not)] == [0, 1]


def test_an_event_that_succeeds_at_last_leaves_no_record(site: Service) -> None:
    queue, queue_arn = site.queue()
    function = site.deploy(Role=site.role([LOGS, send_to(queue_arn)]))
    with_destination(site, function, queue_arn)
    tries = site.runtime.invoke_async(function, {"fail": 1})
    assert [each.error for each in tries] == ["ValueError: failure 1", None]
    assert site.messages(queue) == []
    assert [site.metric(function, name) for name in ("Invocations", "Errors")] == [2, 1]


def test_the_number_of_retries_is_the_functions_own(site: Service) -> None:
    queue, queue_arn = site.queue()
    function = site.deploy(Role=site.role([LOGS, send_to(queue_arn)]))
    with_destination(site, function, queue_arn, MaximumRetryAttempts=0)
    assert len(site.runtime.invoke_async(function, {"fail": 99})) == 1
    (record,) = site.messages(queue)
    assert record["requestContext"]["approximateInvokeCount"] == 1


@pytest.mark.parametrize("case", ["the role may not send", "there is no queue"])
def test_a_record_that_cannot_be_delivered_is_counted(site: Service, case: str) -> None:
    queue, queue_arn = site.queue()
    allowed = [LOGS] if case == "the role may not send" else [LOGS, send_to(queue_arn)]
    function = site.deploy(Role=site.role(allowed))
    with_destination(site, function, queue_arn, MaximumRetryAttempts=0)
    if case == "there is no queue":
        site.client("sqs").delete_queue(QueueUrl=queue)
    site.runtime.invoke_async(function, {"fail": 99})
    assert site.metric(function, "DestinationDeliveryFailures") == 1
    if case == "the role may not send":
        assert site.messages(queue) == []


def test_nothing_is_logged_that_the_role_does_not_permit(site: Service) -> None:
    function = site.deploy(Role=site.role())
    assert site.runtime.invoke(function, {}).log_lines == ("served 1",)
    assert site.log(function) == []
    other = site.deploy()
    request = site.runtime.invoke(other, {}).request_id
    init, start, printed, end, report = site.log(other)
    assert init.startswith("INIT_START Runtime Version: python:3.")
    assert (start, printed, end) == (
        f"START RequestId: {request} Version: $LATEST",
        "served 1",
        f"END RequestId: {request}",
    )
    assert report.startswith(f"REPORT RequestId: {request}\tDuration: ")


# --- moto's own ways to a function -----------------------------------------------------------------------------------


def test_the_aws_cli_invokes(site: Service, tmp_path: Path) -> None:
    session = account_session(CENTRAL, REGION).get_credentials()
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": session.access_key,
        "AWS_SECRET_ACCESS_KEY": session.secret_key,
        "AWS_SESSION_TOKEN": session.token,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": site.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    cli, out, function = Path(sys.executable).with_name("aws"), tmp_path / "out.json", site.deploy()
    command: list[str | Path] = [
        cli,
        "lambda",
        "invoke",
        "--function-name",
        function,
        "--log-type",
        "Tail",
        "--payload",
        '{"a": 1}',
        out,
    ]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "served 1" in base64.b64decode(answer["LogResult"]).decode()
    assert json.loads(out.read_text())["event"] == {"a": 1}


def test_invoke_tells_that_the_function_failed(site: Service) -> None:
    function = site.deploy()
    answer = site.client("lambda").invoke(FunctionName=function, Payload=b'{"fail": 1}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorMessage"] == "failure 1"


def test_invoke_as_an_event_answers_at_once_and_retries(site: Service) -> None:
    function = site.deploy(Timeout=10)
    payload = b'{"fail": 1, "sleep": 1}'
    answer = site.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload)
    assert answer["StatusCode"] == 202
    assert site.metric(function, "Invocations") < 2
    site.runtime.settle()
    assert [site.metric(function, name) for name in ("Invocations", "Errors")] == [2, 1]


def test_invoke_of_an_unknown_function_is_refused(site: Service) -> None:
    client = site.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="nothing"):
        client.invoke(FunctionName="nothing", Payload=b"{}")


def test_invoke_of_a_function_without_a_role_is_refused(site: Service) -> None:
    client, role = site.client("lambda"), site.role()
    function = site.deploy(Role=role)
    site.client("iam").delete_role(RoleName=role.rpartition("/")[2])
    with pytest.raises(client.exceptions.ClientError, match="AccessDeniedException.*cannot be assumed by Lambda"):
        client.invoke(FunctionName=function, Payload=b"{}")


def test_a_service_that_invokes_through_moto_reaches_the_function(site: Service) -> None:
    sns, function = site.client("sns"), site.deploy()
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    sns.publish(TopicArn=topic, Message="hello")
    assert site.metric(function, "Invocations") == 1
    assert "served 1" in site.log(function)
