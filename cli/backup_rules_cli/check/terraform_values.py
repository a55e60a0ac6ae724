"""The values of a Terraform plan or state; those known after apply are followed to what they refer to.

By the configuration that a plan carries: through variables and outputs of modules, to the same instance of a module.
Source: https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.check import identities
from backup_rules_cli.check.identities import KEY, PLAN, ROLE, SELECTION, VAULT
from backup_rules_cli.check.things import Object, Position, Unknown, at_of, unknowns

AFTER_APPLY = Unknown("Terraform knows it after apply", "judge the state after apply")

Values = Mapping[str, Any]

KINDS: Mapping[str, str] = {
    "aws_backup_plan": PLAN,
    "aws_backup_selection": SELECTION,
    "aws_backup_vault": VAULT,
    "aws_backup_logically_air_gapped_vault": identities.AIR_GAPPED,
    "aws_iam_role": ROLE,
    "aws_kms_key": KEY,
    "aws_dynamodb_table": "AWS::DynamoDB::Table",
    "aws_ebs_volume": "AWS::EC2::Volume",
    "aws_instance": "AWS::EC2::Instance",
    "aws_efs_file_system": "AWS::EFS::FileSystem",
    "aws_s3_bucket": "AWS::S3::Bucket",
    "aws_db_instance": "AWS::RDS::DBInstance",
    "aws_rds_cluster": "AWS::RDS::DBCluster",
    "aws_docdb_cluster": "AWS::DocDB::DBCluster",
    "aws_neptune_cluster": "AWS::Neptune::DBCluster",
    "aws_fsx_windows_file_system": "AWS::FSx::FileSystem",
    "aws_fsx_lustre_file_system": "AWS::FSx::FileSystem",
    "aws_fsx_ontap_file_system": "AWS::FSx::FileSystem",
    "aws_fsx_openzfs_file_system": "AWS::FSx::FileSystem",
    "aws_eks_cluster": "AWS::EKS::Cluster",
    "aws_redshift_cluster": "AWS::Redshift::Cluster",
    "aws_timestreamwrite_table": "AWS::Timestream::Table",
}
"""The type in CloudFormation of what values may refer to, by Terraform's."""


