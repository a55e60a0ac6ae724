"""What `verify --probe --probe-unit` looks at in an organization: the points that one account cannot show.

One rule is deployed as the product is, to the one account of an organizational unit: the member role by a StackSet,
the rule by an organization conformance pack that excludes everybody else. First AWS Config is admitted by
`aws:SourceOrgID`; where that fails, account by account.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.deploy import deploy
from backup_rules_cli.deploy.logs import read_logs
from backup_rules_cli.deploy.organization import (
    Organization,
    accounts_under,
    describe_organization,
    pack_statuses,
    with_accounts,
)
from backup_rules_cli.deploy.points import Point, until
from backup_rules_cli.deploy.settings import ACCOUNTS, OPEN, ORGANIZATION, Settings
from backup_rules_cli.deploy.stacks import StackError
from backup_rules_cli.deploy.terminal import Terminal
from backup_rules_cli.deploy.undeploy import undeploy
from backup_rules_cli.errors import CommandError

NAME = "backup-rules-probe-org"
FUNCTION_ROLE, MEMBER_ROLE = "BackupRulesProbeOrg", "BackupRulesProbeMember"

_SOURCE = "AWS Config sends aws:SourceOrgID (invoke_permission: organization)"
_REACHED = "A StackSet and an organization pack reach an account, and its rule is evaluated"
_FAILED = "A pack's failed accounts can be read after the stack was rolled back"


def find_organization(small: Settings, access: Access, unit: str) -> OrganizationProbe:
    """The probe of a unit that holds one account.

    Raises:
        CommandError: it holds none or several, or only the management account.
        AwsCallError: the organization cannot be read.
    """
    organization = with_accounts(access, describe_organization(access))
    accounts = sorted(accounts_under(access, [unit]) & set(organization.accounts) - {organization.management})
    if len(accounts) != 1:
        raise CommandError(
            f"Unit {unit} holds {len(accounts)} accounts that a StackSet reaches; the probe takes a unit with one, a"
            " sandbox: aws organizations move-account."
        )
    settings = replace(
        small,
        name=NAME,
        targets=(unit,),
        member_role_name=MEMBER_ROLE,
        function_role_name=FUNCTION_ROLE,
        rule_name_prefix="proborg-",
        keep_reads=False,
        skip_accounts_without_recorder=False,
    )
    return OrganizationProbe(settings, access, organization, accounts[0])


@dataclass(frozen=True)
class OrganizationProbe:
    """One rule for one account of an organization."""

    settings: Settings
    access: Access
    organization: Organization
    account: str

    def lines(self) -> Iterator[str]:
        """What it will make, in words."""
        name = self.organization.named(self.account)
        yield f"In organization {self.organization.id} it deploys {NAME}: stacks here, and for account {name} alone"
        yield f"a role {MEMBER_ROLE} by a StackSet, and a Config rule by an organization conformance pack, which"
        yield f"excludes the other {len(self.organization.accounts) - 1} accounts. It deletes all of it again."

    def points(self, terminal: Terminal) -> Iterator[Point]:
        """Deploy, wait, and see."""
        if self.access.caller.partition != "aws":
            yield Point(_SOURCE, None, "It needs AWS::Lambda::ResourcePolicy, which only the partition aws has.")
            yield Point(_FAILED, None, "Nothing failed.")
            yield replace(self._tried(OPEN, terminal)[0], statement=_REACHED)
            return
        source, failed = self._tried(ORGANIZATION, terminal)
        yield self._failed_accounts(failed)
        reached = source if source.holds else self._tried(ACCOUNTS, terminal)[0]
        # What goes wrong in either case says nothing about the key.
        yield Point(_SOURCE, source.holds if reached.holds else None, source.seen)
        yield replace(reached, statement=_REACHED)

    def _tried(self, permission: str, terminal: Terminal) -> tuple[Point, bool]:
        """Whether the account's rule is evaluated with this permission, and whether the pack's stack failed."""
        settings = replace(self.settings, invoke_permission=permission)
        started = datetime.now(UTC).timestamp()
        try:
            deploy(settings, self.access, None, self.access, Terminal(yes=True), single_account=False, only_plan=False)
        except StackError as error:
            return Point("", holds=False, seen=" ".join(str(error).split())[:600]), True
        terminal.say(f"{settings.home}  waiting for AWS Config to evaluate in {self.account}")
        last = until(lambda: self._last_put(settings), lambda at: at is not None and at >= started - 60)
        if last is None:
            return Point("", holds=False, seen=f"No evaluation was put for {self.account} within the time."), False
        seen = f"Evaluations were put for {self.account} at {datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M:%S} UTC."
        return Point("", holds=True, seen=seen), False

    def _last_put(self, settings: Settings) -> float | None:
        (health,) = read_logs(settings, self.access, settings.home, [self.account], datetime.now(UTC))
        return health.puts.get(self.account)

    def _failed_accounts(self, failed: bool) -> Point:  # noqa: FBT001 - what was seen before
        if not failed:
            return Point(_FAILED, None, "The stack did not fail.")
        try:
            statuses = list(pack_statuses(self.access, self.settings.home, NAME))
        except AwsCallError as error:
            return Point(_FAILED, holds=False, seen=f"{error.code}: {error.text}")
        seen = ", ".join(f"{each['AccountId']} {each['Status']} {each.get('ErrorCode', '')}" for each in statuses)
        return Point(_FAILED, holds=bool(statuses), seen=seen or "No account is listed.")

    def take_away(self) -> None:
        """Delete all of it.

        Raises:
            AwsCallError, StackError: something is left; it is told.
        """
        undeploy(self.settings, self.access, None, self.access, Terminal(yes=True), named=True)
