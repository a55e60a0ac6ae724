"""What follows when accounts join and leave an organization: AWS deploys to them, and withdraws, by itself."""

from __future__ import annotations

from collections.abc import Sequence

from moto.utilities.utils import get_partition

from aws_simulator.core.organizations import organization_of
from aws_simulator.deployment import conformance_packs


def settle(account: str, regions: Sequence[str]) -> None:
    """Stack sets with automatic deployment, and conformance packs, reach the organization's accounts as they now are.

    Stack sets come first, as packs fail without the roles that they deploy. Accounts in which a pack has failed are
    tried again, as AWS does for some hours.

    Args:
        account: any account of the organization.
        regions: the Regions that stack sets and packs were put in.
    """
    from aws_simulator.deployment.cloudformation import stack_sets  # noqa: PLC0415 - takes seconds to import

    organization = organization_of(account, get_partition(regions[0]))
    stack_sets.settle(organization, regions)
    conformance_packs.settle(organization, regions)
