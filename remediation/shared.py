"""What the scripts of the Automation documents have in common.

`aws:executeScript` runs one text, so the generator puts this module in front of each script that imports it. A script
is called as AWS Systems Manager calls it: `handler(events, context)`, in the account and Region of the automation, with
the credentials of the role that the automation assumes.
"""

import re
from collections.abc import Iterable
from typing import Any

import boto3
from botocore.exceptions import ClientError

ACCOUNT = "AWS::::Account"
SELECTION = "AWS::Backup::BackupSelection"


class RefusedError(Exception):
    """Why nothing was changed, naming the thing. It becomes the failure message of the automation."""


def texts(values: Iterable[str]) -> list[str]:
    """The texts of a list parameter without blank ones: Systems Manager has no empty list that it would accept."""
    return [value.strip() for value in values if value.strip()]


def ids_of_selection(resource_id: str) -> tuple[str, str]:
    """Selection id and plan id of `<SelectionId>_<BackupPlanId>`, as AWS Config writes it.

    Raises:
        RefusedError: when it is the id of something else.
    """
    match = re.fullmatch(r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})_(\S+)", resource_id)
    if match is None:
        raise RefusedError(
            f"{resource_id} is not a backup selection. This document takes the id under which AWS Config knows a"
            " selection: <SelectionId>_<BackupPlanId>."
        )
    return match[1], match[2]


def selection(selection_id: str, plan_id: str) -> dict[str, Any]:
    """The selection as AWS Backup has it.

    Raises:
        RefusedError: when there is none.
    """
    try:
        answer = boto3.client("backup").get_backup_selection(BackupPlanId=plan_id, SelectionId=selection_id)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "InvalidParameterValueException"):
            raise
        raise RefusedError(f"There is no selection {selection_id} of plan {plan_id}: {error}") from error
    return dict(answer["BackupSelection"])


def annotations(resource_type: str, resource_id: str, rule: str, prefix: str) -> list[str]:
    """What the pack's rule found about the resource: the annotations of its stored NON_COMPLIANT evaluations.

    `rule` is its plain name, `prefix` what the pack's names begin with. AWS Config puts a suffix behind a name in a
    conformance pack, and RDK writes it in upper case. A rule of anybody else, however alike its name, has no say.
    """
    own = re.compile(re.escape(prefix + rule) + "(-conformance-pack-[a-z0-9]+)?")
    pages = (
        boto3.client("config")
        .get_paginator("get_compliance_details_by_resource")
        .paginate(ResourceType=resource_type, ResourceId=resource_id, ComplianceTypes=["NON_COMPLIANT"])
    )
    found = []
    for result in (each for page in pages for each in page["EvaluationResults"]):
        name = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ConfigRuleName"]
        if own.fullmatch(name) or name == rule.upper().replace("-", "_"):
            found.append(result.get("Annotation", ""))
    return found
