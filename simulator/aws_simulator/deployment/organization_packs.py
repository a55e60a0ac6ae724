"""Conformance packs of an organization: in all its accounts.

They are put by the management account or a delegated administrator, and reach every account that is not excluded;
accounts without a running recorder fail, and fail the pack. AWS does that in the background and tries again for hours;
here all is done within the call, and `settle` does what AWS would do later. In a closed account nothing is done any
more: what AWS shows of it is not documented, and here the last status stays.

Sources: https://docs.aws.amazon.com/config/latest/developerguide/conformance-pack-organization-apis.html,
https://docs.aws.amazon.com/config/latest/APIReference/API_PutOrganizationConformancePack.html
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from moto.config.models import ConfigBackend, config_backends
from moto.config.responses import ConfigResponse
from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.organizations.models import OrganizationsBackend
from moto.utilities.utils import get_partition

from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, now
from aws_simulator.core.organizations import organization_of
from aws_simulator.deployment.conformance_packs import Pack, check_name, materialise, parameter_list, remove, state_of
from aws_simulator.deployment.pack_templates import (
    Document,
    check_template,
    delivery,
    input_parameters,
    listed,
    template_text,
)

SERVICE_PRINCIPAL = "config-multiaccountsetup.amazonaws.com"
MAX_ORGANIZATION_PACKS = 50
MAX_EXCLUDED = 1000
_ORGANIZATION_PACKS = Paging(size_parameter="Limit", largest=100, refusal="InvalidNextTokenException")


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


def organization_packs_of(account: str, region: str) -> dict[str, OrganizationPack]:
    """Those that the account has put in the Region, by name."""
    backend: ConfigBackend = config_backends[account][region]
    # moto empties this dictionary when it resets the backend.
    packs: dict[str, OrganizationPack] = vars(backend).setdefault("_organization_packs", {})
    return packs


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
    check_name(name, 128)
    bucket = request.parameters.get("DeliveryS3Bucket")
    if bucket and not bucket.startswith("awsconfigconforms"):
        raise AwsError("ValidationException", "The name of the delivery bucket must start with awsconfigconforms.")
    excluded = tuple(request.parameters.get("ExcludedAccounts") or ())
    if len(excluded) > MAX_EXCLUDED or not all(re.fullmatch(r"\d{12}", each) for each in excluded):
        raise AwsError("ValidationException", f"ExcludedAccounts has at most {MAX_EXCLUDED} ids of 12 digits each.")
    code = "OrganizationConformancePackTemplateValidationException"
    text, parameters = template_text(request, code), input_parameters(request)
    check_template(text, parameters, code)
    if request.account == organization.account_id:
        organization.enable_aws_service_access(ServicePrincipal=SERVICE_PRINCIPAL)
    packs = organization_packs_of(request.account, request.region)
    pack = packs.get(name)
    if pack is None:
        if len(packs) >= MAX_ORGANIZATION_PACKS:
            raise AwsError(
                "MaxNumberOfOrganizationConformancePacksExceededException",
                f"You have reached the limit of {MAX_ORGANIZATION_PACKS} organization conformance packs.",
            )
        identity = f"{name}-{hashlib.sha256(uuid.uuid4().bytes).hexdigest()[:8]}"
        pack = OrganizationPack(
            name, identity, request.account, request.region, text, parameters, delivery(request), excluded, now()
        )
        packs[name] = pack
    else:
        pack.verb, pack.text, pack.parameters, pack.excluded = "UPDATE", text, parameters, excluded
        pack.delivery, pack.changed = delivery(request), now()
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
    materialise(member)
    failed = member.state == "CREATE_FAILED"
    pack.outcomes[account] = Outcome(
        name, f"{verb}_{'FAILED' if failed else 'SUCCESSFUL'}", now(), member.error, member.reason
    )


def _withdraw(pack: OrganizationPack, account: str) -> None:
    outcome = pack.outcomes.pop(account)
    member = state_of(account, pack.region).packs.get(outcome.pack_name)
    if member:
        remove(member)


def _organization_pack(request: Request, name: str) -> OrganizationPack:
    packs = organization_packs_of(request.account, request.region)
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
    return [pack for _, pack in sorted(organization_packs_of(request.account, request.region).items())]


def _describe_organization_packs(request: Request) -> Document:
    packs = [
        {
            "OrganizationConformancePackName": pack.name,
            "OrganizationConformancePackArn": pack.arn,
            "ConformancePackInputParameters": parameter_list(pack.parameters),
            "ExcludedAccounts": list(pack.excluded),
            "LastUpdateTime": pack.changed,
            **pack.delivery,
        }
        for pack in _asked_organization_packs(request)
    ]
    return listed("OrganizationConformancePacks", packs, request, _ORGANIZATION_PACKS)


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
    return listed("OrganizationConformancePackStatuses", statuses, request, _ORGANIZATION_PACKS)


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
    return listed("OrganizationConformancePackDetailedStatuses", details, request, _ORGANIZATION_PACKS)


def _delete_organization_pack(request: Request) -> Document:
    administered(request)
    pack = _organization_pack(request, request.text("OrganizationConformancePackName"))
    with pack.lock:
        for account in list(pack.outcomes):
            _withdraw(pack, account)
    del organization_packs_of(request.account, request.region)[pack.name]
    return {}


def settle(organization: OrganizationsBackend, regions: Sequence[str] | None = None) -> None:
    """What AWS Config does by itself: packs for accounts that joined or failed before, none for those that left."""
    owners = [organization.account_id, *(each.account.id for each in organization.admins)]
    for owner in owners:
        for region in regions or list(config_backends[owner]):
            for pack in list(organization_packs_of(owner, region).values()):
                _catch_up(pack, organization)


def _catch_up(pack: OrganizationPack, organization: OrganizationsBackend) -> None:
    with pack.lock:
        for account in _targets(pack, organization):
            outcome = pack.outcomes.get(account)
            if outcome is None or outcome.failed:
                _deploy(pack, account, organization.account_id)
        for account in _left(pack, organization):
            _withdraw(pack, account)


HANDLERS: Mapping[str, Handler] = {
    "DeleteOrganizationConformancePack": _delete_organization_pack,
    "DescribeOrganizationConformancePackStatuses": _describe_organization_pack_statuses,
    "DescribeOrganizationConformancePacks": _describe_organization_packs,
    "GetOrganizationConformancePackDetailedStatus": _organization_pack_details,
    "PutOrganizationConformancePack": _put_organization_pack,
}


def install() -> None:
    """Puts these operations into moto's AWS Config. Idempotent."""
    implement(ConfigResponse, HANDLERS)
