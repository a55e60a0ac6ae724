"""What all deployments of a test run share: what takes its time, and is the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import moto.backends
import pytest

from local.deploy import deploy
from local.package import package


@pytest.fixture(scope="package", autouse=True)
def _made_once() -> Iterator[None]:
    """The package, and moto's list of its own folder, which its server would read for each request."""
    modules = tuple(moto.backends.list_of_moto_modules())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deploy, "package", cache(package))
        patch.setattr(moto.backends, "list_of_moto_modules", lambda: modules)
        yield
