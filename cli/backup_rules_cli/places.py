"""Where a command works: accounts by profile, and Regions. `""` stands for the environment's credentials.

Whatever AWS's own tools take is taken: environment variables, shared files, SSO, CloudShell, OIDC.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import boto3
import botocore.session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    SSOError,
)

from backup_rules_cli.errors import CommandError, UnknownNameError
from backup_rules_cli.suggestions import did_you_mean

NO_CREDENTIALS = "Sign in (aws sso login, aws configure), and name the profile with --profile (make: PROFILE=…)."
_SIGN_IN_AGAIN = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "RequestExpired"})


@cache
def partition_of(region: str) -> str | None:
    """The partition of a Region; None when botocore knows no such Region."""
    session = botocore.session.get_session()
    for partition in session.get_available_partitions():
        if region in session.get_available_regions("lambda", partition):
            return str(partition)
    return None


def known_regions() -> list[str]:
    """All Regions that botocore knows, of all partitions."""
    session = botocore.session.get_session()
    return sorted(
        {
            region
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("lambda", partition)
        }
    )


def check_regions(regions: Sequence[str]) -> None:
    """Refuse what is no Region.

    Raises:
        UnknownNameError: naming it, and the nearest Region.
    """
    for region in regions:
        if partition_of(region) is None:
            hint = did_you_mean(region, known_regions())
            raise UnknownNameError(f"There is no Region {region!r}.{hint} A Region is named like eu-west-1.")


def session_of(profile: str = "", region: str = "") -> boto3.Session:
    """The session of a profile, in the Region or in the profile's own.

    Raises:
        UnknownNameError: there is no such profile or Region.
        CommandError: the profile is not usable.
    """
    check_regions([region] if region else [])
    try:
        made = boto3.Session(profile_name=profile or None, region_name=region or None)
    except ProfileNotFound:
        raise _no_profile(profile) from None
    except (BotoCoreError, ClientError) as error:
        raise CommandError(in_words(error)) from error
    if profile and profile not in made.available_profiles:  # which boto3 may notice later only
        raise _no_profile(profile)
    return made


def _no_profile(profile: str) -> UnknownNameError:
    known = boto3.Session().available_profiles
    named = f" There are {', '.join(known)}." if known else " There are none: aws configure makes one."
    return UnknownNameError(f"There is no profile {profile!r}.{did_you_mean(profile, known)}{named}")


def regions_of(profile: str, regions: Sequence[str]) -> tuple[str, ...]:
    """The Regions to look at: those that are named, else the profile's own.

    Raises:
        UnknownNameError: one does not exist.
        CommandError: none is named, and the profile has none.
    """
    check_regions(regions)
    if regions:
        return tuple(dict.fromkeys(regions))
    own = session_of(profile).region_name
    if not own:
        who = f"Profile {profile} has" if profile else "The environment has"
        raise CommandError(f"{who} no Region. Name one with --region (make: REGION=…), such as --region eu-west-1.")
    check_regions([own])
    return (own,)


def in_words(error: BotoCoreError | ClientError) -> str:
    """What AWS or its SDK said, and what to do where that is known."""
    said = " ".join(str(error).split())
    if isinstance(error, NoCredentialsError):
        return f"No AWS credentials were found. {NO_CREDENTIALS}"
    if isinstance(error, SSOError):
        return f"{said.rstrip('.')}. Sign in again: aws sso login."
    if isinstance(error, EndpointConnectionError):
        return f"{said.rstrip('.')}. Is there a network, and is the Region turned on?"
    if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _SIGN_IN_AGAIN:
        return f"{said.rstrip('.')}. Sign in again."
    return said
