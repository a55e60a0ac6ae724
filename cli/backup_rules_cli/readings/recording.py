"""Clients that keep what they are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.aws.calls import ClientBuilder
from backup_rules_cli.readings.reading import Answered, PlaceRead, Refusal, answer_of, question


class RecordingClients:
    """Clients as another builds them; every question and its answer goes into `kept`."""

    def __init__(self, clients: ClientBuilder, kept: PlaceRead) -> None:
        self._clients = clients
        self._kept = kept

    def build_client(self, service: str) -> Any:
        """The client of a service."""
        return _RecordingClient(self._clients.build_client(service), service, self._kept)


class _RecordingClient:
    def __init__(self, client: Any, service: str, kept: PlaceRead) -> None:
        self.meta = client.meta
        self._client = client
        self._service = service
        self._kept = kept

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            answered = self._begin(method, parameters)
            answer = _or_refusal(answered, lambda: getattr(self._client, method)(**parameters))
            answered.pages.append(answer_of(self._service, answer, 1))
            answered.whole = True
            return answer

        return call

    def get_paginator(self, method: str) -> _RecordingPaginator:
        """The pages of a listing."""
        return _RecordingPaginator(self, method)

    def pages(self, method: str, parameters: dict[str, Any]) -> Iterator[Any]:
        """Page by page, each kept before it is given."""
        answered = self._begin(method, parameters)
        pages = iter(self._client.get_paginator(method).paginate(**parameters))
        while (page := _or_refusal(answered, lambda: next(pages, None))) is not None:
            answered.pages.append(answer_of(self._service, page, len(answered.pages) + 1))
            yield page
        answered.whole = True

    def _begin(self, method: str, parameters: dict[str, Any]) -> Answered:
        answered = Answered()
        operation = self._client.meta.method_to_api_mapping[method]
        with self._kept.lock:
            self._kept.answers[question(self._service, operation, parameters)] = answered
        return answered


class _RecordingPaginator:
    def __init__(self, client: _RecordingClient, method: str) -> None:
        self._client = client
        self._method = method

    def paginate(self, **parameters: Any) -> Iterator[Any]:
        return self._client.pages(self._method, parameters)


def _or_refusal(answered: Answered, ask: Callable[[], Any]) -> Any:
    """What is answered; a refusal is kept, and raised as it was."""
    try:
        return ask()
    except ClientError as error:
        detail = error.response.get("Error", {})
        answered.refusal = Refusal("ClientError", str(detail.get("Code", "")), str(detail.get("Message", "")))
        raise
    except BotoCoreError as error:
        answered.refusal = Refusal(type(error).__name__, "", str(error))
        raise
