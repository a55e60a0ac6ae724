"""From a Config event to PutEvaluations: what holds for every rule, shown with the simplest of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from aws_simulator.core import config
from aws_simulator.core.config import result_token
from aws_simulator.core.faults import denied, failing, malformed, recorded_calls, server_error, throttled, timeout
from aws_simulator.core.messages.configuration_items import Recording, Status, plan_item, selection_item
from aws_simulator.core.operations import page_size
from backup_rules.errors import (
    IncompleteEvaluationError,
    InvalidEventError,
    InvalidRuleParametersError,
    ReadError,
)
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.invoke import Caller, invoke, lambda_environment
from tests.faults.spoiling import answering
from tests.front_door import NOW, Door, front_door
from tests.organization import Organization

RULE = "BACKUP_ROLE_ASSUMABLE"
SELECTION = "AWS::Backup::BackupSelection"
PLAN = "AWS::Backup::BackupPlan"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        it.role("BackupConfigRulesMemberRole")
        it.role()
        yield it


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting."""
    monkeypatch.setattr("time.sleep", lambda _: None)


def compliances(found: dict[tuple[str, str], Any]) -> dict[str, str]:
    return {resource_id: each.compliance for (_, resource_id), each in found.items()}


def event_of(door: Door, rule: str = RULE, **changes: Any) -> dict[str, Any]:
    """A scheduled event as Config sends it, with some of its parts changed (None: left out)."""
    sent: list[dict[str, Any]] = []
    (folder,) = rule_folders(rule)
    module = folder.module()
    original = module.lambda_handler

    def keep(event: dict[str, Any], _context: object) -> dict[str, Any]:
        sent.append(event)
        return {}

    module.__dict__["lambda_handler"] = keep
    try:
        invoke(folder, Caller(door.place, result_token(door.account, door.region, folder.config_rule_name), NOW))
    finally:
        module.__dict__["lambda_handler"] = original
    event = sent[0] | changes
    return {key: value for key, value in event.items() if value is not None}


def handle(event: Any, door: Door, context: Any = None, rule: str = RULE) -> Any:
    with lambda_environment(door.region):
        return rule_folders(rule)[0].module().lambda_handler(event, context)