class Known:
    """A plan's values, its unknown ones, and its configuration's references."""

    def __init__(self, document: Object, place: Place) -> None:
        self.place = place
        values = inside(document, "planned_values") or inside(document, "values")
        self.resources: dict[str, Any] = {
            str(each.get("address")): each
            for each in _resources(inside(values, "root_module"))
            if each.get("mode") != "data"
        }
        self.data: dict[str, Any] = {
            str(each.get("address")): each.get("values")
            for source in (values, inside(document, "prior_state", "values"))
            for each in _resources(inside(source, "root_module"))
            if each.get("mode") == "data"
        }
        self.unknown = {
            str(each.get("address")): inside(each, "change", "after_unknown")
            for each in listed(document.get("resource_changes"))
            if isinstance(each, Mapping)
        }
        self._expressions: dict[str, Any] = {}
        self._arguments: dict[str, Any] = {}
        """Of each module, by its prefix: what its variables are given."""
        self._regions: dict[str, str] = {}
        """By a resource's address without index: the Region of its provider; a provider's key where it is not known."""
        self._providers = inside(document, "configuration", "provider_config")
        self._variables = document.get("variables")
        self._outputs: dict[str, Any] = {}
        """Of each module, by its prefix: what its outputs are made of."""
        self._by_plain: dict[str, list[str]] = {}
        self._by_type: dict[str, list[str]] = {}
        self._owned: dict[tuple[str, str], tuple[dict[str, list[Resource]], list[Resource]]] = {}
        self._plans = {
            inside(each, "values", "id"): address
            for address, each in self.resources.items()
            if each.get("type") == "aws_backup_plan"
        }
        for address, each in self.resources.items():
            self._by_type.setdefault(str(each.get("type")), []).append(address)
            self._by_plain.setdefault(_without_index(address), []).append(address)
        self._configure(inside(document, "configuration", "root_module"), "")

    def _configure(self, module: Any, prefix: str) -> None:
        if not isinstance(module, Mapping):
            return
        for each in listed(module.get("resources")):
            if isinstance(each, Mapping):
                address = f"{prefix}{each.get('address')}"
                self._expressions[address] = each.get("expressions") or {}
                self._regions[address] = self._provider_region(str(each.get("provider_config_key", "")))
        self._outputs[prefix] = module.get("outputs")
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, Mapping) else ():
            inner = f"{prefix}module.{name}."
            given = inside(call, "expressions")
            self._arguments[inner] = given if isinstance(given, Mapping) else {}
            self._configure(inside(call, "module"), inner)

    def _provider(self, key: str) -> Mapping[str, Any]:
        found = inside(self._providers, key) or inside(self._providers, key.rpartition(":")[2])
        return found if isinstance(found, Mapping) else {}

    def _provider_region(self, key: str) -> str:
        """The Region of a provider's configuration; its key, where that is another than the default and not known."""
        named = inside(self._provider(key), "expressions", "region")
        constant = inside(named, "constant_value")
        for reference in listed(inside(named, "references")):
            if constant is None and str(reference).startswith("var."):
                constant = inside(self._variables, str(reference).split(".")[1], "value")
        alias = key.rpartition(":")[2]
        return constant if isinstance(constant, str) else alias if "." in alias else ""

    def region(self, address: str) -> str | None:
        """The Region of a resource; "" is the default provider's, a provider's key that of another. None: not told."""
        values = inside(self.resources.get(address), "values")
        own = inside(values, "region")
        if isinstance(own, str) and own:
            return own
        configured = self._regions.get(_without_index(address))
        if configured:
            return configured
        for argument in ("arn", "backup_vault_arn"):
            arn = inside(values, argument)
            if isinstance(arn, str) and arn.count(":") >= 5 and arn.split(":")[3]:
                return arn.split(":")[3]
        plan = inside(values, "plan_id")
        found = self._plans.get(plan) if isinstance(plan, str) else None
        return configured if found is None else self.region(found)

    def place_at(self, address: str) -> Place:
        """The account and Region of a resource."""
        region = self.region(address)
        return replace(self.place, region=region) if region and "." not in region else self.place

    def default_tags(self) -> bool:
        """Whether a provider gives tags to all its resources."""
        return any(_has(inside(each, "expressions"), "default_tags") for each in _mappings(self._providers))

    def owned(self, kind: str, argument: str) -> tuple[dict[str, list[Resource]], list[Resource]]:
        """The resources of a type by the name of what they belong to, and those of which it is not known."""
        if (kind, argument) not in self._owned:
            found: dict[str, list[Resource]] = {}
            nobodys = []
            for address in self._by_type.get(kind, ()):
                other = Resource(self, address, self.resources[address])
                given = other.get(argument)
                if next(unknowns(given), None) is not None:
                    nobodys.append(other)
                for each in given if isinstance(given, list) else [given]:
                    if isinstance(each, str):
                        found.setdefault(each, []).append(other)
            self._owned[kind, argument] = found, nobodys
        return self._owned[kind, argument]

    def gives(self, address: str, argument: str) -> bool:
        """Whether the configuration gives the argument; what is unknown and not given, AWS chooses."""
        return _has(self._expressions.get(_without_index(address)), argument)

    def referred(self, address: str, path: tuple[Any, ...]) -> tuple[str, str] | None:
        """What an argument refers to, if to one thing: its address in the plan, and the attribute."""
        found: Any = self._expressions.get(_without_index(address))
        for step in path:
            if not _has(found, step):
                break
            found = found[step]
        number = path[-1] if path and isinstance(path[-1], int) else 0
        return self._target(inside(found, "references"), _module_of(address), number, address)

    def refers_to_resources_only(self, address: str, argument: str) -> bool:
        """Whether nothing but resources of the plan stands in the argument, or in the variable that it is."""
        references = inside(self._expressions.get(_without_index(address)), argument, "references")
        prefix = _module_of(address)
        while isinstance(references, list) and len(references) == 1 and str(references[0]).startswith("var."):
            references = inside(self._arguments.get(prefix), str(references[0]).split(".")[1], "references")
            prefix = _module_of(prefix.removesuffix("."))
        names = [_without_index(str(each)).split(".") for each in listed(references)]
        return all(f"{prefix}{'.'.join(parts[:2])}" in self._by_plain for parts in names)

    def _target(self, references: Any, prefix: str, number: int, address: str) -> tuple[str, str] | None:
        """The resource that the references name, in the order of a list; variables are followed to the caller."""
        named = [str(each) for each in references] if isinstance(references, list) else []
        found = [each for each in (self._resource(name, prefix, address) for name in named) if each and each[1]]
        if found:
            return found[number] if number < len(found) else found[0] if len(found) == 1 else None
        for name in named:
            if name.startswith("var.") and prefix in self._arguments:
                given = inside(self._arguments[prefix].get(name.split(".")[1]), "references")
                outer = _module_of(prefix.removesuffix("."))
                return self._target(given, outer, number, address)
            if name.startswith("module.") and name.count(".") >= 2:
                _, called, output = _without_index(name).split(".")[:3]
                inner = f"{prefix}module.{called}."
                made = inside(self._outputs.get(inner), output, "expression", "references")
                outer = _indexed_module(address, prefix.count("module."))
                target = self._target(made, inner, number, outer + _indexed_module(name, 1))
                if target is not None:
                    return target
        plain = [each for each in (self._resource(name, prefix, address) for name in named) if each]
        return plain[0] if plain else None

    def _resource(self, reference: str, prefix: str, address: str) -> tuple[str, str] | None:
        """A reference such as `aws_iam_role.backup[0].arn`: the address of the resource, and the attribute.

        Of several instances it is the one that the reference names, or the one of the same module and index. None where
        that does not tell which.
        """
        parts = _without_index(reference).split(".")
        same = self._by_plain.get(f"{prefix}{'.'.join(parts[:2])}")
        if not same or len(parts) < 2:
            return None
        depth = prefix.count("module.")
        module = _indexed_module(address, depth)
        here = [each for each in same if _indexed_module(each, depth) == module] or same
        here = [each for each in here if _index(each) == (_named_index(reference) or _index(address))] or here
        return (here[0], ".".join(parts[2:])) if len(here) == 1 else None


