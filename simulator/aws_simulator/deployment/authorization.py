"""Permissions that count: calls of a role's session are authorized as AWS would, while this is switched on.

moto lets every caller do everything. While enforced, a call made with the credentials of an assumed role needs what
it needs in AWS: an identity policy of the role that allows it, and a boundary, session policy and service control
policies that don't stand in the way. To assume a role, the caller needs that permission and the role must trust the
caller. Other credentials (those that seed the simulation) may do everything, as an account's root user may; but no one
can assume a role that does not exist.

The resource of a call is known for the operations in `_RESOURCES`; of all others it is `*`.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html (messages),
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (context keys)
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Final

from moto.config.models import config_backends
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model, utcnow
from moto.iam.exceptions import NotFoundException
from moto.iam.models import Role, iam_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response
from moto.sts.models import sts_backends

from aws_simulator.core.iam.patterns import Context
from aws_simulator.core.iam.policies import Decision, Effect, Policies, PolicyType, Statement, decide, parse_document
from aws_simulator.core.iam.principals import membership, policies_of_role
from aws_simulator.core.operations import parameters_of
from aws_simulator.core.organizations import organization_of

ASSUME_ROLE: Final = "sts:AssumeRole"
ALWAYS_ALLOWED: Final = frozenset({"sts:GetCallerIdentity"})
"""Needs no permission, and no Deny takes it away:
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""

_PREFIXES: Final = {"tagging": "tag", "monitoring": "cloudwatch", "email": "ses"}
"""Where the prefix of a service's actions is not the name its requests are signed for."""

