"""Backup jobs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botocore.validate import ParamValidator
from moto.core.utils import get_service_model
from moto.moto_api._internal import mock_random

from aws_simulator.core.backup.state import Document, at, given, page_of, state_in
from aws_simulator.core.operations import AwsError, Handler, Request, now

_DEFAULT_START_WINDOW = timedelta(hours=8)
_JOBS_ARE_KEPT = timedelta(days=30)

_JOB_STATES = ("CREATED", "PENDING", "RUNNING", "ABORTING", "ABORTED", "COMPLETED", "FAILED", "EXPIRED", "PARTIAL")


def _start_backup_job(request: Request) -> Document:
    vault_name = request.text("BackupVaultName")
    vault = at(request).vaults.get(vault_name)
    if vault is None:
        raise AwsError("ResourceNotFoundException", f"Backup vault {vault_name} does not exist.")
    minutes = request.parameters.get("StartWindowMinutes")
    start_window = _DEFAULT_START_WINDOW if minutes is None else timedelta(minutes=minutes)
    job_id = add_backup_job(
        request.account,
        request.region,
        State="CREATED",
        BackupVaultName=vault_name,
        BackupVaultArn=vault["BackupVaultArn"],
        ResourceArn=request.text("ResourceArn"),
        IamRoleArn=request.text("IamRoleArn"),
        StartBy=now() + start_window,
        PercentDone="0.0",
    )
    return {"BackupJobId": job_id, "CreationDate": at(request).jobs[job_id]["CreationDate"], "IsParent": False}


def _stop_backup_job(request: Request) -> Document:
    job = _job(request)
    if job["State"] not in {"CREATED", "PENDING", "RUNNING"}:
        raise AwsError("InvalidRequestException", f"Backup job {job['BackupJobId']} is in state {job['State']}")
    job |= {"State": "ABORTED", "CompletionDate": now()}
    return {}


def _describe_backup_job(request: Request) -> Document:
    return _job(request)


def _job(request: Request) -> Document:
    job_id = request.text("BackupJobId")
    job = at(request).jobs.get(job_id)
    if job is None:
        raise AwsError("ResourceNotFoundException", f"Cannot find backup job with ID {job_id}")
    return job


_JOB_FIELDS = {
    "ByAccountId": "AccountId",
    "ByBackupVaultName": "BackupVaultName",
    "ByMessageCategory": "MessageCategory",
    "ByParentJobId": "ParentJobId",
    "ByResourceArn": "ResourceArn",
    "ByResourceType": "ResourceType",
    "ByState": "State",
}


def _list_backup_jobs(request: Request) -> Document:
    """The jobs of the last 30 days, newest first."""
    state = request.parameters.get("ByState")
    if state is not None and state not in _JOB_STATES:
        raise AwsError("InvalidParameterValueException", f"Invalid backup job state {state}")
    earliest = now() - _JOBS_ARE_KEPT
    jobs = [job for job in at(request).jobs.values() if job["CreationDate"] >= earliest and _is_asked_for(job, request)]
    jobs.sort(key=lambda job: (job["CreationDate"], job["BackupJobId"]), reverse=True)
    listed, token = page_of(jobs, request)
    return {"BackupJobs": listed, "NextToken": token}


def _is_asked_for(job: Document, request: Request) -> bool:
    asked = request.parameters
    if any(asked.get(name) not in {None, "*", job.get(key)} for name, key in _JOB_FIELDS.items()):
        return False
    return _lies_between(
        job["CreationDate"], request.time("ByCreatedAfter"), request.time("ByCreatedBefore")
    ) and _lies_between(job.get("CompletionDate"), request.time("ByCompleteAfter"), request.time("ByCompleteBefore"))


def _lies_between(instant: datetime | None, after: datetime | None, before: datetime | None) -> bool:
    if instant is None:
        return after is None and before is None
    return (after is None or instant > after) and (before is None or instant < before)


_RESOURCE_TYPES = {
    "backup-gateway": "VirtualMachine",
    "cloudformation": "CloudFormation",
    "dsql": "DSQL",
    "dynamodb": "DynamoDB",
    "eks": "EKS",
    "elasticfilesystem": "EFS",
    "fsx": "FSx",
    "rds": "RDS",
    "redshift": "Redshift",
    "redshift-serverless": "Redshift Serverless",
    "s3": "S3",
    "ssm-sap": "SAP HANA on Amazon EC2",
    "storagegateway": "Storage Gateway",
    "timestream": "Timestream",
}


def _resource_type(arn: str) -> str | None:
    service, resource = arn.split(":")[2], arn.split(":", 5)[-1]
    if service == "ec2":
        return "EBS" if resource.startswith("volume/") else "EC2"
    return _RESOURCE_TYPES.get(service)


def add_backup_job(account: str, region: str, **fields: Any) -> str:
    """A job with the fields of `ListBackupJobs`, above all `CreatedBy`, which only a schedule can have.

    `BackupJobId`, `AccountId`, `CreationDate` (the simulated present), `State` (COMPLETED), `ResourceType` (from the
    ARN) and `IsParent` are filled in when they are left out.

    Returns:
        The id of the job.

    Raises:
        ValueError: A field that jobs do not have, or of another type.
    """
    job: Document = {
        "BackupJobId": str(mock_random.uuid4()).upper(),
        "AccountId": account,
        "CreationDate": now(),
        "State": "COMPLETED",
        "IsParent": False,
    }
    if "ResourceArn" in fields:
        job |= given(ResourceType=_resource_type(fields["ResourceArn"]))
    job |= fields
    shape = get_service_model("backup").shape_for("BackupJob")
    report = ParamValidator().validate(job, shape)
    unknown = sorted(set(job) - set(shape.members))
    if report.has_errors() or unknown:
        raise ValueError(f"Not a backup job: {report.generate_report() or f'no fields {unknown}'}")
    state_in(account, region).jobs[job["BackupJobId"]] = job
    return str(job["BackupJobId"])


HANDLERS: dict[str, Handler] = {
    "StartBackupJob": _start_backup_job,
    "StopBackupJob": _stop_backup_job,
    "DescribeBackupJob": _describe_backup_job,
    "ListBackupJobs": _list_backup_jobs,
}
