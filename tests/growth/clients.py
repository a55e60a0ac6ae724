"""So much of boto3's clients as the rules use; answers are methods of an object, such as `backup_get_backup_plan`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from backup_rules_cli.unsent import Unsent

Answer = dict[str, Any]


class Clients:
    """Builds clients; as `backup_rules.aws.calls.ClientBuilder`."""

    def __init__(self, answers: object) -> None:
        self._answers = answers

    def build_client(self, service: str) -> Any:
        """The client of a service."""
        return _Client(self._answers, service)


class _Client:
    """The client of one service."""

    def __init__(self, answers: object, service: str) -> None:
        self._answers, self._service = answers, service
        self.meta = Unsent()

    def __getattr__(self, method: str) -> Callable[..., Answer]:
        found: Callable[..., Answer] = getattr(self._answers, f"{self._service}_{method}")
        return found

    def get_paginator(self, method: str) -> _Paginator:
        """All of a listing on one page."""
        return _Paginator(getattr(self, method))


class _Paginator:
    def __init__(self, ask: Callable[..., Answer]) -> None:
        self._ask = ask

    def paginate(self, **parameters: Any) -> Iterator[Answer]:
        parameters.pop("PaginationConfig", None)
        yield self._ask(**parameters)
