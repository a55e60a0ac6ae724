"""Accounts that join an organization by invitation, and accounts that leave it.

moto makes accounts, and lacks the handshakes by which those that exist already join, as well as leaving.
Only accounts are invited here, not mail addresses; a handshake is answered or stays open, and never expires.
Sources: https://docs.aws.amazon.com/organizations/latest/APIReference/API_InviteAccountToOrganization.html,
https://docs.aws.amazon.com/organizations/latest/APIReference/API_AcceptHandshake.html,
https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html,
https://docs.aws.amazon.com/organizations/latest/APIReference/API_RemoveAccountFromOrganization.html
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.iam.models import iam_backends
from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.organizations.models import OrganizationsBackend, organizations_backends
from moto.organizations.responses import OrganizationsResponse

from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, now, page
from aws_simulator.core.organizations import account_ids, organization_of

_ACCESS_ROLE = "OrganizationAccountAccessRole"
_LASTS = timedelta(days=15)
_PAGING = Paging(size_parameter="MaxResults", largest=20, refusal="InvalidInputException")

Document = dict[str, Any]


@dataclass
class Handshake:
    """An invitation of an account into an organization."""

    id: str
    organization: str
    management: str
    account: str
    partition: str
    requested: datetime = field(default_factory=now)
    state: str = "OPEN"

    def describe(self) -> Document:
        """As AWS shows it to both parties."""
        place = f"{self.management}:handshake/{self.organization}"
        return {
            "Id": self.id,
            "Arn": f"arn:{self.partition}:organizations::{place}/invite/{self.id}",
            "Parties": [
                {"Id": self.organization.removeprefix("o-"), "Type": "ORGANIZATION"},
                {"Id": self.account, "Type": "ACCOUNT"},
            ],
            "State": self.state,
            "RequestedTimestamp": self.requested,
            "ExpirationTimestamp": self.requested + _LASTS,
            "Action": "INVITE",
            "Resources": [
                {"Value": self.organization, "Type": "ORGANIZATION"},
                {"Value": self.account, "Type": "ACCOUNT"},
            ],
        }


def _handshakes(backend: OrganizationsBackend) -> dict[str, Handshake]:
    # moto empties this dictionary when it resets the backend.
    made: dict[str, Handshake] = vars(backend).setdefault("_handshakes", {})
    return made


def _all_handshakes() -> Iterator[Handshake]:
    for partitions in list(organizations_backends.values()):
        for backend in list(partitions.values()):
            if backend.org:
                yield from list(_handshakes(backend).values())


def _of_management(request: Request) -> OrganizationsBackend:
    """The organization of the caller, its management account.

    Raises:
        AwsError: it is another account.
    """
    backend = _organization(request.account, request.partition)
    if request.account != backend.account_id:
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    return backend


def _organization(account: str, partition: str) -> OrganizationsBackend:
    try:
        return organization_of(account, partition)
    except AWSOrganizationsNotInUseException:
        raise AwsError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        ) from None


# --- Joining --------------------------------------------------------------------------------------------------------


def _invite(request: Request) -> Document:
    backend = _of_management(request)
    target = request.parameters["Target"]
    if target["Type"] != "ACCOUNT":
        raise AwsError("InvalidInputException", "Only accounts are invited in the simulation, by Type ACCOUNT.")
    account = str(target["Id"])
    if any(member.id == account for member in backend.accounts):
        raise AwsError("DuplicateAccountException", "That account is already present in the specified destination.")
    made = _handshakes(backend)
    if any(each.account == account and each.state == "OPEN" for each in made.values()):
        raise AwsError("DuplicateHandshakeException", "A handshake with the same action and target already exists.")
    handshake = Handshake(f"h-{uuid.uuid4().hex}", backend.org.id, backend.account_id, account, request.partition)
    made[handshake.id] = handshake
    return {"Handshake": handshake.describe()}


def _accept(request: Request) -> Document:
    handshake = _open_for(request)
    try:
        organization_of(request.account, request.partition)
    except AWSOrganizationsNotInUseException:
        pass
    else:
        raise AwsError("HandshakeConstraintViolationException", "The account is already a member of an organization.")
    handshake.state = "ACCEPTED"
    _join(organization_of(handshake.management, handshake.partition), request.account)
    return {"Handshake": handshake.describe()}


def _join(backend: OrganizationsBackend, account: str) -> None:
    """A member under the root. The role by which the management account reaches accounts that it made is not made."""
    roles = iam_backends[account]["global"].roles
    before = set(roles)
    with account_ids([account]):
        backend.create_account(AccountName=account, Email=f"{account}@example.com")
    backend.get_account_by_id(account).joined_method = "INVITED"
    for identity in set(roles) - before:
        if roles[identity].name == _ACCESS_ROLE:
            del roles[identity]


def _decline(request: Request) -> Document:
    handshake = _open_for(request)
    handshake.state = "DECLINED"
    return {"Handshake": handshake.describe()}


def _cancel(request: Request) -> Document:
    backend = _of_management(request)
    handshake = _checked(_handshakes(backend).get(request.text("HandshakeId")))
    handshake.state = "CANCELED"
    return {"Handshake": handshake.describe()}


def _open_for(request: Request) -> Handshake:
    """The open handshake of the request, which invites the caller.

    Raises:
        AwsError: there is none, or it was answered.
    """
    wanted = request.text("HandshakeId")
    found = (each for each in _all_handshakes() if each.id == wanted and each.account == request.account)
    return _checked(next(found, None))


def _checked(handshake: Handshake | None) -> Handshake:
    if handshake is None:
        raise AwsError("HandshakeNotFoundException", "We can't find a handshake with the HandshakeId you specified.")
    if handshake.state != "OPEN":
        raise AwsError("HandshakeAlreadyInStateException", f"The handshake is already in the state {handshake.state}.")
    return handshake


def _list_for_account(request: Request) -> Document:
    return _listed([each for each in _all_handshakes() if each.account == request.account], request)


def _list_for_organization(request: Request) -> Document:
    return _listed(list(_handshakes(_of_management(request)).values()), request)


def _listed(handshakes: list[Handshake], request: Request) -> Document:
    shown, token = page([each.describe() for each in handshakes], request, _PAGING)
    return {"Handshakes": shown} | ({"NextToken": token} if token else {})


# --- Leaving --------------------------------------------------------------------------------------------------------


def _remove(request: Request) -> Document:
    backend, account = _of_management(request), request.text("AccountId")
    if not any(member.id == account for member in backend.accounts):
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    _leave(backend, account)
    return {}


def _leave_organization(request: Request) -> Document:
    _leave(_organization(request.account, request.partition), request.account)
    return {}


def _leave(backend: OrganizationsBackend, account: str) -> None:
    if account == backend.account_id:
        raise AwsError(
            "MasterCannotLeaveOrganizationException", "You can't remove a management account from an organization."
        )
    if any(each.account.id == account for each in backend.admins):
        raise AwsError(
            "ConstraintViolationException",
            "You cannot remove a delegated administrator from the organization. Deregister it first.",
        )
    backend.remove_account_from_organization(AccountId=account)


# --- The wiring -----------------------------------------------------------------------------------------------------

HANDLERS: Mapping[str, Handler] = {
    "AcceptHandshake": _accept,
    "CancelHandshake": _cancel,
    "DeclineHandshake": _decline,
    "InviteAccountToOrganization": _invite,
    "LeaveOrganization": _leave_organization,
    "ListHandshakesForAccount": _list_for_account,
    "ListHandshakesForOrganization": _list_for_organization,
    "RemoveAccountFromOrganization": _remove,
}


def install() -> None:
    """Puts these operations into moto's AWS Organizations. Idempotent."""
    implement(OrganizationsResponse, HANDLERS)
