"""Conformance packs: the rules of one template, in one account or in all accounts of an organization.

A pack becomes a CloudFormation stack in each account, whose rules get an ending to their names and belong to AWS
Config. An organization's pack is put by the management account or a delegated administrator, and reaches every account
that is not excluded; accounts without a running recorder fail, and fail the pack. AWS does that in the background and
tries again for hours; here all is done within the call, and `settle` does what AWS would do later. In a closed account
nothing is done any more: what AWS shows of it is not documented, and here the last status stays.

Sources: https://docs.aws.amazon.com/config/latest/developerguide/conformance-pack-organization-apis.html,
https://docs.aws.amazon.com/config/latest/APIReference/API_PutOrganizationConformancePack.html,
https://docs.aws.amazon.com/config/latest/APIReference/API_PutConformancePack.html
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.config.models import ConfigBackend, config_backends
from moto.config.responses import ConfigResponse
from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.organizations.models import OrganizationsBackend
from moto.utilities.utils import get_partition

from aws_simulator.core.config import service_linked
from aws_simulator.core.config.rules import conformance_pack_rule_name
from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, now, page
from aws_simulator.core.organizations import organization_of
from aws_simulator.deployment.cloudformation import clients
from aws_simulator.deployment.cloudformation import templates as cloudformation_templates

if TYPE_CHECKING:  # CloudFormation takes seconds to import, and most simulations have no pack
    from aws_simulator.deployment.cloudformation.stacks import Stack

SERVICE_PRINCIPAL = "config-multiaccountsetup.amazonaws.com"
RESOURCE_TYPES = frozenset({"AWS::Config::ConfigRule", "AWS::Config::RemediationConfiguration"})
MAX_BODY_BYTES = 51_200
MAX_OBJECT_BYTES = 300 * 1024
MAX_PARAMETERS = 60
MAX_RULES = 130
MAX_PACKS = 50
MAX_ORGANIZATION_PACKS = 50
MAX_EXCLUDED = 1000
NO_RECORDER = "NoAvailableConfigurationRecorder"

Document = dict[str, Any]


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
class Outcome:
    """What became of an organization's pack in one account."""

    pack_name: str
    status: str
    changed: datetime
    code: str | None = None
    message: str | None = None

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


@dataclass
class OrganizationPack:
    """A conformance pack of an organization, as its owner put it."""

    name: str
    id: str
    owner: str
    region: str
    text: str
    parameters: dict[str, str]
    delivery: dict[str, str]
    excluded: tuple[str, ...]
    changed: datetime
    verb: str = "CREATE"
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock, repr=False, compare=False)
    """Callers and AWS Config's own doing may come at once."""

    @property
    def arn(self) -> str:
        partition = get_partition(self.region)
        return f"arn:{partition}:config:{self.region}:{self.owner}:organization-conformance-pack/{self.id}"

    @property
    def failures(self) -> dict[str, Outcome]:
        return {account: outcome for account, outcome in self.outcomes.items() if outcome.failed}

    @property
    def status(self) -> str:
        return f"{self.verb}_{'FAILED' if self.failures else 'SUCCESSFUL'}"


@dataclass
class _State:
    packs: dict[str, Pack] = field(default_factory=dict)
    organization_packs: dict[str, OrganizationPack] = field(default_factory=dict)


def state_of(account: str, region: str) -> _State:
    backend: ConfigBackend = config_backends[account][region]
    # moto empties this dictionary when it resets the backend.
    state: _State = vars(backend).setdefault("_packs", _State())
    return state


# --- Templates ------------------------------------------------------------------------------------------------------


