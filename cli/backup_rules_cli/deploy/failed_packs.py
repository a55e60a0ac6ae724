"""A pack that failed in some account, where CloudFormation sees nothing to change: it is put again.

AWS Config tries again for some hours, for accounts that joined without a recorder or before they were let in. Later
nobody does, and an account stays without the rules. Putting the same pack once more makes AWS Config try again:
https://docs.aws.amazon.com/config/latest/APIReference/API_PutOrganizationConformancePack.html
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backup_rules_cli.deploy.aws import AwsCallError
from backup_rules_cli.deploy.organization import pack_statuses
from backup_rules_cli.deploy.organization_rollout import OrganizationRollout
from backup_rules_cli.deploy.rollout import ORGANIZATION
from backup_rules_cli.deploy.stacks import POLL_SECONDS, Change, Say, StackError, Step

_SHOWN = 10
_KEPT = ("ConformancePackInputParameters", "ExcludedAccounts", "DeliveryS3Bucket", "DeliveryS3KeyPrefix")


@dataclass(frozen=True)
class FailedPack:
    """The pack of a Region, as its stack has it, and the accounts in which it failed, each with the reason."""

    rollout: OrganizationRollout
    region: str
    template_uri: str
    accounts: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The accounts with their reasons."""
        more = f" and {len(self.accounts) - _SHOWN:,} more" if len(self.accounts) > _SHOWN else ""
        named = self.rollout.organization.named
        return ", ".join(f"{named(account)}: {why}" for account, why in self.accounts[:_SHOWN]) + more


def failed_packs(rollout: OrganizationRollout, steps: Iterable[Step]) -> Iterator[FailedPack]:
    """The packs that failed somewhere, of stacks that stay as they are.

    Raises:
        AwsCallError: their status cannot be read.
    """
    for step in steps:
        if step.stack.name == rollout.settings.stack(ORGANIZATION) and step.change is Change.LEAVE and step.live:
            accounts = tuple(_failed(rollout, step.stack.region))
            if accounts:
                yield FailedPack(rollout, step.stack.region, step.live.parameters["PackTemplateUri"], accounts)


def _failed(rollout: OrganizationRollout, region: str) -> Iterator[tuple[str, str]]:
    try:
        for status in ("CREATE_FAILED", "UPDATE_FAILED"):
            for each in pack_statuses(rollout.access, region, rollout.settings.name, status):
                if each["AccountId"] in rollout.reach.accounts:
                    yield each["AccountId"], each.get("ErrorCode", status)
    except AwsCallError as error:
        if error.code != "NoSuchOrganizationConformancePackException":
            raise


def put_again(failed: FailedPack, say: Say) -> None:
    """Put the pack as it is, and wait until AWS Config has tried everywhere.

    Raises:
        StackError: it failed again.
        AwsCallError: a call failed.
    """
    rollout, region = failed.rollout, failed.region
    name = rollout.settings.name
    asked: dict[str, Any] = {"OrganizationConformancePackNames": [name]}
    call = rollout.access.call
    answer = call("config", region, "describe_organization_conformance_packs", **asked)
    (pack,) = answer["OrganizationConformancePacks"]
    given = {key: pack[key] for key in _KEPT if pack.get(key)}
    call(
        "config",
        region,
        "put_organization_conformance_pack",
        OrganizationConformancePackName=name,
        TemplateS3Uri=failed.template_uri,
        **given,
    )
    while True:
        answer = call("config", region, "describe_organization_conformance_pack_statuses", **asked)
        (status,) = (each["Status"] for each in answer["OrganizationConformancePackStatuses"])
        if not status.endswith("_IN_PROGRESS"):
            break
        time.sleep(POLL_SECONDS)
    say(f"{region}  the pack was put again  {status}")
    left = FailedPack(rollout, region, failed.template_uri, tuple(_failed(rollout, region)))
    if left.accounts:
        raise StackError(f"The pack failed again in {region}: {left.text}")
