"""Many accounts in one simulation: sessions into each of them, and moto kept quick with a thousand.

moto tells the account of a call by its access key: credentials of an assumed role belong to the role's account, unknown
ones to 123456789012. What it does per account or key would take hours and gigabytes for a large organization: looking
a key up in all accounts and partitions, a copy of 1,400 AWS managed policies, 1,300 machine images for each Region of
EC2, an RSA key pair beside each symmetric KMS key. `install` gives it an index of keys and one set of policies, which
nobody can change, for all; it drops the images, and the key pairs but for one.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import ChainMap
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.hooks import EventAliaser
from botocore.loaders import Loader
from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import BaseResponse
from moto.iam import models
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, iam_backends
from moto.iam.utils import AWS_ROLE_ALPHABET
from moto.kms import models as kms_models
from moto.kms.utils import AbstractPrivateKey, KeySpec, generate_private_key
from moto.settings import load_iam_aws_managed_policies
from moto.utilities.utils import get_partition

_SEED_ROLE = "SimulatedAdministrator"
_TELLS_ACCOUNT = 13
"""So many characters of an access key stand for its kind and account."""


def account_session(
    account: str, region: str, role: str = _SEED_ROLE, endpoint_url: str | None = None
) -> boto3.Session:
    """A session whose every call is made in that account of the simulation, under an assumed role.

    The role need not exist. `endpoint_url` is that of a simulator that runs as a server; the clients need it too.
    """
    arn = f"arn:{get_partition(region)}:iam::{account}:role/{role}"
    answer = _sts(region, endpoint_url).assume_role(RoleArn=arn, RoleSessionName="simulated")
    credentials = answer["Credentials"]
    return _session(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], region)


@contextmanager
def kept_clients() -> Iterator[None]:
    """Within the context, `boto3.client` gives those who act in one account of the simulation the same client.

    Making a client takes longer than most calls of the simulation. What tells one from another is the service, the
    Region and the account of the credentials, not the role: not for what is about permissions of roles.
    """
    before, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, _KeepingSession(botocore_session=_base_session())
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = before


class _KeepingSession(boto3.Session):
    """Keeps the last clients that it made."""

    _most = 64

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._kept: dict[tuple[str, str | None, str], Any] = {}

    def client(self, service_name: str, region_name: str | None = None, **given: Any) -> Any:
        key = service_name, region_name, _account_told(str(given.get("aws_access_key_id", "")))
        if key not in self._kept:
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[key] = super().client(service_name, region_name, **given)
        return self._kept[key]


def _account_told(access_key: str) -> str:
    """What is alike in all access keys of one kind and account: one half of the letters goes with odd accounts."""
    last = access_key[_TELLS_ACCOUNT - 1 : _TELLS_ACCOUNT]
    return f"{access_key[: _TELLS_ACCOUNT - 1]}{AWS_ROLE_ALPHABET.find(last) // 16}"


def _base_session() -> botocore.session.Session:
    # Reading the service models is what makes a session slow; here all share what one has read.
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    return session


@cache
def _sts(region: str, endpoint_url: str | None) -> Any:
    # The client is kept: what AWS_ENDPOINT_URL says today may be gone tomorrow.
    alone = Config(ignore_configured_endpoint_urls=endpoint_url is None)
    return _session("simulated", "simulated", None, region).client("sts", endpoint_url=endpoint_url, config=alone)


def _session(access_key: str, secret_key: str, token: str | None, region: str) -> boto3.Session:
    return boto3.Session(access_key, secret_key, token, region, botocore_session=_base_session())


@cache
def _loader() -> Loader:
    loader: Loader = botocore.session.get_session().get_component("data_loader")
    return loader


def install() -> None:
    """Makes moto's IAM ready for many accounts and all partitions. Idempotent."""
    # moto takes the Region from the host name. That of IAM in GovCloud, iam.us-gov.amazonaws.com, names none:
    # so it comes from the signature, and with it the partition.
    BaseResponse.region_regex = re.compile(r"\.(?P<region>(?!us-gov\.)[^.]+)\.amazonaws\.com")
    setattr(settings, "ec2_load_default_amis", lambda: False)  # noqa: B010 - mypy forbids assigning to a function
    setattr(kms_models, "generate_private_key", _private_key)  # noqa: B010 - as above
    _share_event_names()
    make: Callable[..., str] = models.generate_access_key_id_from_account_id
    if not hasattr(make, "is_unguessable"):
        setattr(models, "generate_access_key_id_from_account_id", _unguessable(make))  # noqa: B010 - as above
    setattr(models, "get_account_id_from", _account_of)  # noqa: B010 - mypy forbids assigning to a function
    setattr(IAMBackend, "_init_aws_policies", _aws_policies_of)  # noqa: B010 - mypy forbids assigning to a method
    setattr(IAMBackend, "_init_managed_policies", _managed_policies_of)  # noqa: B010 - as above


