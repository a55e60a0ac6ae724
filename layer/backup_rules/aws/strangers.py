"""Accounts outside the organization, where AWS Config may invoke the functions for any account.

Anybody can make a Config rule that names a function of this pack. The functions' role can assume no role outside the
organization, so such an invocation comes to nothing; but as a failure it would set off the alarms of this account and
fill its failure queue. So it is no failure, if AWS Organizations says that the account is none of its own. Only an
account whose role could not be assumed is asked about.
"""

from __future__ import annotations

import os

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.arns import Place
from backup_rules.aws.clients import CLIENT_CONFIG, AccountClientFactory
from backup_rules.errors import ReadError, StrangerError

ANYBODY_INVOKES = "ANYBODY_INVOKES"
"""The environment variable that says so, where it is not blank."""


def refuse_strangers(clients: AccountClientFactory, place: Place) -> None:
    """Assume the role of the account that is to be judged.

    Raises:
        StrangerError: it was denied, and the account is not of the organization.
        ReadError: it was denied, or failed otherwise, in an account of the organization or in one of which that is not
            known.
    """
    if not os.environ.get(ANYBODY_INVOKES):
        return
    try:
        clients.build_client("sts")
    except ReadError as error:
        if "AccessDenied" in error.code and _is_outside(place):
            raise StrangerError(f"Account {place.account} is not of this organization.") from error
        raise


def _is_outside(place: Place) -> bool:
    """Whether AWS Organizations says so; not where it says nothing.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html
    """
    try:
        client = boto3.client("organizations", region_name=place.region, config=CLIENT_CONFIG)
        client.describe_account(AccountId=place.account)
    except ClientError as error:
        return bool(error.response.get("Error", {}).get("Code") == "AccountNotFoundException")
    except BotoCoreError:
        return False
    return False
