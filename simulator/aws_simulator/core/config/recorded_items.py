"""What AWS Config's recorder holds of an account in a Region, as advanced queries see it: one current item a resource.

The items are made when they are asked for, from what the simulation has then: plans and selections, whatever its
tagging API lists, items that were put by hand, and the compliance of each resource and conformance pack as the stored
evaluations say it. Only types that a running recorder records are there. Deleted resources and items with status
`ResourceNotRecorded` cannot be queried.
Sources: https://docs.aws.amazon.com/config/latest/developerguide/querying-AWS-resources.html and
https://docs.aws.amazon.com/config/latest/developerguide/view-compliance-history.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.config.models import ConfigBackend, config_backends
from moto.rds.models import rds_backends
from moto.utilities.utils import get_partition

from aws_simulator.core import tagging
from aws_simulator.core.backup.state import Plan, Selection, state_in
from aws_simulator.core.config.recorded_details import details_of
from aws_simulator.core.config.state import state_of
from aws_simulator.core.messages.configuration_items import Recording, plan_item, selection_item
from aws_simulator.core.operations import now

RESOURCE_COMPLIANCE = "AWS::Config::ResourceCompliance"

Item = dict[str, Any]
Tags = Mapping[str, str]
Reader = Callable[[ConfigBackend], Iterable[Item]]

_QUERYABLE = frozenset({"OK", "ResourceDiscovered"})


def recorded_items(account: str, region: str, types: frozenset[str] | None = None) -> list[Item]:
    """The items of the account in the Region, sorted by type and id; of these `types` only, if given."""
    if region not in config_backends[account].keys():  # noqa: SIM118 - moto's `in` answers for Regions without a backend too
        return []
    backend = config_backends[account][region]
    records = _recorder(backend)
    found: dict[tuple[str, str], Item] = {}
    for kind, read in readers:
        if types is None or kind is None or kind in types:
            found.update(((item["resourceType"], item["resourceId"]), item) for item in read(backend))
    return [found[key] for key in sorted(found) if (types is None or key[0] in types) and records(key[0])]


def _recorder(backend: ConfigBackend) -> Callable[[str], bool]:
    """Whether a type is recorded. The simulation keeps no past: a recorder that was stopped counts as none."""
    running = [recorder for recorder in backend.recorders.values() if recorder.status.recording]
    if not running:
        return lambda _: False
    group = running[0].recording_group
    excluded = frozenset((group.exclusion_by_resource_types or {}).get("resourceTypes") or ())
    included = frozenset(group.resource_types or ())
    if included and not group.all_supported:
        return lambda resource_type: resource_type in included
    return lambda resource_type: resource_type not in excluded


# --- Compliance -----------------------------------------------------------------------------------------------------


def _compliance(backend: ConfigBackend) -> Iterator[Item]:
    """One item a resource that any rule found COMPLIANT or NON_COMPLIANT, with all these rules."""
    verdicts: dict[tuple[str, str], dict[str, str]] = {}
    captured: dict[tuple[str, str], float] = {}
    state = state_of(backend)
    with state.lock:
        for name, results in sorted(state.results.items()):
            for key, result in results.items():
                verdict = result.evaluation["ComplianceType"]
                if verdict != "NOT_APPLICABLE":
                    captured[key] = max(captured.get(key, 0), result.recorded)
                    verdicts.setdefault(key, {})[name] = verdict
    for (target_type, target_id), by_rule in verdicts.items():
        yield item_of(
            backend,
            RESOURCE_COMPLIANCE,
            f"{target_type}/{target_id}",
            captured=datetime.fromtimestamp(captured[target_type, target_id], UTC),
            configuration={
                "targetResourceId": target_id,
                "targetResourceType": target_type,
                **judged(backend, by_rule),
            },
            relationships=[{"resourceType": target_type, "resourceId": target_id, "name": "Is associated with "}],
        )


def judged(backend: ConfigBackend, by_rule: Mapping[str, str]) -> dict[str, Any]:
    """NON_COMPLIANT as soon as one rule's verdict is; COMPLIANT when any is known."""
    known = set(by_rule.values())
    overall = next((each for each in ("NON_COMPLIANT", "COMPLIANT") if each in known), "INSUFFICIENT_DATA")
    rules = [
        {
            "configRuleArn": backend.config_rules[name].config_rule_arn,
            "configRuleId": backend.config_rules[name].config_rule_id,
            "configRuleName": name,
            "complianceType": verdict,
        }
        for name, verdict in by_rule.items()
    ]
    return {"complianceType": overall, "configRuleList": rules}