_ACTIONS: Final = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:GetLayerVersionByArn": "lambda:GetLayerVersion",
    "s3:HeadBucket": "s3:ListBucket",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Where an action is not named after its operation."""

_RESOURCES: Final = {
    "backup": (
        ("backupPlanId", "backup:{region}:{account}:backup-plan:{value}"),
        ("backupVaultName", "backup:{region}:{account}:backup-vault:{value}"),
    ),
    "config": (("ConfigRuleName", "config:{region}:{account}:config-rule/{value}"),),
    "iam": (("PolicySourceArn", "{value}"), ("RoleName", "iam::{account}:role/{value}")),
    "kms": (("KeyId", "kms:{region}:{account}:key/{value}"),),
    "rds": (
        ("DBInstanceIdentifier", "rds:{region}:{account}:db:{value}"),
        ("DBClusterIdentifier", "rds:{region}:{account}:cluster:{value}"),
    ),
    "sns": (("TopicArn", "{value}"),),
    "sqs": (("QueueUrl", "sqs:{region}:{account}:{value}"),),
    "sts": (("RoleArn", "{value}"),),
}
"""Per action prefix: a parameter that names the resource, and the ARN that follows from it, after `arn:partition:`."""

_PASSED: Final = {"backup:CreateBackupSelection": (("BackupSelection", "IamRoleArn"), "backup.amazonaws.com")}
"""Operations that hand a role to a service: the way to it in their parameters, and the service. The caller must be
allowed to pass that role: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"""

_LISTED: Final = {
    "rds:DescribeDBInstances": "arn:{partition}:rds:{region}:{account}:db:*",
    "rds:DescribeDBClusters": "arn:{partition}:rds:{region}:{account}:cluster:*",
    # Those of the account's own product; findings of other products are of partners.
    "securityhub:BatchImportFindings": "arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
    "securityhub:GetFindings": "arn:{partition}:securityhub:{region}:{account}:hub/default",
}
"""Calls that name no resource, but whose action is nevertheless about some."""


@dataclass(frozen=True, slots=True)
class Session:
    """A role session, as its credentials identify it."""

    role_arn: str
    arn: str
    user_id: str
    account_id: str
    partition: str
    policy: str | None
    """The inline session policy that AssumeRole was given."""

    def role(self) -> Role | None:
        return _role(self.role_arn)

    def policies(self) -> Policies:
        """What decides what it may do: nothing at all, once the role is deleted."""
        role = self.role()
        if role is None:
            return Policies()
        session = parse_document("session", self.policy) if self.policy else None
        return replace(policies_of_role(role), session=session)

    def context(self) -> dict[str, tuple[str, ...]]:
        """The condition keys that describe the principal."""
        role = self.role()
        tags = {tag["Key"]: tag["Value"] for tag in (role.tags if role else [])}
        known = {
            "aws:principalarn": self.role_arn,
            "aws:principalaccount": self.account_id,
            "aws:principaltype": "AssumedRole",
            "aws:userid": self.user_id,
            **{f"aws:principaltag/{key.lower()}": value for key, value in tags.items()},
        }
        place = membership(self.account_id, self.partition)
        if place:
            known |= {"aws:principalorgid": place.organization_id, "aws:principalorgpaths": place.path}
        return {key: (value,) for key, value in known.items()}


_ROLE_ARN = re.compile(r"arn:(?P<partition>[\w-]+):iam::(?P<account>\d{12}):role/.+")


def _role(arn: str) -> Role | None:
    match = _ROLE_ARN.fullmatch(arn)
    if match is None:
        return None
    try:
        return iam_backends[match["account"]][match["partition"]].get_role_by_arn(arn)
    except NotFoundException:
        return None


def _session(response: BaseResponse) -> Session | None:
    account, partition = response.current_account, response.partition
    for assumed in reversed(sts_backends[account][partition].assumed_roles):
        if assumed.access_key_id == response.access_key:
            return Session(assumed.role_arn, assumed.arn, assumed.user_id, account, partition, assumed.policy)
    return None


def iam_action(service: str, operation: str) -> str:
    """The IAM action that an operation of a service, named as boto3 names both, needs."""
    signing_name = get_service_model(service).signing_name
    action = f"{_PREFIXES.get(signing_name, signing_name)}:{operation}"
    return _ACTIONS.get(action, action)


def _resource(response: BaseResponse, action: str) -> str:
    place = {"partition": response.partition, "region": response.region, "account": response.current_account}
    prefix = action.partition(":")[0]
    if action == "organizations:DescribeAccount":
        asked = str(response._get_param("AccountId"))  # noqa: SLF001 - as below
        return _arn_of_account(asked, place["account"], place["partition"])
    for parameter, arn_format in _RESOURCES.get(prefix, ()):
        value = response._get_param(parameter)  # noqa: SLF001 - moto's own way for a response to read its request
        if value and str(value).startswith("arn:"):
            return str(value)
        if value and parameter == "RoleName":
            return _arn_of_role(str(value), place["account"], place["partition"])
        if value and parameter == "ConfigRuleName":
            return _arn_of_config_rule(str(value), place["account"], place["region"], place["partition"])
        if value:
            name = str(value).rpartition("/")[2] if parameter == "QueueUrl" else value
            return f"arn:{place['partition']}:" + arn_format.format(value=name, **place)
    return _LISTED.get(action, "*").format(**place)


def _arn_of_account(asked: str, account: str, partition: str) -> str:
    """As in the caller's own organization, whether it is there or not."""
    organization = organization_of(account, partition)
    identity = organization.org.id if organization.org else ""
    return f"arn:{partition}:organizations::{organization.account_id}:account/{identity}/{asked}"


def _arn_of_role(name: str, account: str, partition: str) -> str:
    roles = iam_backends[account][partition].get_roles()
    return next((role.arn for role in roles if role.name == name), f"arn:{partition}:iam::{account}:role/{name}")


def _arn_of_config_rule(name: str, account: str, region: str, partition: str) -> str:
    """Its ARN ends in an id that Config has made."""
    rule = config_backends[account][region].config_rules.get(name)
    return str(rule.config_rule_arn) if rule else f"arn:{partition}:config:{region}:{account}:config-rule/{name}"


def _request_context(region: str) -> dict[str, tuple[str, ...]]:
    now = utcnow()
    known = {
        "aws:requestedregion": region,
        "aws:currenttime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "aws:epochtime": str(int(now.timestamp())),
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": "false",
    }
    return {key: (value,) for key, value in known.items()}


def denial(response: BaseResponse, action: str, resource: str) -> str | None:
    """The message that refuses the request that `response` is about to answer; None when it is allowed."""
    session = _session(response)
    if action == ASSUME_ROLE:
        return _denial_to_assume(response, session, resource)
    if session is None or action in ALWAYS_ALLOWED:
        return None
    general = {**session.context(), **_request_context(response.region)}
    context = {**general, **_resource_context(resource, session), **_policy_context(response, action)}
    decision = decide(session.policies(), action, resource, context)
    if not decision.allowed:
        return message(session.arn, action, resource, decision)
    return _denial_to_pass(response, session, action, general)


