"""What all deployments of a test run share: the package, which takes its time and is the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from backup_rules_cli.deploy import deploy
from backup_rules_cli.package import package


@pytest.fixture(scope="package", autouse=True)
def _made_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deploy, "package", cache(package))
        yield