def _check_template(text: str, parameters: Mapping[str, str], code: str) -> None:
    """What AWS Config refuses before it makes anything. `code` is the error's code.

    Raises:
        AwsError: with that code.
    """
    try:
        template = cloudformation_templates.parse(text)
        cloudformation_templates.creation_order(template)
        if len(parameters) > MAX_PARAMETERS or len(template.get("Parameters") or {}) > MAX_PARAMETERS:
            raise cloudformation_templates.refused(f"A conformance pack has at most {MAX_PARAMETERS} parameters.")
        cloudformation_templates.parameter_values(template, parameters)
    except AwsError as error:
        raise AwsError(code, error.message) from error
    other = sorted(set(cloudformation_templates.resource_types(template)) - RESOURCE_TYPES)
    if other:
        raise AwsError(code, f"Template validation error: resource types [{', '.join(other)}] are not supported.")
    resources: Mapping[str, Document] = template["Resources"]
    rules = [each for each in resources.values() if each["Type"] == "AWS::Config::ConfigRule"]
    if len(rules) > MAX_RULES:
        raise AwsError(code, f"A conformance pack has at most {MAX_RULES} rules.")
    for logical_id, each in resources.items():
        _check_plain(logical_id, each, code)
        role = ((each.get("Properties") or {}).get("Parameters") or {}).get("AutomationAssumeRole")
        if role is not None and any(True for _ in _functions(role)):
            raise AwsError(
                code,
                f"Template validation error: {logical_id}: the automation execution role must be an exact ARN, "
                "without intrinsic functions.",
            )


def _check_plain(logical_id: str, resource: Mapping[str, Any], code: str) -> None:
    """Intrinsic functions where public packs have some, and nowhere else: if AWS Config takes them there, nobody tells.

    The packs are the 122 of https://github.com/awslabs/aws-config-rules, and one of the Government of Canada.

    Raises:
        AwsError: with this code, where the resource has another.
    """
    parts = {**(resource.get("Properties") or {}), **{key: resource[key] for key in resource if key != "Properties"}}
    parts["Source"], source = dict(parts.get("Source") or {}), (parts.get("Source") or {}).get("SourceIdentifier")
    parts["Source"].pop("SourceIdentifier", None)
    allowed: list[tuple[str, Any, set[str]]] = [
        ("InputParameters", parts.pop("InputParameters", None), {"Fn::If", "Ref", "Ref AWS::NoValue"}),
        ("Source.SourceIdentifier", source, {"Fn::Join", "Fn::Sub", "Ref"}),
        ("Parameters", parts.pop("Parameters", None), {"Ref"}),
        *((name, part, set()) for name, part in parts.items()),
    ]
    for name, part, functions in allowed:
        other = sorted(set(_functions(part)) - functions)
        if other:
            raise AwsError(
                code, f"Template validation error: {logical_id}: {name} has {', '.join(other)}, as no public pack has."
            )


def _functions(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "Ref" and str(value).startswith("AWS::"):
                yield f"Ref {value}"
            elif name == "Ref" or str(name).startswith("Fn::"):
                yield str(name)
            yield from _functions(value)
    elif isinstance(node, list):
        for each in node:
            yield from _functions(each)


def _template_text(request: Request, code: str) -> str:
    """The template of the request: an object of S3 wins over a body."""
    uri, body = request.parameters.get("TemplateS3Uri"), request.parameters.get("TemplateBody")
    if uri:
        return _object(request, str(uri), code)
    if not body:
        raise AwsError("ValidationException", "Template body is invalid")
    if len(body.encode()) > MAX_BODY_BYTES:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
            f"length less than or equal to {MAX_BODY_BYTES}",
        )
    return str(body)


def _object(request: Request, uri: str, code: str) -> str:
    place = re.fullmatch(r"s3://(?P<Bucket>[^/]+)/(?P<Key>.+)", uri)
    if place is None:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{uri}' at 'templateS3Uri' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: s3://.*",
        )
    try:
        located = _call(request, "s3", "get_bucket_location", {"Bucket": place["Bucket"]})
        answer = _call(request, "s3", "get_object", place.groupdict())
    except ClientError as error:
        raise AwsError(code, f"Unable to read {uri}: {error.response['Error']['Message']}") from error
    if (located.get("LocationConstraint") or "us-east-1") != request.region:
        raise AwsError(code, f"The bucket of {uri} must be in the Region of the conformance pack.")
    content: bytes = answer["Body"].read()
    if len(content) > MAX_OBJECT_BYTES:
        raise AwsError(code, f"The template at {uri} is larger than {MAX_OBJECT_BYTES // 1024} KB.")
    return content.decode()


