"""Clients that answer from a reading, as AWS answered then. What was not asked then is no answer, and no empty one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.aws.calls import permission
from backup_rules.errors import ReadError
from backup_rules.wording.annotations import shorten
from backup_rules_cli.readings.reading import Answered, PlaceRead, Refusal, from_json, question

NOT_READ = "NotInReading"
"""The code of a ReadError about what a reading lacks."""


class ReplayClients:
    """The clients of one account and Region of a reading."""

    def __init__(self, kept: PlaceRead) -> None:
        self._kept = kept
        self._operations = {(service, xform_name(name)): name for service, name, _ in kept.answers}

    def build_client(self, service: str) -> Any:
        """The client of a service."""
        return _ReplayClient(service, self)

    def answered(self, service: str, method: str, parameters: dict[str, Any]) -> Answered:
        """How the question was answered.

        Raises:
            ReadError: it was not asked.
        """
        operation = self._operations.get((service, method), "".join(map(str.title, method.split("_"))))
        asked = question(service, operation, parameters)
        found = self._kept.answers.get(asked)
        if found is None or not (found.whole or found.refusal):
            place = self._kept.place
            about = f", asked with {shorten(asked[2], 160)}" if json.loads(asked[2]) else ""
            raise ReadError(
                f"{permission(service, operation)} of account {place.account}, {place.region}, is not in this reading"
                f"{about}. Evaluate again there with --save.",
                NOT_READ,
            )
        return found


class _NoEvents:
    def register(self, *_: object, **__: object) -> None:
        """Nothing is sent, and nothing tried again."""


class _Meta:
    events = _NoEvents()


class _ReplayClient:
    meta = _Meta()

    def __init__(self, service: str, clients: ReplayClients) -> None:
        self._service = service
        self._clients = clients

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            answered = self._clients.answered(self._service, method, parameters)
            if answered.refusal is not None:
                _refuse(answered.refusal, method)
            (answer,) = answered.pages
            return from_json(answer)

        return call

    def get_paginator(self, method: str) -> _ReplayPaginator:
        """The pages of a listing."""
        return _ReplayPaginator(self, method)

    def pages(self, method: str, parameters: dict[str, Any]) -> Iterator[Any]:
        """Page by page, up to what ended them."""
        answered = self._clients.answered(self._service, method, parameters)
        yield from map(from_json, answered.pages)
        if answered.refusal is not None:
            _refuse(answered.refusal, method)


class _ReplayPaginator:
    def __init__(self, client: _ReplayClient, method: str) -> None:
        self._client = client
        self._method = method

    def paginate(self, **parameters: Any) -> Iterator[Any]:
        return self._client.pages(self._method, parameters)


def _refuse(refusal: Refusal, method: str) -> NoReturn:
    if refusal.kind == "ClientError":
        raise ClientError({"Error": {"Code": refusal.code, "Message": refusal.message}}, method)
    # The name of the SDK's exception is what becomes of it: see `Calls`.
    raise type(refusal.kind, (BotoCoreError,), {"fmt": "{said}"})(said=refusal.message)
