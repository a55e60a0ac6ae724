"""AWS Backup's messages, word for word from its documentation, and where they lead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backup_rules.plans.job_messages import Cause, cause_of, reason, rules_without_jobs
from backup_rules.plans.jobs import BackupJob, JobState
from backup_rules.plans.plans import PlanSummary
from backup_rules_cli.catalogue import rule_folders

RULES = {folder.name for folder in rule_folders()}


def failed(message: str | None = None, state: JobState = JobState.FAILED, **changes: Any) -> BackupJob:
    return BackupJob("job", state, datetime(2026, 11, 22, 5, 0, tzinfo=UTC), status_message=message, **changes)


@pytest.mark.parametrize(
    ("message", "cause", "look_at"),
    [
        (
            "Can't start a backup now. RDS DB instance is closer to enter RDS automated maintenance window.",
            Cause.RDS_WINDOW,
            "BACKUP_RDS_WINDOW_CONFLICT",
        ),
        (
            (
                "Backup job could not start because it is either inside or too close to the automated backup window "
                "configured in RDS instance."
            ),
            Cause.RDS_WINDOW,
            "BACKUP_RDS_WINDOW_CONFLICT",
        ),
        (
            (
                "Backup job could not start because it is either inside or too close to the weekly maintenance window "
                "configured in FSx file system."
            ),
            Cause.FSX_WINDOW,
            "BACKUP_FSX_WINDOW_CONFLICT",
        ),
        (
            "Bucket invoices already has continuous backup enabled for another vault.",
            Cause.CONTINUOUS_ELSEWHERE,
            "BACKUP_VAULT_USABLE",
        ),
        (
            "The lifecycle is outside the valid range for backup vault archive.",
            Cause.VAULT_RETENTION,
            "BACKUP_VAULT_USABLE",
        ),
        (
            "The provided role arn:aws:iam::111122223333:role/Backup cannot be assumed by AWS Backup.",
            Cause.ROLE_NOT_ASSUMABLE,
            "BACKUP_ROLE_ASSUMABLE",
        ),
        ("You are not authorized to perform this operation.", Cause.NOT_AUTHORIZED, "BACKUP_ROLE_PERMISSIONS"),
        ("Access Denied trying to call AWS Backup service", Cause.NOT_AUTHORIZED, "BACKUP_ROLE_PERMISSIONS"),
        (
            "Customer credential miss permission to get bucket versioning for bucket.",
            Cause.NOT_AUTHORIZED,
            "BACKUP_ROLE_PERMISSIONS",
        ),
        (
            (
                "Your backup job failed as AWS Backup does not have permission to describe resource arn:aws:s3:::b. "
                "Please review your IAM policies."
            ),
            Cause.NOT_AUTHORIZED,
            "BACKUP_ROLE_PERMISSIONS",
        ),
        (
            (
                '"Backup job failed because backup vault arn:aws:backup:us-west-2:111122223333:backup-vault:Prod '
                'does not exist."'
            ),
            Cause.VAULT_MISSING,
            "BACKUP_VAULT_USABLE",
        ),
        (
            (
                "Copy job failed. The retention specified in the job is not within the range specified for the target "
                "Backup Vault."
            ),
            Cause.VAULT_RETENTION,
            "BACKUP_VAULT_USABLE",
        ),
        (
            "KMS key is either disabled or pending deletion or access to KMS key is denied",
            Cause.KMS_KEY,
            "BACKUP_VAULT_USABLE",
        ),
        ("Given key ID is not accessible", Cause.KMS_KEY, "BACKUP_VAULT_USABLE"),
        ("Given key ID does not exist", Cause.KMS_KEY, "BACKUP_VAULT_USABLE"),
        (
            "The source snapshot KMS key does not exist, is not enabled or you do not have permissions to access it.",
            Cause.SOURCE_KMS_KEY,
            None,
        ),
        ("Backup job expired before completion.", Cause.EXPIRED, "BACKUP_WINDOW_CONFIGURED"),
        ('"Backup job was stopped by user."', Cause.ABORTED, None),
        (
            "Backup job failed because there was a running job for the same resource.",
            Cause.CONCURRENT_JOB,
            "BACKUP_WINDOW_CONFIGURED",
        ),
        (
            (
                "Subscriber limit exceeded: You have reached the maximum concurrent number of backups, which is 300. "
                "Wait until other jobs finish, and try again."
            ),
            Cause.LIMIT_EXCEEDED,
            None,
        ),
        ("The resultant tag set must not have more than 50 user tags.", Cause.LIMIT_EXCEEDED, None),
        ("Instance is not in state available", Cause.RESOURCE_STATE, None),
        (
            "This operation is not valid for the specified hypervisor because it is not online",
            Cause.RESOURCE_STATE,
            None,
        ),
        ("The specified volume was not found.", Cause.RESOURCE_GONE, "BACKUP_SELECTION_NOT_EMPTY"),
        ("Table not found.", Cause.RESOURCE_GONE, "BACKUP_SELECTION_NOT_EMPTY"),
        ("Unsupported resource type: x", Cause.UNSUPPORTED, None),
        (
            "Windows VSS Backup attempt failed because of insufficient privileges to perform this operation",
            Cause.VSS,
            None,
        ),
        ("An internal error occurred.", Cause.UNKNOWN, None),
    ],
)
def test_messages_of_aws(message: str, cause: Cause, look_at: str | None) -> None:
    found = cause_of(failed(message))
    assert (found, found.look_at) == (cause, look_at)


def test_a_window_is_fsxs_when_the_resource_is() -> None:
    message = "Backup job could not start because it is either inside or too close to the automated backup window"
    assert cause_of(failed(message, resource_type="FSx")) is Cause.FSX_WINDOW
    assert cause_of(failed(message, resource_type="RDS")) is Cause.RDS_WINDOW


@pytest.mark.parametrize(
    ("plan_id", "advice", "look_at"),
    [
        ("1a2b", "Create the vault, or correct its name in the plan.", "BACKUP_VAULT_USABLE"),
        ("orgs/1a2b", "Create the vault, or correct its name in the backup policy.", "BACKUP_POLICY_VAULT_EXISTS"),
    ],
    ids=["of a plan", "of a backup policy"],
)
def test_a_vault_that_is_missing_is_named_in_the_plan_or_the_policy(plan_id: str, advice: str, look_at: str) -> None:
    found = cause_of(failed("Backup vault main does not exist.", plan_id=plan_id))
    assert (found.advice, found.look_at) == (advice, look_at)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (
            "Backup job could not start because it is either inside or too close to the automated backup window",
            "it is either inside or too close to the automated backup window",
        ),
        ("Backup job failed because of a reason, and because of another.", "of a reason, and because of another."),
        (
            "Windows VSS Backup attempt failed because of insufficient privileges",
            "Windows VSS Backup attempt failed because of insufficient privileges",
        ),
        ("Backup job expired before completion.", "Backup job expired before completion."),
    ],
)
def test_the_reason_in_a_message(message: str, why: str) -> None:
    assert reason(message) == why


def test_an_expired_jobs_message_says_more_than_its_state() -> None:
    message = '"Backup job failed because there was a running job for the same resource."'
    assert cause_of(failed(message, JobState.EXPIRED)) is Cause.CONCURRENT_JOB


@pytest.mark.parametrize(
    ("job", "cause"),
    [
        pytest.param(failed("In other words", message_category="ACCESS_DENIED"), Cause.NOT_AUTHORIZED, id="category"),
        pytest.param(failed(None, message_category="access_denied"), Cause.NOT_AUTHORIZED, id="category in lower case"),
        pytest.param(failed("Odd", message_category="MISCELLANEOUS"), Cause.UNKNOWN, id="category says nothing"),
        pytest.param(
            failed(None, JobState.EXPIRED, message_category="KMS_KEY_ERROR"), Cause.KMS_KEY, id="category before state"
        ),
        pytest.param(failed(None, JobState.EXPIRED), Cause.EXPIRED, id="expired"),
        pytest.param(failed("", JobState.ABORTED), Cause.ABORTED, id="aborted"),
        pytest.param(failed(None), Cause.UNKNOWN, id="nothing known"),
    ],
)
def test_without_known_words_the_category_then_the_state_decides(job: BackupJob, cause: Cause) -> None:
    assert cause_of(job) is cause


def test_causes_lead_to_rules_of_this_pack() -> None:
    assert {cause.look_at for cause in Cause} <= RULES | {None}
    assert all(cause.advice.endswith(".") for cause in Cause)


def test_what_to_look_at_without_jobs() -> None:
    local = PlanSummary("1a2b", "arn:aws:backup:eu-west-1:111122223333:backup-plan:1a2b", "nightly", "v1")
    policys = PlanSummary("orgs/1a2b", "arn:aws:backup:eu-west-1:111122223333:backup-plan:orgs/1a2b", "nightly", "v1")
    assert rules_without_jobs(local)[0] == "BACKUP_SELECTION_NOT_EMPTY"
    assert rules_without_jobs(policys)[0] == "BACKUP_POLICY_ROLE_EXISTS"
    assert "BACKUP_VAULT_USABLE" in rules_without_jobs(local)
    assert "BACKUP_VAULT_USABLE" not in rules_without_jobs(policys)  # it judges local plans only
    assert set(rules_without_jobs(local)) - {"BACKUP_VAULT_USABLE"} < set(rules_without_jobs(policys)) <= RULES
