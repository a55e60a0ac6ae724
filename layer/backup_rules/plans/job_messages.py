"""What AWS Backup's status messages mean, and which of the pack's rules tells more.

AWS publishes its messages by category, some as patterns and some oddly placed: the refusals near a database's windows,
for one, come as INVALID_LIFECYCLE. So the words decide first, and the category only where no words are known.

Sources: https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html,
https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html,
https://docs.aws.amazon.com/aws-backup/latest/devguide/troubleshooting.html and
https://repost.aws/knowledge-center/aws-backup-troubleshoot-scheduled-backup-plans
"""

from __future__ import annotations

from enum import Enum, unique

from backup_rules.plans.jobs import BackupJob, JobState
from backup_rules.plans.plans import ORGANIZATION_PLAN_PREFIX, PlanSummary
from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a cause asks of a person, and the rule of this pack that looks into it, where there is one."""

    advice: str
    look_at: str | None = None


@unique
class Cause(Enum):
    """Why jobs end badly."""

    RDS_WINDOW = Meaning("Move the schedule away from the database's windows.", "BACKUP_RDS_WINDOW_CONFLICT")
    FSX_WINDOW = Meaning("Move the schedule away from the file system's windows.", "BACKUP_FSX_WINDOW_CONFLICT")
    ROLE_NOT_ASSUMABLE = Meaning("Let AWS Backup assume the selection's role.", "BACKUP_ROLE_ASSUMABLE")
    NOT_AUTHORIZED = Meaning("Give the selection's role what it lacks.", "BACKUP_ROLE_PERMISSIONS")
    VAULT_MISSING = Meaning("Create the vault, or correct its name in the plan.", "BACKUP_VAULT_USABLE")
    POLICY_VAULT_MISSING = Meaning(
        "Create the vault, or correct its name in the backup policy.", "BACKUP_POLICY_VAULT_EXISTS"
    )
    CONTINUOUS_ELSEWHERE = Meaning(
        "A bucket's continuous and periodic backups share one vault: name the same in all its backup rules.",
        "BACKUP_VAULT_USABLE",
    )
    VAULT_RETENTION = Meaning("Bring the retention within the limits of the vault's lock.", "BACKUP_VAULT_USABLE")
    KMS_KEY = Meaning("Enable the KMS key, and let the selection's role use it.", "BACKUP_VAULT_USABLE")
    SOURCE_KMS_KEY = Meaning("Let the selection's role use the KMS key of the resource, in the key's policy.")
    EXPIRED = Meaning("Widen the start and completion windows, or spread the schedules.", "BACKUP_WINDOW_CONFIGURED")
    ABORTED = Meaning("Somebody stopped the job: ask who, and why.")
    CONCURRENT_JOB = Meaning("Space the schedules out: a resource takes one job at a time.", "BACKUP_WINDOW_CONFIGURED")
    LIMIT_EXCEEDED = Meaning("Spread the schedules, clean up, or ask AWS for a higher quota.")
    RESOURCE_STATE = Meaning("Bring the resource into a state that can be backed up (available, running).")
    RESOURCE_GONE = Meaning("Take the resource out of the selection if it is gone.", "BACKUP_SELECTION_NOT_EMPTY")
    UNSUPPORTED = Meaning("Take the resource out of the selection: AWS Backup does not support it.")
    VSS = Meaning("Correct the VSS agent on the instance, or turn Windows VSS off in the plan.")
    UNKNOWN = Meaning("Open the job in the AWS Backup console.")

    @property
    def advice(self) -> str:
        """What to do, one sentence."""
        return self.value.advice

    @property
    def look_at(self) -> str | None:
        """The name of the rule of this pack that looks into it."""
        return self.value.look_at


# The first row with a phrase that the message holds decides; letter case does not count. Narrow rows come first:
# a vault that does not exist is told by "does not exist" too, and a key that must not be used by "not authorized".
_PHRASES: tuple[tuple[Cause, tuple[str, ...]], ...] = (
    (
        Cause.RDS_WINDOW,
        (
            "inside or too close to the weekly maintenance window",
            "inside or too close to the automated backup window",
            "closer to enter rds automated",
        ),
    ),
    (Cause.ROLE_NOT_ASSUMABLE, ("cannot be assumed by aws backup",)),
    (Cause.CONTINUOUS_ELSEWHERE, ("already has continuous backup enabled for another vault",)),
    (
        Cause.VAULT_RETENTION,
        ("not within the range specified for the target backup vault", "lifecycle is outside the valid range"),
    ),
    (Cause.SOURCE_KMS_KEY, ("source snapshot kms key",)),
    (Cause.VSS, ("windows vss backup",)),
    (Cause.KMS_KEY, ("kms key", "given key id", "kms:")),
    (Cause.CONCURRENT_JOB, ("running job for the same resource", "too many copy jobs running for resource")),
    (
        Cause.LIMIT_EXCEEDED,
        (
            "subscriber limit exceeded",
            "maximum allowed in-progress snapshots",
            "maximum allowed active snapshot limit",
            "image creation throttled",
            "cannot create more than 20 user snapshots",
            "must not have more than 50 user tags",
            "more than 50 tags specified",
            "reached the maximum supported backups",
            "reached your quota",
            "can have at most",
        ),
    ),
    (
        Cause.NOT_AUTHORIZED,
        ("not authorized to", "access denied", "does not have permission", "miss permission", "missing permission"),
    ),
    (Cause.EXPIRED, ("expired before completion",)),
    (Cause.ABORTED, ("stopped by user",)),
    (
        Cause.RESOURCE_STATE,
        (
            "instance is not in state",
            "not in the available state",
            "not in available state",
            "cannot snapshot volume",
            "hypervisor because it is not online",
        ),
    ),
    (Cause.UNSUPPORTED, ("unsupported resource type", "feature is not supported", "method not supported")),
    (
        Cause.RESOURCE_GONE,
        ("does not exist", "not found", "could not find resource", "no longer available"),
    ),
)

_CATEGORIES = {
    "ACCESS_DENIED": Cause.NOT_AUTHORIZED,
    "CONCURRENT_JOB": Cause.CONCURRENT_JOB,
    "HYPERVISOR_OFFLINE": Cause.RESOURCE_STATE,
    "INVALID_LIFECYCLE": Cause.VAULT_RETENTION,
    "INVALID_STATE": Cause.RESOURCE_STATE,
    "JOB_EXPIRED": Cause.EXPIRED,
    "KMS_KEY_ERROR": Cause.KMS_KEY,
    "LIMIT_EXCEEDED": Cause.LIMIT_EXCEEDED,
    "RESOURCE_NOT_FOUND": Cause.RESOURCE_GONE,
    "RESOURCE_NOT_SUPPORTED": Cause.UNSUPPORTED,
    "UNSUPPORTED_OPERATION": Cause.UNSUPPORTED,
    "VSS_ERROR": Cause.VSS,
}

_STATES = {JobState.EXPIRED: Cause.EXPIRED, JobState.ABORTED: Cause.ABORTED}

# What leaves no job at all behind, the likeliest first.
_WITHOUT_JOBS = (
    "BACKUP_SELECTION_NOT_EMPTY",
    "BACKUP_SERVICE_OPT_IN",
    "BACKUP_ROLE_ASSUMABLE",
    "BACKUP_ROLE_PERMISSIONS",
    "BACKUP_TAG_CASE",
    "BACKUP_TAG_WHITESPACE",
    "BACKUP_RESOURCE_READY",
)
_LOCAL_WITHOUT_JOBS = ("BACKUP_VAULT_USABLE",)
_POLICY_WITHOUT_JOBS = ("BACKUP_POLICY_ROLE_EXISTS", "BACKUP_POLICY_VAULT_EXISTS", "BACKUP_POLICY_VAULT_NAME_CASE")


def cause_of(job: BackupJob) -> Cause:
    """Why the job ended as it did: by its message, else by its message's category, else by its state."""
    message = job.message.lower()
    for cause, phrases in _PHRASES:
        if any(phrase in message for phrase in phrases):
            return _narrowed(cause, message, job)
    return _CATEGORIES.get((job.message_category or "").upper()) or _STATES.get(job.state) or Cause.UNKNOWN


def reason(message: str) -> str:
    """The message without the beginning that only says that the job failed: what follows its first "because"."""
    start, because, rest = message.partition(" because ")
    return rest if because and start.lower().startswith("backup job ") else message


def rules_without_jobs(plan: PlanSummary) -> tuple[str, ...]:
    """All rules of this pack that can tell why a run of the plan has created no job, the likeliest first."""
    if plan.from_organization:
        return _POLICY_WITHOUT_JOBS + _WITHOUT_JOBS
    return _WITHOUT_JOBS[:4] + _LOCAL_WITHOUT_JOBS + _WITHOUT_JOBS[4:]


def _narrowed(cause: Cause, message: str, job: BackupJob) -> Cause:
    """A phrase that AWS uses for several things, told apart by what else the message or the job names."""
    if cause is Cause.RDS_WINDOW and (job.resource_type == "FSx" or "fsx" in message):
        return Cause.FSX_WINDOW
    if cause is Cause.RESOURCE_GONE and "backup vault" in message:
        of_policy = (job.plan_id or "").startswith(ORGANIZATION_PLAN_PREFIX)
        return Cause.POLICY_VAULT_MISSING if of_policy else Cause.VAULT_MISSING
    return cause
