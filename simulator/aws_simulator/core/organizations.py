"""AWS Organizations with backup policies, as management account, delegated administrator and members see it.

moto has organizations, OUs, accounts and some policy types. `install` adds backup policies, the effective policy, pages
where moto has none, and AWS's answer to the question who may call what: moto serves a member as if it had an
organization of its own. The state stays in moto's backend of the management account. What no call to AWS can do stands
beside it: accounts with chosen ids, and the plans that AWS Backup makes in the members from their effective policy.
Source: https://docs.aws.amazon.com/organizations/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import json
import re
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.backup.models import backup_backends
from moto.organizations import utils
from moto.organizations.exceptions import AWSOrganizationsNotInUseException, OrganizationsClientError
from moto.organizations.models import (
    FakeAccount,
    FakeDelegatedAdministrator,
    FakePolicy,
    OrganizationsBackend,
    organizations_backends,
)
from moto.organizations.responses import OrganizationsResponse

from aws_simulator.core import backup
from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, now, page
from aws_simulator.core.organization_plans import organization_plans
from aws_simulator.core.policy_inheritance import (
    MAX_POLICY_CHARACTERS,
    PolicySyntaxError,
    effective_policy,
    for_account,
    parse_policy,
)
from aws_simulator.core.policy_validation import PolicyError, validation_errors

BACKUP_POLICY = "BACKUP_POLICY"
MAX_ATTACHED = 10
"""Backup policies attached to one root, OU or account, at most:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""

_ARN_FORMAT = "arn:{0}:organizations::{1}:policy/{2}/backup_policy/{3}"
_PAGING = Paging(size_parameter="MaxResults", largest=20, refusal="InvalidInputException")
_FROM_ANY_ACCOUNT = frozenset({"DescribeOrganization", "DescribeEffectivePolicy"})
_EFFECTIVE_TYPES = frozenset(
    {
        BACKUP_POLICY,
        "AISERVICES_OPT_OUT_POLICY",
        "BEDROCK_POLICY",
        "CHATBOT_POLICY",
        "DECLARATIVE_POLICY_EC2",
        "INSPECTOR_POLICY",
        "NETWORK_SECURITY_DIRECTOR_POLICY",
        "S3_POLICY",
        "SECURITYHUB_POLICY",
        "TAG_POLICY",
        "UPGRADE_ROLLOUT_POLICY",
    }
)
_DELEGABLE_SERVICES = (
    "backup.amazonaws.com",
    "config.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
    "securityhub.amazonaws.com",
)
_PLAN_NAMESPACE = uuid.UUID("5e3f0a2c-9d5b-4a55-8f0b-6f1d2c7a9b10")

Document = dict[str, Any]
Answer = Callable[[OrganizationsBackend, Request], Document]


@dataclass(slots=True)
class _State:
    """What moto's backend lacks: when policies last changed, and the plans made from them."""

    changed: datetime = field(default_factory=now)
    supported: bool = True
    plan_ids: dict[tuple[str, str], set[str]] = field(default_factory=dict)


def _state(backend: OrganizationsBackend) -> _State:
    # moto empties this dictionary when it resets the backend.
    state: _State = vars(backend).setdefault("simulated", _State())
    return state


# --- Who calls ------------------------------------------------------------------------------------------------------


def organization_of(account: str, partition: str = "aws") -> OrganizationsBackend:
    """The backend of moto that keeps the organization of the account.

    Raises:
        AWSOrganizationsNotInUseException: It belongs to none.
    """
    own = organizations_backends[account][partition]
    if own.org:
        return own
    management, its_partition = organizations_backends.master_accounts.get(account, (None, None))
    if management:
        backend = organizations_backends[management][its_partition]
        # moto forgets organizations when it is reset, but not who was a member.
        if backend.org and any(member.id == account for member in backend.accounts):
            return backend
        del organizations_backends.master_accounts[account]
    raise AWSOrganizationsNotInUseException


def _admitted(account: str, partition: str, operation: str) -> OrganizationsBackend:
    """The organization for a call: the management account may call all, delegated administrators may read."""
    if operation == "CreateOrganization":
        return _without_organization(account, partition)
    backend = organization_of(account, partition)
    if operation in _FROM_ANY_ACCOUNT or account == backend.account_id:
        return backend
    if operation.startswith(("Describe", "List")) and _is_delegated(backend, account):
        return backend
    raise _access_denied()


