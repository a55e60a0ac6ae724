"""`make deploy` and `make deploy-single-account`: checks, plan, question, and then the stacks, phase by phase."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.console import show
from backup_rules_cli.deploy.artifacts import NO_BUCKET, empty_buckets, upload
from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.checks import (
    NotReadyError,
    Problem,
    account_problems,
    deployer_problems,
    gathered,
    organization_problems,
    prefix_problems,
    reach_problems,
    remediation_problems,
    role_problems,
)
from backup_rules_cli.deploy.failed_packs import failed_packs, put_again
from backup_rules_cli.deploy.findings import EVENT_BUS, EVENTS, EVENTS_EVERYWHERE, FORWARDER, hub_problems
from backup_rules_cli.deploy.organization import (
    Organization,
    Reach,
    accounts_under,
    describe_organization,
    pack_statuses,
    reach,
    with_accounts,
)
from backup_rules_cli.deploy.organization_rollout import OrganizationRollout
from backup_rules_cli.deploy.plan import Plan
from backup_rules_cli.deploy.recorders import accounts_without_recorder
from backup_rules_cli.deploy.rollout import (
    FUNCTIONS,
    KEPT_READS,
    MEMBER_ROLE,
    ORGANIZATION,
    REMEDIATION,
    REMEDIATION_ROLE,
    Rollout,
)
from backup_rules_cli.deploy.settings import Settings
from backup_rules_cli.deploy.single_account_rollout import SingleAccountRollout
from backup_rules_cli.deploy.stacks import Change, Stack, apply, compare, mend, read_stack
from backup_rules_cli.deploy.terminal import Terminal
from backup_rules_cli.deploy.words import counted
from backup_rules_cli.package import package

_SHOWN = 10


def deploy(  # noqa: PLR0913 - what the command line takes
    settings: Settings,
    access: Access,
    management: Access | None,
    hub: Access,
    terminal: Terminal,
    *,
    single_account: bool,
    only_plan: bool,
) -> bool:
    """Bring the pack to where the settings say; False when the person does not want it.

    `hub` is Security Hub's administrator account.

    Raises:
        NotReadyError: something is missing beforehand; nothing was made.
        AwsCallError, StackError: something failed on the way; running it again goes on from there.
        PackageError: the functions could not be packed.
    """
    rollout: Rollout = (
        _single_account(settings, access, hub) if single_account else _organization(settings, access, management, hub)
    )
    plan = _plan(rollout)
    show(plan.lines())
    stuck = [step for step in plan.steps if step.change is Change.STUCK]
    if stuck:
        raise NotReadyError(
            Problem(
                f"Stack {step.stack.name} in {step.stack.region} is {step.live.status}, and can't be updated.",
                mend(step.stack, step.live),
            )
            for step in stuck
            if step.live is not None
        )
    if not plan.changes:
        show(["Nothing to change."])
        return True
    if only_plan:
        return True
    if not terminal.agrees("Deploy?"):
        show(["Nothing was changed."])
        return False
    _make(rollout, terminal)
    for pack in plan.failed:
        put_again(pack, terminal.say)
    show(["Deployed. AWS Config evaluates within minutes; then: backup-rules verify"])
    if settings.aggregator and not single_account:
        asking = f"backup-rules query --aggregator {settings.name} --region {settings.home}"
        show([f"What it found in all accounts: {asking}"])
    return True


def read_targets(access: Access, organization: Organization, settings: Settings) -> set[str]:
    """The accounts in the settings' targets, excluded ones among them.

    Raises:
        NotReadyError: a target does not exist.
        AwsCallError: they cannot be read.
    """
    if not settings.targets:
        return set(organization.accounts)
    try:
        return accounts_under(access, settings.targets)
    except AwsCallError as error:
        if error.code != "ParentNotFoundException":
            raise
        problem = Problem(
            f"One of targets {', '.join(settings.targets)} does not exist in organization {organization.id}.",
            f"aws organizations list-organizational-units-for-parent --parent-id {organization.root}",
        )
        raise NotReadyError([problem]) from None


def _organization(settings: Settings, access: Access, management: Access | None, hub: Access) -> OrganizationRollout:
    organization = own_organization(access)
    _refuse(gathered(lambda: organization_problems(access, organization, settings)))
    organization = with_accounts(access, organization)
    in_management = access.caller.account == organization.management
    management = access if in_management else management
    targeted = read_targets(access, organization, settings)
    reached = reach(organization, targeted, settings, management=management is not None)
    _refuse(
        gathered(
            lambda: _management_problems(management, organization),
            lambda: reach_problems(organization, reached, settings),
            lambda: remediation_problems(organization, settings, management=management is not None),
            lambda: account_problems(access, settings) if _judged_itself(access, reached, settings) else (),
            lambda: role_problems(access, _function_roles(settings)),
            lambda: prefix_problems(access, settings),
            lambda: deployer_problems(access, settings),
            lambda: role_problems(access, _own_roles(settings, access, organization, reached)),
            lambda: hub_problems(hub, settings),
        )
    )
    silent = accounts_without_recorder(access, management, organization, reached, settings)
    return OrganizationRollout(settings, access, package(), hub, organization, reached, management, silent)


def _judged_itself(access: Access, reached: Reach, settings: Settings) -> bool:
    return access.caller.account in reached.accounts and not settings.skip_accounts_without_recorder


def own_organization(access: Access) -> Organization:
    """The organization of the account, without its other accounts.

    Raises:
        NotReadyError: there is none.
        AwsCallError: it cannot be read.
    """
    try:
        return describe_organization(access)
    except AwsCallError as error:
        if error.code != "AWSOrganizationsNotInUseException":
            raise
        problem = Problem(
            f"Account {access.caller.account} belongs to no organization.",
            "For this account alone: backup-rules deploy-single-account. To make an organization of it:"
            " aws organizations create-organization --feature-set ALL",
        )
        raise NotReadyError([problem]) from None


def _management_problems(management: Access | None, organization: Organization) -> Iterator[Problem]:
    if management is not None and management.caller.account != organization.management:
        yield Problem(
            f"Profile {management.profile} is of account {management.caller.account}; the management account is"
            f" {organization.management}.",
            "Name a profile of the management account with --management-profile, or none to leave it out.",
        )


def _function_roles(settings: Settings) -> list[tuple[str, str, str]]:
    names = {settings.function_role_name: FUNCTIONS}
    if settings.forwards:
        names[settings.forwarder_role_name] = FORWARDER
    return [
        (f"{name}-{region}", region, settings.stack(part))
        for name, part in names.items()
        for region in settings.regions
    ]


def _own_roles(
    settings: Settings, access: Access, organization: Organization, reached: Reach
) -> list[tuple[str, str, str]]:
    own = access.caller.account
    if own not in reached.accounts:
        return []
    parts = {settings.member_role_name: (MEMBER_ROLE, ORGANIZATION)}
    if settings.remediation:
        parts[settings.remediation_role_name] = REMEDIATION_ROLE, REMEDIATION
    if settings.forwards:
        parts[settings.findings_role_name] = EVENTS, EVENTS_EVERYWHERE
    return [
        (role, settings.home, settings.stack(part if own == organization.management else stack_set))
        for role, (part, stack_set) in parts.items()
    ]


def _single_account(settings: Settings, access: Access, hub: Access) -> SingleAccountRollout:
    _refuse(gathered(lambda: account_problems(access, settings), lambda: hub_problems(hub, settings)))
    return SingleAccountRollout(settings, access, package(), hub)


def _refuse(problems: tuple[Problem, ...]) -> None:
    if problems:
        raise NotReadyError(problems)


def _plan(rollout: Rollout) -> Plan:
    buckets = {stack.region: _bucket(stack) for stack in rollout.buckets()}
    phases = rollout.phases(buckets)
    steps = list(rollout.surplus(phases, before=True))
    steps += [compare(stack) for phase in (rollout.buckets(), *phases) for stack in phase]
    steps += rollout.surplus(phases)
    uploads = {region: rollout.artifacts.missing(rollout.access, region, name) for region, name in buckets.items()}
    failed = tuple(failed_packs(rollout, steps)) if isinstance(rollout, OrganizationRollout) else ()
    return Plan(rollout, tuple(steps), uploads, failed)


def _bucket(stack: Stack) -> str:
    """The name of the artifact bucket; a stand-in while there is none."""
    live = read_stack(stack.access, stack.region, stack.name)
    return live.outputs.get("BucketName", NO_BUCKET) if live else NO_BUCKET


def _make(rollout: Rollout, terminal: Terminal) -> None:
    apply([compare(stack) for stack in rollout.buckets()], terminal.say)
    buckets = {stack.region: _bucket(stack) for stack in rollout.buckets()}
    for region, bucket in buckets.items():
        objects = rollout.artifacts.missing(rollout.access, region, bucket)
        if objects:
            terminal.say(f"{region}  uploading {counted(len(objects), 'file')}")
            upload(rollout.access, region, bucket, objects)
    phases = rollout.phases(buckets)
    apply(rollout.surplus(phases, before=True), terminal.say)
    for phase in phases:
        apply([compare(stack) for stack in phase], terminal.say, _explained)
    last = rollout.surplus(phases)
    kept_reads = rollout.settings.stack(KEPT_READS)
    doomed = [(step.stack.access, step.stack.region, step.stack.name) for step in last]
    empty_buckets([place for place in doomed if place[2] == kept_reads], terminal.say)
    buses = [step for step in last if step.stack.name == rollout.settings.stack(EVENT_BUS)]
    apply([step for step in last if step not in buses], terminal.say)
    apply(buses, terminal.say)  # EventBridge deletes no bus that has rules


def _explained(stack: Stack) -> Iterator[str]:
    """Of an organization's stack that failed: the accounts in which AWS Config could not make the pack, and why."""
    name = stack.parameters.get("PackName")
    if not name:
        return
    try:
        failed = [
            each
            for status in ("CREATE_FAILED", "UPDATE_FAILED")
            for each in pack_statuses(stack.access, stack.region, name, status)
        ]
    except AwsCallError:  # it is gone by now, with what it knew
        return
    for each in failed[:_SHOWN]:
        yield f"account {each['AccountId']}: {each.get('ErrorCode', '')}: {each.get('ErrorMessage', '')}"
    if len(failed) > _SHOWN:
        yield f"and {len(failed) - _SHOWN:,} more accounts"