# --- Resources ------------------------------------------------------------------------------------------------------

_BY_ARN: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (resource_type, re.compile(rf"arn:[^:]+:{pattern}"))
    for resource_type, pattern in (
        ("AWS::Backup::BackupVault", r"backup:[^:]*:[^:]*:backup-vault:(.+)"),
        ("AWS::CloudFormation::Stack", r"cloudformation:[^:]*:[^:]*:stack/(.+)"),
        ("AWS::DynamoDB::Table", r"dynamodb:[^:]*:[^:]*:table/([^/]+)"),
        ("AWS::EC2::Instance", r"ec2:[^:]*:[^:]*:instance/(.+)"),
        ("AWS::EC2::Volume", r"ec2:[^:]*:[^:]*:volume/(.+)"),
        ("AWS::EFS::FileSystem", r"elasticfilesystem:[^:]*:[^:]*:file-system/(.+)"),
        ("AWS::EKS::Cluster", r"eks:[^:]*:[^:]*:cluster/([^/]+)"),
        ("AWS::RDS::DBCluster", r"rds:[^:]*:[^:]*:cluster:(.+)"),
        ("AWS::RDS::DBInstance", r"rds:[^:]*:[^:]*:db:(.+)"),
        ("AWS::Redshift::Cluster", r"redshift:[^:]*:[^:]*:cluster:(.+)"),
        ("AWS::S3::Bucket", r"s3:::([^/:]+)"),
    )
)
"""Types under which Config records what AWS Backup protects, and the ARNs of their resources, with the name in them."""


def _listed(backend: ConfigBackend) -> Iterator[Item]:
    """Whatever the tagging API knows, tagged or not, and has a type here."""
    tags = _tags(backend)
    database_ids = _database_ids(backend)
    for arn in tags:
        for resource_type, pattern in _BY_ARN:
            match = pattern.fullmatch(arn)
            if match:
                resource_id = arn if resource_type == "AWS::CloudFormation::Stack" else match[1]
                resource_id = database_ids.get(arn, resource_id)
                yield _resource(backend, resource_type, resource_id, arn, match[1], tags[arn])


def _resource(  # noqa: PLR0913, PLR0917 - what is known of a resource without reading it
    backend: ConfigBackend, resource_type: str, resource_id: str, arn: str, name: str, tags: Tags
) -> Item:
    known_as = name.split("/", maxsplit=1)[0] if resource_type == "AWS::CloudFormation::Stack" else name
    configuration, supplementary = details_of(resource_type, backend.account_id, backend.region_name, name)
    item = item_of(backend, resource_type, resource_id, arn=arn, name=known_as, tags=tags, configuration=configuration)
    return item | {"supplementaryConfiguration": supplementary}


def _tags(backend: ConfigBackend) -> Mapping[str, Tags]:
    return tagging.listed(backend.account_id, backend.region_name)


def _database_ids(backend: ConfigBackend) -> dict[str, str]:
    """Config knows databases by an id that their ARN does not tell."""
    account, region = backend.account_id, backend.region_name
    if account not in rds_backends or region not in rds_backends[account].keys():  # noqa: SIM118 - as in `recorded_items`
        return {}
    databases = rds_backends[account][region]
    ids = {each.arn: str(each.dbi_resource_id) for each in databases.databases.values()}
    return ids | {each.arn: str(each.db_cluster_resource_id) for each in databases.clusters.values()}


