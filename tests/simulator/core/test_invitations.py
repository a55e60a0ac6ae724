"""Accounts that join an organization by invitation, and leave it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core.organizations import account_ids
from aws_simulator.simulation import simulated_aws
from tests.simulator.callers import client

MANAGEMENT, MEMBER, STRANGER = "111122223333", "777788889999", "222233334444"


@pytest.fixture(autouse=True)
def organization() -> Iterator[None]:
    with simulated_aws():
        of(MANAGEMENT).create_organization(FeatureSet="ALL")
        with account_ids([MEMBER]):
            of(MANAGEMENT).create_account(AccountName="member", Email="member@example.com")
        yield


def of(account: str) -> Any:
    return client("organizations", account)


def invite(account: str = STRANGER) -> str:
    answer = of(MANAGEMENT).invite_account_to_organization(Target={"Id": account, "Type": "ACCOUNT"})
    return str(answer["Handshake"]["Id"])


def members() -> dict[str, str]:
    return {each["Id"]: each["JoinedMethod"] for each in of(MANAGEMENT).list_accounts()["Accounts"]}


def test_an_account_joins_when_it_accepts() -> None:
    handshake = invite()
    assert STRANGER not in members()
    (seen,) = of(STRANGER).list_handshakes_for_account()["Handshakes"]
    assert (seen["Id"], seen["State"], seen["Action"]) == (handshake, "OPEN", "INVITE")
    assert of(STRANGER).accept_handshake(HandshakeId=handshake)["Handshake"]["State"] == "ACCEPTED"
    assert members()[STRANGER] == "INVITED"
    assert of(STRANGER).describe_organization()["Organization"]["MasterAccountId"] == MANAGEMENT
    assert client("iam", STRANGER).list_roles()["Roles"] == []
    (listed,) = of(MANAGEMENT).list_handshakes_for_organization()["Handshakes"]
    assert listed["State"] == "ACCEPTED"


@pytest.mark.parametrize("answer", ["decline", "cancel"])
def test_an_invitation_that_was_answered_is_no_longer_open(answer: str) -> None:
    handshake = invite()
    who = STRANGER if answer == "decline" else MANAGEMENT
    getattr(of(who), f"{answer}_handshake")(HandshakeId=handshake)
    with pytest.raises(ClientError, match="HandshakeAlreadyInStateException"):
        of(STRANGER).accept_handshake(HandshakeId=handshake)
    assert STRANGER not in members()


def test_an_account_leaves_or_is_removed() -> None:
    of(STRANGER).accept_handshake(HandshakeId=invite())
    of(STRANGER).leave_organization()
    of(MANAGEMENT).remove_account_from_organization(AccountId=MEMBER)
    assert list(members()) == [MANAGEMENT]
    with pytest.raises(ClientError, match="AWSOrganizationsNotInUseException"):
        of(MEMBER).describe_organization()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: invite(MEMBER), "DuplicateAccountException"),
        (lambda: [invite(), invite()], "DuplicateHandshakeException"),
        (lambda: of(MEMBER).accept_handshake(HandshakeId=invite()), "HandshakeNotFoundException"),
        (
            lambda: of(MEMBER).invite_account_to_organization(Target={"Id": STRANGER, "Type": "ACCOUNT"}),
            "AccessDeniedException",
        ),
        (lambda: of(MANAGEMENT).leave_organization(), "MasterCannotLeaveOrganizationException"),
        (lambda: of(MEMBER).remove_account_from_organization(AccountId=MEMBER), "AccessDeniedException"),
        (lambda: of(STRANGER).leave_organization(), "AWSOrganizationsNotInUseException"),
    ],
)
def test_what_is_refused(call: Any, code: str) -> None:
    with pytest.raises(ClientError, match=code):
        call()


def test_a_delegated_administrator_is_deregistered_first() -> None:
    service = "config.amazonaws.com"
    of(MANAGEMENT).enable_aws_service_access(ServicePrincipal=service)
    of(MANAGEMENT).register_delegated_administrator(AccountId=MEMBER, ServicePrincipal=service)
    with pytest.raises(ClientError, match="ConstraintViolationException"):
        of(MANAGEMENT).remove_account_from_organization(AccountId=MEMBER)
