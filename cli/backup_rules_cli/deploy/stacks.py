"""CloudFormation stacks: how they stand, what has to change, and the waiting until it has.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.templates import Template
from backup_rules_cli.errors import PROBLEMS, CommandError

# A longer template has to lie in a bucket:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LONGEST_BODY = 51_200

POLL_SECONDS = 5.0
TELL_SECONDS = 30.0

THE_TEMPLATE = "the template"

_CAPABILITIES = ["CAPABILITY_NAMED_IAM"]

# From these a stack can be updated: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})
# Nothing is left of a stack whose first creation failed, but its name.
_HOLLOW = frozenset({"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"})


class Change(Enum):
    """What is to be done about a stack."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "delete what is left of a failed creation, and create"
    DELETE = "delete"
    LEAVE = "leave"
    STUCK = "stuck"


@dataclass(frozen=True)
class Stack:
    """A stack as it should be: where, with which template, parameters and tags."""

    access: Access
    region: str
    name: str
    template: Template
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    template_url: str = ""
    """Where the template lies; needed for one of more than `LONGEST_BODY` bytes."""


@dataclass(frozen=True)
class Live:
    """A stack as it stands."""

    id: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """A stack as it should be, and as it stands (None: it does not exist), and what follows from the two."""

    stack: Stack
    live: Live | None
    change: Change
    differences: tuple[str, ...] = ()
    """Of an update: what differs, in words. Of a deletion: why."""

    @property
    def brings_template(self) -> bool:
        """Whether the stack gets a template that it does not have yet."""
        if self.change is Change.UPDATE:
            return THE_TEMPLATE in self.differences
        return self.change in (Change.CREATE, Change.REPLACE)


