"""What is missing before a deployment is told, with what mends it, and nothing is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from moto.core.responses import BaseResponse

from aws_simulator.core.faults import Call, denied, error, failing, recorded_calls
from aws_simulator.core.operations import Answer
from backup_rules_cli.deploy import stacks
from tests.cli.deploy.site import ALONE, CENTRAL, CONFIG, HOME, MANAGEMENT, PACKS, STACK_SETS, Site, deploying

READS = ("Describe", "Get", "List", "Head", "Filter")
Broken = Callable[[Site], AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One organization for all: every test mends what it broke."""
    with pytest.MonkeyPatch.context() as patch, deploying(tmp_path_factory.mktemp("site"), patch) as found:
        yield found


def organizations(site: Site) -> Any:
    return site.client(MANAGEMENT, "organizations")


def fault(*given: Any, **more: Any) -> Broken:
    """Calls fail in this way."""
    return lambda _: failing(*given, **more)


def without_service(service: str) -> Broken:
    """The organization does not trust the service."""

    @contextmanager
    def broken(site: Site) -> Iterator[None]:
        organizations(site).disable_aws_service_access(ServicePrincipal=service)
        yield
        organizations(site).enable_aws_service_access(ServicePrincipal=service)

    return broken


def without_delegation(service: str) -> Broken:
    """The account is not the service's delegated administrator."""

    @contextmanager
    def broken(site: Site) -> Iterator[None]:
        organizations(site).deregister_delegated_administrator(AccountId=CENTRAL, ServicePrincipal=service)
        yield
        organizations(site).register_delegated_administrator(AccountId=CENTRAL, ServicePrincipal=service)

    return broken


@contextmanager
def stopped(site: Site) -> Iterator[None]:
    """The recorder does not record."""
    client = site.client(CENTRAL, "config")
    client.stop_configuration_recorder(ConfigurationRecorderName="default")
    yield
    client.start_configuration_recorder(ConfigurationRecorderName="default")


@contextmanager
def own_role(site: Site) -> Iterator[None]:
    """A role of the functions' name, from elsewhere."""
    client, name = site.client(CENTRAL, "iam"), f"BackupConfigRulesFunctions-{HOME}"
    client.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    yield
    client.delete_role(RoleName=name)


def billing_only(_: Site) -> AbstractContextManager[Any]:
    """The organization has not turned on all features."""

    def answer(_response: BaseResponse, _call: Call, real: Callable[[], Answer]) -> Answer:
        status, headers, body = real()
        return status, headers, body.replace('"ALL"', '"CONSOLIDATED_BILLING"')

    return failing(answer, "organizations", "DescribeOrganization")


def nothing(_: Site) -> AbstractContextManager[None]:
    return nullcontext()