def _module_of(address: str) -> str:
    """The module of a resource or of a module: `module.backup.`, or nothing for the root."""
    parts = _without_index(address).split(".")
    return "".join(f"{each}." for each in parts[:-2]) if len(parts) > 2 else ""


class Resource:
    """A resource, whose arguments are asked for by name."""

    def __init__(self, known: Known, address: str, resource: Mapping[str, Any]) -> None:
        self.known = known
        self.address = address
        values = resource.get("values")
        self.values: Values = values if isinstance(values, Mapping) else {}
        self.at = at_of(resource, Position(""))
        self.called = str(resource.get("name", address))

    def get(self, *path: Any) -> Any:
        """An argument; None where it is not given."""
        found: Any = self.values
        unknown: Any = self.known.unknown.get(self.address)
        for step in path:
            unknown = unknown[step] if _has(unknown, step) else unknown if unknown is True else None
            found = found[step] if _has(found, step) else None
        if unknown is True and found is None:
            return self._followed(path)
        if found is None and _some_true(unknown):
            return AFTER_APPLY
        if isinstance(found, list) and isinstance(unknown, list):
            return [self.get(*path, number) for number in range(max(len(found), len(unknown)))]
        if isinstance(found, Mapping) and isinstance(unknown, Mapping) and any(unknown.values()):
            return Object(at_of(found, self.at), {key: self.get(*path, key) for key in {**found, **unknown}})
        return found

    def _followed(self, path: tuple[Any, ...]) -> Any:
        """What the argument will be: that of what it refers to."""
        referred = self.known.referred(self.address, path)
        while referred is None and path and isinstance(path[-1], int):
            path = path[:-1]
            referred = self.known.referred(self.address, path)
        if referred is None:
            return AFTER_APPLY
        address, attribute = referred
        resource = self.known.resources[address]
        kind = KINDS.get(str(resource.get("type")))
        if kind is None:
            return AFTER_APPLY
        other = Resource(self.known, address, resource)
        properties = other.naming(kind)
        if attribute in {"arn", "target_arn"}:
            name = identities.name_of(kind, address, properties)
            return identities.arn_of(kind, name, properties, self.known.place_at(address))
        if attribute in {"id", "name", "identifier", "key_id", "bucket", "role", ""}:
            return identities.name_of(kind, address, properties)
        return AFTER_APPLY

    def listed(self, argument: str) -> Any:
        """A list, all of which may be known after apply: then what each of its references will be."""
        value = self.get(argument)
        if not isinstance(value, str):
            return value
        found: list[Any] = []
        while self.known.referred(self.address, (argument, len(found))) is not None:
            each = self._followed((argument, len(found)))
            if each in found:
                break
            found.append(each)
        return found if self.known.refers_to_resources_only(self.address, argument) else [*found, AFTER_APPLY]

    def naming(self, kind: str) -> dict[str, Any]:
        """The properties that the name follows from."""
        named_by = identities.KINDS[kind].named_by or identities.ID
        keys = _NAMES if named_by != identities.ID else ("id",)
        given = next((self.values[key] for key in keys if isinstance(self.values.get(key), str)), None)
        path = self.values.get("path")
        return {**({named_by: given} if given else {}), **({"Path": path} if isinstance(path, str) else {})}

    def object(self, entries: Mapping[str, Any]) -> Object:
        """Properties, without those that are not given."""
        return Object(self.at, {key: value for key, value in entries.items() if value is not None})

    def blocks(self, *path: Any) -> list[int]:
        """The numbers of the blocks of that name."""
        found = self.get(*path)
        return list(range(len(found))) if isinstance(found, list) else []

    def open_blocks(self, *path: Any) -> bool:
        """Whether it is not known which blocks of that name there are."""
        found = self.get(*path)
        return found is not None and not isinstance(found, list)

    def gives(self, argument: str) -> bool:
        """Whether the configuration gives the argument, or a value is known; else AWS chooses."""
        return self.values.get(argument) is not None or self.known.gives(self.address, argument)

    def tags(self) -> Any:
        """All tags, those of the provider too.

        Of a resource without tags of its own, Terraform says that all are known after apply.
        """
        found = self.get("tags_all")
        own = isinstance(found, Unknown) and not self.gives("tags") and not self.known.default_tags()
        return self.get("tags") if found is None or own else found


