"""A simulated organization to deploy to, served, and the profiles by which a person reaches its accounts.

A management account, a delegated administrator for AWS Config and StackSets (`central`), two members in an
organizational unit of their own (`payments`, `analytics`), and an account outside (`alone`). All have a recorder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from aws_simulator.core import config, organizations
from aws_simulator.core.accounts import account_session
from aws_simulator.server import serving
from backup_rules_cli.main import main

MANAGEMENT, CENTRAL, PAYMENTS, ANALYTICS = "999988887777", "444455556666", "111122223333", "222233334444"
ALONE = "555566667777"
HOME, OTHER = "eu-west-1", "us-east-1"

PACKS, STACK_SETS = "config-multiaccountsetup.amazonaws.com", "member.org.stacksets.cloudformation.amazonaws.com"
CONFIG = "config.amazonaws.com"

PROFILES = {
    "management": MANAGEMENT,
    "central": CENTRAL,
    "payments": PAYMENTS,
    "analytics": ANALYTICS,
    "alone": ALONE,
}


@dataclass(frozen=True)
class Site:
    """The organization, and a person in front of it."""

    url: str
    folder: Path
    root: str
    workloads: str
    sessions: dict[str, boto3.Session] = field(default_factory=dict)
    clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, account: str, service: str, region: str = HOME) -> Any:
        """A client into an account; the same one for every caller, as making one takes its time."""
        key = account, service, region
        if key not in self.clients:
            if account not in self.sessions:
                self.sessions[account] = session(self.url, account, region)
            self.clients[key] = self.sessions[account].client(service, region, endpoint_url=self.url)
        return self.clients[key]

    def settings(self, text: str = "", regions: Sequence[str] = (HOME,)) -> Path:
        """A settings file."""
        path = self.folder / "deployment.yaml"
        path.write_text(f"regions: [{', '.join(regions)}]\n{text}", encoding="utf-8")
        return path

    def newcomer(self, account: str, region: str = HOME) -> str:
        """An account in no organization, with a recorder; the profile that reaches it."""
        credentials(self.url, self.folder, {account: account}, region)
        record(self, account, region)
        return account

    def ask(self, verb: str, *options: str, settings: str) -> int:
        """A verb of the command line, not answered beforehand; its exit status."""
        return main([verb, "--settings", str(self.settings(settings)), *options])

    def run(self, verb: str, *options: str, profile: str = "central", settings: str = "") -> int:
        """A verb of the command line, answered with yes; its exit status."""
        yes = () if verb == "verify" else ("--yes",)  # it asks nothing
        return self.ask(verb, "--profile", profile, *yes, *options, settings=settings)


def session(url: str, account: str, region: str = HOME) -> boto3.Session:
    """A session into an account of the organization that is served there."""
    return account_session(account, region, endpoint_url=url)


@contextmanager
def deploying(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The organization, served; the environment has its profiles and its address."""
    with serving() as url:
        # Other tests of the same process put Config rules without functions.
        config.install(require_functions=True)
        credentials(url, folder, PROFILES)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
        patch.setenv("AWS_CONFIG_FILE", str(folder / "none"))
        patch.setenv("AWS_ENDPOINT_URL", url)
        root, workloads = _found(session(url, MANAGEMENT).client("organizations", endpoint_url=url))
        site = Site(url, folder, root, workloads)
        for account in PROFILES.values():
            record(site, account, HOME)
        yield site


def credentials(url: str, folder: Path, profiles: Mapping[str, str], region: str = HOME) -> None:
    """Add profiles to the person's credentials: accounts by profile, of the partition of the Region."""
    with (folder / "credentials").open("a", encoding="utf-8") as file:
        for profile, account in profiles.items():
            found = session(url, account, region).get_credentials()
            assert found is not None
            keys = found.get_frozen_credentials()
            file.write(
                f"[{profile}]\naws_access_key_id = {keys.access_key}\naws_secret_access_key = {keys.secret_key}\n"
                f"aws_session_token = {keys.token}\n"
            )


def _found(client: Any) -> tuple[str, str]:
    client.create_organization(FeatureSet="ALL")
    root = str(client.list_roots()["Roots"][0]["Id"])
    workloads = str(client.create_organizational_unit(ParentId=root, Name="Workloads")["OrganizationalUnit"]["Id"])
    with organizations.account_ids([CENTRAL, PAYMENTS, ANALYTICS]):
        for name in ("central", "payments", "analytics"):
            client.create_account(AccountName=name, Email=f"{name}@example.com")
    for account in (PAYMENTS, ANALYTICS):
        client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=workloads)
    for service in (PACKS, STACK_SETS, CONFIG):
        client.enable_aws_service_access(ServicePrincipal=service)
        client.register_delegated_administrator(AccountId=CENTRAL, ServicePrincipal=service)
    return root, workloads


def record(site: Site, account: str, region: str) -> None:
    """Set up and start AWS Config's recorder in an account."""
    client = site.client(account, "config", region)
    role = f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    client.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    client.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config-history"})
    client.start_configuration_recorder(ConfigurationRecorderName="default")
