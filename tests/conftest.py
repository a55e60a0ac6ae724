"""What all tests share."""

from __future__ import annotations

import gc


def pytest_sessionfinish() -> None:
    """Leave what is there out of the collections at pytest's end: AWS's models are many objects, and take it seconds.

    xdist interrupts a worker that takes more than five.
    """
    gc.freeze()
