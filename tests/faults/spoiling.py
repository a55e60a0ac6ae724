"""Answers of AWS, spoilt after botocore has read them: AWS answering otherwise than it does today."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name
from botocore.client import BaseClient

Parsed = dict[str, Any]
Operation = tuple[str, str]

DEEPEST = 4
"""Names in the path of a field: `BackupPlan.Rules.Lifecycle.DeleteAfterDays`."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of a clean run: by which operation, and where its list and its page tokens are, if it has them."""

    operation: Operation
    answer: Parsed = field(hash=False)
    list_key: str | None
    token_in: str | None
    token_out: str | None
    more: str | None
    """The field that says whether there is another page, if the operation has one."""
    words: frozenset[tuple[str, ...]]
    """Paths of fields that are enumerations to AWS's own model."""


Spoil = Callable[[Parsed, Mapping[str, Any]], Parsed]
"""Gets the true answer and the parameters as they were sent; gives what the caller gets."""


@contextmanager
def answering(
    operation: Operation | None = None, spoil: Spoil | None = None, before: Callable[[], None] | None = None
) -> Iterator[list[Answered]]:
    """Answers of `operation` are spoilt while the context lasts; gives the record of all answers."""
    real = BaseClient._make_api_call
    record: list[Answered] = []

    def call(self: Any, name: str, parameters: dict[str, Any]) -> Parsed:
        if before is not None:
            before()
        here = (self.meta.service_model.service_name, name)
        paging = _paging(self, name)
        struck = here == operation
        sent = dict(parameters)
        if struck and str(sent.get(paging.get("input_token", ""), "")).startswith("spoilt"):
            del sent[paging["input_token"]]
        answer: Parsed = real(self, name, sent)
        metadata = answer.pop("ResponseMetadata", {})
        shape = self.meta.service_model.operation_model(name).output_shape
        words = frozenset(_words(shape)) if shape is not None else frozenset()
        keys = (
            paging.get("result_key"),
            paging.get("input_token"),
            paging.get("output_token"),
            paging.get("more_results"),
        )
        record.append(Answered(here, copy.deepcopy(answer), *keys, words))
        if struck and spoil is not None:
            answer = spoil(answer, parameters)
        return answer | {"ResponseMetadata": metadata}

    setattr(BaseClient, "_make_api_call", call)  # noqa: B010 - mypy forbids assigning to a method
    try:
        yield record
    finally:
        setattr(BaseClient, "_make_api_call", real)  # noqa: B010 - as above


def _paging(client: Any, name: str) -> dict[str, str]:
    method = xform_name(name)
    if not client.can_paginate(method):
        return {}
    found = client.get_paginator(method)._pagination_cfg
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _words(shape: Any, depth: int = DEEPEST) -> Iterator[tuple[str, ...]]:
    """The enumerations, by paths as `fields` makes them."""
    while shape.type_name == "list":
        shape = shape.member
    if shape.type_name != "structure" or not depth:
        return
    for name, member in shape.members.items():
        if member.type_name == "string" and member.enum:
            yield (name,)
        for path in _words(member, depth - 1):
            yield (name, *path)


def fields(answer: Parsed, depth: int = DEEPEST) -> Iterator[tuple[str, ...]]:
    """The fields of an answer, of its structures, and of the first item of its lists, to that depth."""
    for name, value in answer.items():
        yield (str(name),)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict) and depth > 1:
            for path in fields(inner, depth - 1):
                yield (str(name), *path)


def at(answer: Parsed, path: tuple[str, ...], change: Callable[[dict[str, Any], str], None]) -> Parsed:
    """A copy in which `change` was done to the container of the field, if it is there."""
    found = copy.deepcopy(answer)
    container: Any = found
    for name in path[:-1]:
        inner = container.get(name) if isinstance(container, dict) else None
        container = inner[0] if isinstance(inner, list) and inner else inner
    if isinstance(container, dict) and path[-1] in container:
        change(container, path[-1])
    return found
