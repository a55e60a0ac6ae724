"""`make verify`: reads back what became of a deployment, in every account and Region, and tells what is wrong.

An account's evaluations cannot be read from here; the functions' log lines, one per invocation, tell when each rule
last put some for it: `logs` asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from backup_rules_cli.console import show
from backup_rules_cli.deploy import findings
from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.deploy import own_organization, read_targets
from backup_rules_cli.deploy.everywhere import whereabouts, with_all_regions
from backup_rules_cli.deploy.health import METRIC_SECONDS, RegionHealth
from backup_rules_cli.deploy.health_report import Reported, report
from backup_rules_cli.deploy.logs import read_logs
from backup_rules_cli.deploy.organization import Organization, pack_statuses, with_accounts
from backup_rules_cli.deploy.rollout import (
    FUNCTIONS,
    MEMBER_ROLE,
    ORGANIZATION,
    QUERIES,
    REMEDIATION,
    REMEDIATION_DOCUMENTS,
    REMEDIATION_ROLE,
    SINGLE_ACCOUNT,
)
from backup_rules_cli.deploy.settings import Settings
from backup_rules_cli.deploy.stacks import Live, read_stack

_STACK_WELL = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})


def verify(  # noqa: PLR0913 - what the command line takes
    settings: Settings,
    access: Access,
    management: Access | None,
    hub: Access,
    *,
    everything: bool,
    named: bool = False,
) -> bool:
    """Print how the pack is, in all Regions that it is in; whether all is well.

    With `named`, the person has named the Regions: the others are only told of.

    Raises:
        AwsCallError: something could not be read.
        NotReadyError: the account is in no organization, while the pack is one of an organization.
    """
    now = datetime.now(UTC)
    found = whereabouts(settings, access)
    if not named:
        settings = with_all_regions(settings, access, found)
    organization, healths = _healths(settings, access, management, now)
    for health in healths:
        _read_findings(settings, access, hub, health)
    names = organization.accounts if organization else {}
    well = report(Reported(settings.name, access.caller.account, names, healths), everything=everything)
    show([found.text])
    if found.elsewhere:
        which = "was not named and not looked at" if named else "the settings do not name: add it to regions"
        show([f"{settings.name} is also in {', '.join(found.elsewhere)}, which {which}."])
    return well


def _healths(
    settings: Settings, access: Access, management: Access | None, now: datetime
) -> tuple[Organization | None, list[RegionHealth]]:
    """The organization, where the pack is one of an organization, and each Region."""
    organization: Organization | None = None
    targeted: set[str] = set()
    healths = []
    for region in settings.regions:
        parts = {
            part: read_stack(access, region, settings.stack(part)) for part in (FUNCTIONS, ORGANIZATION, SINGLE_ACCOUNT)
        }
        alone = parts[SINGLE_ACCOUNT]
        if alone is not None:
            healths.append(_single_account(settings, access, region, alone, now))
        if alone is None or parts[ORGANIZATION] is not None or parts[FUNCTIONS] is not None:
            if organization is None and parts[ORGANIZATION] is not None:
                organization = with_accounts(access, own_organization(access))
                targeted = read_targets(access, organization, settings) & set(organization.accounts)
            healths.append(_organization(settings, access, region, parts, targeted, now))
    if organization is not None:
        for health in healths:
            if health.packs is not None:
                _read_instances(settings, access, management, organization, health)
                _leave_out(health, organization.closed)
    return organization, healths


def _leave_out(health: RegionHealth, closed: frozenset[str]) -> None:
    """Closed accounts: what they had may still be listed, and neither AWS nor `deploy` does anything about it."""

    def others(statuses: Mapping[str, tuple[str, str]] | None) -> Mapping[str, tuple[str, str]] | None:
        return statuses and {account: each for account, each in statuses.items() if account not in closed}

    health.packs, health.roles = others(health.packs), others(health.roles)
    health.stack_sets |= {what: others(statuses) or {} for what, statuses in health.stack_sets.items()}


def _organization(  # noqa: PLR0913, PLR0917 - one Region, and what is known of the whole
    settings: Settings,
    access: Access,
    region: str,
    parts: Mapping[str, Live | None],
    targeted: set[str],
    now: datetime,
) -> RegionHealth:
    health = RegionHealth(region, ())
    pack, functions = parts[ORGANIZATION], parts[FUNCTIONS]
    for part in (FUNCTIONS, ORGANIZATION):
        health.missing += _stack_troubles(settings.stack(part), parts[part])
    more = {
        QUERIES: settings.queries and region == settings.home,
        REMEDIATION: settings.remediation,
        findings.EVENTS_EVERYWHERE: findings.needs_events(settings),
    }
    health.missing += _optional_troubles(settings, access, region, more)
    if pack is not None:
        excluded = set(pack.parameters.get("ExcludedAccounts", "").split(","))
        health.accounts = tuple(sorted(targeted - excluded))
        health.packs = _packs(access, region, pack.parameters.get("PackName", settings.name))
    if functions is not None:
        _read_functions(settings, access, functions, health, now)
    return health


def _single_account(settings: Settings, access: Access, region: str, live: Live, now: datetime) -> RegionHealth:
    health = RegionHealth(region, (access.caller.account,))
    health.missing += _stack_troubles(settings.stack(SINGLE_ACCOUNT), live)
    is_home = region == settings.home
    more = {
        QUERIES: settings.queries and is_home,
        REMEDIATION_ROLE: settings.remediation and is_home,
        REMEDIATION_DOCUMENTS: settings.remediation,
        findings.EVENTS: findings.needs_events(settings),
    }
    health.missing += _optional_troubles(settings, access, region, more)
    wanted = [settings.rule_name_prefix + rule.folder.config_rule_name for rule in settings.rules_on]
    states = dict.fromkeys(wanted, "missing")
    for rule in access.items("config", region, "describe_config_rules", "ConfigRules"):
        if rule["ConfigRuleName"] in states:
            states[rule["ConfigRuleName"]] = rule["ConfigRuleState"]
    health.config_rules = states
    _read_functions(settings, access, live, health, now)
    return health


def _stack_troubles(name: str, live: Live | None) -> Iterator[str]:
    if live is None:
        yield f"Stack {name} does not exist."
    elif live.status not in _STACK_WELL:
        yield f"Stack {name} is {live.status} {live.reason}".strip() + "."


def _optional_troubles(settings: Settings, access: Access, region: str, wanted: Mapping[str, bool]) -> Iterator[str]:
    for part, is_wanted in wanted.items():
        if is_wanted:
            name = settings.stack(part)
            yield from _stack_troubles(name, read_stack(access, region, name))


def _read_findings(settings: Settings, access: Access, hub: Access, health: RegionHealth) -> None:
    """The stacks that carry verdicts on, and what they could not."""
    region, wanted = health.region, findings.central_parts(settings)
    health.missing += _optional_troubles(settings, access, region, wanted)
    insights = {findings.INSIGHTS: region in settings.hub_regions}
    health.missing += _optional_troubles(settings, hub, region, insights)
    for part, is_wanted in wanted.items():
        live = read_stack(access, region, settings.stack(part)) if is_wanted else None
        queue = live.outputs.get("DeadLettersUrl") if live else None
        if queue:
            health.dead_letters[part] = _waiting(access, region, queue)


def _packs(access: Access, region: str, name: str) -> dict[str, tuple[str, str]]:
    try:
        statuses = {
            each["AccountId"]: (each["Status"], _told(each.get("ErrorCode"), each.get("ErrorMessage")))
            for each in pack_statuses(access, region, name)
        }
    except AwsCallError as error:
        if error.code != "NoSuchOrganizationConformancePackException":
            raise
        return {}
    return {account: each for account, each in statuses.items() if each[0] != "DELETE_SUCCESSFUL"}


def _told(*parts: str | None) -> str:
    return ": ".join(part for part in parts if part)


def _read_instances(
    settings: Settings, access: Access, management: Access | None, organization: Organization, health: RegionHealth
) -> None:
    """What StackSets bring, once per account or to each Region."""
    read = partial(_instances, settings, access, management, organization, health)
    is_home = health.region == settings.home
    if is_home:
        health.roles = read(MEMBER_ROLE)
    if settings.remediation:
        role = {"remediation role": read(REMEDIATION_ROLE)} if is_home else {}
        health.stack_sets |= role | {"remediation documents": read(REMEDIATION_DOCUMENTS)}
    if findings.needs_events(settings):
        health.stack_sets["finding events"] = read(findings.EVENTS)


def _instances(  # noqa: PLR0913, PLR0917 - one StackSet, and what is known of the whole
    settings: Settings,
    access: Access,
    management: Access | None,
    organization: Organization,
    health: RegionHealth,
    part: str,
) -> dict[str, tuple[str, str]]:
    """How the stacks of a StackSet stand in each account, as far as CloudFormation knows."""
    own = access.caller.account
    given = {"CallAs": "SELF" if own == organization.management else "DELEGATED_ADMIN"}
    try:
        found = {
            each["Account"]: (each["Status"], each.get("StatusReason", ""))
            for each in access.items(
                "cloudformation",
                health.region,
                "list_stack_instances",
                "Summaries",
                StackSetName=settings.stack(part),
                **given,
            )
        }
    except AwsCallError as error:
        if error.code != "StackSetNotFoundException":
            raise
        found = {}
    excluded = set(organization.accounts) - set(health.accounts)
    found = {account: each for account, each in found.items() if account not in excluded}
    if organization.management in health.accounts:
        there = access if own == organization.management else management
        live = read_stack(there, health.region, settings.stack(part)) if there else None
        if there is None or (live is not None and live.status in _STACK_WELL):
            found[organization.management] = ("CURRENT", "")  # its evaluations tell, where it cannot be looked into
        elif live is not None:
            found[organization.management] = (live.status, live.reason)
    return found


def _read_functions(settings: Settings, access: Access, functions: Live, health: RegionHealth, now: datetime) -> None:
    health.rules = read_logs(settings, access, health.region, health.accounts, now)
    _read_errors(settings, access, health, now)
    queue = functions.outputs.get("FailureQueueUrl")
    if queue:
        health.failed_events = _waiting(access, health.region, queue)


def _waiting(access: Access, region: str, queue: str) -> int:
    """How many messages a queue holds."""
    number = "ApproximateNumberOfMessages"
    answer = access.call("sqs", region, "get_queue_attributes", QueueUrl=queue, AttributeNames=[number])
    return int(answer["Attributes"][number])


def _read_errors(settings: Settings, access: Access, health: RegionHealth, now: datetime) -> None:
    rules = {f"e{number}": rule for number, rule in enumerate(health.rules)}
    functions = {rule.folder.name: settings.function(rule.folder) for rule in settings.rules_on}
    queries = [
        {
            "Id": key,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": "Errors",
                    "Dimensions": [{"Name": "FunctionName", "Value": functions[rule.name]}],
                },
                "Period": METRIC_SECONDS,
                "Stat": "Sum",
            },
        }
        for key, rule in rules.items()
    ]
    results = access.items(
        "cloudwatch",
        health.region,
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=queries,
        # Whole periods, the present one included.
        StartTime=now.replace(second=0, microsecond=0) - max(rule.lookback for rule in health.rules),
        EndTime=now.replace(second=0, microsecond=0) + 2 * timedelta(seconds=METRIC_SECONDS),
    )
    for result in results:
        rule = rules[result["Id"]]
        for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
            if value and now - moment <= rule.lookback:
                rule.errors += int(value)
                rule.last_error = max(rule.last_error, moment.timestamp())
