"""What counts as a problem of a deployed pack, given what was read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from backup_rules_cli.deploy.health import RegionHealth, RuleHealth, troubles

NAMES = {"111122223333": "payments", "222233334444": "analytics"}
PAYMENTS, ANALYTICS = NAMES
MORNING, NOON, EVENING = 1_000_000.0, 1_010_000.0, 1_020_000.0
WELL = {PAYMENTS: MORNING, ANALYTICS: MORNING}


def rule(
    name: str = "BACKUP_TAG_CASE",
    puts: Mapping[str, float] = WELL,
    failures: Mapping[str, tuple[float, str]] | None = None,
    **fields: Any,
) -> RuleHealth:
    """A rule of which log lines were read."""
    health = RuleHealth(name, "TwentyFour_Hours", **fields)
    for account, moment in puts.items():
        health.note(account, moment, None)
    for account, (moment, text) in (failures or {}).items():
        health.note(account, moment, text)
    return health


def region(*rules: RuleHealth, **fields: Any) -> RegionHealth:
    """A Region with two accounts."""
    return RegionHealth("eu-west-1", (PAYMENTS, ANALYTICS), list(rules), **fields)


OTHER = rule("BACKUP_TAG_WHITESPACE")


@pytest.mark.parametrize(
    "health",
    [
        region(rule(), OTHER),
        region(
            rule(), packs=dict.fromkeys(NAMES, ("CREATE_SUCCESSFUL", "")), roles=dict.fromkeys(NAMES, ("CURRENT", ""))
        ),
        region(rule(failures={PAYMENTS: (MORNING - 1, "throttled")}), OTHER),
        region(rule(puts=dict.fromkeys(NAMES, NOON), errors=3, last_error=MORNING), OTHER),
        region(rule(), config_rules={"backup-tag-case": "ACTIVE"}),
    ],
    ids=["evaluated", "pack and role there", "failed before it succeeded", "errors before the last put", "rule active"],
)
def test_nothing_is_wrong(health: RegionHealth) -> None:
    assert troubles(health, NAMES) == []


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        pytest.param(
            region(rule(), OTHER, packs={PAYMENTS: ("CREATE_FAILED", "NoAvailableConfigurationRecorder: none")}),
            [
                ("pack", "CREATE_FAILED in payments (111122223333). NoAvailableConfigurationRecorder: none"),
                ("pack", "missing in analytics (222233334444)."),
            ],
            id="the pack failed in one account and is missing in the other",
        ),
        pytest.param(
            region(rule(), OTHER, roles={PAYMENTS: ("CURRENT", ""), ANALYTICS: ("OUTDATED", "exists already")}),
            [("member role", "OUTDATED in analytics (222233334444). exists already")],
            id="the role could not be made in an account",
        ),
        pytest.param(
            region(rule(), packs={**dict.fromkeys(NAMES, ("CREATE_SUCCESSFUL", "")), "333": ("CREATE_SUCCESSFUL", "")}),
            [("pack", "It also reaches 333, outside the targets: run deploy again, which excludes them.")],
            id="an account that joined outside the targets",
        ),
        pytest.param(
            region(rule(failures={PAYMENTS: (NOON, "iam:GetRole was denied")}), OTHER),
            [("BACKUP_TAG_CASE", "It fails in payments (111122223333): iam:GetRole was denied")],
            id="one rule fails in one account",
        ),
        pytest.param(
            region(rule(failures=dict.fromkeys(NAMES, (NOON, "no layer"))), OTHER),
            [
                (
                    "BACKUP_TAG_CASE",
                    "It fails in 2 accounts: payments (111122223333), analytics (222233334444): no layer",
                )
            ],
            id="one rule fails everywhere, told once",
        ),
        pytest.param(
            region(
                rule(failures={PAYMENTS: (NOON, "no role")}),
                rule("BACKUP_TAG_WHITESPACE", failures={PAYMENTS: (NOON, "no role")}),
            ),
            [("payments", "All rules fail in payments (111122223333): no role")],
            id="all rules fail in one account, told once",
        ),
        pytest.param(
            region(rule(puts={PAYMENTS: MORNING}), OTHER),
            [("BACKUP_TAG_CASE", "No evaluation was put within 48 hours for analytics (222233334444).")],
            id="one rule is silent about one account",
        ),
        pytest.param(
            region(rule(puts={PAYMENTS: MORNING}), rule("BACKUP_TAG_WHITESPACE", puts={PAYMENTS: MORNING})),
            [("evaluations", "No rule was evaluated in analytics (222233334444) within two periods.")],
            id="all rules are silent about one account",
        ),
        pytest.param(
            region(rule(errors=3, last_error=EVENING), OTHER),
            [("BACKUP_TAG_CASE", "3 invocations of its function failed within 48 hours, and none has put")],
            id="the function fails before it can log",
        ),
        pytest.param(
            region(rule(errors=1, last_error=MORNING), OTHER),
            [("BACKUP_TAG_CASE", "1 invocation of its function failed")],
            id="the error may be later than the put within CloudWatch's minute",
        ),
        pytest.param(
            region(rule(), failed_events=4),
            [("failure queue", "4 events failed at every try")],
            id="events were given up",
        ),
        pytest.param(
            region(rule(), config_rules={"backup-tag-case": "missing"}),
            [("backup-tag-case", "The Config rule is missing.")],
            id="the Config rule is gone",
        ),
        pytest.param(
            region(rule(unreadable="Its function has no log group."), OTHER),
            [("BACKUP_TAG_CASE", "Its function has no log group.")],
            id="no log group",
        ),
    ],
)
def test_what_is_wrong_is_told(health: RegionHealth, expected: list[tuple[str, str]]) -> None:
    found = troubles(health, NAMES)

    assert [each.about for each in found] == [about for about, _ in expected]
    assert all(each.text.startswith(text) for each, (_, text) in zip(found, expected, strict=True)), found


def test_ten_thousand_accounts_are_told_in_a_few_lines_and_kept_in_little() -> None:
    accounts = tuple(f"{number:012}" for number in range(10_000))
    broken = rule("BACKUP_TAG_CASE", puts={}, failures={each: (NOON, f"{each} is broken" * 30) for each in accounts})
    health = RegionHealth("eu-west-1", accounts, [broken, rule("BACKUP_TAG_WHITESPACE", puts={})])

    found = troubles(health, {})

    assert sum(len(each.text) for each in found) < 20_000
    assert len(broken.texts) == 10
    assert any("9,990" in each.text for each in found), [each.text[:80] for each in found]