def _call(request: Request, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return clients.call(request.account, request.region, service, operation, parameters)


def _input_parameters(request: Request) -> dict[str, str]:
    given = request.parameters.get("ConformancePackInputParameters") or []
    return {each["ParameterName"]: each["ParameterValue"] for each in given}


def _delivery(request: Request) -> dict[str, str]:
    names = ("DeliveryS3Bucket", "DeliveryS3KeyPrefix")
    return {name: request.parameters[name] for name in names if request.parameters.get(name)}


# --- In one account -------------------------------------------------------------------------------------------------


def _materialise(pack: Pack) -> None:
    """The pack's stack, made or brought into step. The pack's state tells what became of it."""
    from aws_simulator.deployment.cloudformation import stacks  # noqa: PLC0415 - see the imports
    from aws_simulator.deployment.cloudformation.types import type_of  # noqa: PLC0415 - as above

    if not _recorder_runs(pack.account, pack.region):
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


def _recorder_runs(account: str, region: str) -> bool:
    backend: ConfigBackend = config_backends[account][region]
    return any(recorder.status.recording for recorder in backend.recorders.values())


def _remove(pack: Pack) -> None:
    from aws_simulator.deployment.cloudformation import stacks  # noqa: PLC0415 - see the imports
    from aws_simulator.deployment.cloudformation.types import type_of  # noqa: PLC0415 - as above

    if pack.stack and pack.stack.deleted is None:
        with service_linked.acting_for(pack.linked):
            stacks.Engine(type_of).delete(pack.stack)
    state_of(pack.account, pack.region).packs.pop(pack.name, None)


def _put_pack(request: Request) -> Document:
    name, packs = request.text("ConformancePackName"), state_of(request.account, request.region).packs
    _check_name(name, 256)
    code = "ConformancePackTemplateValidationException"
    text, parameters = _own_template(request, code), _input_parameters(request)
    _check_template(text, parameters, code)
    pack = packs.get(name)
    if pack is None:
        if len(packs) >= MAX_PACKS:
            raise AwsError(
                "MaxNumberOfConformancePacksExceededException",
                f"You have reached the limit of {MAX_PACKS} conformance packs in this account.",
            )
        pack = Pack(
            name, request.account, request.region, text, parameters, _delivery(request), None, request.account, now()
        )
        packs[name] = pack
    elif pack.created_by:
        raise AwsError("ResourceInUseException", f"The conformance pack {name} belongs to {pack.created_by}.")
    pack.text, pack.parameters, pack.delivery, pack.requested = text, parameters, _delivery(request), now()
    _materialise(pack)
    return {"ConformancePackArn": pack.arn}


def _own_template(request: Request, code: str) -> str:
    """As `_template_text`, or what a document of Systems Manager holds: only a single account's pack can name one."""
    details = request.parameters.get("TemplateSSMDocumentDetails")
    if not details:
        return _template_text(request, code)
    asked = {"Name": details["DocumentName"]} | (
        {"DocumentVersion": details["DocumentVersion"]} if details.get("DocumentVersion") else {}
    )
    try:
        content = json.loads(_call(request, "ssm", "get_document", asked)["Content"])
        body = content["templateBody"]
    except (ClientError, KeyError, ValueError) as error:
        raise AwsError(code, f"The document {details['DocumentName']} holds no template: {error}") from error
    return body if isinstance(body, str) else json.dumps(body)


def _check_name(name: str, longest: int) -> None:
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
            "ConformancePackInputParameters": _parameter_list(pack.parameters),
            "LastUpdateRequestedTime": pack.requested,
            **pack.delivery,
            **({"CreatedBy": pack.created_by} if pack.created_by else {}),
        }
        for pack in _asked_packs(request)
    ]
    return _listed("ConformancePackDetails", details, request, _PACKS)


