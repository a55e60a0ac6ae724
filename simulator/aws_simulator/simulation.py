"""AWS on one machine: moto, and what moto lacks of it.

`simulated_aws` holds many accounts and Regions in memory while it lasts; boto3 talks to it without knowing.
`account_session` gives a session into one of the accounts. `python -m aws_simulator.server` serves the same to other
programs, the AWS CLI among them. The modules say what they add: `backup`, `tagging`, `rds`, `fsx`, `iam`,
`organizations`, `config`, `cloudformation`, `lambda_runtime`, `events`, `securityhub`, `ssm` and others; `faults` makes
calls fail and records them.

Nothing here knows the rules, nor the rules anything of this: what a rule says must not come from what it was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from moto import mock_aws
from moto.core.config import default_user_config

from aws_simulator import (
    accounts,
    backup,
    bucket_policies,
    cloudformation,
    config,
    events,
    faults,
    fsx,
    function_policies,
    iam,
    organizations,
    rds,
    securityhub,
    ssm,
    tagging,
)
from aws_simulator.accounts import account_session
from aws_simulator.faults import failing, recorded_calls
from aws_simulator.operations import clock, page_size

__all__ = ["account_session", "clock", "failing", "install", "page_size", "recorded_calls", "simulated_aws"]

_MODULES = (
    accounts,
    backup,
    bucket_policies,
    cloudformation,
    config,
    events,
    fsx,
    function_policies,
    iam,
    organizations,
    rds,
    securityhub,
    ssm,
    tagging,
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