def _policy_context(response: BaseResponse, action: str) -> dict[str, tuple[str, ...]]:
    """The managed policy that a call of IAM attaches or detaches."""
    policy = response._get_param("PolicyArn") if action.startswith("iam:") else None  # noqa: SLF001 - as above
    return {"iam:policyarn": (str(policy),)} if policy else {}


def _denial_to_pass(
    response: BaseResponse, session: Session, action: str, general: dict[str, tuple[str, ...]]
) -> str | None:
    if action not in _PASSED:
        return None
    way, service = _PASSED[action]
    role: Any = parameters_of(response)
    for name in way:
        role = role[name]
    context = {**general, **_resource_context(role, session), "iam:passedtoservice": (service,)}
    decision = decide(session.policies(), "iam:PassRole", role, context)
    return None if decision.allowed else message(session.arn, "iam:PassRole", role, decision)


def _resource_context(resource: str, session: Session) -> dict[str, tuple[str, ...]]:
    owner = _account_in(resource) or session.account_id
    context: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (owner,)}
    place = membership(owner, session.partition)
    if place:
        context["aws:resourceorgid"] = (place.organization_id,)
    return context


def _account_in(arn: str) -> str | None:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 and parts[4] else None


def message(principal: str, action: str, resource: str, decision: Decision) -> str:
    """An access-denied message as AWS words it. AWS names no resource for an action that is about none."""
    on_resource = "" if resource == "*" else f" on resource: {resource}"
    kind = decision.denied_by or PolicyType.IDENTITY
    if decision.effect is Effect.EXPLICIT_DENY:
        article = "an" if kind is PolicyType.IDENTITY else "a"
        reason = f"with an explicit deny in {article} {kind.value}"
    else:
        reason = f"because no {kind.value} allows the {action} action"
    return f"User: {principal} is not authorized to perform: {action}{on_resource} {reason}"


def _denial_to_assume(response: BaseResponse, session: Session | None, role_arn: str) -> str | None:
    role = _role(role_arn)
    if role is None:
        sts = sts_backends[response.current_account][response.partition]
        caller = session.arn if session else sts.get_caller_identity(response.access_key, response.region)[1]
        return _plain_message(caller, role_arn)
    if session is None:
        return None
    external_id = response._get_param("ExternalId")  # noqa: SLF001 - as above
    session_name = response._get_param("RoleSessionName")  # noqa: SLF001 - as above
    context = {
        **session.context(),
        **_request_context(response.region),
        **_resource_context(role_arn, session),
        **{f"aws:resourcetag/{tag['Key'].lower()}": (tag["Value"],) for tag in role.tags or []},
        "sts:rolesessionname": (session_name,),
        **({"sts:externalid": (external_id,)} if external_id else {}),
    }
    trust = trust_in(session, role, context)
    policies = session.policies()
    decision = decide(policies, ASSUME_ROLE, role_arn, context)
    same_account = role.account_id == session.account_id
    if not decision.allowed and not (same_account and trust.names_caller and _only_lacks_a_grant(decision)):
        return message(session.arn, ASSUME_ROLE, role_arn, decision)
    if trust.effect is Effect.ALLOWED:
        return None
    if not same_account:
        return _plain_message(session.arn, role_arn)
    if trust.effect is Effect.EXPLICIT_DENY:
        reason = "with an explicit deny in the role trust policy"
    else:
        reason = f"because no role trust policy allows the {ASSUME_ROLE} action"
    return f"User: {session.arn} is not authorized to perform: {ASSUME_ROLE} {reason}"


def _only_lacks_a_grant(decision: Decision) -> bool:
    return decision.effect is Effect.IMPLICIT_DENY and decision.denied_by is PolicyType.IDENTITY


def _plain_message(caller: str, role_arn: str) -> str:
    """Callers of another account are not told the reason, nor is anyone told that a role does not exist."""
    return f"User: {caller} is not authorized to perform: {ASSUME_ROLE} on resource: {role_arn}"


@dataclass(frozen=True, slots=True)
class Trust:
    """What a role's trust policy says to a caller."""

    effect: Effect
    names_caller: bool
    """It allows the caller by name, not through the caller's account: within one account, that is permission enough."""


