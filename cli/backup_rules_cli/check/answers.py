"""Clients that answer from documents. What documents cannot tell is no answer, and no empty one.

A question about something that is declared elsewhere raises `NotInFilesError`. A listing gives what is declared, and
notes that there may be more: see `backup_rules.aws.memory`. So whatever rests on what is not there, stays open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from backup_rules.arns import Arn
from backup_rules.aws.memory import note_gap
from backup_rules.errors import ReadError
from backup_rules.resources.resource_types import OPT_IN_KEYS, RESOURCE_TYPES, type_of
from backup_rules_cli.check import account as documented
from backup_rules_cli.check import identities, permissions, tags
from backup_rules_cli.check.account import Account
from backup_rules_cli.check.guesses import NUMBER, UNNAMED, guessed, with_tried_rules
from backup_rules_cli.check.organization import Organization
from backup_rules_cli.check.things import Thing, Unknown, unknowns
from backup_rules_cli.unsent import Unsent

T = TypeVar("T")

WITH_ACCOUNT = "judge with an account (--with-account)"
_MADE = datetime(2000, 1, 1, tzinfo=UTC)
_DENIED = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}


class NotInFilesError(ReadError):
    """What the documents leave open, and what would settle it."""

    def __init__(self, what: str, settle: str = WITH_ACCOUNT) -> None:
        super().__init__(f"{what}. To settle it, {settle}.", "NotInFiles")


class DeclaredOpenError(ReadError):
    """What is declared and open, so that no account can tell it."""


def _open_of(thing: Thing, what: str, unknown: Unknown) -> ReadError:
    """That part of a plan or a selection is open; of one that AWS has given an id, an account can tell it."""
    told = left_open(what, unknown)
    return told if thing.properties.get(identities.ID) else DeclaredOpenError(str(told), told.code)


def left_open(what: str, unknown: Unknown) -> NotInFilesError:
    """That a value is open: whose, why, and what would settle it."""
    return NotInFilesError(f"{what} is not known: {unknown.why}", unknown.settle)


class DocumentedClients:
    """The clients of an account of documents; what is open in them has the values of guess `number`."""

    def __init__(
        self,
        account: Account,
        organization: Organization,
        number: int,
        *,
        filled: bool = False,
    ) -> None:
        self._answers = _Answers(account, organization, number)
        self._answers.filled = filled

    def build_client(self, service: str) -> Any:
        """The client of a service."""
        return _Client(self._answers, service)


class _Client:
    meta = Unsent()

    def __init__(self, answers: _Answers, service: str) -> None:
        self._answers = answers
        self._service = service

    def __getattr__(self, method: str) -> Callable[..., Any]:
        found = getattr(self._answers, f"{self._service}_{method}", None)
        if found is None:
            raise NotInFilesError(f"{self._service}:{method} is not known from files")
        answer: Callable[..., Any] = found
        return answer

    def get_paginator(self, method: str) -> _Pages:
        """One page of a listing."""
        return _Pages(getattr(self, method))


class _Pages:
    def __init__(self, answer: Callable[..., Any]) -> None:
        self._answer = answer

    def paginate(self, **parameters: Any) -> Iterator[Any]:
        parameters.pop("PaginationConfig", None)
        yield self._answer(**parameters)


class _Answers:
    """A method for each operation: `service_operation`."""

    filled = False
    """Whether an account is asked for what is left open."""

    def __init__(self, account: Account, organization: Organization, number: int) -> None:
        self._account = account
        self._organization = organization
        self._number = number
        self._bodies, self._resources = self._tried_tags()
        self._tagged = self._tagged_resources()
        self._roles_left_open: dict[str, Unknown] = {}

    def _tried_tags(self) -> tuple[dict[str, Any], dict[str, tuple[Thing, str]]]:
        """The selections' bodies by id and plan, and the resources by ARN, with what is open in tags tried."""
        region = self._account.place.region
        resources = {
            arn: (tags.with_replica_tags(thing, region), name) for arn, (thing, name) in self._account.resources.items()
        }
        borne = tags.borne_by(thing for thing, _ in resources.values())
        bodies = {
            f"{selection_id}_{plan}": tags.with_tried_values(body, borne, self._number)
            for plan, listed in self._account.selections.items()
            for selection_id, _, body in listed
        }
        asked = tags.asked_by(map(self._guess, bodies.values()))
        return bodies, {
            arn: (tags.with_tried_tags(thing, asked, self._number), name) for arn, (thing, name) in resources.items()
        }

    def _guess(self, value: Any) -> Any:
        return documented.numbers(guessed(value, self._number))

    def _whole(self, what: str, value: Any) -> Any:
        """The value with guesses; refused where something in it cannot be guessed."""
        found = self._guess(value)
        missing = next(unknowns(found), None)
        if missing is not None:
            raise left_open(what, missing)
        return found

    def _declared(self, thing: Thing, what: str, value: Any) -> Any:
        """The same of a plan or a selection."""
        found = self._guess(value)
        missing = next(unknowns(found), None)
        if missing is not None:
            raise _open_of(thing, what, missing)
        return found

    def _more(self, *kinds: str, what: str) -> None:
        if kinds[0] in documented.PROTECTED and self._account.names_all:
            return
        if not set(kinds) <= self._account.whole:
            note_gap(NotInFilesError(f"These files do not tell which other {what} there are"))

    # AWS Backup

    def backup_list_backup_plans(self) -> Any:
        return {"BackupPlansList": [self._plan_summary(each) for each in self._account.plans]}

    def _plan_summary(self, plan_id: str) -> dict[str, Any]:
        thing, body = self._account.plans[plan_id]
        name = body.get("BackupPlanName") if isinstance(body, Mapping) else None
        arn = identities.arn_of(identities.PLAN, plan_id, {}, self._account.place)
        shown = name if isinstance(name, str) else thing.name
        return {"BackupPlanId": plan_id, "BackupPlanArn": arn, "BackupPlanName": shown, "CreationDate": _MADE}

    def backup_get_backup_plan(self, BackupPlanId: str) -> Any:  # noqa: N803 - AWS's name
        thing, body = _found(self._account.plans, BackupPlanId, "Plan")
        if isinstance(body, Unknown):
            raise _open_of(thing, f"Plan {thing.name}", body)
        here = identities.arn_of(identities.VAULT, UNNAMED, {}, self._account.place)
        tried = with_tried_rules(documented.plan_body(body), self._number, here)
        whole = self._declared(thing, f"Part of plan {thing.name}", tried)
        return {"BackupPlan": whole, "CreationDate": _MADE}

    def backup_list_backup_selections(self, BackupPlanId: str) -> Any:  # noqa: N803
        listed = self._account.selections.get(BackupPlanId, [])
        if not listed and self.filled and identities.SELECTION not in self._account.whole:
            plan = self._account.plans[BackupPlanId][0].name
            note_gap(NotInFilesError(f"These files declare no selection of plan {plan}"))
        items = []
        for selection_id, thing, body in listed:
            given = body if isinstance(body, Mapping) else {}
            name, role = given.get("SelectionName"), body if isinstance(body, Unknown) else given.get("IamRoleArn", "")
            items.append(
                {
                    "SelectionId": selection_id,
                    "SelectionName": name if isinstance(name, str) else thing.name,
                    "BackupPlanId": BackupPlanId,
                    "IamRoleArn": role if isinstance(role, str) else self._unknown_role(role),
                    "CreationDate": _MADE,
                }
            )
        return {"BackupSelectionsList": items}

    def _unknown_role(self, role: Any) -> str:
        """The ARN of a role of which nothing is known, not even the name."""
        name = f"unknown-role-{len(self._account.roles)}"
        arn = identities.arn_of(identities.ROLE, name, {}, self._account.place)
        self._roles_left_open[arn] = role if isinstance(role, Unknown) else Unknown("it is no text", "correct it")
        return arn

    def backup_get_backup_selection(self, BackupPlanId: str, SelectionId: str) -> Any:  # noqa: N803
        listed = self._account.selections.get(BackupPlanId, [])
        thing, body = next((thing, body) for selection_id, thing, body in listed if selection_id == SelectionId)
        if isinstance(body, Unknown):
            raise _open_of(thing, f"Selection {thing.name}", body)
        asked = next(unknowns([body.get("ListOfTags"), body.get("Conditions")]), None) if self.filled else None
        if asked is not None:  # what bears the tag, no value to try would tell
            raise _open_of(thing, f"Part of selection {thing.name}", asked)
        body = self._bodies[f"{SelectionId}_{BackupPlanId}"]
        what = {key: value for key, value in body.items() if key not in {"IamRoleArn", "SelectionName"}}
        whole = self._declared(thing, f"Part of selection {thing.name}", what)
        return {"BackupSelection": {"SelectionName": thing.name, **whole}}

    def backup_describe_region_settings(self) -> Any:
        settings = self._account.settings
        if settings is None and self.filled:
            raise NotInFilesError("The Region's opt-in settings are not in these files")
        if settings is None:  # what comes out the same with all turned on and all turned off, does not depend on them
            return {"ResourceTypeOptInPreference": dict.fromkeys(OPT_IN_KEYS, self._number % 2 == 0)}
        return self._whole("Part of the Region's settings", settings)

    def backup_list_backup_vaults(self) -> Any:
        self._more(identities.VAULT, what="backup vaults")
        return {"BackupVaultList": [self.backup_describe_backup_vault(each) for each in self._account.vaults]}

    def backup_describe_backup_vault(self, BackupVaultName: str) -> Any:  # noqa: N803
        thing, _ = _found(self._account.vaults, BackupVaultName, "Vault")
        arn = identities.arn_of(identities.VAULT, BackupVaultName, {}, self._account.place)
        found = documented.vault(arn, BackupVaultName, thing)
        if isinstance(found.get("EncryptionKeyArn"), Unknown):
            found["EncryptionKeyArn"] = identities.arn_of(identities.KEY, "unknown-key", {}, self._account.place)
        return self._whole(f"Part of vault {BackupVaultName}", found)

    def backup_get_backup_vault_access_policy(self, BackupVaultName: str) -> Any:  # noqa: N803
        _, given = _found(self._account.vaults, BackupVaultName, "Vault")
        policy = given.get("AccessPolicy")
        if not policy:
            raise _refused("ResourceNotFoundException", "GetBackupVaultAccessPolicy")
        missing = next(unknowns(policy), None)
        if missing is not None and self.filled:
            raise left_open(f"Part of the access policy of vault {BackupVaultName}", missing)
        if missing is not None and self._number != 1:  # what else is wrong with the vault is told all the same
            raise _refused("ResourceNotFoundException", "GetBackupVaultAccessPolicy")
        return {"Policy": documented.as_text(_DENIED if missing is not None else policy)}

    # IAM and KMS

    def _role(self, name: str, arn: str = "") -> documented.Role:
        if arn in self._roles_left_open:
            raise left_open("The role of the selection", self._roles_left_open[arn])
        found = self._account.roles.get(name)
        if found is None:
            open_role = next((each for each in self._roles_left_open if each.endswith(f"/{name}")), None)
            if open_role is not None:
                raise left_open("The role of the selection", self._roles_left_open[open_role])
            raise NotInFilesError(f"Role {name} is not declared in these files")
        return found

    def iam_get_role(self, RoleName: str) -> Any:  # noqa: N803
        role = self._role(RoleName)
        missing = next(unknowns(role.trust), None)
        if missing is not None:
            raise left_open(f"Part of the trust policy of role {RoleName}", missing)
        return {"Role": {"Arn": role.arn, "AssumeRolePolicyDocument": role.trust}}

    def iam_simulate_principal_policy(self, PolicySourceArn: str, **request: Any) -> Any:  # noqa: N803
        role = self._role(PolicySourceArn.rpartition("/")[2], PolicySourceArn)
        managed = [self._account.managed.get(each) for each in (*role.managed, role.boundary)]
        missing = next(iter((*role.open, *unknowns(role.documents), *unknowns(managed))), None)
        if missing is not None:
            raise left_open(f"Part of the permissions of role {role.thing.name}", missing)
        try:
            return permissions.simulated(role, request, self._account.managed, self._account.place)
        except permissions.UnknownPolicyError as error:
            raise NotInFilesError(f"Policy {error} of role {role.thing.name} is not declared in these files") from None

    def kms_describe_key(self, KeyId: str) -> Any:  # noqa: N803
        state = self._account.keys.get(KeyId)
        if KeyId.endswith("alias/aws/backup"):
            state = "Enabled"
        if state is None:
            raise NotInFilesError(f"KMS key {KeyId} is not declared in these files")
        if isinstance(state, Unknown):
            raise left_open(f"The state of KMS key {KeyId}", state)
        return {"KeyMetadata": {"KeyState": state}}

    # Resources

    def _of_types(self, *prefixes: str) -> Iterator[tuple[str, Any, str]]:
        for arn, (thing, name) in self._resources.items():
            if thing.type.startswith(prefixes):
                yield arn, thing, name

    def _tagged_resources(self) -> dict[str, dict[str, str]]:
        found = {arn: documented.tags_of(thing) for arn, (thing, _) in self._resources.items()}
        return {arn: its_tags for arn, its_tags in found.items() if its_tags}

    def _more_resources(self) -> None:
        self._more(*documented.PROTECTED, what="resources")

    def resourcegroupstaggingapi_get_tag_keys(self) -> Any:
        self._more_resources()
        return {"TagKeys": sorted({key for its_tags in self._tagged.values() for key in its_tags})}

    def resourcegroupstaggingapi_get_tag_values(self, Key: str) -> Any:  # noqa: N803
        self._more_resources()
        return {"TagValues": sorted({its_tags[Key] for its_tags in self._tagged.values() if Key in its_tags})}

    def resourcegroupstaggingapi_get_resources(
        self,
        TagFilters: Any = (),  # noqa: N803
        ResourceTypeFilters: Any = None,  # noqa: N803
    ) -> Any:
        self._more_resources()
        listed = []
        for arn, its_tags in self._tagged.items():
            named = Arn.parse(arn)
            kind = None if named is None else type_of(named, {arn: "aurora"})
            wanted = ResourceTypeFilters is None or (kind is not None and kind.tagging_filter in ResourceTypeFilters)
            if wanted and all(its_tags.get(each["Key"]) in each["Values"] for each in TagFilters):
                told = [{"Key": key, "Value": value} for key, value in its_tags.items()]
                listed.append({"ResourceARN": arn, "Tags": told})
        return {"ResourceTagMappingList": listed}

    def _described(self, key: str, types: tuple[str, ...], describe: Callable[..., Any], what: str) -> Any:
        self._more(*types, what=what)
        found = []
        for arn, thing, name in self._of_types(*types):
            whole = self._guess(describe(arn, thing, name))
            missing = next(unknowns(whole), None)
            if missing is not None:
                note_gap(left_open(f"Part of {thing.name}", missing))
                continue
            found.append(whole)
        return {key: found}

    def rds_describe_db_instances(self) -> Any:
        return self._described("DBInstances", ("AWS::RDS::DBInstance",), documented.database, "DB instances")

    def rds_describe_db_clusters(self) -> Any:
        clusters = ("AWS::RDS::DBCluster", "AWS::DocDB::DBCluster", "AWS::Neptune::DBCluster")
        return self._described("DBClusters", clusters, documented.database, "DB clusters")

    def fsx_describe_file_systems(self) -> Any:
        return self._described("FileSystems", ("AWS::FSx::FileSystem",), documented.file_system, "file systems")

    def fsx_describe_volumes(self) -> Any:
        return self._described("Volumes", ("AWS::FSx::Volume",), documented.volume, "volumes")

    def config_select_resource_config(self, Expression: str) -> Any:  # noqa: N803
        """The inventory: the resources that are declared, by type."""
        self._more_resources()
        wanted = set(re.findall(r"'(AWS::[A-Za-z0-9:]+)'", Expression))
        rows: list[dict[str, Any]] = []
        counted: dict[str, int] = {}
        for arn, (thing, name) in self._resources.items():
            its_type = identities.SAME_IN_CONFIG.get(thing.type, thing.type)
            kind = next((each.config_type for each in RESOURCE_TYPES if each.config_type == its_type), None)
            if kind is None or kind not in wanted:
                continue
            counted[kind] = counted.get(kind, 0) + 1
            listed = [{"key": key, "value": value} for key, value in documented.tags_of(thing).items()]
            rows.append({"resourceId": name, "arn": arn, "tags": listed, **_inventory(thing, self._number)})
        if "COUNT(*)" in Expression:
            rows = [{"resourceType": kind, "COUNT(*)": number} for kind, number in counted.items()]
        return {"Results": [json.dumps(each) for each in rows]}

    # AWS Organizations

    def organizations_describe_organization(self) -> Any:
        return self._organization.describe()

    def organizations_describe_effective_policy(self, PolicyType: str) -> Any:  # noqa: ARG002, N803
        return self._organization.effective_policy(self._account.place)

    def organizations_list_accounts_with_invalid_effective_policy(self, PolicyType: str) -> Any:  # noqa: ARG002, N803
        return self._organization.invalid(self._account.place)

    def organizations_list_effective_policy_validation_errors(self, AccountId: str, PolicyType: str) -> Any:  # noqa: ARG002, N803
        return self._organization.errors()


def _inventory(thing: Any, number: int) -> dict[str, Any]:
    """What AWS Config's inventory has of a bucket, or of an EKS cluster, beside its tags."""
    given = thing.properties
    if thing.type == "AWS::S3::Bucket":
        versioning = given.get("VersioningConfiguration")
        status = versioning.get("Status") if isinstance(versioning, Mapping) else versioning
        if isinstance(status, Unknown):
            status = ("Enabled", "Suspended", "Enabled")[number % NUMBER]
        told = {"status": status or "Off"}
        return {"supplementaryConfiguration": {"BucketVersioningConfiguration": told}}
    if thing.type == "AWS::EKS::Cluster":
        access = given.get("AccessConfig")
        mode = access.get("AuthenticationMode") if isinstance(access, Mapping) else access
        if isinstance(mode, Unknown):
            mode = ("API", "CONFIG_MAP", "API")[number % NUMBER]
        return {"configuration": {"AccessConfig": {"AuthenticationMode": mode}}} if isinstance(mode, str) else {}
    return {}


def _found(things: Mapping[str, T], name: str, what: str) -> T:
    try:
        return things[name]
    except KeyError:
        raise NotInFilesError(f"{what} {name} is not declared in these files") from None


def _refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not there"}}, operation)
