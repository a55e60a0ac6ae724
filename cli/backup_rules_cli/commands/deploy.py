"""`backup-rules deploy`, `deploy-single-account`, `verify`, `undeploy`.

Exit status: 0 when all is well, 1 when something is not (a stack failed, the question was answered with no, verify
found problems), 2 when it could not be begun or read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from backup_rules_cli import console, known, options
from backup_rules_cli.deploy.aws import Access
from backup_rules_cli.deploy.deploy import deploy as roll_out
from backup_rules_cli.deploy.deploy import own_organization
from backup_rules_cli.deploy.exclusions import handed_over
from backup_rules_cli.deploy.probe import probe as try_out
from backup_rules_cli.deploy.settings import Settings
from backup_rules_cli.deploy.settings_file import load
from backup_rules_cli.deploy.terminal import Terminal
from backup_rules_cli.deploy.undeploy import undeploy as take_away
from backup_rules_cli.deploy.verify import verify as read_back
from backup_rules_cli.errors import PROBLEMS, WELL, CommandError
from backup_rules_cli.resources import ROOT

_F = TypeVar("_F", bound=Callable[..., Any])

DEFAULT_SETTINGS = ROOT / "rdk-config" / "deployment.yaml"

_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_expect_account = click.option(
    "--expect-account", default="", metavar="ID", help="Refuse any other account: for pipelines."
)
_expect_organization = click.option(
    "--expect-organization", default="", metavar="o-…", help="Refuse an account of any other organization."
)
_plan = click.option("--plan", is_flag=True, help="Only show what would be done.")
_exclusions = click.option(
    "--exclusions",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file of findings that are known: what the pack can be told of it, it does not report.",
)


def _place(command: _F) -> _F:
    """Whose pack, where, and how it is."""
    for option in (
        click.option(
            "--settings",
            type=click.Path(dir_okay=False, path_type=Path),
            default=DEFAULT_SETTINGS,
            help="What is deployed; without, rdk-config/deployment.yaml as it is published.",
        ),
        options.region_option("Instead of the settings' Regions; the first is the home Region."),
        click.option(
            "--management-profile", default="", metavar="NAME", help="The management account, to include it as well."
        ),
        click.option(
            "--security-hub-profile",
            default="",
            metavar="NAME",
            help="Security Hub's administrator account, where it is another than that of --profile.",
        ),
        options.profile_option,
    ):
        command = option(command)
    return command


@click.command(
    epilog=options.examples(
        "backup-rules deploy --profile security --plan",
        "backup-rules deploy --profile security --region eu-west-1 --region us-east-1",
        "backup-rules deploy --profile security --settings rdk-config/second.yaml --exclusions known.yaml",
        "backup-rules deploy --profile security --yes --expect-organization o-exampleorgid",
    )
)
@_place
@_expect_account
@_expect_organization
@_exclusions
@_plan
@_yes
def deploy(
    profile: str,
    management_profile: str,
    security_hub_profile: str,
    regions: tuple[str, ...],
    settings: Path,
    expect_account: str,
    expect_organization: str,
    exclusions: Path | None,
    plan: bool,
    yes: bool,
) -> int:
    """Bring the pack to an organization: checks, shows the plan, asks, and makes it so. See docs/deploying.md."""
    wanted, access, management, hub = _read(profile, management_profile, security_hub_profile, regions, settings)
    wanted = _without(wanted, exclusions)
    _expect(access, expect_account, expect_organization)
    return _done(
        lambda: roll_out(wanted, access, management, hub, Terminal(yes=yes), single_account=False, only_plan=plan)
    )


@click.command(
    "deploy-single-account",
    epilog=options.examples(
        "backup-rules deploy-single-account --profile sandbox --region eu-west-1",
    ),
)
@_place
@_expect_account
@_exclusions
@_plan
@_yes
def deploy_single_account(
    profile: str,
    management_profile: str,
    security_hub_profile: str,
    regions: tuple[str, ...],
    settings: Path,
    expect_account: str,
    exclusions: Path | None,
    plan: bool,
    yes: bool,
) -> int:
    """Bring the pack to one account alone, for a trial."""
    wanted, access, management, hub = _read(profile, management_profile, security_hub_profile, regions, settings)
    wanted = _without(wanted, exclusions)
    _expect(access, expect_account)
    return _done(
        lambda: roll_out(wanted, access, management, hub, Terminal(yes=yes), single_account=True, only_plan=plan)
    )


@click.command(
    epilog=options.examples(
        "backup-rules verify --profile security",
        "backup-rules verify --profile security --region eu-west-1 --all",
        "backup-rules verify --profile sandbox --probe --probe-unit ou-ab12-11111111",
    )
)
@_place
@click.option("--all", "everything", is_flag=True, help="Show every account, healthy ones too.")
@click.option(
    "--probe",
    is_flag=True,
    help="Instead: bring one rule to this account alone, a sandbox, see which open points hold on AWS, take it away.",
)
@click.option(
    "--probe-unit",
    default="",
    metavar="OU",
    help="With --probe: also to the one sandbox account of this organizational unit, as to an organization.",
)
@_yes
def verify(
    profile: str,
    management_profile: str,
    security_hub_profile: str,
    regions: tuple[str, ...],
    settings: Path,
    everything: bool,
    probe: bool,
    probe_unit: str,
    yes: bool,
) -> int:
    """Tell how the deployed pack is, in every account and Region; changes nothing, without --probe."""
    wanted, access, management, hub = _read(profile, management_profile, security_hub_profile, regions, settings)
    if probe_unit and not probe:
        raise click.UsageError("--probe-unit goes with --probe.")
    if probe:
        return _done(lambda: try_out(wanted, access, Terminal(yes=yes), probe_unit))
    well = read_back(wanted, access, management, hub, everything=everything, named=bool(regions))
    return WELL if well else PROBLEMS


@click.command(
    epilog=options.examples(
        "backup-rules undeploy --profile security",
        "backup-rules undeploy --profile security --yes --expect-account 444455556666",
    )
)
@_place
@_expect_account
@_expect_organization
@_yes
def undeploy(
    profile: str,
    management_profile: str,
    security_hub_profile: str,
    regions: tuple[str, ...],
    settings: Path,
    expect_account: str,
    expect_organization: str,
    yes: bool,
) -> int:
    """Take the deployed pack away again, in all Regions or in those named; it asks first."""
    wanted, access, management, hub = _read(profile, management_profile, security_hub_profile, regions, settings)
    _expect(access, expect_account, expect_organization)
    return _done(lambda: take_away(wanted, access, management, hub, Terminal(yes=yes), named=bool(regions)))


def _read(
    profile: str, management_profile: str, security_hub_profile: str, regions: tuple[str, ...], path: Path
) -> tuple[Settings, Access, Access | None, Access]:
    settings = load(path, regions)
    management = Access(management_profile, settings.home) if management_profile else None
    access = Access(profile, settings.home)
    hub = Access(security_hub_profile, settings.home) if security_hub_profile else access
    return settings, access, management, hub


def _without(settings: Settings, exclusions: Path | None) -> Settings:
    """The settings with what the file excludes, as far as a pack can be told."""
    if exclusions is None:
        return settings
    return handed_over(settings, known.load(exclusions), datetime.now(UTC).date())


def _expect(access: Access, account: str, organization: str = "") -> None:
    """That the credentials are of the account and organization that were meant.

    Raises:
        CommandError: they are of another; nothing was done.
        AwsCallError: they cannot be read.
    """
    if account and access.caller.account != account:
        raise CommandError(f"The credentials are of account {access.caller.account}; expected is {account}.")
    if organization:
        own = own_organization(access).id
        if own != organization:
            raise CommandError(f"Account {access.caller.account} is of organization {own}; expected is {organization}.")


def _done(work: Callable[[], bool]) -> int:
    try:
        return WELL if work() else PROBLEMS
    except KeyboardInterrupt:
        console.note("Interrupted. AWS goes on with what was begun; run it again to go on.")
        return PROBLEMS
