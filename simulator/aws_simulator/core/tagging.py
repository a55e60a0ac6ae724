"""The Resource Groups Tagging API over everything that AWS Backup protects.

moto's own covers few of these services, lists S3 buckets in every Region, repeats tag keys and values, and walks
through all resources for every page. This one lists what moto's services know, what it adds for those without a hook
(EKS, Redshift, Timestream), and what was registered by ARN: `tag:TagResources` takes any ARN of a service that moto
lacks, and `tag_resource` any ARN at all.
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from moto.core.base_backend import BackendDict
from moto.core.resource_tagging import (
    TaggableResourcesMixin,
    iter_taggable_backends,
    make_tag_matcher,
    match_resource_type,
)
from moto.eks.models import eks_backends
from moto.redshift.models import redshift_backends
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend, resourcegroupstaggingapi_backends
from moto.resourcegroupstaggingapi.responses import ResourceGroupsTaggingAPIResponse
from moto.s3.exceptions import DuplicateTagKeys, NoSystemTags
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response
from moto.timestreamwrite.models import timestreamwrite_backends

from aws_simulator.core.operations import AwsError, Handler, Paging, Request, current_page_size, implement, page

Tags = dict[str, str]
Answer = dict[str, Any]

_RESOURCES_PER_PAGE = 100
_NAMES = Paging(None, 100, "PaginationTokenExpiredException", continuation="PaginationToken")
"""Tag keys or values; how many make a page, AWS does not say."""


Listing = Callable[[str, str], Iterator[tuple[str, Tags]]]

listings: list[Listing] = []
"""Further resources by ARN, with their tags, of an account and Region: for services that are not moto's own."""


def tag_resource(account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
    """Lists the resource with these tags, beside those it has. Neither resource nor service need exist in moto.

    Keys and values are kept to the letter, blanks and case included. With no tags at all, the resource is listed as one
    that was tagged before and lost its tags.
    """
    _registered(account, region).setdefault(arn, {}).update(tags)


def _registered(account: str, region: str) -> dict[str, Tags]:
    # moto empties this dictionary when it resets the backend.
    registered: dict[str, Tags] = vars(_backend(account, region)).setdefault("registered", {})
    return registered


def _backend(account: str, region: str) -> ResourceGroupsTaggingAPIBackend:
    return resourcegroupstaggingapi_backends[account][region]


# ----------------------------------------------------------------------------------------------------- what is tagged


def tagged(account: str, region: str) -> dict[str, Tags]:
    """The tags of every resource of the account and Region that has or had any, by ARN."""
    had_tags = _registered(account, region)
    return {arn: tags for arn, tags in listed(account, region).items() if tags or arn in had_tags}


def listed(account: str, region: str) -> dict[str, Tags]:
    """The tags of every resource of the account and Region that this API could know, by ARN; often none."""
    found: dict[str, Tags] = {}
    for backend in iter_taggable_backends(account, region):
        found.update((resource.arn, resource.tags) for resource in _resources_of(backend, region))
    for arns in (_eks_clusters, _redshift_clusters, _timestream_tables, *listings):
        found.update(arns(account, region))
    for arn, tags in _registered(account, region).items():
        found[arn] = found.get(arn, {}) | tags
    return found


def _resources_of(backend: TaggableResourcesMixin, region: str) -> Iterator[Any]:
    resources: Iterator[Any] = backend.iter_tagged_resources()
    if not isinstance(backend, S3Backend):
        return resources
    # moto keeps the buckets of a whole partition together.
    here = {bucket.arn for bucket in backend.buckets.values() if bucket.region_name == region}
    return (each for each in resources if each.arn in here)


def _in_use(backends: BackendDict[Any], account: str, region: str) -> list[Any]:
    """The backend of that account and Region, if anything was ever asked of it."""
    return [backends[account][region]] if account in backends and region in backends[account].keys() else []  # noqa: SIM118 - moto's `in` answers for Regions without a backend too


def _eks_clusters(account: str, region: str) -> Iterator[tuple[str, Tags]]:
    for backend in _in_use(eks_backends, account, region):
        for cluster in backend.clusters.values():
            yield cluster.arn, dict(cluster.tags)


def _redshift_clusters(account: str, region: str) -> Iterator[tuple[str, Tags]]:
    for backend in _in_use(redshift_backends, account, region):
        for cluster in backend.clusters.values():
            yield cluster.arn, {tag["Key"]: tag["Value"] for tag in cluster.tags}


def _timestream_tables(account: str, region: str) -> Iterator[tuple[str, Tags]]:
    for backend in _in_use(timestreamwrite_backends, account, region):
        for database in backend.databases.values():
            for each in (database, *database.tables.values()):
                yield each.arn, backend.tagging_service.get_tag_dict_for_resource(each.arn)


def _types(arn: str) -> set[str]:
    """What a resource type filter may call this ARN: its service, and the service with a type that its path names.

    "The string for each service name and resource type is the same as that embedded in a resource's ARN." For nested
    resources AWS does not say which of the types it means: `gateway/sgw-1/volume/vol-1` goes by both.
    """
    _, _, service, _, _, resource = arn.split(":", 5)
    if service == "s3":
        return {"s3", "s3:bucket"}
    kinds = resource.replace(":", "/").split("/")[::2]
    return {service} | {f"{service}:{kind}" for kind in kinds}


# --------------------------------------------------------------------------------------------------------- operations


def _get_resources(request: Request) -> Answer:
    asked = request.parameters
    _check(asked)
    token = asked.get("PaginationToken")
    found, start = _continue(request, token) if token else (_search(request), 0)
    end = _end_of_page(found, start, asked)
    next_token = _remember(request, found, end) if end < len(found) else ""
    return {
        "ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for arn, tags in found[start:end]
        ],
        "PaginationToken": next_token,
    }