@pytest.mark.parametrize(
    ("broken", "profile", "settings", "told", "mend"),
    [
        pytest.param(
            nothing,
            "nobody",
            "",
            "The config profile (nobody) could not be found",
            "name the profile with --profile",
            id="no such profile",
        ),
        pytest.param(
            nothing,
            "alone",
            "",
            f"Account {ALONE} belongs to no organization.",
            "backup-rules deploy-single-account",
            id="no organization",
        ),
        pytest.param(
            nothing,
            "payments",
            "",
            "Account 111122223333 is neither the management account of its organization nor a delegated administrator",
            "aws organizations register-delegated-administrator --account-id 111122223333 --service-principal "
            "config-multiaccountsetup.amazonaws.com",
            id="an ordinary member",
        ),
        *(
            pytest.param(
                without_delegation(service),
                "central",
                "aggregator: true",
                f"Account {CENTRAL} is no delegated administrator for {service}.",
                f"register-delegated-administrator --account-id {CENTRAL} --service-principal {service}",
                id=f"not delegated for {service}",
            )
            for service in (PACKS, STACK_SETS, CONFIG)
        ),
        *(
            pytest.param(
                without_service(service),
                "central",
                "aggregator: true",
                f"The organization does not trust {service}.",
                f"In the management account: {command}",
                id=f"no trusted access for {service}",
            )
            for service, command in {
                PACKS: f"aws organizations enable-aws-service-access --service-principal {PACKS}",
                STACK_SETS: "aws cloudformation activate-organizations-access",
                CONFIG: f"aws organizations enable-aws-service-access --service-principal {CONFIG}",
            }.items()
        ),
        pytest.param(
            billing_only,
            "central",
            "",
            "has consolidated billing only; AWS Config needs all features.",
            "In the management account: aws organizations enable-all-features",
            id="consolidated billing only",
        ),
        pytest.param(
            stopped,
            "central",
            "",
            f"The recorder of AWS Config is stopped in account {CENTRAL}, eu-west-1.",
            "aws configservice start-configuration-recorder --region eu-west-1 --configuration-recorder-name default",
            id="the recorder is stopped",
        ),
        pytest.param(
            own_role,
            "central",
            "",
            "Role BackupConfigRulesFunctions-eu-west-1 exists already in account 444455556666",
            "choose other member_role_name and function_role_name",
            id="the role is there from elsewhere",
        ),
        pytest.param(
            nothing,
            "central",
            "targets: [ou-ab12-11111111]",
            "One of targets ou-ab12-11111111 does not exist",
            "aws organizations list-organizational-units-for-parent --parent-id r-",
            id="no such organizational unit",
        ),
        pytest.param(
            nothing,
            "central",
            "excluded_accounts: ['111111111111']",
            "excluded_accounts names 111111111111, which is no account of organization o-",
            "Correct it in the settings",
            id="no such account",
        ),
        pytest.param(
            nothing,
            "central",
            "excluded_accounts: ['444455556666', '111122223333', '222233334444']",
            "No account would be reached.",
            "shorten excluded_accounts",
            id="nobody is left",
        ),
        pytest.param(
            nothing,
            "central",
            f"rules: {{BACKUP_POLICY_ATTACHED: {{parameters: {{RequiredPlans: {'x' * 300}}}}}}}",
            "rules.BACKUP_POLICY_ATTACHED.parameters.RequiredPlans is 'xxx",
            "must have at most 256 characters",
            id="a rule parameter that is too long for AWS Config",
        ),
        *(
            pytest.param(
                fault(denied, service, operation),
                "central",
                "",
                f"{service}:{operation} was denied in account {CENTRAL}, eu-west-1: the credentials of profile central "
                f"lack the permission {service}:{operation}",
                "AWS said: User: arn:aws:sts::444455556666:assumed-role/",
                id=f"may not {service}:{operation}",
            )
            for service, operation in (
                ("organizations", "ListAccounts"),
                ("organizations", "ListAWSServiceAccessForOrganization"),
                ("config", "DescribeConfigurationRecorderStatus"),
                ("iam", "GetRole"),
                ("cloudformation", "DescribeStacks"),
            )
        ),
        pytest.param(
            fault(error("InvalidClientTokenId", "The security token included in the request is invalid."), "config"),
            "central",
            "",
            "config:DescribeConfigurationRecorderStatus failed in account 444455556666, eu-west-1",
            "the Region is not turned on for the account: aws account enable-region",
            id="a Region that is turned off",
        ),
    ],
)
def test_what_is_missing_is_told_with_what_mends_it(
    site: Site, capsys: Any, broken: Broken, profile: str, settings: str, told: str, mend: str
) -> None:
    with broken(site), recorded_calls() as calls:
        assert site.run("deploy", profile=profile, settings=settings) == 2

    error_text = capsys.readouterr().err
    assert told in error_text
    assert mend in error_text
    assert [call for call in calls if not call.operation.startswith(READS)] == []


def test_a_recorder_that_was_never_set_up(site: Site, capsys: Any) -> None:
    assert site.run("deploy", "--region", "eu-west-2") == 2

    told = capsys.readouterr().err
    assert "AWS Config has no recorder in account 444455556666, eu-west-2." in told
    assert "To leave this account out, name it in excluded_accounts." in told


def test_everything_that_is_missing_is_told_at_once(site: Site, capsys: Any) -> None:
    with stopped(site), own_role(site):
        assert site.run("deploy") == 2

    told = capsys.readouterr().err
    assert "is stopped" in told
    assert "exists already" in told


def test_a_profile_of_another_account_is_no_management_profile(site: Site, capsys: Any) -> None:
    assert site.run("deploy", "--management-profile", "payments") == 2

    assert "Profile payments is of account 111122223333; the management account is 999988887777." in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        ("UPDATE_IN_PROGRESS", "wait until it is done: aws cloudformation describe-stacks --region eu-west-1"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --region eu-west-1"),
        (
            "DELETE_FAILED",
            "aws cloudformation delete-stack --region eu-west-1 --stack-name backup-config-rules-artifacts",
        ),
    ],
)
def test_a_stack_that_is_stuck(
    site: Site, capsys: Any, monkeypatch: pytest.MonkeyPatch, status: str, mend: str
) -> None:
    live = stacks.Live("id", status, "", {}, {}, {})
    monkeypatch.setattr(stacks, "read_stack", lambda _access, _region, name: live if "artifacts" in name else None)

    with recorded_calls() as calls:
        assert site.run("deploy") == 2

    told = capsys.readouterr().err
    assert f"Stack backup-config-rules-artifacts in eu-west-1 is {status}, and can't be updated." in told
    assert mend in told
    assert [call for call in calls if not call.operation.startswith(READS)] == []
