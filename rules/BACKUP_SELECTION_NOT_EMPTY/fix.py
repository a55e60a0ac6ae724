"""What gives the plan a selection, or shows what there is for the selection to pick."""

from __future__ import annotations

import json
from collections.abc import Iterator

from backup_rules.plans.plans import PlanSummary
from backup_rules_cli.answers.fixes import Broken, aws, policy_in_effect, remade

_DEFAULT_ROLE = "service-role/AWSBackupDefaultServiceRole"


def commands(broken: Broken) -> Iterator[str]:
    """A selection by the tag backup=true for a plan without one; what carries the selection's tags; or it anew."""
    region, place = broken.place.region, broken.place
    if isinstance(broken.of, PlanSummary):
        if broken.of.from_organization:
            yield from policy_in_effect()
            return
        selection = {
            "SelectionName": "tagged",
            "IamRoleArn": f"arn:{place.partition}:iam::{place.account}:role/{_DEFAULT_ROLE}",
            "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "true"}],
        }
        yield aws(
            "backup",
            "create-backup-selection",
            region=region,
            backup_plan_id=broken.of.id,
            backup_selection=json.dumps(selection),
        )
        return
    found = broken.selection()
    if found is None or not found.list_of_tags:
        yield from remade(broken)
        return
    for tag in found.list_of_tags:
        yield aws(
            "resourcegroupstaggingapi",
            "get-resources",
            region=region,
            tag_filters=json.dumps([{"Key": tag.key, "Values": [tag.value]}]),
            query="ResourceTagMappingList[].ResourceARN",
        )
