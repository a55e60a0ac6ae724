"""The account that documents describe, as AWS would answer about it: the contents of answers, in AWS's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.check import identities
from backup_rules_cli.check.guesses import UNNAMED
from backup_rules_cli.check.identities import (
    AIR_GAPPED,
    KEY,
    MANAGED_POLICY,
    PLAN,
    REGION_SETTINGS,
    ROLE,
    SELECTION,
    VAULT,
)
from backup_rules_cli.check.tags import tags_key
from backup_rules_cli.check.things import Documented, Position, Thing, Unknown, unknowns

_MADE = datetime(2000, 1, 1, tzinfo=UTC)

_SERVICES_OF_THEIR_OWN = ("AWS::RDS::", "AWS::DocDB::", "AWS::Neptune::", "AWS::FSx::")
_ENGINES = {"AWS::DocDB::DBCluster": "docdb", "AWS::Neptune::DBCluster": "neptune"}
_NOT_PROTECTED = {PLAN, SELECTION, VAULT, AIR_GAPPED, ROLE, KEY, MANAGED_POLICY}
PROTECTED = tuple(name for name in identities.KINDS if name not in _NOT_PROTECTED)
# What AWS chooses where nobody does.
_CHOSEN_BY_AWS = {
    "AWS::RDS::DBInstance": ("PreferredBackupWindow", "PreferredMaintenanceWindow"),
    "AWS::RDS::DBCluster": ("PreferredBackupWindow", "PreferredMaintenanceWindow"),
    "AWS::DocDB::DBCluster": ("PreferredBackupWindow", "PreferredMaintenanceWindow"),
    "AWS::Neptune::DBCluster": ("PreferredBackupWindow", "PreferredMaintenanceWindow"),
}


@dataclass
class Role:
    """A role with all its policies that the documents tell; `open` is what they leave open of its permissions."""

    thing: Thing
    arn: str
    trust: Any
    documents: list[Any] = field(default_factory=list)
    managed: list[str] = field(default_factory=list)
    boundary: str = ""
    open: list[Unknown] = field(default_factory=list)


@dataclass
class Account:
    """Everything that is declared, by what the rules ask for."""

    place: Place
    whole: frozenset[str] = frozenset()
    plans: dict[str, tuple[Thing, Any]] = field(default_factory=dict)
    """By id: the plan, and its body as GetBackupPlan has it; None for one that is elsewhere."""
    selections: dict[str, list[tuple[str, Thing, Any]]] = field(default_factory=dict)
    """By the plan's id: id, thing, and body as GetBackupSelection has it."""
    vaults: dict[str, tuple[Thing, Mapping[str, Any]]] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    """KeyState by ARN and id."""
    settings: Mapping[str, Any] | None = None
    resources: dict[str, tuple[Thing, str]] = field(default_factory=dict)
    """By ARN: the resource, and its name."""
    managed: dict[str, Any] = field(default_factory=dict)
    """The documents of managed policies that are declared, by ARN."""

    @property
    def names_all(self) -> bool:
        """Whether the selections name single resources only, all of them declared: no other one matters."""
        bodies = [body for listed in self.selections.values() for _, _, body in listed]
        return all(isinstance(each, Mapping) and self._named(each) for each in bodies)

    def _named(self, body: Mapping[str, Any]) -> bool:
        entries = body.get("Resources")
        return (
            not body.get("ListOfTags")
            and isinstance(entries, list)
            and bool(entries)
            and all(isinstance(each, str) and each in self.resources for each in entries)
        )

    def things(self) -> Iterator[Thing]:
        """What verdicts can be about."""
        yield from (thing for thing, _ in self.plans.values())
        yield from (thing for listed in self.selections.values() for _, thing, _ in listed)

    def subject_at(self, resource_type: str, resource_id: str) -> Thing | None:
        """The thing that a verdict is about."""
        if resource_type == PLAN and resource_id in self.plans:
            return self.plans[resource_id][0]
        if resource_type == SELECTION:
            selection, _, plan = resource_id.partition("_")
            return next((thing for each, thing, _ in self.selections.get(plan, ()) if each == selection), None)
        found = (thing for arn, (thing, name) in self.resources.items() if resource_id in {name, arn, config_id(name)})
        return next(found, None)


