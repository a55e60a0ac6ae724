"""What AWS CLI commands print, as people paste it into tickets, in CloudFormation's words.

A document is recognised by its keys. What a command lists, it lists whole, if nothing says that there is another page.
Source: https://docs.aws.amazon.com/cli/latest/reference/ (each command's output)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backup_rules_cli.check import identities
from backup_rules_cli.check.identities import ID, KEY, PLAN, REGION_SETTINGS, ROLE, SELECTION, VAULT
from backup_rules_cli.check.things import Object, Position, Thing, Unknown, at_of

NOT_HERE = Unknown("the command does not tell it", "add what the command that tells it answers")
Made = Iterator[Thing]


def command_of(document: Any) -> str | None:
    """The command whose output the document is (`get-backup-plan`), or None where it is none that is known."""
    if not isinstance(document, Mapping):
        return None
    return next((each for each, (fits, _, _) in _COMMANDS.items() if fits(document)), None)


def things(document: Object, command: str) -> tuple[list[Thing], frozenset[str]]:
    """What the command tells, and the types of which it lists everything."""
    _, make, whole = _COMMANDS[command]
    more = document.get("NextToken") or document.get("Marker") or document.get("PaginationToken")
    return list(make(document)), frozenset(() if more else whole)


def _has(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda document: all(key in document for key in keys)


def _items(document: Mapping[str, Any], key: str) -> Iterator[tuple[str, Object]]:
    listed = document.get(key)
    for number, each in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(each, Object):
            yield f"{key}/{number}", each


def _thing(kind: str, name: Any, properties: Mapping[str, Any], source: Any, path: str) -> Thing:
    at = at_of(source, Position(""))
    return Thing(
        kind, str(name), Object(at, {key: value for key, value in properties.items() if value is not None}), at, path
    )


def _plan(document: Object) -> Made:
    body = document["BackupPlan"]
    plan_id = document.get("BackupPlanId")
    name = body.get("BackupPlanName", plan_id) if isinstance(body, Mapping) else plan_id
    yield _thing(PLAN, name, {ID: str(plan_id or name), "BackupPlan": body}, body, "BackupPlan")


def _plans(document: Object) -> Made:
    for path, each in _items(document, "BackupPlansList"):
        body = Unknown("list-backup-plans does not tell it", "add what `aws backup get-backup-plan` answers")
        yield _thing(PLAN, each.get("BackupPlanName"), {ID: each.get("BackupPlanId"), "BackupPlan": body}, each, path)


def _selection(document: Object) -> Made:
    body = document["BackupSelection"]
    name = body.get("SelectionName") if isinstance(body, Mapping) else document.get("SelectionId")
    properties = {
        ID: document.get("SelectionId"),
        "BackupPlanId": document.get("BackupPlanId", NOT_HERE),
        "BackupSelection": body,
    }
    yield _thing(SELECTION, name, properties, body, "BackupSelection")


def _vaults(document: Object) -> Made:
    for path, each in _items(document, "BackupVaultList"):
        yield _vault(each, path)


def _vault(each: Object, path: str) -> Thing:
    locked = each.get("Locked")
    lock = {key: each[key] for key in ("MinRetentionDays", "MaxRetentionDays") if key in each}
    properties = {
        "BackupVaultName": each.get("BackupVaultName"),
        "EncryptionKeyArn": each.get("EncryptionKeyArn"),
        "LockConfiguration": lock if locked or lock else None,
        "AccessPolicy": Unknown(
            "the command does not tell it", "add what `aws backup get-backup-vault-access-policy` answers"
        ),
    }
    kind = identities.AIR_GAPPED if each.get("VaultType") == "LOGICALLY_AIR_GAPPED_BACKUP_VAULT" else VAULT
    return _thing(kind, each.get("BackupVaultName"), properties, each, path)


def _settings(document: Object) -> Made:
    keys = ("ResourceTypeOptInPreference", "ResourceTypeManagementPreference")
    yield _thing(REGION_SETTINGS, "settings", {key: document.get(key) for key in keys}, document, "")


def _databases(key: str, kind: str) -> Callable[[Object], Made]:
    names = ("DBInstanceIdentifier",) if kind == "AWS::RDS::DBInstance" else ("DBClusterIdentifier",)

    def make(document: Object) -> Made:
        for path, each in _items(document, key):
            engine = str(each.get("Engine", ""))
            actual = (
                "AWS::DocDB::DBCluster"
                if engine.startswith("docdb") and kind.endswith("Cluster")
                else "AWS::Neptune::DBCluster"
                if engine.startswith("neptune") and kind.endswith("Cluster")
                else kind
            )
            yield _thing(actual, each.get(names[0]), {**each, "Tags": each.get("TagList")}, each, path)

    return make


def _file_systems(document: Object) -> Made:
    for path, each in _items(document, "FileSystems"):
        if "FileSystemType" in each:
            own = {ID: each.get("FileSystemId"), "Tags": each.get("Tags")}
            yield _thing("AWS::FSx::FileSystem", each.get("FileSystemId"), {**each, **own}, each, path)
        else:
            own = {ID: each.get("FileSystemId"), "FileSystemTags": each.get("Tags")}
            yield _thing("AWS::EFS::FileSystem", each.get("FileSystemId"), own, each, path)


def _volumes(document: Object) -> Made:
    for path, each in _items(document, "Volumes"):
        name = each.get("VolumeId")
        if "FileSystemId" in each:
            own = {ID: name, "OntapConfiguration": {"StorageVirtualMachineId": each.get("FileSystemId")}}
            yield _thing("AWS::FSx::Volume", name, {**each, **own}, each, path)
        else:
            yield _thing("AWS::EC2::Volume", name, {ID: name, "Tags": each.get("Tags")}, each, path)


def _instances(document: Object) -> Made:
    for path, reservation in _items(document, "Reservations"):
        for inner, each in _items(reservation, "Instances"):
            name = each.get("InstanceId")
            yield _thing("AWS::EC2::Instance", name, {ID: name, "Tags": each.get("Tags")}, each, f"{path}/{inner}")


def _role(document: Object) -> Made:
    role = document["Role"]
    if isinstance(role, Mapping):
        boundary = role.get("PermissionsBoundary")
        properties = {
            "RoleName": role.get("RoleName"),
            "Path": role.get("Path"),
            "AssumeRolePolicyDocument": role.get("AssumeRolePolicyDocument"),
            "PermissionsBoundary": boundary.get("PermissionsBoundaryArn") if isinstance(boundary, Mapping) else None,
            "__open_policies": [
                Unknown("get-role does not tell its policies", "judge with an account (--with-account)")
            ],
        }
        yield _thing(ROLE, role.get("RoleName"), properties, role, "Role")


def _key(document: Object) -> Made:
    key = document["KeyMetadata"]
    if isinstance(key, Mapping):
        yield _thing(
            KEY,
            key.get("KeyId"),
            {ID: key.get("KeyId"), "Enabled": key.get("KeyState") == "Enabled"},
            key,
            "KeyMetadata",
        )


def _policy_of_vault(document: Object) -> Made:
    yield _thing("Backup::VaultAccessPolicy", document.get("BackupVaultName"), dict(document), document, "")


def _one_vault(document: Object) -> Made:
    yield _vault(document, "")


def _selections(document: Object) -> Made:
    for path, each in _items(document, "BackupSelectionsList"):
        why = Unknown("list-backup-selections does not tell it", "add what `aws backup get-backup-selection` answers")
        body = Object(
            each.at,
            {"SelectionName": each.get("SelectionName"), "IamRoleArn": each.get("IamRoleArn"), "Resources": why},
        )
        properties = {
            ID: each.get("SelectionId"),
            "BackupPlanId": each.get("BackupPlanId", NOT_HERE),
            "BackupSelection": body,
        }
        yield _thing(SELECTION, each.get("SelectionName"), properties, each, path)


_INSTANCES, _CLUSTERS = "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"
_COMMANDS: Mapping[str, tuple[Callable[[Mapping[str, Any]], bool], Callable[[Object], Made], tuple[str, ...]]] = {
    "get-backup-plan": (_has("BackupPlan"), _plan, ()),
    "get-backup-selection": (_has("BackupSelection"), _selection, ()),
    "list-backup-plans": (_has("BackupPlansList"), _plans, (PLAN,)),
    "list-backup-selections": (_has("BackupSelectionsList"), _selections, (SELECTION,)),
    "list-backup-vaults": (_has("BackupVaultList"), _vaults, (VAULT,)),
    "get-backup-vault-access-policy": (_has("BackupVaultName", "Policy"), _policy_of_vault, ()),
    "describe-backup-vault": (_has("BackupVaultName", "BackupVaultArn"), _one_vault, ()),
    "describe-region-settings": (_has("ResourceTypeOptInPreference"), _settings, ()),
    "describe-db-instances": (_has("DBInstances"), _databases("DBInstances", _INSTANCES), (_INSTANCES,)),
    "describe-db-clusters": (
        _has("DBClusters"),
        _databases("DBClusters", _CLUSTERS),
        (_CLUSTERS, "AWS::DocDB::DBCluster", "AWS::Neptune::DBCluster"),
    ),
    "describe-file-systems": (_has("FileSystems"), _file_systems, ()),
    "describe-volumes": (_has("Volumes"), _volumes, ()),
    "describe-instances": (_has("Reservations"), _instances, ()),
    "get-role": (_has("Role"), _role, ()),
    "describe-key": (_has("KeyMetadata"), _key, ()),
}


def joined(things: list[Thing]) -> list[Thing]:
    """What several commands tell of one thing, put together: a plan that is whole before a listed one."""
    policies = {each.name: each.properties.get("Policy") for each in things if each.type == "Backup::VaultAccessPolicy"}
    found: dict[tuple[str, str], Thing] = {}
    for each in things:
        if each.type == "Backup::VaultAccessPolicy":
            continue
        if each.type in {VAULT, identities.AIR_GAPPED} and each.name in policies:
            each.properties = {**each.properties, "AccessPolicy": policies[each.name]}
        key = each.type, str(each.properties.get(ID, each.name))
        known = found.get(key)
        body = {PLAN: "BackupPlan", SELECTION: "BackupSelection"}.get(each.type, "")
        if known is None or isinstance(known.properties.get(body), Unknown) or _is_listed(known):
            found[key] = each
    return list(found.values())


def _is_listed(thing: Thing) -> bool:
    body = thing.properties.get("BackupSelection")
    return isinstance(body, Mapping) and isinstance(body.get("Resources"), Unknown)
