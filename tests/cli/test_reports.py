"""What an evaluation prints."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from backup_rules_cli.console import WIDTH
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.main import main
from backup_rules_cli.reports import Failure, Report, as_table

SELECTION = "AWS::Backup::BackupSelection"
LONG_ID = "595eee09-95a4-43e7-bb35-c4b18d672872_orgs/927b89a0-5055-46b7-b028-26a35bf3cb48"


def report() -> Report:
    here = ("111122223333", "eu-west-1")
    return Report(
        "a simulated organization",
        datetime(2026, 11, 23, tzinfo=UTC),
        {"111122223333": "payments"},
        [
            Evaluated("BACKUP_ROLE_ASSUMABLE", *here, SELECTION, LONG_ID, "NON_COMPLIANT", "Role x is gone. " * 12),
            Evaluated("BACKUP_ROLE_ASSUMABLE", *here, SELECTION, "healthy", "COMPLIANT", ""),
            Evaluated("BACKUP_POLICY_ATTACHED", *here, "AWS::::Account", here[0], "NOT_APPLICABLE", "No organization."),
        ],
        [Failure("BACKUP_TAG_CASE", *here, "tag:GetTagKeys failed in account 111122223333, eu-west-1: denied")],
    )


def test_a_table_fits_100_columns_and_shows_annotations_in_full() -> None:
    lines = as_table(report(), seconds=3, everything=False)
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(" ".join(lines).split())
    assert "payments (111122223333) eu-west-1 1 NON_COMPLIANT, 1 COMPLIANT" in text
    assert f"{SELECTION} {LONG_ID} " + ("Role x is gone. " * 12).strip() in text
    assert "healthy" not in text
    assert "FAILED BACKUP_TAG_CASE 111122223333 eu-west-1 tag:GetTagKeys failed" in text


def test_the_closing_lines_count_all_verdicts_and_tell_what_comes_next() -> None:
    assert as_table(report(), seconds=3, everything=True)[-4:] == [
        "3 evaluations (accounts: 1, account-Region pairs: 1)",
        "1 NON_COMPLIANT, 1 COMPLIANT, 1 NOT_APPLICABLE, 1 failed.",
        "A simulated organization, 3 s.",
        "backup-rules explain PLAN tells all of one plan, and what mends it; report draws them all.",
    ]
    nothing = replace(report(), evaluated=[], failures=[])
    assert as_table(nothing, seconds=3, everything=True)[-1] == "A simulated organization, 3 s."


def test_with_everything_compliant_evaluations_are_shown() -> None:
    assert "healthy" in "\n".join(as_table(report(), seconds=3, everything=True))


def test_what_cannot_be_asked_for_ends_with_2_and_says_why() -> None:
    assert main(["evaluate", "--rules", "NO_SUCH_RULE"]) == 2
    assert main(["evaluate", "--parameter", "BufferMinutes=soon"]) == 2
    assert main(["evaluate", "--parameter", "NoSuchParameter=1"]) == 2
    assert main(["evaluate", "--profile", "only-a-profile"]) == 2
    assert main(["evaluate", "--profile", "no-such-profile", "--region", "eu-west-1", "--quiet"]) == 2


def test_the_simulated_organization_is_judged_through_the_handlers() -> None:
    assert main(["evaluate", "--rules", "BACKUP_ROLE_ASSUMABLE", "--quiet", "--format", "json"]) == 1
