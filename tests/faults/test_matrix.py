"""A part of the fault matrix, and that the matrix sees what it is there to see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.faults.matrix import LASTING, ONCE, Cell, Outcome, run_rule, violation
from tests.faults.world import TRUTH, World, world
from tests.front_door import Door

RULE = "BACKUP_VAULT_USABLE"
LOUD = "ReadError: backup:ListBackupPlans failed in account 111122223333, eu-west-1: AccessDeniedException"


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world() as it:
        yield it


@pytest.mark.slow
@pytest.mark.parametrize("rule", TRUTH)
def test_no_fault_clears_a_finding_or_passes_in_silence(here: World, rule: str) -> None:
    counts, violations = run_rule(here, rule, every=41)
    assert violations == []
    assert counts["cells"] > 1


@pytest.mark.parametrize(
    ("expected", "outcome", "says"),
    [
        pytest.param(LASTING, Outcome({}, LOUD), "", id="nothing put, loudly"),
        pytest.param(LASTING, Outcome(TRUTH[RULE], ""), "succeeds", id="silence"),
        pytest.param(LASTING, Outcome({"broken": "COMPLIANT"}, LOUD), "clears broken", id="cleared as compliant"),
        pytest.param(LASTING, Outcome({"broken": "NOT_APPLICABLE"}, LOUD), "clears broken", id="cleared as gone"),
        pytest.param(LASTING, Outcome({"healthy": "NON_COMPLIANT"}, LOUD), "false alarm about healthy", id="alarm"),
        pytest.param(
            LASTING, Outcome({}, "KeyError: 'x'"), "the error names no ListBackupPlans, 111122223333", id="no names"
        ),
        pytest.param(ONCE, Outcome(TRUTH[RULE], ""), "", id="healed"),
        pytest.param(ONCE, Outcome({}, LOUD), "was not healed", id="not healed"),
        pytest.param(ONCE, Outcome({"broken": "NON_COMPLIANT"}, ""), "was not healed", id="healed in part"),
    ],
)
def test_what_the_matrix_calls_a_violation(expected: str, outcome: Outcome, says: str) -> None:
    cell = Cell(("backup", "ListBackupPlans"), "denied", expected, nullcontext)
    found = violation(World(Door(), {}), RULE, cell, outcome)
    assert found.startswith(says) if says else found == ""
