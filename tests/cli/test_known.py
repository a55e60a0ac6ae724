"""What is known stays quiet, in the open: exclusions and baselines of `backup-rules evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.known import Exclusion, identity, matches
from backup_rules_cli.main import main
from tests.front_door import Door, front_door

RULE = "BACKUP_ROLE_ASSUMABLE"


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """An account with two plans, each with a selection whose role is missing, and credentials for it."""
    with front_door() as door, pytest.MonkeyPatch.context() as patch:
        door.selection(door.plan("nightly"), "orders")
        door.selection(door.plan("weekly"), "archive")
        credentials = door.session.get_credentials().get_frozen_credentials()
        patch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
        patch.setenv("AWS_SESSION_TOKEN", credentials.token)
        yield door


def evaluate(*arguments: object, output: str = "json") -> int:
    chosen = ["--region", "eu-west-1", "--rules", RULE, "--quiet", "--format", output]
    return main(["evaluate", *chosen, *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exclusions.yaml"


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ("plan: nightly", ["weekly"]),
        ("plan: night*", ["weekly"]),
        ("resource: orders", ["weekly"]),
        ("rule: BACKUP_ROLE_*, plan: 'week???'", ["nightly", "weekly"]),
        ("rule: BACKUP_ROLE_*, plan: 'week??'", ["nightly"]),
        ("rule: BACKUP_TAG_CASE", ["nightly", "weekly"]),
        ("plan: Nightly", ["nightly", "weekly"]),
        ("account: '111122223333', region: eu-*", []),
        ("account: '999988887777'", ["nightly", "weekly"]),
        ("region: us-*", ["nightly", "weekly"]),
        ("plan: nightly, expires: 2999-01-01", ["weekly"]),
    ],
)
def test_what_is_excluded(door: Door, file: Path, capsys: Any, entry: str, left: list[str]) -> None:
    file.write_text(f"exclusions:\n  - {{{entry}, reason: 'they know, says Ann'}}\n", encoding="utf-8")
    assert evaluate("--exclusions", file) == (1 if left else 0)
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert sorted(each["plan"] for each in found["evaluations"]) == left
    assert len(found["excluded"]) == 2 - len(left)
    assert {each["reason"] for each in found["excluded"]} <= {"they know, says Ann"}
    assert ("An exclusion excludes nothing here: " in told.err) is (len(left) == 2)


def test_one_that_has_expired_speaks_up(door: Door, file: Path, capsys: Any) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    file.write_text(
        f"exclusions:\n  - {{plan: nightly, reason: until the move, expires: {yesterday}}}\n", encoding="utf-8"
    )
    assert evaluate("--exclusions", file) == 1
    told = capsys.readouterr()
    assert len(json.loads(told.out)["evaluations"]) == 2
    assert f"An exclusion has expired on {yesterday}, and holds no longer: plan nightly (until the move)" in told.err


def test_the_last_day_counts(door: Door, file: Path, capsys: Any) -> None:
    today = datetime.now(UTC).date()
    file.write_text(f"exclusions:\n  - {{region: '*', plan: '*', reason: x, expires: {today}}}\n", encoding="utf-8")
    assert evaluate("--exclusions", file) == 0


def test_the_table_counts_them_and_shows_them_on_demand(door: Door, file: Path, capsys: Any) -> None:
    file.write_text("exclusions:\n  - {plan: nightly, reason: on purpose}\n", encoding="utf-8")
    assert evaluate("--exclusions", file, output="table") == 1
    told = capsys.readouterr().out
    assert "1 NON_COMPLIANT, 0 COMPLIANT, 1 excluded." in told
    assert "on purpose" not in told
    assert evaluate("--exclusions", file, "--show-excluded", output="table") == 1
    assert "Excluded: on purpose" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exclusions:\n  - {plan: x}\n", "Exclusion 1 needs a reason."),
        ("exclusions:\n  - {reason: x}\n", "Exclusion 1 would exclude all"),
        ("exclusions:\n  - {reason: x, expires: 2999-01-01}\n", "Exclusion 1 would exclude all"),
        (
            "exclusions:\n  - {plan: a, reason: x}\n  - {plans: a, reason: x}\n",
            "Exclusion 2 has 'plans'. Did you mean plan?",
        ),
        ("exclusions:\n  - {rule: BACKUP_TAGCASE, reason: x}\n", "Did you mean BACKUP_TAG_CASE?"),
        ("exclusions:\n  - {plan: a, reason: x, expires: soon}\n", "expires is 'soon'; it must be a day such as"),
        ("exclusions:\n  - {plan: [a], reason: x}\n", "plan is ['a']; it must be a text"),
        ("exclusions:\n  - nightly\n", "Exclusion 1 is 'nightly'"),
        ("exclude: []\n", "must be a list under the one key exclusions"),
        ("[", "are not YAML"),
        (None, "cannot be read: No such file or directory."),
    ],
)
def test_a_file_that_is_wrong_is_refused_before_anything_is_read(
    file: Path, capsys: Any, text: str | None, told: str
) -> None:
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert evaluate("--exclusions", file) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert (captured.out, len(captured.err.splitlines())) == ("", 1)


@pytest.mark.parametrize(
    ("pattern", "name", "whether"),
    [("a*", "abc", True), ("a*", "ba", False), ("a?c", "abc", True), ("[ab]", "a", False), ("a.c", "abc", False)],
)
def test_patterns_have_two_wildcards(pattern: str, name: str, *, whether: bool) -> None:
    assert matches(pattern, name) is whether


def test_an_exclusion_is_told_by_what_it_names() -> None:
    assert str(Exclusion("why", plan="nightly", region="eu-*")) == "region eu-*, plan nightly (why)"


# --- Baseline --------------------------------------------------------------------------------------------------------


def test_only_what_is_new_counts(door: Door, tmp_path: Path, capsys: Any) -> None:
    baseline = tmp_path / "baseline.json"
    assert evaluate("--save-baseline", baseline) == 1
    assert evaluate("--baseline", baseline) == 0
    capsys.readouterr()
    door.selection(door.plan("hourly"), "carts")
    assert evaluate("--baseline", baseline) == 1
    found = json.loads(capsys.readouterr().out)
    assert [each["plan"] for each in found["evaluations"]] == ["hourly"]
    assert len(found["excluded"]) == 2
    assert all(each["reason"].startswith("in the baseline of ") for each in found["excluded"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "is no baseline"),
        ("[", "is no baseline"),
        ('{"version": 2}', "is of version 2"),
        (None, "cannot be read"),
    ],
)
def test_a_baseline_that_is_none_is_refused(tmp_path: Path, capsys: Any, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "baseline").write_text(text, encoding="utf-8")
    assert evaluate("--baseline", tmp_path / "baseline") == 2
    assert told in capsys.readouterr().err


def problem(annotation: str) -> tuple[str, ...]:
    return identity(Evaluated(RULE, "111122223333", "eu-west-1", "type", "id", "NON_COMPLIANT", annotation))


def test_a_second_problem_behind_a_first_is_new() -> None:
    assert problem("Vault a is gone.") != problem("Vault a is gone. Key b is disabled.")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("starts 2026-11-24 02:30 UTC, inside", "starts 2026-11-25 02:30 UTC, inside", True),
        ("(nor did 2 before it)", "(nor did 3 before it)", True),
        ("Vault vault-1 is gone.", "Vault vault-2 is gone.", False),
        ("Role r2 is gone.", "Role r3 is gone.", False),
        ("arn:aws:iam::111122223333:role/a1", "arn:aws:iam::111122223333:role/a2", False),
    ],
)
def test_dates_and_counts_make_no_new_problem(one: str, other: str, *, same: bool) -> None:
    assert (problem(one) == problem(other)) is same