class StackError(CommandError):
    """A stack could not be brought to where it should be. Names the resources that failed, and why."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}\nSee docs/deploying.md, Troubleshooting.", PROBLEMS)


def read_stack(access: Access, region: str, name: str) -> Live | None:
    """The stack of that name; None when there is none.

    Raises:
        AwsCallError: it cannot be read.
    """
    try:
        answer = access.call("cloudformation", region, "describe_stacks", StackName=name)
    except AwsCallError as error:
        if error.code == "ValidationError" and "does not exist" in error.text:
            return None
        raise
    it = answer["Stacks"][0]
    return Live(
        it["StackId"],
        it["StackStatus"],
        it.get("StackStatusReason", ""),
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in it.get("Parameters") or ()},
        {each["Key"]: each["Value"] for each in it.get("Tags") or ()},
        {each["OutputKey"]: each["OutputValue"] for each in it.get("Outputs") or ()},
    )


def compare(stack: Stack) -> Step:
    """What has to be done about a stack. Only reads.

    Raises:
        AwsCallError: it cannot be read.
    """
    live = read_stack(stack.access, stack.region, stack.name)
    if live is None:
        return Step(stack, None, Change.CREATE)
    if live.status in _HOLLOW:
        return Step(stack, live, Change.REPLACE)
    if live.status not in _UPDATABLE:
        return Step(stack, live, Change.STUCK)
    answer = stack.access.call("cloudformation", stack.region, "get_template", StackName=live.id)
    text = str(answer["TemplateBody"])
    template = stack.template if text.strip() == stack.template.text.strip() else Template(text)
    differences = tuple(_differences(stack, live, template))
    return Step(stack, live, Change.UPDATE if differences else Change.LEAVE, differences)


def surplus(access: Access, region: str, name: str) -> Step | None:
    """The deletion of a stack that the settings do not ask for; None where there is none. Only reads.

    Raises:
        AwsCallError: it cannot be read.
    """
    live = read_stack(access, region, name)
    if live is None:
        return None
    change = Change.STUCK if live.status.endswith("_IN_PROGRESS") else Change.DELETE
    return Step(Stack(access, region, name, Template(""), {}), live, change, ("the settings do not ask for it",))


def _differences(stack: Stack, live: Live, template: Template) -> Iterator[str]:
    if template is not stack.template:
        yield THE_TEMPLATE
    before, after = template.effective(live.parameters), stack.template.effective(stack.parameters)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'none')!r} → {after.get(name, 'none')!r}"
    if dict(live.tags) != dict(stack.tags):
        yield "the tags"


def mend(stack: Stack, live: Live) -> str:
    """What a person does about a stack that is stuck."""
    where = f"--region {stack.region} --stack-name {stack.name}"
    if live.status.endswith("_IN_PROGRESS"):
        return f"wait until it is done: aws cloudformation describe-stacks {where}"
    if live.status == "UPDATE_ROLLBACK_FAILED":
        return f"aws cloudformation continue-update-rollback {where}"
    return f"aws cloudformation delete-stack {where}"


def resources(access: Access, region: str, stack: str) -> Iterator[tuple[str, str]]:
    """Type and physical id of each resource of a stack.

    Raises:
        AwsCallError: it cannot be read.
    """
    for each in access.items(
        "cloudformation", region, "list_stack_resources", "StackResourceSummaries", StackName=stack
    ):
        yield str(each["ResourceType"]), str(each.get("PhysicalResourceId", ""))


Say = Callable[[str], None]
Explain = Callable[[Stack], Iterable[str]]


def apply(steps: Sequence[Step], say: Say, explain: Explain = lambda _: ()) -> None:
    """Do what the steps say, side by side, and wait until all are done. `explain` tells more about a failed stack.

    Raises:
        StackError: one failed or more, once all have ended.
        AwsCallError: a call failed.
    """
    doomed = [step.stack for step in steps if step.change in (Change.REPLACE, Change.DELETE)]
    delete([(stack.access, stack.region, stack.name) for stack in doomed], say)
    token = f"deploy-{uuid.uuid4()}"
    waiting = [step.stack for step in steps if _start(step, token)]
    failures = []
    known: dict[tuple[str, str], tuple[str, ...]] = {}

    def watch(stack: Stack) -> None:
        """Keep what is known while the stack is in progress: rolled back, it may have taken that along."""
        known[stack.region, stack.name] = tuple(explain(stack)) or known.get((stack.region, stack.name), ())

    for stack, live in _ended(waiting, say, watch):
        if live is None or live.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            watch(stack)
            failures.append(_failure(stack, live, token, known[stack.region, stack.name]))
    if failures:
        raise StackError("\n".join(failures))


def _start(step: Step, token: str) -> bool:
    if step.change in (Change.LEAVE, Change.STUCK, Change.DELETE):
        return False
    stack = step.stack
    body = {"TemplateBody": stack.template.text}
    if len(stack.template.text.encode()) > LONGEST_BODY:
        body = {"TemplateURL": stack.template_url}
    given: dict[str, Any] = {
        "StackName": stack.name,
        **body,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        "Capabilities": _CAPABILITIES,
        "ClientRequestToken": token,
    }
    operation = "update_stack" if step.change is Change.UPDATE else "create_stack"
    try:
        stack.access.call("cloudformation", stack.region, operation, **given)
    except AwsCallError as error:
        if "No updates are to be performed" in error.text:
            return False
        raise
    return True


def delete(stacks: Sequence[tuple[Access, str, str]], say: Say) -> None:
    """Delete the stacks (access, Region and name of each) side by side, and wait until all are gone.

    Raises:
        StackError: one could not be deleted.
        AwsCallError: a call failed.
    """
    waiting = []
    token = f"delete-{uuid.uuid4()}"
    for access, region, name in stacks:
        live = read_stack(access, region, name)
        if live is not None:
            access.call("cloudformation", region, "delete_stack", StackName=live.id, ClientRequestToken=token)
            waiting.append(Stack(access, region, live.id, Template(""), {}))
    failures = [
        _failure(stack, live, token)
        for stack, live in _ended(waiting, say)
        if live is not None and live.status != "DELETE_COMPLETE"
    ]
    if failures:
        raise StackError("\n".join(failures))


def _ended(
    stacks: Sequence[Stack], say: Say, watch: Callable[[Stack], None] = lambda _: None
) -> Iterator[tuple[Stack, Live | None]]:
    """Each stack once nothing is in progress any more, as it then stands; `watch` sees it while something is."""
    waiting = list(stacks)
    told: dict[tuple[str, str], tuple[str, float]] = {}
    started = time.monotonic()
    while waiting:
        for stack in tuple(waiting):
            live = read_stack(stack.access, stack.region, stack.name)
            status = "DELETE_COMPLETE" if live is None else live.status
            passed = time.monotonic() - started
            before, when = told.get((stack.region, stack.name), ("", 0.0))
            if status != before or passed - when >= TELL_SECONDS:
                say(f"{stack.region}  {_short(stack.name)}  {status}  {passed:.0f} s")
                told[stack.region, stack.name] = status, passed
            if status.endswith("_IN_PROGRESS"):
                watch(stack)
            else:
                waiting.remove(stack)
                yield stack, live
        if waiting:
            time.sleep(POLL_SECONDS)


def _short(name: str) -> str:
    """The name of a stack, also where its ARN was used."""
    return name.split("/")[1] if name.startswith("arn:") else name


def _failure(stack: Stack, live: Live | None, token: str, more: Iterable[str] = ()) -> str:
    """What became of a stack that failed, and why: the resources' reasons, or else the stack's own."""
    first = f"Stack {_short(stack.name)} in {stack.region} is {'gone' if live is None else live.status}"
    reasons = list(_reasons(stack, token)) or ([live.reason] if live and live.reason else [])
    return "\n  ".join((first, *reasons, *more))


def _reasons(stack: Stack, token: str) -> Iterator[str]:
    """The resources that failed in the operation with that token, the first one first, and why."""
    events = stack.access.items(
        "cloudformation", stack.region, "describe_stack_events", "StackEvents", StackName=stack.name
    )
    failed = []
    for event in events:  # the latest first
        if event.get("ClientRequestToken", token) != token:
            break
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack":
            failed.append(event)
    for event in reversed(failed):
        reason = event.get("ResourceStatusReason", "no reason given")
        if "cancelled" not in reason:
            yield f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
