"""The commands on docs/remediation.md, by the real AWS CLI against the simulator's server."""

from __future__ import annotations

import os
import re
import subprocess

from local.catalogue import ROOT
from local.simulator.server import serving
from tests.front_door import ACCOUNT, REGION, Door, front_door
from tests.organization import MANAGEMENT, Organization

PAGE = (ROOT / "docs" / "remediation.md").read_text(encoding="utf-8")


def shell(containing: str) -> str:
    """The shell block of the page that holds the text."""
    (block,) = (each for each in re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if containing in each)
    return str(block)


def execute(script: str, door: Door, url: str, **variables: str) -> str:
    credentials = door.session.get_credentials().get_frozen_credentials()
    environment = {
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.token,
        **variables,
    }
    done = subprocess.run(  # noqa: S603 - the commands of our own page
        ["/bin/bash", "-euc", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
