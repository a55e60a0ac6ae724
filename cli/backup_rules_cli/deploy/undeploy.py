"""`make undeploy`: takes a pack away again, in the reverse order, and says what stays."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.console import show
from backup_rules_cli.deploy import findings
from backup_rules_cli.deploy.artifacts import empty_buckets
from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.everywhere import whereabouts, with_all_regions
from backup_rules_cli.deploy.organization import describe_organization
from backup_rules_cli.deploy.rollout import (
    ARTIFACTS,
    FUNCTIONS,
    INVOKE,
    KEPT_READS,
    MEMBER_ROLE,
    ORGANIZATION,
    QUERIES,
    REMEDIATION,
    SINGLE_ACCOUNT,
    Place,
    own_remediation_places,
)
from backup_rules_cli.deploy.settings import Settings
from backup_rules_cli.deploy.stacks import delete, read_stack
from backup_rules_cli.deploy.terminal import Terminal


def undeploy(  # noqa: PLR0913 - what the command line takes
    settings: Settings,
    access: Access,
    management: Access | None,
    hub: Access,
    terminal: Terminal,
    *,
    named: bool = False,
) -> bool:
    """Delete every stack of the pack, in all Regions that it is in; False when the person does not want it.

    With `named`, the person has named the Regions: the others are only told of.

    Raises:
        AwsCallError, StackError: something failed on the way; running it again goes on from there.
    """
    found = whereabouts(settings, access)
    if not named:
        settings = with_all_regions(settings, access, found)
    phases = _phases(settings, access, management, hub)
    show([found.text])
    if named and found.elsewhere:
        show([f"{settings.name} is also in {', '.join(found.elsewhere)}, which stays, as it was not named."])
    if not any(phases):
        where = f" in {', '.join(settings.regions)}" if named else ""
        show([f"Nothing of {settings.name} is deployed in account {access.caller.account}{where}."])
    else:
        show([f"Deletes from account {access.caller.account}, with everything in them:"])
        for of_access, region, name in (each for phase in phases for each in phase):
            show([f"  {region}  {name}" + _elsewhere(of_access, access)])
        if _has(settings.stack(ORGANIZATION), phases):
            show(["With the organization's stack go the pack, its verdicts and the member role in every account."])
        if _has(settings.stack(findings.EVENTS_EVERYWHERE), phases):
            show(["With the events' goes what sends them, and the role for findings, in every account."])
        if _has(settings.stack(REMEDIATION), phases):
            show(["With the remediation's go its documents and its role in every account."])
        if not terminal.agrees("Delete?"):
            show(["Nothing was changed."])
            return False
        for phase in phases:
            empty_buckets([place for place in phase if place[2] in _with_buckets(settings)], terminal.say)
            delete(phase, terminal.say)
        show(["Deleted."])
    show(_left(settings, access, management))
    show(_insights_left(settings, elsewhere=hub is access and not _has(settings.stack(findings.INSIGHTS), phases)))
    return True


def _phases(settings: Settings, access: Access, management: Access | None, hub: Access) -> list[list[Place]]:
    """The stacks that exist, in the reverse order of their making."""
    others, home = settings.regions[1:], settings.regions[:1]
    accounts = [each for each in (access, management) if each is not None]
    of_findings = findings.places(access, hub, accounts, settings)
    order: list[list[Place]] = [
        [(access, region, QUERIES) for region in home],
        [(access, region, ORGANIZATION) for region in others],
        [(access, region, ORGANIZATION) for region in home],
        [(access, region, REMEDIATION) for region in settings.regions],
        [place for each in accounts for place in own_remediation_places(each, settings)],
        [place for place in of_findings if place[2] != findings.EVENT_BUS],
        [place for place in of_findings if place[2] == findings.EVENT_BUS],
        [(each, settings.home, MEMBER_ROLE) for each in accounts],
        [(access, region, part) for part in (INVOKE, SINGLE_ACCOUNT) for region in settings.regions],
        [(access, region, FUNCTIONS) for region in settings.regions],
        [(access, region, part) for part in (ARTIFACTS, KEPT_READS) for region in settings.regions],
    ]
    return [
        [
            (each, region, settings.stack(part))
            for each, region, part in phase
            if read_stack(each, region, settings.stack(part)) is not None
        ]
        for phase in order
    ]


def _has(stack: str, phases: list[list[Place]]) -> bool:
    return any(name == stack for phase in phases for _, _, name in phase)


def _elsewhere(of_access: Access, access: Access) -> str:
    return "" if of_access is access else f"  in account {of_access.caller.account}"


def _with_buckets(settings: Settings) -> set[str]:
    return {settings.stack(ARTIFACTS), settings.stack(KEPT_READS)}


def _left(settings: Settings, access: Access, management: Access | None) -> Iterator[str]:
    own = {*(settings.function(rule.folder) for rule in settings.rules), *findings.functions(settings)}
    for region in settings.regions:
        for part in findings.BY_HAND:
            name = settings.stack(part)
            if read_stack(access, region, name) is not None:
                yield f"Left: stack {name} in {region}, which was deployed by hand. Delete it: aws cloudformation"
                yield f"  delete-stack --region {region} --stack-name {name}"
        yield from _stack_set_left(settings, access, region)
        prefix = f"/aws/lambda/{settings.name}-"
        for group in access.items("logs", region, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
            if group["logGroupName"].removeprefix("/aws/lambda/") not in own:
                continue  # of a pack whose name begins like this one's
            yield f"Left: log group {group['logGroupName']} in {region}. Delete it: aws logs delete-log-group"
            yield f"  --region {region} --log-group-name {group['logGroupName']}"
    if management is None and _is_member(access):
        yield f"Not looked at: stack {settings.stack(MEMBER_ROLE)} in the management account, and those of remediation"
        yield "  and events. If they were made there, run this again with --management-profile."


def _insights_left(settings: Settings, *, elsewhere: bool) -> Iterator[str]:
    if settings.security_hub and elsewhere:
        name = settings.stack(findings.INSIGHTS)
        yield f"Not looked at: stack {name} in another account that administers Security Hub. If it was made there,"
        yield "  run this again with --security-hub-profile."


def _stack_set_left(settings: Settings, access: Access, region: str) -> Iterator[str]:
    """A StackSet for the events of all accounts that somebody made by hand."""
    name = settings.stack("finding-events")
    call_as = "DELEGATED_ADMIN" if _is_member(access) else "SELF"
    try:
        access.call("cloudformation", region, "describe_stack_set", StackSetName=name, CallAs=call_as)
    except AwsCallError as error:
        if error.code != "StackSetNotFoundException":
            yield f"Not looked at: StackSet {name} in {region}: {error}"
        return
    yield f"Left: StackSet {name} in {region}, which was deployed by hand. Delete its instances, then it: aws"
    yield f"  cloudformation delete-stack-set --region {region} --stack-set-name {name} --call-as {call_as}"


def _is_member(access: Access) -> bool:
    """Whether the account is in an organization that another account manages."""
    try:
        return describe_organization(access).management != access.caller.account
    except AwsCallError as error:
        if error.code == "AWSOrganizationsNotInUseException":
            return False
        raise