def config_id(name: str) -> str:
    """What AWS Config calls a database: an id that AWS makes up."""
    return f"id-of-{name}"


def described(documented: Documented, place: Place) -> Account:
    """The account of the documents."""
    found = Account(place, frozenset(documented.whole))
    by_type: dict[str, list[Thing]] = {}
    for thing in documented.things:
        by_type.setdefault(thing.type, []).append(thing)
    for thing in by_type.get(PLAN, ()):
        _add_plan(found, thing)
    for thing in by_type.get(SELECTION, ()):
        _add_selection(found, thing)
    for thing in (*by_type.get(VAULT, ()), *by_type.get(AIR_GAPPED, ())):
        name = identities.name_of(thing.type, thing.name, thing.properties)
        found.vaults[name] = thing, thing.properties
    for thing in by_type.get(ROLE, ()):
        _add_role(found, thing)
    _add_policies(found, by_type)
    found.managed = own_policy_documents(documented, place)
    for thing in by_type.get(KEY, ()):
        name = identities.name_of(KEY, thing.name, thing.properties)
        enabled = thing.properties.get("Enabled", True)
        state = enabled if isinstance(enabled, Unknown) else "Enabled" if _true(enabled) else "Disabled"
        found.keys |= {name: state, identities.arn_of(KEY, name, thing.properties, place): state}
    for thing in by_type.get(REGION_SETTINGS, ()):
        found.settings = thing.properties
    for name in PROTECTED:
        for thing in by_type.get(name, ()):
            its_name = identities.name_of(name, thing.name, thing.properties)
            found.resources[identities.arn_of(name, its_name, thing.properties, place)] = thing, its_name
    return found


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _add_plan(account: Account, thing: Thing) -> None:
    body = thing.properties.get("BackupPlan")
    plan_id = identities.name_of(PLAN, thing.name, thing.properties)
    account.plans[plan_id] = (
        thing,
        body if isinstance(body, (Mapping, Unknown)) else Unknown("it has no BackupPlan", "add it"),
    )
    account.selections.setdefault(plan_id, [])


def plan_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's BackupPlan as GetBackupPlan gives it. The differences are three names."""
    rules = body.get("BackupPlanRule", body.get("Rules"))
    named = {"TargetBackupVault": "TargetBackupVaultName"}
    return {
        "BackupPlanName": body.get("BackupPlanName"),
        "Rules": [
            {named.get(key, key): value for key, value in each.items()} if isinstance(each, Mapping) else each
            for each in rules
        ]
        if isinstance(rules, list)
        else rules,
    }


def _add_selection(account: Account, thing: Thing) -> None:
    plan = thing.properties.get("BackupPlanId")
    if not isinstance(plan, str) or plan not in account.plans:
        why = plan if isinstance(plan, Unknown) else Unknown("its plan is not declared here", "judge both together")
        plan = f"plan-of-{thing.name}" if not isinstance(plan, str) else plan
        elsewhere = Thing(PLAN, f"the plan of {thing.name}", {}, thing.at, thing.path)
        account.plans.setdefault(plan, (elsewhere, why))
    body = thing.properties.get("BackupSelection")
    selection_id = identities.name_of(SELECTION, thing.name, thing.properties).replace("_", "-")
    told = body if isinstance(body, (Mapping, Unknown)) else Unknown("it has no BackupSelection", "add it")
    account.selections.setdefault(plan, []).append((selection_id, thing, told))


def _add_role(account: Account, thing: Thing) -> None:
    given = thing.properties
    name = identities.name_of(ROLE, thing.name, given)
    role = Role(thing, identities.arn_of(ROLE, name, given, account.place), given.get("AssumeRolePolicyDocument"))
    for each in _listed(given.get("ManagedPolicyArns"), role.open):
        _attach(role, each)
    for each in _listed(given.get("Policies"), role.open):
        role.documents.append(each.get("PolicyDocument") if isinstance(each, Mapping) else each)
    boundary = given.get("PermissionsBoundary", "")
    if isinstance(boundary, Unknown):
        role.open.append(boundary)
    else:
        role.boundary = str(boundary)
    role.open.extend(unknowns(given.get("__open_policies", ())))
    account.roles[name] = role