def _share_event_names() -> None:
    """Botocore works out the aliases of its events' names for each session anew, a third of what a session takes."""
    make: Callable[..., None] = EventAliaser.__init__
    if hasattr(make, "shares_names"):
        return
    names: dict[str, str] = {}

    @wraps(make)
    def made(self: EventAliaser, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        self._alias_name_cache = names  # what an alias is depends on the name alone

    setattr(made, "shares_names", True)  # noqa: B010 - a function has no such attribute by type
    setattr(EventAliaser, "__init__", made)  # noqa: B010 - mypy forbids assigning to a method


@cache
def _key_pair_of_symmetric_keys() -> AbstractPrivateKey:
    return generate_private_key(KeySpec.SYMMETRIC_DEFAULT)


def _private_key(key_spec: str) -> AbstractPrivateKey:
    return _key_pair_of_symmetric_keys() if key_spec == KeySpec.SYMMETRIC_DEFAULT else generate_private_key(key_spec)


_account_of_key: dict[str, tuple[str, str]] = {}


def forget_keys() -> None:
    """Empties the index of access keys; a new simulation has new ones."""
    _account_of_key.clear()


def is_issued(access_key: str) -> bool:
    """Whether the simulation gave out this access key: to a user, or with a session of a role."""
    return _owner_of(access_key) is not None


def _account_of(access_key: str) -> str:
    return _owner_of(access_key) or str(DEFAULT_ACCOUNT_ID)


def _owner_of(access_key: str) -> str | None:
    if access_key in _account_of_key:
        account, partition = _account_of_key[access_key]
        if account in iam_backends and access_key in iam_backends[account][partition].access_keys:
            return account
        del _account_of_key[access_key]
    for account, partitions in list(iam_backends.items()):
        for partition, backend in list(partitions.items()):
            if access_key in backend.access_keys:
                _account_of_key[access_key] = account, partition
                return str(account)
    return None


def _unguessable(make: Callable[..., str]) -> Callable[..., str]:
    """Access keys that do not follow from the seed of other ids: who has one is let into the simulator's server."""

    @wraps(make)
    def made(account_id: str, prefix: str, total_length: int = 20) -> str:
        tells_account = make(account_id, prefix, total_length)[:_TELLS_ACCOUNT]
        secret = "".join(secrets.choice(AWS_ROLE_ALPHABET) for _ in range(total_length - _TELLS_ACCOUNT))
        return tells_account + secret

    setattr(made, "is_unguessable", True)  # noqa: B010 - a function has no such attribute by type
    return made


def _aws_policies_of(self: IAMBackend) -> list[ManagedPolicy]:
    return list(_aws_policies(self.region_name).values()) if load_iam_aws_managed_policies() else []


def _managed_policies_of(self: IAMBackend) -> MutableMapping[str, ManagedPolicy]:
    """All managed policies by ARN; an account's own go to the first, empty mapping."""
    return ChainMap({}, _aws_policies(self.region_name)) if load_iam_aws_managed_policies() else {}


@cache
def _aws_policies(partition: str) -> dict[str, ManagedPolicy]:
    # moto ships the documents of the partition `aws`; the others' name ARNs of their own.
    documents = json.loads(models.aws_managed_policies_data.replace("arn:aws:", f"arn:{partition}:"))
    policies = [
        AWSManagedPolicy.from_data(name, DEFAULT_ACCOUNT_ID, partition, data) for name, data in documents.items()
    ]
    return {policy.arn: policy for policy in policies}