def _without_organization(account: str, partition: str) -> OrganizationsBackend:
    try:
        return organization_of(account, partition)
    except AWSOrganizationsNotInUseException:
        return organizations_backends[account][partition]


def _is_delegated(backend: OrganizationsBackend, account: str) -> bool:
    return any(administrator.account.id == account for administrator in backend.admins)


def _access_denied() -> AwsError:
    return AwsError("AccessDeniedException", "You don't have permissions to access this resource.")


def _backend_of_caller(self: OrganizationsResponse) -> OrganizationsBackend:
    """For the operations that stay moto's."""
    try:
        return _admitted(self.current_account, self.partition, self._get_action())
    except AwsError as error:
        raise OrganizationsClientError(error.code, error.message) from error


# --- Policies -------------------------------------------------------------------------------------------------------


def _create_policy(backend: OrganizationsBackend, request: Request) -> Document:
    given = dict(request.parameters)
    if given["Type"] != BACKUP_POLICY:
        return dict(backend.create_policy(**given))
    _check_content(given["Content"])
    _check_name(backend, given["Name"])
    policy = FakePolicy(backend.org, **given | {"Type": "TAG_POLICY"})
    policy.type = BACKUP_POLICY
    policy._arn_format = _ARN_FORMAT  # noqa: SLF001 - moto tells the types apart by it
    backend.policies.append(policy)
    return dict(policy.describe())


def _update_policy(backend: OrganizationsBackend, request: Request) -> Document:
    policy = _policy(backend, request)
    if policy.type == BACKUP_POLICY:
        if "Content" in request.parameters:
            _check_content(request.text("Content"))
        if request.parameters.get("Name", policy.name) != policy.name:
            _check_name(backend, request.text("Name"))
        _state(backend).changed = now()
    return dict(backend.update_policy(**request.parameters))


def _delete_policy(backend: OrganizationsBackend, request: Request) -> Document:
    backend.delete_policy(PolicyId=_policy(backend, request).id)
    return {}


def _describe_policy(backend: OrganizationsBackend, request: Request) -> Document:
    return dict(_policy(backend, request).describe())


def _attach_policy(backend: OrganizationsBackend, request: Request) -> Document:
    policy, target = _policy(backend, request), _target(backend, request)
    if policy.type == BACKUP_POLICY:
        if not _is_enabled(backend):
            raise AwsError(
                "PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types."
            )
        attached = _backup_policies(target)
        if policy in attached:
            raise AwsError(
                "DuplicatePolicyAttachmentException",
                "The selected policy is already attached to the specified target.",
            )
        if len(attached) >= MAX_ATTACHED:
            raise AwsError(
                "ConstraintViolationException",
                f"You have exceeded the maximum number of policies of this type ({MAX_ATTACHED}) on this target.",
            )
        _state(backend).changed = now()
    backend.attach_policy(PolicyId=policy.id, TargetId=target.id)
    return {}


def _detach_policy(backend: OrganizationsBackend, request: Request) -> Document:
    policy, target = _policy(backend, request), _target(backend, request)
    if policy not in target.attached_policies:
        raise AwsError(
            "PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root."
        )
    backend.detach_policy(PolicyId=policy.id, TargetId=target.id)
    _state(backend).changed = now()
    return {}


def _disable_policy_type(backend: OrganizationsBackend, request: Request) -> Document:
    """Turning the type off also detaches its policies, everywhere and for good."""
    answer = dict(backend.disable_policy_type(**request.parameters))
    if request.text("PolicyType") == BACKUP_POLICY:
        for policy in backend.policies:
            for target in list(policy.attachments) if policy.type == BACKUP_POLICY else []:
                backend.detach_policy(PolicyId=policy.id, TargetId=target.id)
        _state(backend).changed = now()
    return answer


def _list_policies(backend: OrganizationsBackend, request: Request) -> Document:
    wanted = request.text("Filter")
    return _listed("Policies", [_summary(policy) for policy in backend.policies if policy.type == wanted], request)


def _list_policies_for_target(backend: OrganizationsBackend, request: Request) -> Document:
    target, wanted = _target(backend, request), request.text("Filter")
    summaries = [_summary(policy) for policy in target.attached_policies if policy.type == wanted]
    return _listed("Policies", summaries, request)


def _list_targets_for_policy(backend: OrganizationsBackend, request: Request) -> Document:
    targets = [
        {"TargetId": target.id, "Arn": target.arn, "Name": target.name, "Type": target.type}
        for target in _policy(backend, request).attachments
    ]
    return _listed("Targets", targets, request)


