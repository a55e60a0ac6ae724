"""A real account that fills in what documents leave open, read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.arns import Place
from backup_rules.aws.calls import ClientBuilder
from backup_rules.aws.memory import gaps_noticed
from backup_rules_cli.check.answers import NotInFilesError
from backup_rules_cli.errors import CommandError
from backup_rules_cli.places import in_words, regions_of, session_of
from backup_rules_cli.targets import SessionClients


@dataclass(frozen=True)
class Filling:
    """An account in a Region whose answers fill in."""

    account: str
    region: str
    clients: ClientBuilder

    def behind(self, documented: ClientBuilder, place: Place) -> ClientBuilder:
        """The documents' answers, and where they leave something open, the account's."""
        here = (place.account, place.region) == (self.account, self.region)
        return _Filled(documented, self.clients) if here else documented


def filling(profile: str, account: str, region: str) -> Filling:
    """The account of the profile.

    Raises:
        CommandError: it cannot be entered, or is another than `account`.
    """
    (where, *_) = regions_of(profile, [region] if region else [])
    session = session_of(profile, where)
    try:
        own = str(session.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise CommandError(in_words(error)) from error
    if account and account != own:
        raise CommandError(f"--account is {account}, and --with-account enters {own}: name one of them.")
    return Filling(own, where, SessionClients(session))


class _Filled:
    def __init__(self, documented: ClientBuilder, real: ClientBuilder) -> None:
        self._documented = documented
        self._real = real

    def build_client(self, service: str) -> Any:
        return _Client(self._documented.build_client(service), lambda: self._real.build_client(service))


class _Client:
    def __init__(self, documented: Any, real: Callable[[], Any]) -> None:
        self._documented = documented
        self._real = real

    @property
    def meta(self) -> Any:
        return self._documented.meta

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            try:
                with gaps_noticed() as gaps:
                    found = getattr(self._documented, method)(**parameters)
            except NotInFilesError:
                return getattr(self._real(), method)(**parameters)
            return getattr(self._real(), method)(**parameters) if gaps else found

        return call

    def get_paginator(self, method: str) -> _Pages:
        return _Pages(self, method)

    def pages(self, method: str, parameters: dict[str, Any]) -> Iterator[Any]:
        """The documents' page, and the account's where there may be more."""
        try:
            with gaps_noticed() as gaps:
                documented = list(self._documented.get_paginator(method).paginate(**parameters))
        except NotInFilesError:
            documented, gaps = [], {"": NotInFilesError("nothing is told")}
        yield from documented
        if gaps:
            yield from self._real().get_paginator(method).paginate(**parameters)


class _Pages:
    def __init__(self, client: _Client, method: str) -> None:
        self._client = client
        self._method = method

    def paginate(self, **parameters: Any) -> Iterator[Any]:
        return self._client.pages(self._method, parameters)
