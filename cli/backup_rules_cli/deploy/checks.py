"""What must hold before anything is made. Only reads; every problem comes with what a person does about it.

Where each demand comes from:
https://docs.aws.amazon.com/config/latest/developerguide/conformance-pack-organization-apis.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.organization import CONFIG, PACKS, STACK_SETS, Organization, Reach
from backup_rules_cli.deploy.settings import Settings
from backup_rules_cli.deploy.stacks import read_stack
from backup_rules_cli.errors import CommandError
from backup_rules_cli.places import known_regions
from backup_rules_cli.templates.functions import FUNCTION_ROLE_DESCRIPTION

# https://docs.aws.amazon.com/config/latest/APIReference/API_PutOrganizationConformancePack.html allows 1,000, but they
# are one parameter of a stack, whose value has 4,096 bytes at most, of which an account id and its comma take 13.
MOST_EXCLUDED = 4096 // 13


@dataclass(frozen=True)
class Problem:
    """Something that is missing, and what mends it: a command where there is one."""

    text: str
    mend: str


class NotReadyError(CommandError):
    """The deployment cannot begin. Holds each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{each.text}\n  {each.mend}" for each in self.problems))


def organization_problems(access: Access, organization: Organization, settings: Settings) -> Iterator[Problem]:
    """What the organization lacks, or the caller's place in it."""
    if not organization.all_features:
        yield Problem(
            f"Organization {organization.id} has consolidated billing only; AWS Config needs all features.",
            _in_management("aws organizations enable-all-features"),
        )
    services = [PACKS, STACK_SETS] + [CONFIG] * settings.aggregator
    own = access.caller.account
    if own != organization.management:
        delegated = _delegated(access, own)
        if delegated is None:
            yield _no_administrator(own)
            return
        for service in services:
            if service not in delegated:
                yield Problem(
                    f"Account {own} is no delegated administrator for {service}.", _registration(own, service)
                )
    trusted = {
        each["ServicePrincipal"]
        for each in access.items(
            "organizations", access.region, "list_aws_service_access_for_organization", "EnabledServicePrincipals"
        )
    }
    for service in services:
        if service not in trusted:
            yield Problem(f"The organization does not trust {service}.", _in_management(_TRUST[service]))


_TRUST = {
    service: f"aws organizations enable-aws-service-access --service-principal {service}" for service in (CONFIG, PACKS)
} | {STACK_SETS: "aws cloudformation activate-organizations-access"}


def _in_management(command: str) -> str:
    return f"In the management account: {command}"


def _registration(account: str, service: str) -> str:
    return _in_management(
        f"aws organizations register-delegated-administrator --account-id {account} --service-principal {service}"
    )


def _delegated(access: Access, account: str) -> set[str] | None:
    """The services that the account administers; None when AWS Organizations does not even talk to it."""
    try:
        return {
            each["ServicePrincipal"]
            for each in access.items(
                "organizations",
                access.region,
                "list_delegated_services_for_account",
                "DelegatedServices",
                AccountId=account,
            )
        }
    except AwsCallError as error:
        if error.denied or error.code == "AccountNotRegisteredException":
            return None
        raise


def _no_administrator(account: str) -> Problem:
    return Problem(
        f"Account {account} is neither the management account of its organization nor a delegated administrator"
        f" (or the credentials lack organizations:ListDelegatedServicesForAccount).",
        f"{_registration(account, PACKS)}; the same for {STACK_SETS}. Or use the profile of an account that is one.",
    )


def reach_problems(organization: Organization, reached: Reach, settings: Settings) -> Iterator[Problem]:
    """What is wrong with the accounts that were chosen."""
    for account in settings.excluded_accounts:
        if account not in organization.accounts and account not in organization.closed:
            yield Problem(
                f"excluded_accounts names {account}, which is no account of organization {organization.id}.",
                "Correct it in the settings, or take it out.",
            )
    if not reached.accounts:
        yield Problem("No account would be reached.", "Widen targets, or shorten excluded_accounts, in the settings.")
    if len(reached.excluded) > MOST_EXCLUDED:
        yield Problem(
            f"{len(reached.excluded)} accounts lie outside the targets or are excluded; {MOST_EXCLUDED} are possible,"
            " because an organization conformance pack knows no targets, only exceptions.",
            "Widen targets in the settings, up to root.",
        )


