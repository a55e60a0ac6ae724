"""The policies that bear on a principal, read from moto's IAM and Organizations backends."""

from dataclasses import dataclass
from typing import Any, Final

from moto.iam.models import Group, IAMBackend, Role, User, iam_backends
from moto.organizations.models import OrganizationsBackend, organizations_backends

from aws_simulator.core.iam.policies import Document, Policies, parse_document

SERVICE_LINKED: Final = ":role/aws-service-role/"
SERVICE_CONTROL_POLICY: Final = "SERVICE_CONTROL_POLICY"


@dataclass(frozen=True, slots=True)
class Membership:
    """An account's place in its organization."""

    organization_id: str
    is_management_account: bool
    path: str
    """As `aws:PrincipalOrgPaths` writes it: `o-…/r-…/ou-…/`."""
    service_control: tuple[tuple[Document, ...], ...]
    """The service control policies attached to each level, from the root to the account."""


def membership(account_id: str, partition: str) -> Membership | None:
    """Where the account stands in the organization that moto knows; None when it is in none.

    Policies of a level where none is attached allow nothing, as in AWS. moto does not tell whether service control
    policies are enabled on the root: they count when they are attached, unless the organization has consolidated
    billing only.
    """
    backend = _organization(account_id, partition)
    if backend is None or backend.org is None:
        return None
    account = next((known for known in backend.accounts if known.id == account_id), None)
    if account is None:
        return None
    levels: list[Any] = [account]
    while levels[-1].type != "ROOT":
        levels.append(backend.get_organizational_unit_by_id(levels[-1].parent_id))
    levels.reverse()
    all_features = backend.org.feature_set == "ALL"
    return Membership(
        organization_id=backend.org.id,
        is_management_account=account_id == backend.org.master_account_id,
        path="/".join((backend.org.id, *(level.id for level in levels[:-1]), "")),
        service_control=tuple(_service_control(level) for level in levels) if all_features else (),
    )


def _organization(account_id: str, partition: str) -> OrganizationsBackend | None:
    management, of_partition = organizations_backends.master_accounts.get(account_id, (account_id, partition))
    if management not in organizations_backends:
        return None
    return organizations_backends[management][of_partition]


def _service_control(level: Any) -> tuple[Document, ...]:
    return tuple(
        parse_document(policy.name, policy.content)
        for policy in level.attached_policies
        if policy.type == SERVICE_CONTROL_POLICY
    )


def policies_of_role(role: Role) -> Policies:
    """What decides what a role may do, session policies aside."""
    backend = iam_backends[role.account_id][role.partition]
    boundary = _managed(backend, role.permissions_boundary_arn) if role.permissions_boundary_arn else None
    capped = SERVICE_LINKED not in role.arn
    return Policies(
        identity=_identity(role, "role"),
        boundary=boundary,
        service_control=_service_control_of(role.account_id, role.partition) if capped else None,
    )


def policies_of_user(user: User, partition: str) -> Policies:
    """What decides what a user may do, the policies of the user's groups included. moto keeps no boundary of users."""
    backend = iam_backends[user.account_id][partition]
    groups = backend.get_groups_for_user(user.name)
    return Policies(
        identity=(*_identity(user, "user"), *(policy for group in groups for policy in _identity(group, "group"))),
        service_control=_service_control_of(user.account_id, partition),
    )


def policies_of_group(group: Group, partition: str) -> Policies:
    """What the policies of a group grant on their own."""
    return Policies(
        identity=_identity(group, "group"), service_control=_service_control_of(group.account_id, partition)
    )


def _identity(entity: Role | User | Group, kind: str) -> tuple[Document, ...]:
    inline = (parse_document(f"{kind}_{entity.name}_{name}", text) for name, text in entity.policies.items())
    attached = (parse_document(policy.name, _default_version(policy)) for policy in entity.managed_policies.values())
    return (*inline, *attached)


def _managed(backend: IAMBackend, arn: str) -> Document:
    policy = backend.managed_policies.get(arn)
    if policy is None:
        return Document(arn, ())  # AWS lets no one delete a boundary in use; moto does: it allows nothing any more
    return parse_document(policy.name, _default_version(policy))


def _default_version(policy: Any) -> str:
    document: str = next(version.document for version in policy.versions if version.is_default)
    return document


def _service_control_of(account_id: str, partition: str) -> tuple[tuple[Document, ...], ...] | None:
    place = membership(account_id, partition)
    if place is None:
        return None
    return () if place.is_management_account else place.service_control
