"""Stacks: what a template asks for is made, changed and deleted, in order, and undone when something fails.

All happens within the call; a stack is never seen half-way. Where AWS would say `…_IN_PROGRESS` first, the events tell.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events-by-operation.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudformation.models import CloudFormationBackend, cloudformation_backends
from moto.core.exceptions import ServiceException
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from aws_simulator.core.operations import AwsError, now
from aws_simulator.deployment.cloudformation.resources import Made, ResourceType, Scope
from aws_simulator.deployment.cloudformation.templates import (
    Document,
    Evaluation,
    Surroundings,
    as_text,
    creation_order,
    parameter_values,
    parse,
    refused,
    resource_types,
)

_FAILURES = (AwsError, BotoCoreError, ClientError, ServiceException, HTTPException, ValueError, KeyError, TypeError)
"""What a resource type raises when the service, or the properties, stand against the resource. moto adds errors of its
own kinds (`JsonRESTError` is an `HTTPException`), and plain Python's where it does not check what it is given."""

_NAMED_IAM = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
_IAM = {"AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition", *_NAMED_IAM}


class StackFailedError(Exception):
    """What was asked of a stack could not be done; it is rolled back as its status says."""


@dataclass
class Resource:
    """A resource of a stack, as it is now."""

    logical_id: str
    type: str
    status: str
    made: Made
    properties: Document
    retained: bool
    changed: datetime
    reason: str | None = None


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    time: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Stack:
    """A stack. `template_text` is the template as it was given."""

    name: str
    id: str
    account: str
    region: str
    template_text: str
    given: dict[str, str]
    created: datetime
    tags: list[dict[str, str]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    protected: bool = False
    disable_rollback: bool = False
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    service: str | None = None
    """The service that made it for itself, and alone may change it."""

    @property
    def template(self) -> Document:
        return parse(self.template_text)

    def note(self, status: str, reason: str | None = None) -> None:
        """The stack's new status, with its event."""
        self.status, self.reason = status, reason
        self.events.append(Event(self.name, self.id, "AWS::CloudFormation::Stack", status, reason, now()))


@dataclass
class State:
    """What CloudFormation keeps of one account and Region."""

    stacks: dict[str, Stack] = field(default_factory=dict)
    """By id; those that were deleted stay, as AWS keeps them for a while."""

    change_sets: dict[str, Any] = field(default_factory=dict)
    stack_sets: dict[str, Any] = field(default_factory=dict)

    def stack(self, name_or_id: str) -> Stack:
        """The stack by name (not a deleted one) or by id.

        Raises:
            AwsError: ValidationError: there is none.
        """
        if name_or_id in self.stacks:
            return self.stacks[name_or_id]
        for stack in self.stacks.values():
            if stack.name == name_or_id and stack.deleted is None:
                return stack
        raise refused(f"Stack with id {name_or_id} does not exist")

    def exports(self) -> dict[str, tuple[str, str]]:
        """Exported values by name: the stack's id and the value."""
        return {
            output["ExportName"]: (stack.id, output["OutputValue"])
            for stack in self.stacks.values()
            if stack.deleted is None
            for output in stack.outputs
            if "ExportName" in output
        }


def state_of(account: str, region: str) -> State:
    """CloudFormation's state in an account and Region; gone when moto is reset."""
    backend: CloudFormationBackend = cloudformation_backends[account][region]
    state: State = vars(backend).setdefault("simulated", State())
    return state


def tagged_stacks(account: str, region: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The stacks that stand, by ARN, with their tags."""
    for stack in state_of(account, region).stacks.values():
        if stack.deleted is None:
            yield stack.id, {tag["Key"]: tag["Value"] for tag in stack.tags}


def recorded_stack(account: str, region: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What AWS Config's recorder reads of a stack; `name` is that of its ARN, with the id."""
    stack = next((each for each in state_of(account, region).stacks.values() if each.id.endswith(f"/{name}")), None)
    if stack is None:
        return {}, {}
    resources = [
        {
            "logicalResourceId": logical_id,
            "physicalResourceId": each.made.id,
            "resourceType": each.type,
            "resourceStatus": each.status,
        }
        for logical_id, each in stack.resources.items()
    ]
    configuration = {
        "stackId": stack.id,
        "stackName": stack.name,
        "stackStatus": stack.status,
        "creationTime": stack.created.isoformat(),
        "enableTerminationProtection": stack.protected,
    }
    return configuration, {"StackResourceSummaries": resources}


TypeOf = Callable[[str], ResourceType | None]


class Engine:
    """Makes stacks. `type_of` gives the resource type of a name, or None where the simulation has none."""

    def __init__(self, type_of: TypeOf) -> None:
        self._type_of = type_of

    def check(self, template: Document, given: Mapping[str, str], capabilities: Iterable[str] | None = None) -> None:
        """What CloudFormation finds before it makes anything.

        Raises:
            AwsError: ValidationError or InsufficientCapabilitiesException.
        """
        unknown = [name for name in resource_types(template) if self._type_of(name) is None]
        if unknown:
            raise refused(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
        creation_order(template)
        parameter_values(template, given)
        self._check_outputs(template)
        if capabilities is not None:
            _check_capabilities(template, frozenset(capabilities))

    def _check_outputs(self, template: Document) -> None:
        for output in (template.get("Outputs") or {}).values():
            asked = output["Value"].get("Fn::GetAtt") if isinstance(output.get("Value"), dict) else None
            if not isinstance(asked, list):
                continue
            kind = self._type_of(template["Resources"][asked[0]]["Type"])
            if kind and kind.attributes is not None and asked[1] not in kind.attributes:
                raise _no_attribute(asked[0], asked[1])

    def create(self, stack: Stack) -> None:
        """Make everything. What fails is undone, unless the stack keeps what it has.

        Raises:
            StackFailedError: with the reason; the stack's status tells what became of it.
        """
        stack.note("CREATE_IN_PROGRESS", "User Initiated")
        try:
            self._apply(stack)
        except StackFailedError as error:
            if stack.disable_rollback:
                stack.note("CREATE_FAILED", str(error))
                raise
            stack.note("ROLLBACK_IN_PROGRESS", f"{error} Rollback requested by user.")
            left = self._delete_all(stack)
            stack.outputs = []
            stack.note("ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE")
            stack.reason = str(error)
            raise
        stack.note("CREATE_COMPLETE")

    def update(self, stack: Stack, text: str, given: Mapping[str, str]) -> None:
        """Bring the stack into step with the template. What fails is undone: the template before comes back.

        Raises:
            StackFailedError: with the reason.
        """
        before = stack.template_text, stack.given
        stack.note("UPDATE_IN_PROGRESS", "User Initiated")
        stack.template_text, stack.given, stack.updated = text, dict(given), now()
        try:
            self._apply(stack)
        except StackFailedError as error:
            stack.note("UPDATE_ROLLBACK_IN_PROGRESS", str(error))
            stack.template_text, stack.given = before
            try:
                self._apply(stack)
            except StackFailedError as again:
                stack.note("UPDATE_ROLLBACK_FAILED", str(again))
            else:
                stack.note("UPDATE_ROLLBACK_COMPLETE")
                stack.reason = str(error)
            raise
        stack.note("UPDATE_COMPLETE")

    def delete(self, stack: Stack, *, retain: Iterable[str] = ()) -> None:
        """Delete the stack with its resources, but those that are retained.

        Raises:
            AwsError: ValidationError: another stack imports what this one exports.
            StackFailedError: a resource could not be deleted.
        """
        stack.note("DELETE_IN_PROGRESS", "User Initiated")
        left = self._delete_all(stack, frozenset(retain))
        if left:
            reason = f"The following resource(s) failed to delete: [{', '.join(left)}]."
            stack.note("DELETE_FAILED", reason)
            raise StackFailedError(reason)
        stack.outputs = []
        stack.note("DELETE_COMPLETE")
        stack.deleted = now()

    # -- One pass over a template

    def _apply(self, stack: Stack) -> None:
        template = stack.template
        evaluation = self._evaluation(stack, template)
        replaced: list[Resource] = []
        try:
            wanted = self._put_all(stack, template, evaluation, replaced)
        except StackFailedError:
            for old in replaced:
                self._delete(stack, stack.resources[old.logical_id])
                stack.resources[old.logical_id] = old
            raise
        for old in replaced:
            if template["Resources"][old.logical_id].get("UpdateReplacePolicy") != "Retain":
                self._delete(stack, old)
        for resource in self._backwards(stack):
            if resource.logical_id not in wanted:
                if not resource.retained:
                    self._delete(stack, resource)
                del stack.resources[resource.logical_id]
        try:
            stack.outputs = self._outputs(stack, template, evaluation)
        except AwsError as error:
            raise StackFailedError(error.message) from error

    def _put_all(
        self, stack: Stack, template: Document, evaluation: Evaluation, replaced: list[Resource]
    ) -> frozenset[str]:
        """The resources that the template wants now; those that were replaced are added to the list."""
        wanted = set()
        for logical_id in creation_order(template):
            declared = template["Resources"][logical_id]
            try:
                if "Condition" in declared and not evaluation.holds(declared["Condition"]):
                    continue
                wanted.add(logical_id)
                properties = evaluation.value(declared.get("Properties") or {})
            except AwsError as error:
                raise StackFailedError(error.message) from error
            old = self._put(stack, logical_id, declared, properties)
            if old is not None:
                replaced.append(old)
        return frozenset(wanted)

    def _put(self, stack: Stack, logical_id: str, declared: Document, properties: Document) -> Resource | None:
        """Make or change one resource. Returns the one that it replaces, which is still there."""
        kind = self._kind(declared["Type"])
        scope = _scope(stack, logical_id)
        old = stack.resources.get(logical_id)
        if old is not None and old.type == kind.name and old.properties == properties and "FAILED" not in old.status:
            return None
        changes = {
            name
            for name in {*properties, *(old.properties if old else ())}
            if old is None or properties.get(name) != old.properties.get(name)
        }
        in_place = old is not None and old.type == kind.name and kind.update and not changes & kind.fixed
        verb = "UPDATE" if old is not None else "CREATE"
        try:
            made = kind.put(scope, properties, old.made if in_place and old else None)
        except _FAILURES as error:
            reason = _reason(error, kind.name)
            self._note(stack, logical_id, kind.name, old.made.id if old else "", f"{verb}_FAILED", reason)
            raise StackFailedError(
                f"The following resource(s) failed to {verb.lower()}: [{logical_id}]. {reason}"
            ) from error
        retained = declared.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"}
        stack.resources[logical_id] = Resource(
            logical_id, kind.name, f"{verb}_COMPLETE", made, properties, retained, now()
        )
        self._note(stack, logical_id, kind.name, made.id, f"{verb}_COMPLETE")
        return None if in_place or old is None or old.made.id == made.id else old

    def _delete_all(self, stack: Stack, retain: frozenset[str] = frozenset()) -> list[str]:
        """Returns the logical ids of what could not be deleted."""
        left = []
        for resource in self._backwards(stack):
            if resource.retained or resource.logical_id in retain:
                self._note(stack, resource.logical_id, resource.type, resource.made.id, "DELETE_SKIPPED")
            elif not self._delete(stack, resource):
                left.append(resource.logical_id)
                continue
            del stack.resources[resource.logical_id]
        return left

    def _delete(self, stack: Stack, resource: Resource) -> bool:
        try:
            self._kind(resource.type).delete(_scope(stack, resource.logical_id), resource.made)
        except _FAILURES as error:
            resource.status, resource.reason = "DELETE_FAILED", _reason(error, resource.type)
            self._note(stack, resource.logical_id, resource.type, resource.made.id, "DELETE_FAILED", resource.reason)
            return False
        self._note(stack, resource.logical_id, resource.type, resource.made.id, "DELETE_COMPLETE")
        return True

    def _backwards(self, stack: Stack) -> list[Resource]:
        """The resources, each before those that it was made from."""
        return list(stack.resources.values())[::-1]

    def _kind(self, name: str) -> ResourceType:
        kind = self._type_of(name)
        if kind is None:
            raise refused(f"Template format error: Unrecognized resource types: [{name}]")
        return kind

    def _note(  # noqa: PLR0913, PLR0917 - the columns of an event
        self, stack: Stack, logical_id: str, kind: str, physical_id: str, status: str, reason: str | None = None
    ) -> None:
        stack.events.append(Event(logical_id, physical_id, kind, status, reason, now()))

    # -- Evaluation

    def _evaluation(self, stack: Stack, template: Document) -> Evaluation:
        def made(logical_id: str) -> Made:
            if logical_id not in stack.resources:
                raise _unresolved(logical_id)
            return stack.resources[logical_id].made

        def reference(logical_id: str) -> str:
            resource = made(logical_id)
            return resource.id if resource.reference is None else resource.reference

        def attribute(logical_id: str, name: str) -> Any:
            try:
                return made(logical_id).attributes[name]
            except KeyError:
                raise _no_attribute(logical_id, name) from None

        def exported(name: str) -> str:
            exports = state_of(stack.account, stack.region).exports()
            if name not in exports:
                raise refused(f"No export named {name} found.")
            return exports[name][1]

        try:
            values = parameter_values(template, stack.given) | pseudo_parameters(stack)
        except AwsError as error:
            raise StackFailedError(error.message) from error
        return Evaluation(template, Surroundings(values, reference, attribute, exported))

    def _outputs(self, stack: Stack, template: Document, evaluation: Evaluation) -> list[dict[str, str]]:
        outputs = []
        taken = {name: owner for name, (owner, _) in state_of(stack.account, stack.region).exports().items()}
        for key, declared in (template.get("Outputs") or {}).items():
            if "Condition" in declared and not evaluation.holds(declared["Condition"]):
                continue
            output = {"OutputKey": key, "OutputValue": as_text(evaluation.value(declared["Value"]))}
            if "Description" in declared:
                output["Description"] = declared["Description"]
            if "Export" in declared:
                output["ExportName"] = name = as_text(evaluation.value(declared["Export"]["Name"]))
                if taken.get(name, stack.id) != stack.id:
                    raise refused(f"Export with name {name} is already exported by stack {taken[name].split('/')[1]}.")
            outputs.append(output)
        return outputs


def pseudo_parameters(stack: Stack) -> dict[str, str]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html"""
    partition = str(get_partition(stack.region))
    return {
        "AWS::AccountId": stack.account,
        "AWS::Partition": partition,
        "AWS::Region": stack.region,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
    }


def stack_id(account: str, region: str, name: str) -> str:
    """A new stack's ARN."""
    return f"arn:{get_partition(region)}:cloudformation:{region}:{account}:stack/{name}/{uuid.uuid4()}"


def _scope(stack: Stack, logical_id: str) -> Scope:
    return Scope(stack.account, stack.region, stack.name, stack.id, logical_id)


def _check_capabilities(template: Document, given: frozenset[str]) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (Capabilities)"""
    resources = template["Resources"].values()
    named = any(_NAMED_IAM.get(each["Type"], "") in (each.get("Properties") or {}) for each in resources)
    if named and "CAPABILITY_NAMED_IAM" not in given:
        needed = "CAPABILITY_NAMED_IAM"
    elif any(each["Type"] in _IAM for each in resources) and not given & {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"}:
        needed = "CAPABILITY_IAM"
    else:
        return
    raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def _unresolved(logical_id: str) -> AwsError:
    return refused(
        f"Template format error: Unresolved resource dependencies [{logical_id}] in the Resources block of the template"
    )


def _no_attribute(logical_id: str, name: str) -> AwsError:
    return refused(f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt")


def _reason(error: BaseException, kind: str) -> str:
    """Why a resource failed, as an event tells it."""
    service = kind.split("::")[1] if "::" in kind else kind
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        text = f"{answer['Message']} (Service: {service}, Error Code: {answer['Code']})"
    elif isinstance(error, AwsError):
        text = f"{error.message} (Service: {service}, Error Code: {error.code})"
    elif isinstance(error, KeyError):
        text = f"Model validation failed: required key {json.dumps(error.args[0])} not found"
    else:
        text = getattr(error, "description", None) or str(error)
    return f'Resource handler returned message: "{text}"'
