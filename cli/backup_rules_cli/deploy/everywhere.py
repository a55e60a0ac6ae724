"""In which Regions a pack is, whatever the settings say: people change settings, and forget what they deployed.

Each Region of a pack has its bucket first and last of all, so its stack tells. Regions that are not turned on for the
account hold nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.rollout import ARTIFACTS, ORGANIZATION
from backup_rules_cli.deploy.settings import Settings
from backup_rules_cli.deploy.stacks import read_stack
from backup_rules_cli.places import partition_of


@dataclass(frozen=True)
class Whereabouts:
    """Where a pack was looked for, and the Regions beyond those of the settings that it is in."""

    looked: tuple[str, ...]
    elsewhere: tuple[str, ...]
    limited: str = ""
    """Why only the settings' Regions were looked at."""

    @property
    def text(self) -> str:
        """Where it was looked for, in a sentence."""
        if self.limited:
            return f"Looked in {', '.join(self.looked)} only, as the others could not be listed: {self.limited}"
        return f"Looked in all {len(self.looked)} Regions that are turned on for the account."


def whereabouts(settings: Settings, access: Access) -> Whereabouts:
    """Look for the pack in every Region that is turned on for the account.

    Raises:
        AwsCallError: a Region cannot be looked into.
    """
    try:
        answer = access.call("ec2", settings.home, "describe_regions")
    except AwsCallError as error:
        return Whereabouts(settings.regions, (), str(error))
    on = {each["RegionName"] for each in answer["Regions"] if each.get("OptInStatus") != "not-opted-in"}
    partition = partition_of(settings.home)
    others = sorted(region for region in on - set(settings.regions) if partition_of(region) == partition)
    found = tuple(each for each in others if read_stack(access, each, settings.stack(ARTIFACTS)) is not None)
    return Whereabouts((*settings.regions, *others), found)


def with_all_regions(settings: Settings, access: Access, found: Whereabouts) -> Settings:
    """The settings with all Regions that the pack is in, the one that brings the member role first.

    Raises:
        AwsCallError: a Region cannot be looked into.
    """
    if not found.elsewhere:
        return settings
    regions = (*settings.regions, *found.elsewhere)
    homes = [each for each in regions if _brings_the_role(settings, access, each)]
    return replace(settings, regions=tuple(dict.fromkeys((*homes, *regions))))


def _brings_the_role(settings: Settings, access: Access, region: str) -> bool:
    live = read_stack(access, region, settings.stack(ORGANIZATION))
    return live is not None and live.parameters.get("CreateMemberRole") == "true"
