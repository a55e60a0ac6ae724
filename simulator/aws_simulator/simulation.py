"""AWS on one machine: moto, and what moto lacks of it.

`simulated_aws` holds many accounts and Regions in memory while it lasts; boto3 talks to it without knowing.
`account_session` gives a session into one of the accounts. `python -m aws_simulator.server` serves the same to other
programs, the AWS CLI among them. The modules say what they add, in three rooms: `core` is what a Config rule about AWS
Backup meets, with `faults`, which makes calls fail and records them; `deployment` is what brings rules into accounts
and runs them; `extras` is what is made of their findings. Both stand on `core`, and neither on the other.

Nothing here knows the rules, nor the rules anything of this: what a rule says must not come from what it was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from moto import mock_aws
from moto.core.config import default_user_config

from aws_simulator.core import (
    accounts,
    backup,
    config,
    eks,
    faults,
    fsx,
    iam,
    ids,
    invitations,
    organizations,
    rates,
    rds,
    tagging,
)
from aws_simulator.core.accounts import account_session
from aws_simulator.core.faults import failing, recorded_calls
from aws_simulator.core.operations import clock, page_size
from aws_simulator.deployment import (
    authorization,
    bucket_policies,
    cloudformation,
    conformance_packs,
    events,
    function_policies,
    organization_packs,
    organization_rules,
    pack_items,
)
from aws_simulator.extras import log_queries, queries, remediation, remediation_executions, securityhub, ssm

__all__ = ["account_session", "clock", "failing", "install", "page_size", "recorded_calls", "simulated_aws"]

_MODULES = (
    ids,
    accounts,
    backup,
    config,
    eks,
    fsx,
    iam,
    organizations,
    invitations,
    rds,
    tagging,
    authorization,
    bucket_policies,
    cloudformation,
    conformance_packs,
    events,
    function_policies,
    log_queries,
    organization_packs,
    organization_rules,
    pack_items,
    queries,
    remediation,
    remediation_executions,
    securityhub,
    ssm,
    rates,
    faults,
)
"""`faults` comes last, so that it stands in front of everything, authorization included."""


def install() -> None:
    """Teaches this process's moto all that the simulator adds. Idempotent; holds until the process ends."""
    for module in _MODULES:
        module.install()


@contextmanager
def simulated_aws() -> Iterator[None]:
    """Every call of boto3 in this process goes to a fresh simulation; it and all its state end with the context.

    A simulation within a simulation is the same one. IAM has AWS's managed policies.
    """
    install()
    accounts.forget_keys()
    before = dict(default_user_config)
    try:
        with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
            yield
    finally:
        default_user_config.clear()
        default_user_config.update(before)