def _check(asked: Mapping[str, Any]) -> None:
    arns = asked.get("ResourceARNList") or []
    for name in ("TagFilters", "ResourceTypeFilters", "ResourcesPerPage", "TagsPerPage"):
        if arns and asked.get(name):
            raise _invalid(f"You can't specify both ResourceARNList and {name} in the same request")
    if len(arns) > 100:
        raise _invalid("ResourceARNList must have at most 100 items")
    filters = asked.get("TagFilters") or []
    if len(filters) > 50:
        raise _invalid("TagFilters must have at most 50 items")
    if any(len(each.get("Values") or []) > 20 for each in filters):
        raise _invalid("A tag filter must have at most 20 values")
    if len(asked.get("ResourceTypeFilters") or []) > 100:
        raise _invalid("ResourceTypeFilters must have at most 100 items")
    if not 1 <= asked.get("ResourcesPerPage", 1) <= 100:
        raise _invalid("ResourcesPerPage must be between 1 and 100")
    if not 100 <= asked.get("TagsPerPage", 100) <= 500:
        raise _invalid("TagsPerPage must be between 100 and 500")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


Found = list[tuple[str, Tags]]


def _search(request: Request) -> Found:
    asked = request.parameters
    types = list(asked.get("ResourceTypeFilters") or [])
    of_moto = _types_of_moto(request) if types else {}

    def has_type(arn: str) -> bool:
        return bool(_types(arn).intersection(types)) or match_resource_type(of_moto.get(arn, ""), types)

    arns = set(asked.get("ResourceARNList") or [])
    has_tags: Callable[[Tags], bool] = make_tag_matcher(asked.get("TagFilters"))
    return [
        (arn, tags)
        for arn, tags in tagged(request.account, request.region).items()
        if (not arns or arn in arns) and has_tags(tags) and (not types or has_type(arn))
    ]


def _types_of_moto(request: Request) -> dict[str, str]:
    """What moto's services call the type of their resources, where an ARN does not tell it as a filter writes it."""
    return {
        resource.arn: resource.resource_type
        for backend in iter_taggable_backends(request.account, request.region)
        for resource in _resources_of(backend, request.region)
    }


def _end_of_page(found: Found, start: int, asked: Mapping[str, Any]) -> int:
    largest = min(asked.get("ResourcesPerPage", _RESOURCES_PER_PAGE), current_page_size() or _RESOURCES_PER_PAGE)
    end: int = min(start + largest, len(found))
    if "TagsPerPage" not in asked:
        return end
    tags = 0
    for position in range(start, end):
        tags += max(1, len(found[position][1]))
        if tags > asked["TagsPerPage"]:
            return position
    return end