def test_each_subject_gets_a_verdict_and_the_log_line_counts_them(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = door.plan()
    good = door.selection(plan, "good")
    bad = door.selection(plan, "bad", IamRoleArn=f"arn:aws:iam::{door.account}:role/Gone")

    assert compliances(door.evaluate(RULE)) == {good: "COMPLIANT", bad: "NON_COMPLIANT"}

    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["level"] == "INFO"
    assert (line["rule"], line["account"], line["region"]) == (RULE, door.account, door.region)
    assert (line["subjects"], line["problems"], line["put"], line["not_judged"]) == (2, 1, 2, 0)
    assert line["calls"]["iam:GetRole"] == 2
    assert line["duration_ms"] >= 0


def test_evaluations_are_dated_with_the_event(door: Door) -> None:
    door.selection(door.plan())
    with recorded_calls() as calls:
        door.evaluate(RULE)
    (put,) = [call for call in calls if call.operation == "PutEvaluations"]
    stamp = put.parameters["Evaluations"][0]["OrderingTimestamp"]
    assert stamp.astimezone(UTC) == NOW


def test_250_evaluations_go_out_in_batches_of_100(door: Door) -> None:
    for number in range(3):
        plan = door.plan(f"plan-{number}")
        for each in range(84):
            door.selection(plan, f"selection-{each}")
    with recorded_calls() as calls:
        assert len(door.evaluate(RULE)) == 252
    sizes = [len(call.parameters["Evaluations"]) for call in calls if call.operation == "PutEvaluations"]
    assert sizes == [100, 100, 52]


def test_an_evaluation_that_config_refuses_fails_the_invocation(door: Door) -> None:
    selection = door.selection(door.plan())
    config.reject_evaluations(door.account, door.region, [selection])
    with pytest.raises(IncompleteEvaluationError, match=r"config:PutEvaluations .*refused 1 evaluations"):
        door.evaluate(RULE)


def test_what_is_gone_is_cleared_and_the_rest_stays(door: Door) -> None:
    plan = door.plan()
    kept, deleted = door.selection(plan, "kept"), door.selection(plan, "deleted")
    door.evaluate(RULE)
    door.client("backup").delete_backup_selection(BackupPlanId=plan, SelectionId=deleted.partition("_")[0])
    with page_size(1):
        assert compliances(door.at(now=NOW.replace(hour=13)).evaluate(RULE)) == {kept: "COMPLIANT"}


def test_clean_up_tells_resources_of_one_id_and_two_types_apart(door: Door) -> None:
    """The clean-up of rdklib compares ids only."""
    selection = door.selection(door.plan())
    door.evaluate(RULE)
    token = result_token(door.account, door.region, "backup-role-assumable")
    stale = {
        "ComplianceResourceType": PLAN,
        "ComplianceResourceId": selection,
        "ComplianceType": "NON_COMPLIANT",
        "OrderingTimestamp": NOW.replace(hour=11),
    }
    door.client("config").put_evaluations(Evaluations=[stale], ResultToken=token)
    assert set(door.at(now=NOW.replace(hour=13)).evaluate(RULE)) == {(SELECTION, selection)}


CALLS = [
    ("sts", "AssumeRole"),
    ("backup", "ListBackupPlans"),
    ("backup", "ListBackupSelections"),
    ("iam", "GetRole"),
    ("config", "GetComplianceDetailsByConfigRule"),
    ("config", "PutEvaluations"),
]
FAULTS = {"denied": denied, "throttled": throttled, "500": server_error, "timeout": timeout, "malformed": malformed}


@pytest.mark.parametrize(
    ("service", "operation", "fault"),
    [
        pytest.param(service, operation, fault, id=f"{operation} {name}")
        for service, operation in CALLS
        for name, fault in FAULTS.items()
        # An answer cut off after the evaluations have been put says nothing that would be wrong to believe.
        if (operation, name) != ("PutEvaluations", "malformed")
    ],
)
@pytest.mark.usefixtures("sleepless")
def test_a_call_that_fails_fails_the_invocation_by_name(
    door: Door, capsys: pytest.CaptureFixture[str], service: str, operation: str, fault: Any
) -> None:
    named = f"{service}:{operation}"
    plan = door.plan()
    door.selection(plan, "good")
    door.selection(plan, "bad", IamRoleArn=f"arn:aws:iam::{door.account}:role/Gone")
    before = door.evaluate(RULE)

    with failing(fault, service, operation), pytest.raises((ReadError, IncompleteEvaluationError), match=named):
        handle(event_of(door), door)

    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["level"] == "ERROR"
    assert named in line["error"]
    assert door.account in line["error"]
    assert door.stored(RULE) == before


def test_a_denied_call_names_the_permission(door: Door) -> None:
    with failing(denied, "backup", "ListBackupPlans"), pytest.raises(ReadError) as caught:
        door.evaluate(RULE)
    assert "The role that reads this account needs backup:ListBackupPlans." in str(caught.value)
    assert "eu-west-1" in str(caught.value)


def test_a_failure_about_one_subject_leaves_the_others_judged_and_keeps_its_last_verdict(door: Door) -> None:
    door.role("Other")
    plan = door.plan()
    good = door.selection(plan, "good")
    other = door.selection(plan, "other", IamRoleArn=f"arn:aws:iam::{door.account}:role/Other")
    door.evaluate(RULE)
    door.client("iam").delete_role(RoleName="BackupRole")

    with (
        failing(denied, "iam", "GetRole", when=lambda parameters: parameters["RoleName"] == "Other"),
        pytest.raises(IncompleteEvaluationError, match=f"1 of 2 subjects .*{other}.*iam:GetRole"),
    ):
        door.at(now=NOW.replace(hour=13)).evaluate(RULE)

    assert compliances(door.stored(RULE)) == {good: "NON_COMPLIANT", other: "COMPLIANT"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"invokingEvent": None}, "invokingEvent is None", id="no invoking event"),
        pytest.param({"invokingEvent": "{"}, "invokingEvent is no JSON", id="broken invoking event"),
        pytest.param({"invokingEvent": "[]"}, "invokingEvent is \\[\\]", id="invoking event a list"),
        pytest.param({"accountId": "12"}, "accountId is '12'", id="short account id"),
        pytest.param({"resultToken": None}, "resultToken is None", id="no result token"),
        pytest.param({"resultToken": 5}, "resultToken is 5", id="result token a number"),
        pytest.param({"configRuleName": ""}, "configRuleName is ''", id="no rule name"),
        pytest.param({"executionRoleArn": None}, "executionRoleArn is None", id="no role to assume"),
        pytest.param(
            {
                "invokingEvent": json.dumps(
                    {"messageType": "Nonsense", "notificationCreationTime": "2026-11-23T12:00:00Z"}
                )
            },
            "messageType is 'Nonsense'",
            id="unknown message type",
        ),
        pytest.param(
            {"invokingEvent": json.dumps({"messageType": "ScheduledNotification", "notificationCreationTime": "soon"})},
            "notificationCreationTime is 'soon'",
            id="no time",
        ),
        pytest.param(
            {
                "invokingEvent": json.dumps(
                    {
                        "messageType": "ConfigurationItemChangeNotification",
                        "notificationCreationTime": "2026-11-23T12:00:00Z",
                    }
                )
            },
            "configurationItem is None",
            id="change without an item",
        ),
    ],
)
def test_a_malformed_event_is_refused_and_nothing_is_called(door: Door, changes: dict[str, Any], said: str) -> None:
    with recorded_calls() as calls, pytest.raises(InvalidEventError, match=said):
        handle(event_of(door, **changes), door)
    assert calls == []


