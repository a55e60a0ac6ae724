"""The commands on docs/remediation.md, by the real AWS CLI against the simulator's server."""

from __future__ import annotations

from aws_simulator.server import serving
from backup_rules_cli.catalogue import ROOT
from tests.front_door import ACCOUNT, REGION, front_door
from tests.organization import MANAGEMENT, Organization
from tests.pages import execute, shell_blocks


def shell(containing: str) -> str:
    """The shell block of the page that holds the text."""
    (block,) = (each for each in shell_blocks(ROOT / "docs" / "remediation.md") if containing in each)
    return block


def test_stack_sets_bring_role_and_documents_to_a_member_who_runs_one() -> None:
    with front_door() as door, serving() as url:
        organization = Organization.of(door)
        clients = organization.management.client("organizations")
        clients.enable_aws_service_access(ServicePrincipal="member.org.stacksets.cloudformation.amazonaws.com")
        for block in ("backup-config-rules-remediation-role", "remediation-documents.yaml"):
            where = {"ORGANIZATIONAL_UNITS": organization.root, "HOME_REGION": REGION, "REGIONS": REGION}
            execute(shell(block), door.at(account=MANAGEMENT), url, **where)
        door.client("backup").update_region_settings(ResourceTypeOptInPreference={"FSx": False})
        door.evaluate("BACKUP_SERVICE_OPT_IN", {"RequiredResourceTypes": "FSx"})
        told = execute(shell("ssm start-automation-execution"), door, url, RESOURCE_ID=ACCOUNT, ACCOUNT_ID=ACCOUNT)
        assert '"Success"' in told
        assert "Turned on in eu-west-1: FSx." in told
        settings = door.client("backup").describe_region_settings()["ResourceTypeOptInPreference"]
        assert settings["FSx"] is True