def _plans(backend: ConfigBackend) -> Iterator[Item]:
    tags = _tags(backend)
    for plan in _standing(backend):
        answer = {
            "BackupPlanId": plan.plan_id,
            "BackupPlanArn": plan.arn,
            "VersionId": plan.current.version_id,
            "BackupPlan": plan.current.document,
        }
        item = plan_item(answer, _recording(backend, plan.current.created))
        yield _of_event(item) | {"tags": _tag_list(tags.get(plan.arn, {}))}


def _selections(backend: ConfigBackend) -> Iterator[Item]:
    for plan in _standing(backend):
        for selection in plan.selections.values():
            answer = _selection_answer(plan, selection)
            yield _of_event(selection_item(answer, _recording(backend, selection.created)))


def _standing(backend: ConfigBackend) -> list[Plan]:
    plans = state_in(backend.account_id, backend.region_name).plans.values()
    return [plan for plan in plans if plan.deleted is None]


def _selection_answer(plan: Plan, selection: Selection) -> dict[str, Any]:
    return {
        "BackupPlanId": plan.plan_id,
        "SelectionId": selection.selection_id,
        "BackupSelection": selection.document,
    }


def _put_by_hand(backend: ConfigBackend) -> Iterator[Item]:
    state = state_of(backend)
    with state.lock:
        newest = [items[-1] for items in state.items.values()]
    return (_of_event(item) for item in newest if item["configurationItemStatus"] in _QUERYABLE)


readers: list[tuple[str | None, Reader]] = [
    (RESOURCE_COMPLIANCE, _compliance),
    ("AWS::Backup::BackupPlan", _plans),
    ("AWS::Backup::BackupSelection", _selections),
    (None, _listed),
    (None, _put_by_hand),
]
"""Who gives the items, and of which type they are; None: of several. What comes later replaces what came before.

What simulates more of AWS adds its own.
"""


# --- Items ----------------------------------------------------------------------------------------------------------


def _recording(backend: ConfigBackend, captured: datetime) -> Recording:
    return Recording(backend.account_id, backend.region_name, captured, partition=get_partition(backend.region_name))


def item_of(  # noqa: PLR0913 - the parts of a configuration item, told apart by name
    backend: ConfigBackend,
    resource_type: str,
    resource_id: str,
    *,
    arn: str | None = None,
    name: str | None = None,
    tags: Tags | None = None,
    captured: datetime | None = None,
    configuration: Mapping[str, Any] | None = None,
    relationships: list[dict[str, str]] | None = None,
) -> Item:
    item = {
        "version": "1.3",
        "accountId": backend.account_id,
        "awsRegion": backend.region_name,
        "arn": arn,
        "resourceType": resource_type,
        "resourceId": resource_id,
        "resourceName": name,
        "configurationItemCaptureTime": _time(captured or now()),
        "configurationItemStatus": "ResourceDiscovered",
        "configuration": configuration or {},
        "supplementaryConfiguration": {},
        "relationships": relationships or [],
        "tags": _tag_list(tags or {}),
    }
    return {key: value for key, value in item.items() if value is not None}


def _of_event(item: Mapping[str, Any]) -> Item:
    """An item of an event under the names that it has in queries."""
    renamed = {"awsAccountId": "accountId", "ARN": "arn", "configurationItemVersion": "version"}
    queried = {renamed.get(name, name): value for name, value in item.items() if value is not None}
    if isinstance(queried.get("configuration"), str):
        queried["configuration"] = json.loads(queried["configuration"])
    return queried | {"tags": _tag_list(item.get("tags") or {})}


def _tag_list(tags: Tags) -> list[dict[str, str]]:
    """Tags as advanced queries see them: `tags.key`, `tags.value`, and both in `tags.tag`."""
    return [{"tag": f"{key}={value}", "key": key, "value": value} for key, value in sorted(tags.items())]


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