_NAMES = ("name", "identifier", "cluster_identifier", "bucket", "table_name")


def listed(value: Any) -> list[Any]:
    """The list that a value is; an empty one for anything else."""
    return value if isinstance(value, list) else []


def inside(value: Any, *path: str) -> Any:
    """The value at the end of a path of keys; None where it breaks off."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    values = value.values() if isinstance(value, Mapping) else ()
    return [each for each in values if isinstance(each, Mapping)]


def _some_true(value: Any) -> bool:
    """Whether anything in a tree of what is unknown is."""
    if isinstance(value, Mapping):
        return any(map(_some_true, value.values()))
    return any(map(_some_true, value)) if isinstance(value, list) else value is True


def _has(value: Any, step: Any) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _resources(module: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(module, Mapping):
        yield from (each for each in listed(module.get("resources")) if isinstance(each, Mapping))
        for child in listed(module.get("child_modules")):
            yield from _resources(child)


def _without_index(address: str) -> str:
    found, depth = [], 0
    for character in address:
        depth += (character == "[") - (character == "]")
        if depth == 0 and character != "]":
            found.append(character)
    return "".join(found)


def _index(address: str) -> str:
    return address[address.rindex("[") :] if address.endswith("]") else ""


def _named_index(reference: str) -> str:
    """The index in `aws_iam_role.backup["a"].arn`, where it is written out."""
    found = re.match(r"[\w-]+\.[\w-]+(\[(?:\d+|\"[^\"]*\")\])", reference)
    return found[1] if found else ""


def _indexed_module(address: str, depth: int) -> str:
    """The module instance of an address, `depth` modules deep: `module.backup["a"].` of a resource in it."""
    found = re.findall(r"module\.[\w-]+(?:\[(?:\d+|\"[^\"]*\")\])?\.", address)
    return "".join(found[:depth])
