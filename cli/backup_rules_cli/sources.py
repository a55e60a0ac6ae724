"""Where answers come from: real accounts, a reading of an earlier day, or the organization that is simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws.calls import ClientBuilder
from backup_rules_cli.catalogue import planted
from backup_rules_cli.errors import CommandError
from backup_rules_cli.readings.files import load
from backup_rules_cli.readings.reading import Reading
from backup_rules_cli.readings.recording import RecordingClients
from backup_rules_cli.readings.replay import ReplayClients
from backup_rules_cli.reports import Failure
from backup_rules_cli.suggestions import did_you_mean
from backup_rules_cli.targets import SIDE_BY_SIDE, SessionClients, Wanted, targets

_LARGEST = 100_000


@dataclass(frozen=True)
class Readable:
    """One account in one Region, and what reads it."""

    place: Place
    clients: ClientBuilder


@dataclass
class Sources:
    """Accounts and Regions that can be read, in order, as of when; names of accounts; and those that cannot be entered.

    `called` is what they are together, in words. At most `side_by_side` of them may be read at the same time.
    `of_earlier`: they are those of a reading, whose time `called` tells.
    """

    called: str
    now: datetime
    names: dict[str, str] = field(default_factory=dict)
    found: list[Readable] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    side_by_side: int = SIDE_BY_SIDE
    of_earlier: bool = False

    @property
    def read_from(self) -> str:
        """What they are, and when they were read."""
        return self.called if self.of_earlier else f"{self.called}, {self.now:%Y-%m-%d %H:%M} UTC"

    def keep(self) -> Reading:
        """From now on, whatever is read goes into the reading that is returned."""
        reading = Reading(self.now, self.called)
        reading.names |= self.names
        reading.failures += [(each.account, each.region, each.error) for each in self.failures]
        self.found = [
            Readable(each.place, RecordingClients(each.clients, reading.of(each.place))) for each in self.found
        ]
        return reading


@dataclass(frozen=True)
class Where:
    """What a person named. Nothing: the simulated organization, of which `accounts` says how large it is."""

    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    role: str = ""
    reading: Path | None = None

    def __post_init__(self) -> None:
        if self.reading is not None and (self.profiles or self.role):
            given = "--profile" if self.profiles else "--role"
            raise CommandError(f"--from {self.reading} needs no access: leave out {given}.")

    @property
    def is_demo(self) -> bool:
        """Whether no account is named."""
        return not (self.profiles or self.regions or self.role or self.reading)


@contextmanager
def opened(where: Where) -> Iterator[Sources]:
    """What is to be read, for as long as the context lasts.

    Raises:
        CommandError: nothing can be read at all.
    """
    if where.reading is not None:
        yield of_reading(load(where.reading), where.regions, where.accounts)
    elif where.is_demo:
        with of_demo(more_than_demo(demo_size(where.accounts))) as sources:
            yield sources
    else:
        yield of_accounts(Wanted(where.profiles, where.regions, where.accounts, where.role))


def demo_size(accounts: Sequence[str]) -> int:
    """How many accounts the simulated organization is to have; 0: as many as it has.

    Raises:
        CommandError: it is no number, or too large.
    """
    if not accounts:
        return 0
    if len(accounts) > 1 or not accounts[0].isdecimal() or int(accounts[0]) > _LARGEST:
        raise CommandError(
            f"--accounts is {', '.join(accounts)!r}; for the simulated organization, allowed is a number up to"
            f" {_LARGEST:,}. Accounts of your own need --role too."
        )
    return int(accounts[0])


def more_than_demo(accounts: int) -> int:
    """How many accounts are to be added to those of the demo."""
    from demo_organization.accounts import ACCOUNTS  # noqa: PLC0415 - see `of_demo`

    return max(0, accounts - len(ACCOUNTS))


def of_accounts(wanted: Wanted) -> Sources:
    """Real accounts.

    Raises:
        CommandError: none can be entered, and there is only one thing to say.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    whole = targets(wanted)
    found = [Readable(each.place, SessionClients(each.session)) for each in whole.found]
    return Sources(_in_words(wanted), now, whole.names, found, whole.failures)


def of_reading(reading: Reading, regions: Sequence[str] = (), accounts: Sequence[str] = ()) -> Sources:
    """What was read then, as of then; or of these Regions and accounts (ids or names) only.

    Raises:
        CommandError: the reading has none of them.
    """
    called = f"{reading.source}, as read on {reading.read_at:%Y-%m-%d %H:%M} UTC"
    made = Sources(called, reading.read_at, dict(reading.names), side_by_side=1, of_earlier=True)
    made.found = [Readable(each.place, ReplayClients(each)) for each in reading.places]
    made.failures = [Failure("(all)", account, region, why) for account, region, why in reading.failures]
    return narrowed(made, regions, accounts)


def narrowed(sources: Sources, regions: Sequence[str], accounts: Sequence[str]) -> Sources:
    """Those of these Regions and accounts (ids or names); all, where none is named.

    Raises:
        CommandError: there is no such Region or account among them.
    """
    places = [each.place for each in sources.found]
    _check_named("Region", regions, {each.region for each in places})
    names = {sources.names[each.account] for each in places if each.account in sources.names}
    _check_named("account", accounts, {each.account for each in places} | names)

    def wanted(account: str, region: str) -> bool:
        of_account = not accounts or account in accounts or sources.names.get(account) in accounts
        return of_account and (not regions or region in regions)

    sources.found = [each for each in sources.found if wanted(each.place.account, each.place.region)]
    sources.failures = [each for each in sources.failures if wanted(each.account, each.region)]
    return sources


def _check_named(what: str, names: Sequence[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, sorted(known))
            raise CommandError(f"There is no {what} {name} here.{hint} There are {', '.join(sorted(known))}.")


class _SimulatedClients:
    """Clients in an account of the simulated organization, of which there may be many: made when first asked for."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @cached_property
    def _clients(self) -> SessionClients:
        from aws_simulator.core.accounts import account_session  # noqa: PLC0415

        return SessionClients(account_session(self._place.account, self._place.region))

    def build_client(self, service: str) -> Any:
        return self._clients.build_client(service)


@contextmanager
def of_demo(more: int = 0, step: Callable[[str], None] = lambda _: None) -> Iterator[Sources]:
    """The organization that is simulated in memory, for as long as the context lasts, with so many accounts more."""
    # The simulator is needed for this only, and takes a second to import.
    from moto.utilities.utils import get_partition  # noqa: PLC0415

    from aws_simulator.simulation import simulated_aws  # noqa: PLC0415
    from demo_organization import seed  # noqa: PLC0415

    now = datetime.now(UTC).replace(microsecond=0)
    with simulated_aws():
        step("making an organization in memory")
        organization = seed(now, more, plants=planted())
        names = {each.id: each.name for each in organization.accounts}
        places = [
            Place(get_partition(region), each.id, region) for each in organization.accounts for region in each.regions
        ]
        found = [Readable(place, _SimulatedClients(place)) for place in places]
        yield Sources("a simulated organization", now, names, found, side_by_side=1)


def _in_words(wanted: Wanted) -> str:
    profiles = [profile for profile in wanted.profiles if profile]
    who = (
        f"profile{'s' if len(profiles) > 1 else ''} {', '.join(profiles)}" if profiles else "the environment's account"
    )
    return f"{who}, role {wanted.role} in accounts" if wanted.accounts else who
