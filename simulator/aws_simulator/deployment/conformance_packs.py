"""Conformance packs: the rules of one template, in one account.

A pack becomes a CloudFormation stack, whose rules get an ending to their names and belong to AWS Config.
Source: https://docs.aws.amazon.com/config/latest/APIReference/API_PutConformancePack.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from moto.config.models import ConfigBackend, config_backends
from moto.config.responses import ConfigResponse
from moto.utilities.utils import get_partition

from aws_simulator.core.config import service_linked
from aws_simulator.core.config.rules import conformance_pack_rule_name
from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, now
from aws_simulator.deployment.pack_templates import (
    Document,
    call,
    check_template,
    delivery,
    input_parameters,
    listed,
    template_text,
)

if TYPE_CHECKING:  # CloudFormation takes seconds to import, and most simulations have no pack
    from aws_simulator.deployment.cloudformation.stacks import Stack

MAX_PACKS = 50
NO_RECORDER = "NoAvailableConfigurationRecorder"
_PACKS = Paging(size_parameter="Limit", largest=20, refusal="InvalidNextTokenException")
_RULES = Paging(size_parameter="Limit", largest=1000, refusal="InvalidNextTokenException")


@dataclass
class Pack:
    """A conformance pack in one account and Region."""

    name: str
    account: str
    region: str
    text: str
    parameters: dict[str, str]
    delivery: dict[str, str]
    created_by: str | None
    author: str
    """The account whose role ARNs stand for this account's; the account itself unless an organization's pack."""

    requested: datetime
    completed: datetime | None = None
    state: str = "CREATE_IN_PROGRESS"
    reason: str | None = None
    error: str | None = None
    stack: Stack | None = None

    @property
    def ending(self) -> str:
        """What its rules' names end in."""
        return conformance_pack_rule_name("", f"{self.account}/{self.region}/{self.name}")

    @property
    def id(self) -> str:
        return f"conformance-pack-{self.ending.rpartition('-')[2]}"

    @property
    def arn(self) -> str:
        partition = get_partition(self.region)
        return f"arn:{partition}:config:{self.region}:{self.account}:conformance-pack/{self.name}/{self.id}"

    @property
    def linked(self) -> service_linked.Pack:
        """Under this, AWS Config makes and deletes the rules."""
        return service_linked.Pack(self.name, self.ending, self.account, self.author)

    @property
    def rules(self) -> list[str]:
        """The names of its rules in the account."""
        resources = self.stack.resources.values() if self.stack else ()
        return sorted(each.made.id for each in resources if each.type == "AWS::Config::ConfigRule")


@dataclass
class State:
    """The packs of one account and Region, by name."""

    packs: dict[str, Pack] = field(default_factory=dict)


def state_of(account: str, region: str) -> State:
    """The packs of an account in a Region."""
    backend: ConfigBackend = config_backends[account][region]
    # moto empties this dictionary when it resets the backend.
    state: State = vars(backend).setdefault("_packs", State())
    return state


def materialise(pack: Pack) -> None:
    """The pack's stack, made or brought into step. The pack's state tells what became of it."""
    from aws_simulator.deployment.cloudformation import stacks  # noqa: PLC0415 - see the imports
    from aws_simulator.deployment.cloudformation.types import type_of  # noqa: PLC0415 - as above

    if not recorder_runs(pack.account, pack.region):
        _fail(pack, NO_RECORDER, "The configuration recorder is not running. Start it, then deploy the pack again.")
        return
    engine = stacks.Engine(type_of)
    with service_linked.acting_for(pack.linked):
        try:
            if pack.stack and pack.stack.status == "ROLLBACK_COMPLETE":
                engine.delete(pack.stack)
            if pack.stack is None or pack.stack.deleted:
                pack.stack = _new_stack(pack)
                engine.create(pack.stack)
            else:
                engine.update(pack.stack, pack.text, pack.parameters)
        except stacks.StackFailedError as error:
            named = re.search(r"Error Code: (\w+)", str(error))
            _fail(pack, named[1] if named else "CloudFormationStackFailed", str(error))
            return
    pack.state, pack.reason, pack.error, pack.completed = "CREATE_COMPLETE", None, None, now()


def _new_stack(pack: Pack) -> Stack:
    from aws_simulator.deployment.cloudformation import stacks  # noqa: PLC0415 - see the imports

    name = f"awsconfigconforms-{pack.name[:90]}-{pack.id}"
    identity = stacks.stack_id(pack.account, pack.region, name)
    stack = stacks.Stack(name, identity, pack.account, pack.region, pack.text, dict(pack.parameters), now())
    stack.service = service_linked.SERVICE
    stacks.state_of(pack.account, pack.region).stacks[identity] = stack
    return stack


def _fail(pack: Pack, code: str, reason: str) -> None:
    pack.state, pack.error, pack.reason, pack.completed = "CREATE_FAILED", code, reason, now()


def recorder_runs(account: str, region: str) -> bool:
    """Whether AWS Config records there."""
    backend: ConfigBackend = config_backends[account][region]
    return any(recorder.status.recording for recorder in backend.recorders.values())


def remove(pack: Pack) -> None:
    """Take the pack away, with its rules."""
    from aws_simulator.deployment.cloudformation import stacks  # noqa: PLC0415 - see the imports
    from aws_simulator.deployment.cloudformation.types import type_of  # noqa: PLC0415 - as above

    if pack.stack and pack.stack.deleted is None:
        with service_linked.acting_for(pack.linked):
            stacks.Engine(type_of).delete(pack.stack)
    state_of(pack.account, pack.region).packs.pop(pack.name, None)