def _parameter_list(parameters: Mapping[str, str]) -> list[dict[str, str]]:
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
    return _listed("ConformancePackStatusDetails", details, request, _PACKS)


def _delete_pack(request: Request) -> Document:
    pack = _pack(request, request.text("ConformancePackName"))
    if pack.created_by:
        raise AwsError("ResourceInUseException", f"The conformance pack {pack.name} belongs to {pack.created_by}.")
    _remove(pack)
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
    listed = []
    for start in range(0, len(rules), 25):
        asked = {"ConfigRuleNames": rules[start : start + 25]}
        answer = _call(request, "config", "describe_compliance_by_config_rule", asked)
        listed += [
            {"ConfigRuleName": each["ConfigRuleName"], "ComplianceType": each["Compliance"]["ComplianceType"]}
            for each in answer["ComplianceByConfigRules"]
            if filters.get("ComplianceType") in {None, each["Compliance"]["ComplianceType"]}
        ]
    return {"ConformancePackName": pack.name} | _listed("ConformancePackRuleComplianceList", listed, request, _RULES)


# --- In an organization ---------------------------------------------------------------------------------------------


def administered(request: Request) -> OrganizationsBackend:
    """The caller's organization, which it may deploy packs to.

    Raises:
        AwsError: NoAvailableOrganizationException, OrganizationAllFeaturesNotEnabledException or
            OrganizationAccessDeniedException.
    """
    try:
        organization = organization_of(request.account, request.partition)
    except AWSOrganizationsNotInUseException:
        raise AwsError("NoAvailableOrganizationException", "Organization is no longer available.") from None
    if organization.org.feature_set != "ALL":
        raise AwsError(
            "OrganizationAllFeaturesNotEnabledException",
            "AWS Config resource cannot be created because your organization does not have all features enabled.",
        )
    if request.account == organization.account_id:
        return organization
    if not any(
        each.account.id == request.account and SERVICE_PRINCIPAL in each.services for each in organization.admins
    ):
        raise AwsError(
            "OrganizationAccessDeniedException",
            "This action can be only made by AWS Organization's management account or a delegated administrator "
            f"registered for {SERVICE_PRINCIPAL}.",
        )
    if not any(each["ServicePrincipal"] == SERVICE_PRINCIPAL for each in organization.services):
        raise AwsError(
            "OrganizationAccessDeniedException",
            f"Trusted access is not enabled for {SERVICE_PRINCIPAL}. Enable it from the management account.",
        )
    return organization


def _put_organization_pack(request: Request) -> Document:
    organization, name = administered(request), request.text("OrganizationConformancePackName")
    _check_name(name, 128)
    bucket = request.parameters.get("DeliveryS3Bucket")
    if bucket and not bucket.startswith("awsconfigconforms"):
        raise AwsError("ValidationException", "The name of the delivery bucket must start with awsconfigconforms.")
    excluded = tuple(request.parameters.get("ExcludedAccounts") or ())
    if len(excluded) > MAX_EXCLUDED or not all(re.fullmatch(r"\d{12}", each) for each in excluded):
        raise AwsError("ValidationException", f"ExcludedAccounts has at most {MAX_EXCLUDED} ids of 12 digits each.")
    code = "OrganizationConformancePackTemplateValidationException"
    text, parameters = _template_text(request, code), _input_parameters(request)
    _check_template(text, parameters, code)
    if request.account == organization.account_id:
        organization.enable_aws_service_access(ServicePrincipal=SERVICE_PRINCIPAL)
    packs = state_of(request.account, request.region).organization_packs
    pack = packs.get(name)
    if pack is None:
        if len(packs) >= MAX_ORGANIZATION_PACKS:
            raise AwsError(
                "MaxNumberOfOrganizationConformancePacksExceededException",
                f"You have reached the limit of {MAX_ORGANIZATION_PACKS} organization conformance packs.",
            )
        identity = f"{name}-{hashlib.sha256(uuid.uuid4().bytes).hexdigest()[:8]}"
        pack = OrganizationPack(
            name, identity, request.account, request.region, text, parameters, _delivery(request), excluded, now()
        )
        packs[name] = pack
    else:
        pack.verb, pack.text, pack.parameters, pack.excluded = "UPDATE", text, parameters, excluded
        pack.delivery, pack.changed = _delivery(request), now()
    _reach(pack, organization)
    return {"OrganizationConformancePackArn": pack.arn}


