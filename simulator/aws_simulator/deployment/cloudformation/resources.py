"""What a resource type does: how its resource is made, changed and deleted, and where."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from moto.utilities.utils import get_partition

from aws_simulator.deployment.cloudformation import clients

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Scope:
    """The place in a stack that a resource is made for."""

    account: str
    region: str
    stack_name: str
    stack_id: str
    logical_id: str

    @property
    def partition(self) -> str:
        return str(get_partition(self.region))

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call in the account and Region of the stack; parameters that are None are left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return clients.call(self.account, self.region, service, operation, given)

    def generated_name(self, longest: int = 64) -> str:
        """A new name, for a resource that its template gives none."""
        ending = uuid.uuid4().hex[:12].upper()
        room = longest - len(ending) - 1
        return f"{self.stack_name}-{self.logical_id}"[:room] + f"-{ending}"

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass
class Made:
    """A resource that a stack has made."""

    id: str
    """Its physical id: what `Ref` gives, unless `reference` says otherwise."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What `Fn::GetAtt` gives."""

    reference: str | None = None
    handle: Any = None
    """Whatever else its type has to know to change or delete it."""


@dataclass(frozen=True)
class ResourceType:
    """One type of resource.

    `put` makes the resource, or changes the one that it is given. A change of a property in `fixed` replaces the
    resource. `update` is False for types whose every change does.
    """

    name: str
    put: Callable[[Scope, Properties, Made | None], Made]
    delete: Callable[[Scope, Made], None]
    fixed: frozenset[str] = frozenset()
    update: bool = True
    attributes: frozenset[str] | None = None
    """What `Fn::GetAtt` can ask for; None: unknown before the resource exists."""


def gone(*codes: str) -> Absent:
    """Within it, the resource to delete may be gone already: an error with one of these codes, or any "not found"."""
    return Absent(codes)


class Absent:
    """See `gone`."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._codes = codes

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> bool:
        if not isinstance(error, ClientError):
            return False
        code = str(error.response["Error"]["Code"])
        return code in self._codes or "NotFound" in code or "NoSuch" in code or "NonExistent" in code


def tag_list(properties: Properties) -> list[dict[str, str]] | None:
    """The tags as most services want them; None without any."""
    tags = properties.get("Tags")
    if isinstance(tags, Mapping):
        return [{"Key": key, "Value": value} for key, value in tags.items()]
    return [dict(tag) for tag in tags] if tags else None


def tag_map(properties: Properties) -> dict[str, str] | None:
    """The tags as a mapping; None without any."""
    return {tag["Key"]: tag["Value"] for tag in tag_list(properties) or []} or None


def only(properties: Properties, *names: str) -> dict[str, Any]:
    """These of the properties, as far as they are given."""
    return {name: properties[name] for name in names if name in properties}


def renamed(properties: Properties, names: Mapping[str, str]) -> dict[str, Any]:
    """The properties under the names that the API has for them."""
    return {new: properties[old] for old, new in names.items() if old in properties}


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items in groups of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
