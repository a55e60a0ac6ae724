"""What in a selection can never match: entries that name nothing here, and parts that exclude each other.

Only what is certain is reported; None means "could match", not "does match". Every sentence names what it is about, and
is short enough for an annotation when the names are.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from backup_rules.resources.resource_types import RESOURCE_TYPES, S3
from backup_rules.selections.near_misses import white_space_at_ends
from backup_rules.selections.picking import (
    RESOURCE_TAG_PREFIX,
    Condition,
    Operator,
    TagCondition,
    conditions,
    resource_pattern,
)
from backup_rules.selections.wildcards import covers, overlap
from backup_rules.wording.quoting import quote, quote_tag

if TYPE_CHECKING:
    from backup_rules.arns import Place
    from backup_rules.resources.resource_types import ResourceType
    from backup_rules.selections.picking import Selection

# AWS Backup knows these two only by the ARNs that they share with RDS.
# https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html
_SERVICES_UNDER_RDS = {"docdb": "DocumentDB", "neptune": "Neptune"}


def why_never(entry: str, place: Place) -> str | None:
    """Why an entry of a selection's resources names nothing that a plan of `place` could back up; None: it may."""
    pattern = resource_pattern(entry).text
    if any(_may_name(pattern, each, place) for each in RESOURCE_TYPES):
        return None
    return f"{quote(entry)} {_why_no_arn(entry, pattern) or _why_elsewhere(pattern, place)}"


def contradiction(selection: Selection) -> str | None:
    """Two parts of the selection that exclude each other, so that it can pick nothing; None where none are certain."""
    return _between_conditions(selection) or _tags_against_conditions(selection) or _all_left_out(selection)


def misspelt_keys(selection: Selection) -> tuple[str, ...]:
    """The tags and conditions whose key can name no tag, for having or lacking the prefix `aws:ResourceTag/`.

    A tag so written picks nothing, a positive condition lets nothing pass, and a negative one leaves nothing out.
    """
    listed = (
        f"tag key {quote(tag.key)} must be written {quote(tag.key.removeprefix(RESOURCE_TAG_PREFIX))} in ListOfTags"
        for tag in selection.list_of_tags
        if tag.key.startswith(RESOURCE_TAG_PREFIX)
    )
    conditional = (
        f"{each.operator.value} key {quote(each.written_key)} must be written "
        f"{quote(RESOURCE_TAG_PREFIX + each.written_key)}"
        for each in conditions(selection)
        if each.key is None
    )
    return tuple(dict.fromkeys((*listed, *conditional)))


def _may_name(pattern: str, resource_type: ResourceType, place: Place) -> bool:
    """Whether a resource of the type in `place` could have an ARN that matches. No name of one holds a colon."""
    if resource_type is S3:
        return overlap(pattern, f"arn:{place.partition}:s3:::*", never_in_other=":/")
    prefix = f"arn:{place.partition}:{resource_type.service}:{place.region}:{place.account}"
    return overlap(pattern, f"{prefix}:{resource_type.resource_prefix}*", never_in_other=":")


def _why_no_arn(entry: str, pattern: str) -> str | None:
    if white_space_at_ends(entry):
        return "begins or ends with white space, which no ARN does"
    if not overlap(pattern, "arn:*"):
        return "is a name, not an ARN"
    if "*" not in pattern and pattern.count(":") < 5:
        return "is no whole ARN"
    return None


def _why_elsewhere(pattern: str, place: Place) -> str:
    *start, last = pattern.split(":", 5)
    _, partition, service, region, account, _ = (*start, *("*" * (5 - len(start))), last)
    if not overlap(partition, place.partition):
        return f"is of partition {partition}, this plan of {place.partition}"
    if not any(overlap(service, each.service) for each in RESOURCE_TYPES):
        return _unknown_service(partition, service)
    if service == S3.service:
        return _no_bucket(pattern)
    if not overlap(region, place.region):
        return f"is of Region {region}, and a plan backs up only its own, {place.region}"
    if not overlap(account, place.account):
        return f"is of account {account}, and a plan backs up only its own, {place.account}"
    return "names no resource type that AWS Backup protects"


def _unknown_service(partition: str, service: str) -> str:
    under_rds = _SERVICES_UNDER_RDS.get(service)
    if under_rds is not None:
        return f"must begin with arn:{partition}:rds:, as AWS Backup knows {under_rds} clusters"
    return f"is of service {service}, which AWS Backup does not protect"


def _no_bucket(pattern: str) -> str:
    if "/" in pattern:
        return "names objects, and AWS Backup protects whole buckets"
    return "names a Region or account, and the ARN of a bucket has neither"


def _between_conditions(selection: Selection) -> str | None:
    for one, other in combinations(conditions(selection), 2):
        if one.key is not None and one.key == other.key and _exclude(one, other):
            return f"{one} and {other} exclude each other"
    return None


def _tags_against_conditions(selection: Selection) -> str | None:
    """Each tag against the conditions; a selection that names resources as well may still pick those."""
    if selection.resources or not selection.list_of_tags:
        return None
    required = conditions(selection)
    clashes = []
    for tag in selection.list_of_tags:
        condition = next((each for each in required if _excludes_tag(each, tag)), None)
        if condition is None:
            return None
        clashes.append(f"tag {quote_tag(tag.key, tag.value)} and {condition} exclude each other")
    others = {1: "", 2: ", and so for its other tag"}.get(
        len(clashes), f", and so for its {len(clashes) - 1} other tags"
    )
    return clashes[0] + others


def _excludes_tag(condition: Condition, tag: TagCondition) -> bool:
    return condition.key == tag.key and condition.value_meets(tag.value) == condition.negative


def _all_left_out(selection: Selection) -> str | None:
    """Whether NotResources leave nothing of what is named; tags may reach anything, and only `*` covers that."""
    reached = (*selection.resources, "*") if selection.list_of_tags else selection.resources or ("*",)
    covering = []
    for entry in reached:
        excluded = next((each for each in selection.not_resources if _covers_entry(each, entry)), None)
        if excluded is None:
            return None
        covering.append(f"NotResources {quote(excluded)} leaves out all of {quote(entry)}")
    return covering[0]


def _covers_entry(excluded: str, entry: str) -> bool:
    return covers(resource_pattern(excluded).text, resource_pattern(entry).text)


def _exclude(one: Condition, other: Condition) -> bool:
    """Whether no value meets both conditions on one key."""
    if one.negative and other.negative:
        return False
    if one.negative:
        one, other = other, one
    if one.operator is Operator.STRING_EQUALS:
        return other.value_meets(one.value) == other.negative
    if other.operator is Operator.STRING_EQUALS:
        return not one.value_meets(other.value)
    if other.operator is Operator.STRING_LIKE:
        return not overlap(one.value, other.value)
    if other.operator is Operator.STRING_NOT_LIKE:
        return covers(other.value, one.value)
    return "*" not in one.value and one.value == other.value