def _attach(role: Role, arn: Any) -> None:
    if isinstance(arn, Unknown):
        role.open.append(arn)
    else:
        role.managed.append(str(arn))


def _listed(value: Any, unread: list[Unknown]) -> list[Any]:
    if isinstance(value, Unknown):
        unread.append(value)
        return []
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _add_policies(account: Account, by_type: Mapping[str, list[Thing]]) -> None:
    """The policies that are things of their own, and are attached to roles."""
    for kind in (
        "AWS::IAM::Policy",
        "AWS::IAM::RolePolicy",
        MANAGED_POLICY,
        "AWS::IAM::ManagedPolicyAttachment",
    ):
        for thing in by_type.get(kind, ()):
            unread: list[Unknown] = []
            names = thing.properties.get("Roles", thing.properties.get("RoleName"))
            for name in _listed(names, unread):
                role = account.roles.get(name.rpartition("/")[2]) if isinstance(name, str) else None
                if role is None:
                    unread.extend(unknowns(name))
                elif "PolicyArn" in thing.properties:
                    _attach(role, thing.properties["PolicyArn"])
                else:
                    role.documents.append(thing.properties.get("PolicyDocument"))
            for role in account.roles.values() if unread else ():
                role.open.extend(unread)  # it may be attached to any


def own_policy_documents(documented: Documented, place: Place) -> dict[str, Any]:
    """The documents of managed policies that are declared, by ARN."""
    found = {}
    for thing in documented.things:
        if thing.type == MANAGED_POLICY:
            name = identities.name_of(MANAGED_POLICY, thing.name, thing.properties)
            where = identities.arn_of(MANAGED_POLICY, name, thing.properties, place)
            found[where] = thing.properties.get("PolicyDocument")
    return found


# What services tell


def tags_of(thing: Thing) -> dict[str, str]:
    """The tags that are known, each with a known value."""
    given = thing.properties.get(tags_key(thing))
    if isinstance(given, Mapping):
        return {str(key): text_of(value) for key, value in given.items() if not isinstance(value, Unknown)}
    found = {}
    for each in given if isinstance(given, list) else ():
        if (
            isinstance(each, Mapping)
            and isinstance(each.get("Key"), (str, int, float))
            and not isinstance(each.get("Value"), Unknown)
        ):
            found[text_of(each["Key"])] = text_of(each.get("Value", ""))
    return found