def _put_pack(request: Request) -> Document:
    name, packs = request.text("ConformancePackName"), state_of(request.account, request.region).packs
    check_name(name, 256)
    code = "ConformancePackTemplateValidationException"
    text, parameters = own_template(request, code), input_parameters(request)
    check_template(text, parameters, code)
    pack = packs.get(name)
    if pack is None:
        if len(packs) >= MAX_PACKS:
            raise AwsError(
                "MaxNumberOfConformancePacksExceededException",
                f"You have reached the limit of {MAX_PACKS} conformance packs in this account.",
            )
        pack = Pack(
            name, request.account, request.region, text, parameters, delivery(request), None, request.account, now()
        )
        packs[name] = pack
    elif pack.created_by:
        raise AwsError("ResourceInUseException", f"The conformance pack {name} belongs to {pack.created_by}.")
    pack.text, pack.parameters, pack.delivery, pack.requested = text, parameters, delivery(request), now()
    materialise(pack)
    return {"ConformancePackArn": pack.arn}


def own_template(request: Request, code: str) -> str:
    """As `_template_text`, or what a document of Systems Manager holds: only a single account's pack can name one."""
    details = request.parameters.get("TemplateSSMDocumentDetails")
    if not details:
        return template_text(request, code)
    asked = {"Name": details["DocumentName"]} | (
        {"DocumentVersion": details["DocumentVersion"]} if details.get("DocumentVersion") else {}
    )
    try:
        content = json.loads(call(request, "ssm", "get_document", asked)["Content"])
        body = content["templateBody"]
    except (ClientError, KeyError, ValueError) as error:
        raise AwsError(code, f"The document {details['DocumentName']} holds no template: {error}") from error
    return body if isinstance(body, str) else json.dumps(body)


def check_name(name: str, longest: int) -> None:
    """Refuse a name that AWS Config does not take.

    Raises:
        AwsError: ValidationException.
    """
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*", name) or len(name) > longest:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{name}' failed to satisfy constraint: Member must satisfy regular "
            f"expression pattern: [a-zA-Z][-a-zA-Z0-9]* and have length less than or equal to {longest}",
        )


def _pack(request: Request, name: str) -> Pack:
    packs = state_of(request.account, request.region).packs
    if name not in packs:
        raise AwsError(
            "NoSuchConformancePackException", f"You specified one or more conformance packs that do not exist: {name}"
        )
    return packs[name]


def _asked_packs(request: Request) -> list[Pack]:
    names = request.parameters.get("ConformancePackNames")
    if names:
        return [_pack(request, name) for name in names]
    return [pack for _, pack in sorted(state_of(request.account, request.region).packs.items())]


def _describe_packs(request: Request) -> Document:
    details = [
        {
            "ConformancePackName": pack.name,
            "ConformancePackArn": pack.arn,
            "ConformancePackId": pack.id,
            "ConformancePackInputParameters": parameter_list(pack.parameters),
            "LastUpdateRequestedTime": pack.requested,
            **pack.delivery,
            **({"CreatedBy": pack.created_by} if pack.created_by else {}),
        }
        for pack in _asked_packs(request)
    ]
    return listed("ConformancePackDetails", details, request, _PACKS)


def parameter_list(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    """Parameters as AWS Config lists them."""
    return [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]


def _describe_pack_status(request: Request) -> Document:
    details = [
        {
            "ConformancePackName": pack.name,
            "ConformancePackId": pack.id,
            "ConformancePackArn": pack.arn,
            "ConformancePackState": pack.state,
            "LastUpdateRequestedTime": pack.requested,
            **({"StackArn": pack.stack.id} if pack.stack else {}),
            **({"ConformancePackStatusReason": pack.reason} if pack.reason else {}),
            **({"LastUpdateCompletedTime": pack.completed} if pack.completed else {}),
        }
        for pack in _asked_packs(request)
    ]
    return listed("ConformancePackStatusDetails", details, request, _PACKS)


def _delete_pack(request: Request) -> Document:
    pack = _pack(request, request.text("ConformancePackName"))
    if pack.created_by:
        raise AwsError("ResourceInUseException", f"The conformance pack {pack.name} belongs to {pack.created_by}.")
    remove(pack)
    return {}


def _describe_pack_compliance(request: Request) -> Document:
    pack = _pack(request, request.text("ConformancePackName"))
    filters = request.parameters.get("Filters") or {}
    rules = filters.get("ConfigRuleNames") or pack.rules
    for rule in rules:
        if rule not in pack.rules:
            raise AwsError(
                "NoSuchConfigRuleInConformancePackException",
                f"Config rule that you passed in the filter does not exist: {rule}",
            )
    compliance = []
    for start in range(0, len(rules), 25):
        asked = {"ConfigRuleNames": rules[start : start + 25]}
        answer = call(request, "config", "describe_compliance_by_config_rule", asked)
        compliance += [
            {"ConfigRuleName": each["ConfigRuleName"], "ComplianceType": each["Compliance"]["ComplianceType"]}
            for each in answer["ComplianceByConfigRules"]
            if filters.get("ComplianceType") in {None, each["Compliance"]["ComplianceType"]}
        ]
    return {"ConformancePackName": pack.name} | listed("ConformancePackRuleComplianceList", compliance, request, _RULES)


HANDLERS: Mapping[str, Handler] = {
    "DeleteConformancePack": _delete_pack,
    "DescribeConformancePackCompliance": _describe_pack_compliance,
    "DescribeConformancePackStatus": _describe_pack_status,
    "DescribeConformancePacks": _describe_packs,
    "PutConformancePack": _put_pack,
}


def install() -> None:
    """Puts these operations into moto's AWS Config. Idempotent."""
    implement(ConfigResponse, HANDLERS)