@pytest.mark.parametrize("event", [None, [], "event", 5])
def test_what_is_no_event_at_all_is_refused(door: Door, event: object) -> None:
    with pytest.raises(InvalidEventError, match="AWS Config sends a JSON object"):
        handle(event, door)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        pytest.param('{"BufferMinutes": "60"}', "Unknown parameter 'BufferMinutes'", id="another rule's"),
        pytest.param('{"excludedplans": "x"}', "Did you mean ExcludedPlans", id="other case"),
        pytest.param('{"AssumeRoleMode": "no"}', "AssumeRoleMode is 'no'; allowed is true or false", id="no boolean"),
        pytest.param('{"AssumeRoleMode": ""}', "AssumeRoleMode is ''", id="blank boolean"),
        pytest.param('{"ExecutionRoleName": "/x/Role"}', "ExecutionRoleName is '/x/Role'", id="leading slash"),
        pytest.param(
            '{"ExecutionRoleName": "arn:aws:iam::111122223333:role/R"}', "not an ARN", id="an ARN for a role name"
        ),
        pytest.param('{"ExcludedPlans": null}', "ExcludedPlans is None", id="null"),
        pytest.param('{"ExcludedPlans": ["a"]}', "ExcludedPlans is \\['a'\\]", id="a list"),
        pytest.param('["x"]', "ruleParameters is", id="parameters a list"),
        pytest.param("{", "ruleParameters is no JSON", id="parameters no JSON"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_refused_and_nothing_is_called(
    door: Door, parameters: str, said: str
) -> None:
    with recorded_calls() as calls, pytest.raises((InvalidEventError, InvalidRuleParametersError), match=said):
        handle(event_of(door, ruleParameters=parameters), door)
    assert calls == []


@pytest.mark.parametrize("pattern", ["nightly", "night*", "n?ghtly", "other, nightly", "*"])
def test_excluded_plans_are_not_reported(door: Door, pattern: str) -> None:
    kept = door.selection(door.plan("weekly"), "kept", IamRoleArn="arn:aws:iam::111122223333:role/Gone")
    door.selection(door.plan("nightly"))
    expected = {} if pattern == "*" else {kept: "NON_COMPLIANT"}
    assert compliances(door.evaluate(RULE, {"ExcludedPlans": pattern})) == expected


def test_a_plan_is_excluded_by_its_id_too(door: Door) -> None:
    plan = door.plan()
    door.selection(plan)
    assert door.evaluate(RULE, {"ExcludedPlans": plan}) == {}


def test_a_role_path_in_execution_role_name(door: Door) -> None:
    door.selection(door.plan())
    with recorded_calls() as calls:
        door.evaluate(RULE, {"ExecutionRoleName": "config-checks/MemberRole"})
    (assumed,) = [
        call.parameters["RoleArn"]
        for call in calls
        if call.operation == "AssumeRole" and call.parameters["RoleSessionName"] == "configLambdaExecution"
    ]
    assert assumed == f"arn:aws:iam::{door.account}:role/config-checks/MemberRole"


@pytest.mark.parametrize("key", ["AccessKeyId", "SecretAccessKey", "SessionToken"])
@pytest.mark.parametrize("value", ["", None, 7])
def test_without_whole_credentials_nothing_is_read(door: Door, key: str, value: Any) -> None:
    """boto3 would take the function's own instead of an empty key, and read the function's own account."""

    def spoilt(answer: dict[str, Any], _parameters: Any) -> dict[str, Any]:
        return {**answer, "Credentials": {**answer["Credentials"], key: value}}

    event = event_of(door)
    with (
        answering(("sts", "AssumeRole"), spoilt),
        recorded_calls() as calls,
        pytest.raises(ReadError, match="sts:AssumeRole .* answered without credentials"),
    ):
        handle(event, door)
    assert {call.operation for call in calls} == {"AssumeRole"}


def test_without_assume_role_mode_another_account_is_never_judged(door: Door) -> None:
    """The function's own credentials are those of the simulator's default account, 123456789012."""
    door.selection(door.plan())
    with pytest.raises(InvalidEventError, match="reads its own account 123456789012"):
        door.evaluate(RULE, {"AssumeRoleMode": "false"})


def test_without_assume_role_mode_the_own_account_is_judged(door: Door) -> None:
    own = door.at(account="123456789012")
    own.role()
    selection = own.selection(own.plan())
    assert compliances(own.evaluate(RULE, {"AssumeRoleMode": "false"})) == {selection: "COMPLIANT"}


def test_an_account_of_the_functions_organization_is_judged(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    management = Organization.of(door).management.client("organizations")
    monkeypatch.setenv("ORGANIZATION_ID", management.describe_organization()["Organization"]["Id"])
    selection = door.selection(door.plan())
    assert compliances(door.evaluate(RULE)) == {selection: "COMPLIANT"}


@pytest.mark.parametrize("in_organization", [True, False])
def test_an_account_outside_the_functions_organization_is_refused(
    door: Door, monkeypatch: pytest.MonkeyPatch, in_organization: bool
) -> None:
    if in_organization:
        Organization.of(door)
    monkeypatch.setenv("ORGANIZATION_ID", "o-elsewhere1")
    door.selection(door.plan())
    with (
        recorded_calls() as calls,
        pytest.raises(InvalidEventError, match=rf"account {door.account}.* serves organization o-elsewhere1 only"),
    ):
        door.evaluate(RULE)
    assert {call.operation for call in calls} & {"ListBackupPlans", "PutEvaluations"} == set()


def test_an_organization_that_cannot_be_read_is_no_permission_to_judge(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    Organization.of(door)
    monkeypatch.setenv("ORGANIZATION_ID", "o-elsewhere1")
    with failing(denied, "organizations"), pytest.raises(ReadError, match="organizations:DescribeOrganization"):
        door.evaluate(RULE)


def test_an_event_about_another_account_than_the_role_is_refused(door: Door) -> None:
    other = "arn:aws:iam::444455556666:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    with pytest.raises(ReadError, match="is not a role of account 111122223333"):
        handle(event_of(door, executionRoleArn=other), door)


def test_the_region_is_that_of_the_function(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    event = event_of(door)
    with pytest.raises(InvalidEventError, match="AWS_REGION"):
        rule_folders(RULE)[0].module().lambda_handler(event, None)


def test_rdks_dry_run_reads_and_stores_nothing(door: Door) -> None:
    door.selection(door.plan())
    with recorded_calls() as calls:
        handle(event_of(door, resultToken="TESTMODE"), door)
    (put,) = [call for call in calls if call.operation == "PutEvaluations"]
    assert put.parameters["TestMode"] is True


class NearlyOver:
    """A Lambda context with two seconds left."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 2_000


def test_an_invocation_that_runs_out_of_time_says_so(door: Door) -> None:
    with pytest.raises(ReadError, match="Out of time before backup:ListBackupPlans"):
        handle(event_of(door), door, NearlyOver())


class AMinute:
    """A Lambda context of a minute, by a clock on which each answer takes so many seconds."""

    def __init__(self, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds, self.spent, real = seconds, 0.0, time.monotonic
        monkeypatch.setattr("time.monotonic", lambda: real() + self.spent)
        monkeypatch.setattr("backup_rules.aws.account.WORKERS", 1)  # the clock adds up what is asked side by side

    def wait(self) -> None:
        self.spent += self.seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((60 - self.spent) * 1000)


@pytest.mark.parametrize(("seconds", "fewest"), [(1, 40), (8, 2)])
def test_what_was_judged_before_the_time_ran_out_is_put(
    door: Door, monkeypatch: pytest.MonkeyPatch, seconds: float, fewest: int
) -> None:
    for number in range(70):
        door.plan(f"plan-{number}")
    context = AMinute(seconds, monkeypatch)
    rule = "BACKUP_WINDOW_CONFIGURED"
    with (
        answering(before=context.wait),
        recorded_calls() as calls,
        pytest.raises(IncompleteEvaluationError, match="Out of time before backup:GetBackupPlan"),
    ):
        handle(event_of(door, rule), door, context, rule)
    put = [len(call.parameters["Evaluations"]) for call in calls if call.operation == "PutEvaluations"]
    assert put
    assert fewest <= put[0] < 70
    assert context.get_remaining_time_in_millis() > 0


def test_where_old_results_cannot_be_read_what_was_judged_is_put_and_nothing_is_cleared(door: Door) -> None:
    plan = door.plan()
    gone, kept = door.selection(plan, "gone"), door.selection(plan, "kept")
    door.evaluate(RULE)
    door.client("backup").delete_backup_selection(BackupPlanId=plan, SelectionId=gone.partition("_")[0])
    door.client("iam").delete_role(RoleName="BackupRole")
    with (
        failing(denied, "config", "GetComplianceDetailsByConfigRule"),
        pytest.raises(IncompleteEvaluationError, match="needs config:GetComplianceDetailsByConfigRule"),
    ):
        door.evaluate(RULE)
    assert compliances(door.stored(RULE)) == {gone: "COMPLIANT", kept: "NON_COMPLIANT"}


def recording(door: Door, status: Status = "OK") -> Recording:
    return Recording(account=door.account, region=door.region, captured=NOW, status=status)


def changed_selection(door: Door, selection: str, status: Status = "OK") -> dict[str, Any]:
    selection_id, _, plan_id = selection.partition("_")
    answer = door.client("backup").get_backup_selection(BackupPlanId=plan_id, SelectionId=selection_id)
    return selection_item(answer, recording(door, status))


def test_a_changed_selection_is_judged_alone(door: Door) -> None:
    plan = door.plan()
    changed = door.selection(plan, "changed")
    door.selection(plan, "untouched")
    found = door.evaluate(RULE, item=changed_selection(door, changed))
    assert compliances(found) == {changed: "COMPLIANT"}


def test_a_changed_plan_has_its_own_selections_judged(door: Door) -> None:
    plan = door.plan("changed")
    mine = {door.selection(plan, "one"), door.selection(plan, "two")}
    door.selection(door.plan("other"), "untouched")
    answer = door.client("backup").get_backup_plan(BackupPlanId=plan)
    assert set(compliances(door.evaluate(RULE, item=plan_item(answer, recording(door))))) == mine


def test_a_deleted_selection_leaves_the_results(door: Door) -> None:
    plan = door.plan()
    deleted = door.selection(plan, "deleted")
    kept = door.selection(plan, "kept")
    item = changed_selection(door, deleted, "ResourceDeleted")
    door.evaluate(RULE)
    later = door.at(now=NOW.replace(hour=13))
    assert compliances(later.evaluate(RULE, item={**item, "configuration": None})) == {kept: "COMPLIANT"}


def test_a_selection_that_vanished_before_it_was_read_leaves_the_results(door: Door) -> None:
    plan = door.plan()
    selection = door.selection(plan)
    item = changed_selection(door, selection)
    door.client("backup").delete_backup_selection(BackupPlanId=plan, SelectionId=selection.partition("_")[0])
    assert door.evaluate(RULE, item=item) == {}


@pytest.mark.parametrize(("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn")])
def test_an_event_that_tells_no_partition_gets_that_of_the_region(region: str, partition: str) -> None:
    """A role of the other partition is none of this account."""
    with front_door() as opened:
        door = opened.at(region=region, account="123456789012")
        selection = door.selection(door.plan(), IamRoleArn=f"arn:{partition}:iam::{door.account}:role/BackupRole")
        door.evaluate(RULE)  # puts the rule
        handle(
            event_of(door, configRuleArn=None, executionRoleArn=None, ruleParameters='{"AssumeRoleMode": "false"}'),
            door,
        )
        found = door.stored(RULE)[SELECTION, selection]
    assert "does not exist" in found.annotation