def tag_list(thing: Thing) -> list[dict[str, str]]:
    """The tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags_of(thing).items()]


def _with_chosen(thing: Thing) -> dict[str, Any]:
    chosen = Unknown("AWS chooses it, as none is named", "name it")
    missing = {key: chosen for key in _CHOSEN_BY_AWS.get(thing.type, ()) if thing.properties.get(key) is None}
    return {**thing.properties, **missing}


def database(arn: str, thing: Thing, name: str) -> dict[str, Any]:
    """As DescribeDBInstances or DescribeDBClusters tells it."""
    given = _with_chosen(thing)
    instance = thing.type == "AWS::RDS::DBInstance"
    keys = (
        "PreferredBackupWindow",
        "PreferredMaintenanceWindow",
        "BackupRetentionPeriod",
        "BackupTarget",
        "AwsBackupRecoveryPointArn",
    )
    told = {key: given[key] for key in keys if given.get(key) is not None}
    told["BackupRetentionPeriod"] = _number(told.get("BackupRetentionPeriod", 1))
    names = (
        ("DBInstanceArn", "DBInstanceIdentifier", "DbiResourceId")
        if instance
        else ("DBClusterArn", "DBClusterIdentifier", "DbClusterResourceId")
    )
    member = given.get("DBClusterIdentifier") if instance else None
    return {
        **told,
        **dict(zip(names, (arn, name, config_id(name)), strict=True)),
        **({"DBClusterIdentifier": str(member)} if member is not None else {}),
        "Engine": _ENGINES.get(thing.type, given.get("Engine", "aurora-mysql" if not instance else "mysql")),
        "TagList": tag_list(thing),
    }


def file_system(arn: str, thing: Thing, name: str) -> dict[str, Any]:
    """As DescribeFileSystems tells it."""
    given = thing.properties
    kind = given.get("FileSystemType", Unknown("it has no FileSystemType", "add it"))
    key = {"WINDOWS": "Windows", "LUSTRE": "Lustre", "ONTAP": "Ontap", "OPENZFS": "OpenZFS"}.get(str(kind), "")
    chosen = Unknown("AWS chooses it, as none is named", "name it")
    own = given.get(f"{key}Configuration")
    settings = {"WeeklyMaintenanceStartTime": chosen, **(own if isinstance(own, Mapping) else {})}
    if settings.get("AutomaticBackupRetentionDays") not in {0, "0"}:
        settings.setdefault("DailyAutomaticBackupStartTime", chosen)
    if kind == "LUSTRE":
        settings.setdefault("DeploymentType", "SCRATCH_1")  # what it is where nothing is said
    if kind == "LUSTRE" and settings.get("ImportPath") is not None:  # as DescribeFileSystems tells of a linked one
        settings["DataRepositoryConfiguration"] = {"ImportPath": settings["ImportPath"]}
    if "AutomaticBackupRetentionDays" in settings:
        settings["AutomaticBackupRetentionDays"] = _number(settings["AutomaticBackupRetentionDays"])
    return {
        "FileSystemId": name,
        "ResourceARN": arn,
        "FileSystemType": kind,
        f"{key}Configuration": own if isinstance(own, Unknown) else settings,
        "Tags": tag_list(thing),
    }


def volume(arn: str, thing: Thing, name: str) -> dict[str, Any]:
    """As DescribeVolumes tells it."""
    given = thing.properties
    own = given.get("OntapConfiguration")
    machine = own.get("StorageVirtualMachineId") if isinstance(own, Mapping) else None
    return {
        "VolumeId": name,
        "ResourceARN": arn,
        "VolumeType": given.get("VolumeType", "ONTAP"),
        "FileSystemId": str(machine or UNNAMED),
        "Tags": tag_list(thing),
    }


def _number(value: Any) -> Any:
    text = str(value).removesuffix(".0")
    return int(text) if not isinstance(value, (Unknown, bool)) and text.lstrip("-").isdecimal() else value


def vault(arn: str, name: str, thing: Thing) -> dict[str, Any]:
    """As ListBackupVaults and DescribeBackupVault tell it."""
    given = thing.properties
    lock = given.get("LockConfiguration")
    if isinstance(lock, Unknown):
        lock = {"MinRetentionDays": lock, "MaxRetentionDays": lock}
    limits = lock if isinstance(lock, Mapping) else given if thing.type == AIR_GAPPED else {}
    keys = ("MinRetentionDays", "MaxRetentionDays")
    return {
        "BackupVaultName": name,
        "BackupVaultArn": arn,
        "VaultState": "AVAILABLE",
        "VaultType": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT" if thing.type == AIR_GAPPED else "BACKUP_VAULT",
        **({"EncryptionKeyArn": given["EncryptionKeyArn"]} if given.get("EncryptionKeyArn") is not None else {}),
        "Locked": bool(limits),
        **{key: _number(limits[key]) for key in keys if limits.get(key) is not None},
    }


# What CloudFormation makes a text of, whatever YAML takes it for: `ConditionValue: true`, `RuleName: 1`.
_TEXTS = frozenset(
    {
        "BackupPlanName",
        "RuleName",
        "TargetBackupVaultName",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "SelectionName",
        "ConditionKey",
        "ConditionValue",
        "ConditionType",
    }
)


def text_of(value: Any) -> str:
    """A scalar as CloudFormation writes it: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def numbers(value: Any, key: str = "") -> Any:
    """A plan's or selection's body with numbers, truths and texts where a template writes one as another."""
    if key in _TEXTS and isinstance(value, (bool, int, float)):
        return text_of(value)
    if isinstance(value, Mapping):
        return {name: numbers(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [numbers(each) for each in value]
    if key.endswith(("Minutes", "Days")):
        return _number(value)
    if key.startswith("Enable") and not isinstance(value, (bool, Unknown)):
        return _true(value)
    return value


def as_text(value: Any) -> str:
    """A policy as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


NOWHERE = Position("")
