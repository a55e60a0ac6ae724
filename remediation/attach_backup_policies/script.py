"""Attaches AWS's managed backup policies to the role of a selection."""

import re
from typing import Any

import boto3
from botocore.exceptions import ClientError

from remediation.shared import SELECTION, RefusedError, annotations, ids_of_selection, selection

RULE = "backup-role-permissions"
# What the policies are called, and where in the ARN they stand.
BACKUP = "service-role/AWSBackupServiceRolePolicyForBackup"
S3_BACKUP = "AWSBackupServiceRolePolicyForS3Backup"
CHOICES = {"Backup": [BACKUP], "S3": [S3_BACKUP], "BackupAndS3": [BACKUP, S3_BACKUP]}


def handler(events: dict[str, Any], _context: object) -> dict[str, Any]:
    """Attaches what is not attached yet.

    Raises:
        RefusedError: when it is no selection, its role is none that may be changed here, or no policy is named.
    """
    resource_id, account = events["ResourceId"], events["Account"]
    selection_id, plan_id = ids_of_selection(resource_id)
    role_arn = selection(selection_id, plan_id)["IamRoleArn"]
    partition, role = role_of(role_arn, account)
    policies = CHOICES.get(events["Policies"]) or named_by_rule(resource_id, role, events["RuleNamePrefix"])
    wanted = [f"arn:{partition}:iam::aws:policy/{policy}" for policy in policies]
    iam = boto3.client("iam")
    before = attached(iam, role, role_arn)
    missing = [arn for arn in wanted if arn not in before]
    for arn in missing:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    names = [arn.rpartition("/")[2] for arn in missing]
    return {
        "Role": role_arn,
        "Attached": missing,
        "Summary": f"Attached to role {role}: {', '.join(names)}."
        if missing
        else f"Nothing changed: role {role} has {', '.join(arn.rpartition('/')[2] for arn in wanted)} already.",
    }


def role_of(arn: str, account: str) -> tuple[str, str]:
    """Partition and name of a role of this account that may be changed."""
    match = re.fullmatch(r"arn:(aws[a-z-]*):iam::([0-9]{12}):role/(.*/)?([^/]+)", arn)
    if match is None:
        raise RefusedError(f"{arn} is no IAM role: see BACKUP_ROLE_ASSUMABLE.")
    partition, owner, path, name = match.groups()
    if owner != account:
        raise RefusedError(f"{arn} is a role of account {owner}, not of {account}: see BACKUP_ROLE_ASSUMABLE.")
    if (path or "").startswith("aws-service-role/"):
        raise RefusedError(f"{arn} is a service-linked role: only AWS changes its permissions.")
    return partition, name


def named_by_rule(resource_id: str, role: str, prefix: str) -> list[str]:
    """The policies that the rule's evaluation of the selection asks for."""
    found = annotations(SELECTION, resource_id, RULE, prefix)
    if not found:
        raise RefusedError(
            f"BACKUP_ROLE_PERMISSIONS has no NON_COMPLIANT evaluation of {resource_id} here, so it does not say what"
            f" role {role} lacks. Evaluate the rule again, or choose in Policies."
        )
    asked = {
        policy
        for annotation in found
        for policy in (BACKUP, S3_BACKUP)
        if re.search(rf"Attach [^.]*\b{policy.rpartition('/')[2]}\b", annotation)
    }
    if not asked:
        raise RefusedError(f"Attaching a policy would not settle what role {role} lacks: {' '.join(found)}")
    return [policy for policy in (BACKUP, S3_BACKUP) if policy in asked]


def attached(iam: Any, role: str, arn: str) -> list[str]:
    """The ARNs of the managed policies that the role has."""
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    try:
        return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        raise RefusedError(f"Role {arn} does not exist: see BACKUP_ROLE_ASSUMABLE.") from error
