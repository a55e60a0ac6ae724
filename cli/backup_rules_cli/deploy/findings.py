"""What carries verdicts on, by setting: Security Hub's insights, the forwarder of findings, alerts, and their events.

The event bus and what reads from it are in the account that owns the pack; every account sends to the bus. Security
Hub's insights and automation rules are in its administrator account, which may be another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.checks import Problem
from backup_rules_cli.deploy.settings import Settings

INSIGHTS, FORWARDER, ALERTS = "insights", "forwarder", "mails"
EVENT_BUS, EVENTS, EVENTS_EVERYWHERE = "event-bus", "events", "events-everywhere"
"""Stacks; that of `EVENTS` in accounts that no StackSet reaches, elsewhere the StackSet of that name.

None is named as the stacks that people made by hand before there were settings: `deploy` deletes none of those.
"""
FILES = {
    INSIGHTS: "security-hub",
    FORWARDER: "finding-forwarder",
    ALERTS: "alerts",
    EVENTS: "finding-events",
    EVENTS_EVERYWHERE: "finding-events-everywhere",
}
"""The templates that are not named like the stack's part."""
BY_HAND = (*FILES.values(),)
"""What the stacks are called that people made by hand."""

Place = tuple[Access, str, str]


def needs_events(settings: Settings) -> bool:
    """Whether every account has to tell of its compliance changes."""
    return settings.forwards or settings.alerts


def central_parts(settings: Settings) -> Mapping[str, bool]:
    """The parts of the account that owns the pack, in each Region, and which of them the settings ask for."""
    return {EVENT_BUS: needs_events(settings), FORWARDER: settings.forwards, ALERTS: settings.alerts}


def bus_parameters(settings: Settings, organization: str) -> dict[str, str]:
    """What the stack of the event bus takes. `organization` is blank for an account alone."""
    return {"EventBusName": settings.name, "OrganizationId": organization}


def functions(settings: Settings) -> tuple[str, str]:
    """The names of the functions that import findings, and that mail."""
    return f"{settings.name}-forward-findings", f"{settings.name}-send-alerts"


def reader_parameters(settings: Settings, part: str, organization: str) -> dict[str, str]:
    """What forwarder or alerts take beside their code."""
    common = {
        **bus_parameters(settings, organization),
        "EventBus": "Existing",
        "RuleNamePrefix": settings.rule_name_prefix,
        "RulePagesUrl": settings.rule_pages_url,
    }
    if part == FORWARDER:
        return common | {
            "FunctionName": functions(settings)[0],
            "FindingsRoleName": settings.findings_role_name,
            "ForwarderRoleName": settings.forwarder_role_name,
        }
    return common | {
        "FunctionName": functions(settings)[1],
        "EmailAddress": settings.alert_email,
        "Schedule": settings.alert_schedule,
    }


def sender_parameters(settings: Settings, central: str, organization: str) -> dict[str, str]:
    """What every account takes, to send its events to the central one."""
    return {
        "CentralAccountId": central,
        **bus_parameters(settings, organization),
        "RuleNamePrefix": settings.rule_name_prefix,
        "FindingsRoleRegion": settings.home if settings.forwards else "",
        "FindingsRoleName": settings.findings_role_name,
        "ForwarderRoleName": settings.forwarder_role_name,
    }


def hub_parameters(settings: Settings) -> dict[str, str]:
    """What Security Hub's administrator account takes."""
    return {"Forwarder": "true" if settings.forwards else "false", "RuleNamePrefix": settings.rule_name_prefix}


def hub_problems(hub: Access, settings: Settings) -> Iterator[Problem]:
    """What the account lacks that is to have the insights: Security Hub, and that it administers itself.

    A member account can make no automation rules:
    https://docs.aws.amazon.com/securityhub/latest/userguide/automation-rules.html

    Raises:
        AwsCallError: it cannot be read.
    """
    for region in settings.hub_regions:
        try:
            hub.call("securityhub", region, "describe_hub")
            answer = hub.call("securityhub", region, "get_administrator_account")
        except AwsCallError as error:
            if error.code not in ("InvalidAccessException", "ResourceNotFoundException"):
                raise
            yield Problem(
                f"Security Hub CSPM is off in account {hub.caller.account}, {region}.",
                f"aws securityhub enable-security-hub --region {region}; or set security_hub: false.",
            )
            continue
        administrator = (answer.get("Administrator") or {}).get("AccountId", hub.caller.account)
        if administrator != hub.caller.account:
            yield Problem(
                f"Security Hub of account {hub.caller.account}, {region}, is administered by account {administrator}.",
                f"Name a profile of account {administrator} with --security-hub-profile.",
            )


def places(access: Access, hub: Access, senders: Iterable[Access], settings: Settings) -> tuple[Place, ...]:
    """Where any of it is, under some settings. `senders` are accounts that no StackSet reaches."""
    readers = ((access, region, part) for part in (FORWARDER, ALERTS) for region in settings.regions)
    sending = ((each, region, EVENTS) for each in senders for region in settings.regions)
    everywhere = ((access, region, EVENTS_EVERYWHERE) for region in settings.regions)
    insights = ((hub, region, INSIGHTS) for region in settings.regions)
    return (*insights, *everywhere, *sending, *readers, *((access, region, EVENT_BUS) for region in settings.regions))