def _reach(pack: OrganizationPack, organization: OrganizationsBackend) -> None:
    """The pack in every account that is not excluded, and in no other."""
    with pack.lock:
        for account in _targets(pack, organization):
            _deploy(pack, account, organization.account_id)
        for account in _left(pack, organization):
            _withdraw(pack, account)


def _left(pack: OrganizationPack, organization: OrganizationsBackend) -> list[str]:
    """Accounts that have the pack and shall not: excluded, or gone from the organization. Closed ones are not."""
    stay = {each.id for each in organization.accounts if each.id not in pack.excluded}
    return [each for each in pack.outcomes if each not in stay]


def _targets(pack: OrganizationPack, organization: OrganizationsBackend) -> list[str]:
    return [
        account.id
        for account in organization.accounts
        if account.id not in pack.excluded and account.status == "ACTIVE"
    ]


def _deploy(pack: OrganizationPack, account: str, management: str) -> None:
    """Make the pack in an account. In role ARNs of remediations, its id takes the place of the management account's:
    https://docs.aws.amazon.com/config/latest/developerguide/cpack-prerequisites.html
    """
    name = f"OrgConformsPack-{pack.id}"
    packs = state_of(account, pack.region).packs
    before = pack.outcomes.get(account)
    verb = "CREATE" if before is None or before.status == "CREATE_FAILED" else "UPDATE"
    member = packs.get(name)
    if member is None:
        member = Pack(name, account, pack.region, pack.text, {}, {}, SERVICE_PRINCIPAL, management, now())
        packs[name] = member
    member.text, member.parameters, member.requested = pack.text, dict(pack.parameters), now()
    _materialise(member)
    failed = member.state == "CREATE_FAILED"
    pack.outcomes[account] = Outcome(
        name, f"{verb}_{'FAILED' if failed else 'SUCCESSFUL'}", now(), member.error, member.reason
    )


def _withdraw(pack: OrganizationPack, account: str) -> None:
    outcome = pack.outcomes.pop(account)
    member = state_of(account, pack.region).packs.get(outcome.pack_name)
    if member:
        _remove(member)


def _organization_pack(request: Request, name: str) -> OrganizationPack:
    packs = state_of(request.account, request.region).organization_packs
    if name not in packs:
        raise AwsError(
            "NoSuchOrganizationConformancePackException",
            "One or more organization conformance packs with specified names are not present. Ensure your names are "
            "correct and try your request again later.",
        )
    return packs[name]


def _asked_organization_packs(request: Request) -> list[OrganizationPack]:
    administered(request)
    names = request.parameters.get("OrganizationConformancePackNames")
    if names:
        return [_organization_pack(request, name) for name in names]
    return [pack for _, pack in sorted(state_of(request.account, request.region).organization_packs.items())]


def _describe_organization_packs(request: Request) -> Document:
    packs = [
        {
            "OrganizationConformancePackName": pack.name,
            "OrganizationConformancePackArn": pack.arn,
            "ConformancePackInputParameters": _parameter_list(pack.parameters),
            "ExcludedAccounts": list(pack.excluded),
            "LastUpdateTime": pack.changed,
            **pack.delivery,
        }
        for pack in _asked_organization_packs(request)
    ]
    return _listed("OrganizationConformancePacks", packs, request, _ORGANIZATION_PACKS)


