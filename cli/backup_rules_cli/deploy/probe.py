"""`backup-rules verify --probe`: which of the points hold on AWS that its documentation leaves open.

Brings one rule to one account, as a stack and as a conformance pack, waits until AWS Config has evaluated both, asks
what can be asked, and takes everything away again. For a sandbox: it costs some cents, and half an hour at most.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from backup_rules_cli.console import show
from backup_rules_cli.deploy import points as waiting
from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.deploy import deploy
from backup_rules_cli.deploy.logs import read_logs
from backup_rules_cli.deploy.points import Point, report, until
from backup_rules_cli.deploy.probe_organization import OrganizationProbe, find_organization
from backup_rules_cli.deploy.settings import RuleSettings, Settings
from backup_rules_cli.deploy.terminal import Terminal
from backup_rules_cli.deploy.undeploy import undeploy
from backup_rules_cli.errors import CommandError
from backup_rules_cli.templates.rule_parameters import OFF

NAME = "backup-rules-probe"
RULE, PARAMETERS = "BACKUP_SERVICE_OPT_IN", {"RequiredResourceTypes": "EBS"}
"""Says something of any account: the least that shows that evaluations are taken."""

_LONG_NAME = "no-such-rule-" + "x" * 60
_NO_ACCOUNT = "100000000001"


def probe(settings: Settings, access: Access, terminal: Terminal, unit: str = "") -> bool:
    """Ask, deploy, wait, report and take away again; whether all points hold that were shown.

    `unit` is an organizational unit with one sandbox account, for the points that need an organization.

    Raises:
        CommandError: the person did not agree, the unit does not do, or something of that name is there already.
        AwsCallError, StackError: the deployment or its removal failed; what is left is told.
    """
    small = _one_rule(settings)
    region, account = small.home, access.caller.account
    organization = find_organization(small, access, unit) if unit else None
    show(
        [
            f"Probe of AWS in account {account}, {region}, as {access.caller.arn}.",
            f"It deploys {NAME}: two stacks with one function and a Config rule, and two conformance packs;",
            f"waits up to {waiting.WAIT_SECONDS / 60:.0f} minutes for each of them; and deletes all of it again.",
            *(organization.lines() if organization else ()),
        ]
    )
    if not terminal.agrees("Probe?"):
        show(["Nothing was changed."])
        return False
    said_yes = Terminal(yes=True)
    points: list[Point] = []
    try:
        deploy(small, access, None, access, said_yes, single_account=True, only_plan=False)
        points.append(Point("CloudFormation takes the templates", holds=True, seen="The stacks are there."))
        points += _pack(access, region, account, small)
        points += _evaluated(access, region, account, small, terminal)
        points += _asked(access, region)
        points += organization.points(terminal) if organization else _ORGANIZATION_ONLY
    except CommandError as error:
        points.append(Point("Everything could be tried", holds=False, seen=str(error)))
    finally:
        report(points, f"account {account}  {region}")  # first: taking it away may fail, too
        _take_away(small, access, organization, terminal)
    return all(point.holds is not False for point in points)


def _take_away(settings: Settings, access: Access, organization: OrganizationProbe | None, terminal: Terminal) -> None:
    try:
        if organization:
            organization.take_away()
    finally:
        _delete_packs(access, settings.home, terminal)
        undeploy(settings, access, None, access, Terminal(yes=True), named=True)


_BY_UNIT = "It takes an organization: --probe-unit, with a unit that holds one sandbox account."
_ORGANIZATION_ONLY = (
    Point("AWS Config sends aws:SourceOrgID (invoke_permission: organization)", None, _BY_UNIT),
    Point("A StackSet and an organization pack reach an account, and its rule is evaluated", None, _BY_UNIT),
    Point("A pack's failed accounts can be read after the stack was rolled back", None, _BY_UNIT),
)


def _one_rule(settings: Settings) -> Settings:
    """A pack of that one rule, in the home Region, that shares no name with another."""
    rules = tuple(
        RuleSettings(rule.folder, rule.folder.frequency, PARAMETERS)
        if rule.folder.name == RULE
        else replace(rule, frequency=OFF)
        for rule in settings.rules
    )
    return Settings(
        regions=(settings.home,),
        rules=rules,
        name=NAME,
        function_role_name="BackupRulesProbe",
        rule_name_prefix="probe-",
        queries=False,
        tags=settings.tags,
    )


# --- What is tried ----------------------------------------------------------------------------------------------------


def _pack(access: Access, region: str, account: str, settings: Settings) -> Iterator[Point]:
    """A pack with the rule in plain text, and with one whose parameters are pseudo parameters."""
    (rule,) = settings.rules_on
    function = f"arn:{access.caller.partition}:lambda:{region}:{account}:function:{settings.function(rule.folder)}"
    custom = {
        "ConfigRuleName": "probe-of-a-pack",
        "InputParameters": {"AssumeRoleMode": "false", **PARAMETERS},
        "MaximumExecutionFrequency": rule.frequency,
        "Source": {
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": function,
            "SourceDetails": [
                {
                    "EventSource": "aws.config",
                    "MessageType": "ScheduledNotification",
                    "MaximumExecutionFrequency": rule.frequency,
                }
            ],
        },
    }
    yield _made(access, region, f"{NAME}-plain", "A pack takes a custom rule with plain name and frequency", custom)
    pseudo = {
        "ConfigRuleName": "probe-of-pseudo-parameters",
        "InputParameters": {"tag1Key": {"Ref": "AWS::Region"}, "tag2Key": {"Ref": "AWS::AccountId"}},
        "Source": {"Owner": "AWS", "SourceIdentifier": "REQUIRED_TAGS"},
    }
    statement = "A pack takes AWS::Region and AWS::AccountId, and they mean the account's own"
    made = _made(access, region, f"{NAME}-pseudo", statement, pseudo)
    if made.holds:
        rules = access.items("config", region, "describe_config_rules", "ConfigRules")
        given = [
            json.loads(each.get("InputParameters") or "{}")
            for each in rules
            if each["ConfigRuleName"].startswith("probe-of-pseudo-parameters")
        ]
        holds = any(each.get("tag1Key") == region and each.get("tag2Key") == account for each in given)
        made = Point(statement, holds, f"The rule's parameters: {json.dumps(given)}")
    yield made


def _made(access: Access, region: str, name: str, statement: str, properties: Mapping[str, object]) -> Point:
    body = json.dumps({"Resources": {"Probe": {"Type": "AWS::Config::ConfigRule", "Properties": properties}}})
    try:
        access.call("config", region, "put_conformance_pack", ConformancePackName=name, TemplateBody=body)
        status = until(lambda: _pack_status(access, region, name), lambda it: not it[0].endswith("_IN_PROGRESS"))
    except AwsCallError as error:
        return Point(statement, holds=False, seen=error.text)
    return Point(statement, status[0] == "CREATE_COMPLETE", f"{status[0]} {status[1]}".strip())


def _pack_status(access: Access, region: str, name: str) -> tuple[str, str]:
    answer = access.call("config", region, "describe_conformance_pack_status", ConformancePackNames=[name])
    (status,) = answer["ConformancePackStatusDetails"]
    return status["ConformancePackState"], status.get("ConformancePackStatusReason", "")


def _evaluated(access: Access, region: str, account: str, settings: Settings, terminal: Terminal) -> Iterator[Point]:
    """Both rules' verdicts, and the function's log."""
    terminal.say(f"{region}  waiting for AWS Config to evaluate")
    for name, statement in (
        ("probe-backup-service-opt-in", "AWS Config invokes the function and takes its evaluations"),
        ("probe-of-a-pack", "It does for a pack's rule as well"),
    ):
        found = until(lambda name=name: _verdicts(access, region, name), bool)  # type: ignore[misc]  # bound now
        seen = f"{', '.join(found)} for the account." if found else "There was none within the time."
        yield Point(statement, bool(found), seen)
    statement = "Logs Insights sums up the function's lines as verify reads them"
    try:
        (health,) = until(
            lambda: read_logs(settings, access, region, [account], datetime.now(UTC)), lambda it: account in it[0].puts
        )
    except (AwsCallError, ValueError, KeyError) as error:
        yield Point(statement, holds=False, seen=str(error))
        return
    last = health.puts.get(account)
    seen = f"The last evaluation: {datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M:%S} UTC." if last else "No line."
    yield Point(statement, last is not None, seen)


def _verdicts(access: Access, region: str, beginning: str) -> list[str]:
    rules = access.items("config", region, "describe_config_rules", "ConfigRules")
    return [
        result["ComplianceType"]
        for name in [each["ConfigRuleName"] for each in rules if each["ConfigRuleName"].startswith(beginning)]
        for result in access.items(
            "config", region, "get_compliance_details_by_config_rule", "EvaluationResults", ConfigRuleName=name
        )
    ]


def _asked(access: Access, region: str) -> Iterator[Point]:
    """What one call tells."""
    statement = "GetComplianceDetailsByConfigRule takes names of more than 64 characters"
    try:
        access.call("config", region, "get_compliance_details_by_config_rule", ConfigRuleName=_LONG_NAME)
        yield Point(statement, None, "A rule of that name exists.")
    except AwsCallError as error:
        yield Point(statement, error.code == "NoSuchConfigRuleException", f"{error.code}: {error.text}")
    statement = "AWS Organizations tells this account that an account is not in the organization"
    try:
        access.call("organizations", region, "describe_account", AccountId=_NO_ACCOUNT)
        yield Point(statement, None, f"Account {_NO_ACCOUNT} is one of the organization.")
    except AwsCallError as error:
        alone = error.code == "AWSOrganizationsNotInUseException"
        holds = None if alone else error.code == "AccountNotFoundException"
        yield Point(statement, holds, f"{error.code}: {error.text}")


def _delete_packs(access: Access, region: str, terminal: Terminal) -> None:
    for name in (f"{NAME}-plain", f"{NAME}-pseudo"):
        try:
            access.call("config", region, "delete_conformance_pack", ConformancePackName=name)
            until(lambda name=name: _is_gone(access, region, name), bool)  # type: ignore[misc]  # bound now
        except AwsCallError as error:
            if error.code != "NoSuchConformancePackException":
                terminal.say(f"{region}  conformance pack {name} is left: {error}")


def _is_gone(access: Access, region: str, name: str) -> bool:
    answer = access.call("config", region, "describe_conformance_pack_status", ConformancePackNames=[name])
    return not answer["ConformancePackStatusDetails"]