def _summary(policy: FakePolicy) -> Document:
    return dict(policy.describe()["Policy"]["PolicySummary"])


def _policy(backend: OrganizationsBackend, request: Request) -> FakePolicy:
    policy_id = request.text("PolicyId")
    for policy in backend.policies:
        if policy.id == policy_id:
            return policy
    raise AwsError("PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")


def _target(backend: OrganizationsBackend, request: Request) -> Any:
    target_id = request.text("TargetId")
    _check_target_id(target_id)
    for target in (*backend.accounts, *backend.ou):
        if target.id == target_id:
            return target
    raise _no_target()


def _check_target_id(target_id: str) -> None:
    if not re.fullmatch(r"r-[0-9a-z]{4,32}|\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}", target_id):
        raise AwsError("InvalidInputException", "You provided a value that does not match the required pattern.")


def _no_target() -> AwsError:
    return AwsError("TargetNotFoundException", "You specified a target that doesn't exist.")


def _check_content(content: str) -> None:
    if len(content) > MAX_POLICY_CHARACTERS:
        raise AwsError("ConstraintViolationException", "You have exceeded the maximum policy size.")
    try:
        parse_policy(content)
    except PolicySyntaxError as error:
        raise AwsError(
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy type.",
        ) from error


def _check_name(backend: OrganizationsBackend, name: str) -> None:
    if any(policy.name == name for policy in backend.policies):
        raise AwsError("DuplicatePolicyException", "A policy with the same name already exists.")


def _is_enabled(backend: OrganizationsBackend) -> bool:
    return any(
        policy_type["Type"] == BACKUP_POLICY
        for root in backend.ou
        if root.type == "ROOT"
        for policy_type in root.policy_types
    )


def _backup_policies(target: Any) -> list[FakePolicy]:
    """In the order in which they were attached."""
    return [policy for policy in target.attached_policies if policy.type == BACKUP_POLICY]


# --- The effective policy -------------------------------------------------------------------------------------------


def _describe_effective_policy(backend: OrganizationsBackend, request: Request) -> Document:
    if not _state(organizations_backends[request.account][request.partition]).supported:
        raise AwsError("UnsupportedAPIEndpointException", "This action isn't available in the current AWS Region.")
    policy_type = request.text("PolicyType")
    if policy_type not in _EFFECTIVE_TYPES:
        raise AwsError("InvalidInputException", "You specified an invalid value.")
    account = _account_asked_about(backend, request)
    policy = account_policy(backend, account.id) if policy_type == BACKUP_POLICY else None
    if policy is None:
        raise AwsError(
            "EffectivePolicyNotFoundException",
            f"The effective policy of type {policy_type} for the account {account.id} was not found.",
        )
    return {
        "EffectivePolicy": {
            "PolicyContent": json.dumps(policy, separators=(",", ":")),
            "LastUpdatedTimestamp": _state(backend).changed,
            "TargetId": account.id,
            "PolicyType": policy_type,
        }
    }


def _account_asked_about(backend: OrganizationsBackend, request: Request) -> FakeAccount:
    """The caller itself, or the account that the management account or a delegated administrator names."""
    target_id = request.parameters.get("TargetId")
    if target_id is None:
        return _account(backend, request.account)
    if request.account != backend.account_id and not _is_delegated(backend, request.account):
        raise _access_denied()
    _check_target_id(target_id)
    if not target_id.isdecimal():
        raise AwsError("InvalidInputException", "You can't perform the specified operation on that target entity.")
    return _account(backend, target_id)


def _account(backend: OrganizationsBackend, account_id: str) -> FakeAccount:
    for account in backend.accounts:
        if account.id == account_id:
            return account
    raise _no_target()


def _list_accounts_with_invalid_effective_policy(backend: OrganizationsBackend, request: Request) -> Document:
    policy_type = _effective_type_of(backend, request)
    invalid = [
        account.describe()
        for account in backend.accounts
        if policy_type == BACKUP_POLICY and _validation_errors(backend, account.id)
    ]
    return {"PolicyType": policy_type, **_listed("Accounts", invalid, request)}