def trust_in(session: Session, role: Role, context: Context) -> Trust:
    """Evaluates the role's trust policy for a role session that wants to assume it."""
    document = parse_document("trust", role.assume_role_policy_document)
    speaking = [
        statement
        for statement in document.statements
        if statement.applies(ASSUME_ROLE, role.arn, context) and _is_about(statement, session)
    ]
    if any(statement.denies for statement in speaking):
        return Trust(Effect.EXPLICIT_DENY, names_caller=False)
    effect = Effect.ALLOWED if speaking else Effect.IMPLICIT_DENY
    return Trust(effect, names_caller=any(_listed(statement.principal) & _names(session) for statement in speaking))


def _is_about(statement: Statement, session: Session) -> bool:
    if statement.not_principal is not None:
        return not _listed(statement.not_principal) & (_names(session) | _account_names(session))
    return bool(_listed(statement.principal) & (_names(session) | _account_names(session)))


def _listed(principal: Any) -> frozenset[str]:
    """The AWS principals of a Principal element; services and identity providers are not among them."""
    of_aws = principal.get("AWS", []) if isinstance(principal, dict) else principal or []
    return frozenset([of_aws] if isinstance(of_aws, str) else of_aws)


def _names(session: Session) -> frozenset[str]:
    role = session.role()
    return frozenset({"*", session.arn, session.role_arn} | ({role.id} if role else set()))


def _account_names(session: Session) -> frozenset[str]:
    return frozenset({session.account_id, f"arn:{session.partition}:iam::{session.account_id}:root"})


class AccessDeniedError(ServiceException):
    """A caller may not do what it asks for; the code is the service's own."""


@dataclass(slots=True)
class _Switch:
    on: bool = False


_switch = _Switch()


def enforce_permissions(*, on: bool) -> None:
    """Switches the enforcement on or off for the whole process: what a server's flag calls."""
    _switch.on = on


@contextmanager
def enforced_permissions() -> Iterator[None]:
    """Within it, calls of role sessions are authorized, those of other threads too; afterwards it is as before."""
    before = _switch.on
    _switch.on = True
    try:
        yield
    finally:
        _switch.on = before


_ERROR_CODES: Final = {"ec2": "UnauthorizedOperation", "query": "AccessDenied", "rest-xml": "AccessDenied"}
_ERROR_CODE: Final = "AccessDeniedException"


def _refusal(response: BaseResponse, text: str) -> tuple[int, dict[str, Any], Any]:
    """Serializes the refusal as the service's protocol has it: error code, HTTP status and form differ."""
    protocol = response.determine_response_protocol(get_service_model(response.boto3_service_name))
    code = "AuthorizationError" if response.boto3_service_name == "sns" else _ERROR_CODES.get(protocol, _ERROR_CODE)
    _, headers, body = response.serialized(ActionResult(AccessDeniedError(code, text)))
    status = 400 if protocol in ("json", "smithy-rpc-v2-cbor") else 403
    return status, headers, body


def install() -> None:
    """Puts the check in front of moto's answers; it does nothing until it is switched on. Idempotent."""
    answer: Callable[..., Any] = BaseResponse.call_action
    if hasattr(answer, "authorizes"):
        return

    @wraps(answer)
    def authorized(self: BaseResponse) -> Any:
        operation = self._get_action() if _switch.on else None
        if not operation:
            return answer(self)
        action = iam_action(self.boto3_service_name, operation)
        text = denial(self, action, _resource(self, action))
        return answer(self) if text is None else _refusal(self, text)

    def authorized_s3(self: S3Response, bucket_name: str | None = None, key_name: str | None = None) -> None:
        if not _switch.on:
            return
        operation = f"s3:{self.data['Action']}"
        path = "/".join(part for part in (bucket_name, key_name) if part)
        resource = f"arn:{self.partition}:s3:::{path}" if path else "*"
        text = denial(self, _ACTIONS.get(operation, operation), resource)
        if text is not None:
            raise S3ClientError("AccessDenied", text)

    COMMON_ERROR_CODES.extend({_ERROR_CODE, *_ERROR_CODES.values()})  # moto warns of codes that a model does not list
    setattr(authorized, "authorizes", True)  # noqa: B010 - a function has no such attribute by type
    setattr(BaseResponse, "call_action", authorized)  # noqa: B010 - mypy forbids assigning to a method
    setattr(S3Response, "_authenticate_and_authorize_s3_action", authorized_s3)  # noqa: B010 - as above