def remediation_problems(organization: Organization, settings: Settings, *, management: bool) -> Iterator[Problem]:
    """What AWS Config wants before a pack with remediation: its role in the management account, where no StackSet goes.

    https://docs.aws.amazon.com/config/latest/developerguide/cpack-prerequisites.html
    """
    if settings.remediation and not management:
        yield Problem(
            f"remediation: true needs role {settings.remediation_role_name} in management account"
            f" {organization.management}, too, before the pack, whether or not the pack reaches it.",
            "Name a profile of the management account with --management-profile, or set remediation: false.",
        )


def account_problems(access: Access, settings: Settings) -> Iterator[Problem]:
    """What the own account lacks in the Regions, where it is judged itself."""
    for region in settings.regions:
        answer = access.call("config", region, "describe_configuration_recorder_status")
        recorders = answer.get("ConfigurationRecordersStatus") or []
        if not recorders:
            yield Problem(
                f"AWS Config has no recorder in account {access.caller.account}, {region}.",
                f"Set it up: aws configservice put-configuration-recorder --region {region} …, or in the console."
                " To leave this account out, name it in excluded_accounts.",
            )
        elif not any(each.get("recording") for each in recorders):
            yield Problem(
                f"The recorder of AWS Config is stopped in account {access.caller.account}, {region}.",
                f"aws configservice start-configuration-recorder --region {region}"
                f" --configuration-recorder-name {recorders[0].get('name', 'default')}",
            )


def role_problems(access: Access, roles: Iterable[tuple[str, str, str]]) -> Iterator[Problem]:
    """Roles (name, Region and name of the stack that makes it) that exist already, and not from their stack."""
    for role, region, stack in roles:
        if read_stack(access, region, stack) is None and _exists(access, role):
            yield Problem(
                f"Role {role} exists already in account {access.caller.account}, and stack {stack} in {region}, which"
                " would make it, does not: it belongs to another pack, or to this one with another home Region.",
                "Name the home Region first in regions; for a second pack choose other member_role_name and"
                " function_role_name, and for remediation another remediation_role_name and"
                " remediation_document_prefix. A StackSet that was made by hand: delete it first.",
            )


def deployer_problems(access: Access, settings: Settings) -> Iterator[Problem]:
    """The member role admits a deployer of the account that owns the pack, and of no other."""
    role = settings.deployer_role_arn
    if role and role.split(":")[4] != access.caller.account:
        yield Problem(
            f"deployer_role_arn {role} is of another account than the one that owns the pack, {access.caller.account}.",
            "Name the role under which you deploy, or leave it blank.",
        )


def prefix_problems(access: Access, settings: Settings) -> Iterator[Problem]:
    """Roles of the account that this pack's member roles would admit, or whose member roles would admit this pack's.

    A member role admits the functions' roles of all Regions, by the beginning of their names.
    """
    own, regions = f"{settings.function_role_name}-", known_regions()
    for role in access.items("iam", access.region, "list_roles", "Roles"):
        name = role["RoleName"]
        ending = next((region for region in regions if name.endswith(f"-{region}")), "")
        theirs = name.removesuffix(ending) if ending else ""
        if theirs == own:
            continue
        if name.startswith(own):
            yield _too_alike(settings, name, "this pack's member roles would admit it")
        elif theirs and own.startswith(theirs) and role.get("Description") == FUNCTION_ROLE_DESCRIPTION:
            yield _too_alike(settings, name, "the member roles of its pack would admit this pack's functions")


def _too_alike(settings: Settings, role: str, why: str) -> Problem:
    return Problem(
        f"Role {role} exists, and function_role_name {settings.function_role_name} begins like it: {why}.",
        "Choose another function_role_name, which neither begins like the other nor the other like it.",
    )


def _exists(access: Access, role: str) -> bool:
    try:
        access.call("iam", access.region, "get_role", RoleName=role)
    except AwsCallError as error:
        if error.code in ("NoSuchEntity", "NoSuchEntityException"):
            return False
        raise
    return True


def gathered(*checks: Callable[[], Iterable[Problem]]) -> tuple[Problem, ...]:
    """The problems that the checks find; a call that was denied is one too, and ends only its own check."""
    problems: list[Problem] = []
    for check in checks:
        try:
            problems += check()
        except AwsCallError as error:
            problems.append(Problem(str(error), _mend_of(error)))
    return tuple(dict.fromkeys(problems))


def _mend_of(error: AwsCallError) -> str:
    if error.denied:
        return "Use credentials that have it (docs/deploying.md lists what the deployment needs)."
    return "See docs/deploying.md, Troubleshooting."