def _list_effective_policy_validation_errors(backend: OrganizationsBackend, request: Request) -> Document:
    policy_type, account_id = _effective_type_of(backend, request), request.text("AccountId")
    if not any(account.id == account_id for account in backend.accounts):
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    policies = dict.fromkeys(policy for entity in _way_to(backend, account_id) for policy in _backup_policies(entity))
    errors = [
        {
            "ErrorCode": error.code,
            "ErrorMessage": error.message,
            "PathToError": error.path,
            "ContributingPolicies": [
                policy.id for policy in policies if error.plan in json.loads(policy.content).get("plans", {})
            ],
        }
        for error in (_validation_errors(backend, account_id) if policy_type == BACKUP_POLICY else ())
    ]
    return {
        "AccountId": account_id,
        "PolicyType": policy_type,
        "EvaluationTimestamp": _state(backend).changed,
        **_listed("EffectivePolicyValidationErrors", errors, request),
    }


def _effective_type_of(backend: OrganizationsBackend, request: Request) -> str:
    policy_type = request.text("PolicyType")
    if policy_type not in _EFFECTIVE_TYPES:
        raise AwsError("InvalidInputException", "You specified an invalid value.")
    if policy_type == BACKUP_POLICY and not _is_enabled(backend):
        raise AwsError("EffectivePolicyNotFoundException", f"The policy type {policy_type} is not enabled.")
    return policy_type


def _validation_errors(backend: OrganizationsBackend, account_id: str) -> Sequence[PolicyError]:
    return validation_errors(account_policy(backend, account_id) or {})


def account_policy(backend: OrganizationsBackend, account_id: str) -> Document | None:
    """The effective backup policy of an account of the organization, or None when there is none.

    Accounts below the same OUs share the work: it is done once for each way of policies.
    """
    if not _is_enabled(backend):
        return None
    levels = [
        tuple(str(policy.content) for policy in _backup_policies(entity)) for entity in _way_to(backend, account_id)
    ]
    return for_account(effective_policy(levels), account_id) if any(levels) else None


def _way_to(backend: OrganizationsBackend, account_id: str) -> list[Any]:
    """The root, the OUs on the way, the account."""
    units = {unit.id: unit for unit in backend.ou}
    way: list[Any] = [_account(backend, account_id)]
    while way[-1].parent_id in units:
        way.append(units[way[-1].parent_id])
    return way[::-1]


# --- The organization -----------------------------------------------------------------------------------------------


def _describe_organization(backend: OrganizationsBackend, _: Request) -> Document:
    return dict(backend.describe_organization())


def _list_roots(backend: OrganizationsBackend, request: Request) -> Document:
    return _listed("Roots", backend.list_roots()["Roots"], request)


def _list_accounts(backend: OrganizationsBackend, request: Request) -> Document:
    return _listed("Accounts", [account.describe() for account in backend.accounts], request)


def _list_accounts_for_parent(backend: OrganizationsBackend, request: Request) -> Document:
    parent = backend.validate_parent_id(request.text("ParentId"))
    accounts = [account.describe() for account in backend.accounts if account.parent_id == parent]
    return _listed("Accounts", accounts, request)


def _list_children(backend: OrganizationsBackend, request: Request) -> Document:
    return _listed("Children", backend.list_children(**request.parameters)["Children"], request)


def _listed(name: str, items: Sequence[Document], request: Request) -> Document:
    shown, token = page(items, request, _PAGING)
    return {name: shown} | ({"NextToken": token} if token else {})


# --- What no call to AWS can do -------------------------------------------------------------------------------------

_reserved_ids: deque[str] = deque()
_random_account_id: Callable[[], str] = utils.make_random_account_id


def _next_account_id() -> str:
    return _reserved_ids.popleft() if _reserved_ids else _random_account_id()


@contextmanager
def account_ids(ids: Iterable[str]) -> Iterator[None]:
    """The accounts that `CreateAccount` makes meanwhile have these ids, in this order; further ones are made up."""
    _reserved_ids.extend(ids)
    try:
        yield
    finally:
        _reserved_ids.clear()


def rename_account(account: str, name: str) -> None:
    """Gives the account another name, as its owner may; moto calls every management account `master`."""
    for each in organization_of(account).accounts:
        if each.id == account:
            each.name = name