def _describe_organization_pack_statuses(request: Request) -> Document:
    statuses = []
    for pack in _asked_organization_packs(request):
        status: Document = {
            "OrganizationConformancePackName": pack.name,
            "Status": pack.status,
            "LastUpdateTime": pack.changed,
        }
        for account, failure in pack.failures.items():
            status |= {"ErrorCode": failure.code, "ErrorMessage": f"{account}: {failure.message}"}
            break
        statuses.append(status)
    return _listed("OrganizationConformancePackStatuses", statuses, request, _ORGANIZATION_PACKS)


def _organization_pack_details(request: Request) -> Document:
    administered(request)
    pack = _organization_pack(request, request.text("OrganizationConformancePackName"))
    filters = request.parameters.get("Filters") or {}
    details = [
        {
            "AccountId": account,
            "ConformancePackName": outcome.pack_name,
            "Status": outcome.status,
            "LastUpdateTime": outcome.changed,
            **({"ErrorCode": outcome.code, "ErrorMessage": outcome.message} if outcome.failed else {}),
        }
        for account, outcome in sorted(pack.outcomes.items())
        if filters.get("AccountId") in {None, account} and filters.get("Status") in {None, outcome.status}
    ]
    return _listed("OrganizationConformancePackDetailedStatuses", details, request, _ORGANIZATION_PACKS)


def _delete_organization_pack(request: Request) -> Document:
    administered(request)
    pack = _organization_pack(request, request.text("OrganizationConformancePackName"))
    with pack.lock:
        for account in list(pack.outcomes):
            _withdraw(pack, account)
    del state_of(request.account, request.region).organization_packs[pack.name]
    return {}


def settle(organization: OrganizationsBackend, regions: Sequence[str] | None = None) -> None:
    """What AWS Config does by itself: packs for accounts that joined or failed before, none for those that left."""
    owners = [organization.account_id, *(each.account.id for each in organization.admins)]
    for owner in owners:
        for region in regions or list(config_backends[owner]):
            for pack in list(state_of(owner, region).organization_packs.values()):
                _catch_up(pack, organization)


def _catch_up(pack: OrganizationPack, organization: OrganizationsBackend) -> None:
    with pack.lock:
        for account in _targets(pack, organization):
            outcome = pack.outcomes.get(account)
            if outcome is None or outcome.failed:
                _deploy(pack, account, organization.account_id)
        for account in _left(pack, organization):
            _withdraw(pack, account)


# --- The wiring -----------------------------------------------------------------------------------------------------

_PACKS = Paging(size_parameter="Limit", largest=20, refusal="InvalidNextTokenException")
_RULES = Paging(size_parameter="Limit", largest=1000, refusal="InvalidNextTokenException")
_ORGANIZATION_PACKS = Paging(size_parameter="Limit", largest=100, refusal="InvalidNextTokenException")


def _listed(name: str, items: Sequence[Document], request: Request, paging: Paging) -> Document:
    if int(request.parameters.get("Limit") or 0) > paging.largest:
        raise AwsError("InvalidLimitException", f"The specified limit is outside the allowable range: {paging.largest}")
    shown, token = page(items, request, paging)
    return {name: shown} | ({"NextToken": token} if token else {})


HANDLERS: Mapping[str, Handler] = {
    "DeleteConformancePack": _delete_pack,
    "DeleteOrganizationConformancePack": _delete_organization_pack,
    "DescribeConformancePackCompliance": _describe_pack_compliance,
    "DescribeConformancePackStatus": _describe_pack_status,
    "DescribeConformancePacks": _describe_packs,
    "DescribeOrganizationConformancePackStatuses": _describe_organization_pack_statuses,
    "DescribeOrganizationConformancePacks": _describe_organization_packs,
    "GetOrganizationConformancePackDetailedStatus": _organization_pack_details,
    "PutConformancePack": _put_pack,
    "PutOrganizationConformancePack": _put_organization_pack,
}


def install() -> None:
    """Puts these operations into moto's AWS Config. Idempotent."""
    implement(ConfigResponse, HANDLERS)
