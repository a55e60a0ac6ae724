"""What clients have that send nothing, as their answers come from a reading or from documents."""

from __future__ import annotations

from botocore.model import ServiceId


class _NoEvents:
    """Nothing is sent, and nothing tried again."""

    def register(self, *_: object, **__: object) -> None:
        """There is nothing to be told of."""

    def register_first(self, *_: object, **__: object) -> None:
        """In the same way."""


class _NoService:
    """The model of no service."""

    service_id = ServiceId("unsent")


class Unsent:
    """The `meta` of such a client."""

    events = _NoEvents()
    service_model = _NoService()