def _remember(request: Request, found: Found, position: int) -> str:
    token = str(uuid.uuid4())
    _searches(request)[token] = found, position
    return token


def _continue(request: Request, token: str) -> tuple[Found, int]:
    search = _searches(request).get(token)
    if search is None:
        raise AwsError("PaginationTokenExpiredException", "A PaginationToken is valid for a maximum of 15 minutes.")
    return search


def _searches(request: Request) -> dict[str, tuple[Found, int]]:
    """What a token stands for: all that its search found, and where the next page begins."""
    searches: dict[str, tuple[Found, int]] = vars(_backend(request.account, request.region)).setdefault("searches", {})
    return searches


def _get_tag_keys(request: Request) -> Answer:
    keys = {key for tags in tagged(request.account, request.region).values() for key in tags}
    return _names("TagKeys", sorted(keys), request)


def _get_tag_values(request: Request) -> Answer:
    wanted = request.text("Key")
    values = {tags[wanted] for tags in tagged(request.account, request.region).values() if wanted in tags}
    return _names("TagValues", sorted(values), request)


def _names(member: str, names: Sequence[str], request: Request) -> Answer:
    listed, token = page(names, request, _NAMES)
    return {member: listed, "PaginationToken": token or ""}


def _tag_resources(request: Request) -> Answer:
    tags = dict(request.parameters["Tags"])

    def tag(owner: TaggableResourcesMixin | None, arn: str) -> None:
        if owner is None:
            tag_resource(request.account, request.region, arn, tags)
        else:
            owner.tag_resource(arn, tags)

    return _for_each_arn(request, tag)


def _untag_resources(request: Request) -> Answer:
    keys = list(request.parameters["TagKeys"])

    def untag(owner: TaggableResourcesMixin | None, arn: str) -> None:
        for key in keys:
            _registered(request.account, request.region).get(arn, {}).pop(key, None)
        if owner is not None:
            owner.untag_resource(arn, keys)

    return _for_each_arn(request, untag)


def _for_each_arn(request: Request, change: Callable[[TaggableResourcesMixin | None, str], None]) -> Answer:
    failed = {}
    for arn in request.parameters["ResourceARNList"]:
        backends = iter_taggable_backends(request.account, request.region)
        owner = next((each for each in backends if each.owns_arn(arn)), None)
        try:
            change(owner, arn)
        except Exception as error:  # noqa: BLE001 - each service of moto fails in its own way for what it does not know
            failed[arn] = {"StatusCode": 400, "ErrorCode": "InvalidParameterException", "ErrorMessage": str(error)}
    return {"FailedResourcesMap": failed}


def _tags_of_bucket(self: S3Response) -> Tags:
    """The tags in the body of `PutBucketTagging`, blanks included, which moto drops."""
    tags: Tags = {}
    for tag in _children(ET.fromstring(self.body), "TagSet"):  # noqa: S314 - from callers on this machine
        parts = {_name(part): part.text or "" for part in tag}
        if parts["Key"] in tags:
            raise DuplicateTagKeys
        if parts["Key"].startswith("aws:"):
            raise NoSystemTags
        tags[parts["Key"]] = parts["Value"]
    return tags


def _children(parent: ET.Element, name: str) -> list[ET.Element]:
    return [child for each in parent if _name(each) == name for child in each]


def _name(element: ET.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


_HANDLERS: dict[str, Handler] = {
    "GetResources": _get_resources,
    "GetTagKeys": _get_tag_keys,
    "GetTagValues": _get_tag_values,
    "TagResources": _tag_resources,
    "UntagResources": _untag_resources,
}


def install() -> None:
    """Puts these operations into moto's tagging API. Idempotent."""
    implement(ResourceGroupsTaggingAPIResponse, _HANDLERS)
    setattr(S3Response, "_bucket_tagging_from_body", _tags_of_bucket)  # noqa: B010 - mypy forbids assigning to a method