def add_accounts(management: str, ids: Sequence[str], *, parent_id: str | None = None, partition: str = "aws") -> None:
    """Accounts with these ids, below the given OU or else the root, as after `CreateAccount` and `MoveAccount`.

    Raises:
        ValueError: An id is no 12-digit number, or is taken.
    """
    backend = organization_of(management, partition)
    parent = backend.validate_parent_id(parent_id) if parent_id else None
    taken = {account.id for account in backend.accounts}
    for account_id in ids:
        if not re.fullmatch(r"\d{12}", account_id) or account_id in taken:
            raise ValueError(f"{account_id!r} is no new account id; an id has 12 digits and exists once")
        taken.add(account_id)
    with account_ids(ids):
        for account_id in ids:
            backend.create_account(AccountName=f"account-{account_id}", Email=f"account-{account_id}@example.com")
    if parent:
        for account in backend.accounts[-len(ids) :]:
            account.parent_id = parent


def set_effective_policies_supported(account: str, *, supported: bool, partition: str = "aws") -> None:
    """Whether the endpoint that the account calls knows `DescribeEffectivePolicy`; not all partitions' do."""
    _state(organizations_backends[account][partition]).supported = supported


def materialise_backup_plans(account: str, region: str, *, partition: str = "aws") -> list[str]:
    """Bring the account's `orgs/…` plans in a Region into step with its effective policy, as AWS Backup does by itself.

    Plans that the policy no longer names, or that cover other Regions only, go away. A plan keeps its id as long as its
    name stays. An invalid policy changes nothing: the plans of the last valid one stay. A vault or role that does not
    exist keeps no plan from appearing.

    Returns:
        The ids of the plans.
    """
    backend = organization_of(account, partition)
    policy = account_policy(backend, account)
    made = _state(backend).plan_ids.setdefault((account, region), set())
    if validation_errors(policy or {}):
        return sorted(made)
    ids = []
    for wanted in organization_plans(policy or {}, account, region):
        name = wanted.plan["BackupPlanName"]
        plan_id = f"orgs/{uuid.uuid5(_PLAN_NAMESPACE, f'{account}/{region}/{name}')}"
        backup.add_plan(account, region, wanted.plan, plan_id=plan_id, selections=wanted.selections)
        if wanted.tags:
            arn = f"arn:{partition}:backup:{region}:{account}:backup-plan:{plan_id}"
            backup_backends[account][region].tag_resource(arn, dict(wanted.tags))
        ids.append(plan_id)
    for gone in made - set(ids):
        backup.remove_plan(account, region, gone)
    _state(backend).plan_ids[account, region] = set(ids)
    return ids


def materialise_organization(management: str, regions: Iterable[str], *, partition: str = "aws") -> None:
    """`materialise_backup_plans` for all accounts of the organization, in each of the Regions."""
    accounts = [account.id for account in organization_of(management, partition).accounts]
    for region in regions:
        for account in accounts:
            materialise_backup_plans(account, region, partition=partition)


# --- The wiring -----------------------------------------------------------------------------------------------------

_ANSWERS: Mapping[str, Answer] = {
    "AttachPolicy": _attach_policy,
    "CreatePolicy": _create_policy,
    "DeletePolicy": _delete_policy,
    "DescribeEffectivePolicy": _describe_effective_policy,
    "DescribeOrganization": _describe_organization,
    "DescribePolicy": _describe_policy,
    "DetachPolicy": _detach_policy,
    "DisablePolicyType": _disable_policy_type,
    "ListAccounts": _list_accounts,
    "ListAccountsForParent": _list_accounts_for_parent,
    "ListAccountsWithInvalidEffectivePolicy": _list_accounts_with_invalid_effective_policy,
    "ListChildren": _list_children,
    "ListEffectivePolicyValidationErrors": _list_effective_policy_validation_errors,
    "ListPolicies": _list_policies,
    "ListPoliciesForTarget": _list_policies_for_target,
    "ListRoots": _list_roots,
    "ListTargetsForPolicy": _list_targets_for_policy,
    "UpdatePolicy": _update_policy,
}


def _handler(operation: str, answer: Answer) -> Handler:
    return lambda request: answer(_admitted(request.account, request.partition, operation), request)


def install() -> None:
    """Puts backup policies and the callers' rights into moto's AWS Organizations. Idempotent."""
    implement(OrganizationsResponse, {name: _handler(name, answer) for name, answer in _ANSWERS.items()})
    OrganizationsResponse.organizations_backend = property(_backend_of_caller)
    utils.make_random_account_id = _next_account_id
    delegable = FakeDelegatedAdministrator.SUPPORTED_SERVICES
    delegable.extend(service for service in _DELEGABLE_SERVICES if service not in delegable)
