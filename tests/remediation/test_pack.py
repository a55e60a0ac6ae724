"""The pack with remediation in an organization: a person starts, in AWS Config, what the pack has brought."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aws_simulator.core.config import result_token
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.invoke import Caller, invoke
from backup_rules_cli.templates.conformance_pack import at_defaults
from backup_rules_cli.templates.remediation.pack import Deployment, pack_text
from tests.front_door import ACCOUNT, NOW, Door, front_door
from tests.organization import MANAGEMENT, Organization
from tests.remediation.automation import deploy

RULE = "BACKUP_SERVICE_OPT_IN"
FUNCTIONS = "arn:aws:lambda:eu-west-1:444455556666:function:backup-config-rules-"


@pytest.fixture
def door() -> Iterator[Door]:
    with front_door() as it:
        organization = Organization.of(it)
        for door in (it, organization.management):
            record(door)
        yield it


def record(door: Door) -> None:
    config = door.client("config")
    role = f"arn:aws:iam::{door.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    door.client("s3").create_bucket(
        Bucket=f"config-{door.account}", CreateBucketConfiguration={"LocationConstraint": door.region}
    )
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": f"config-{door.account}"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")


def roll_out(management: Door) -> None:
    organizations = management.client("organizations")
    organizations.enable_aws_service_access(ServicePrincipal="config-multiaccountsetup.amazonaws.com")
    management.client("config").put_organization_conformance_pack(
        OrganizationConformancePackName="backup-config-rules",
        TemplateBody=pack_text(at_defaults(rule_folders(RULE)), Deployment(management_account=MANAGEMENT)),
        ConformancePackInputParameters=[{"ParameterName": "FunctionArnPrefix", "ParameterValue": FUNCTIONS}],
    )


def evaluate(door: Door, config_rule: str, hours: int) -> None:
    (folder,) = rule_folders(RULE)
    token = result_token(door.account, door.region, config_rule)
    caller = Caller(door.place, token, NOW + timedelta(hours=hours))
    invoke(folder, caller, {"RequiredResourceTypes": "FSx"}, configRuleName=config_rule)


def compliance(config: Any, config_rule: str) -> str:
    found = config.get_compliance_details_by_config_rule(ConfigRuleName=config_rule)["EvaluationResults"]
    return str(found[0]["ComplianceType"])


def test_a_member_has_the_remediation_and_it_settles_the_finding(door: Door) -> None:
    deploy(door)
    roll_out(door.at(account=MANAGEMENT))
    config = door.client("config")
    (rule,) = (each["ConfigRuleName"] for each in config.describe_config_rules()["ConfigRules"])
    assert rule.startswith("backup-service-opt-in-conformance-pack-")
    (remediation,) = config.describe_remediation_configurations(ConfigRuleNames=[rule])["RemediationConfigurations"]
    assert remediation["Automatic"] is False
    assert remediation["Parameters"]["AutomationAssumeRole"]["StaticValue"]["Values"] == [
        f"arn:aws:iam::{ACCOUNT}:role/BackupConfigRulesRemediationRole"
    ]
    door.client("backup").update_region_settings(ResourceTypeOptInPreference={"FSx": False})
    evaluate(door, rule, hours=0)
    assert compliance(config, rule) == "NON_COMPLIANT"
    keys = [{"resourceType": "AWS::::Account", "resourceId": ACCOUNT}]
    assert config.start_remediation_execution(ConfigRuleName=rule, ResourceKeys=keys)["FailedItems"] == []
    (status,) = config.describe_remediation_execution_status(ConfigRuleName=rule)["RemediationExecutionStatuses"]
    assert status["State"] == "SUCCEEDED"
    evaluate(door, rule, hours=1)
    assert compliance(config, rule) == "COMPLIANT"


def test_without_the_documents_it_cannot_be_started(door: Door) -> None:
    """The StackSet of documents and role comes first."""
    roll_out(door.at(account=MANAGEMENT))
    config = door.client("config")
    (rule,) = (each["ConfigRuleName"] for each in config.describe_config_rules()["ConfigRules"])
    keys = [{"resourceType": "AWS::::Account", "resourceId": ACCOUNT}]
    assert config.start_remediation_execution(ConfigRuleName=rule, ResourceKeys=keys)["FailedItems"] == keys
    (status,) = config.describe_remediation_execution_status(ConfigRuleName=rule)["RemediationExecutionStatuses"]
    assert status["State"] == "FAILED"


def test_a_rule_without_remediation_has_none_to_start(door: Door) -> None:
    config = door.client("config")
    keys = [{"resourceType": "AWS::::Account", "resourceId": ACCOUNT}]
    with pytest.raises(config.exceptions.NoSuchRemediationConfigurationException):
        config.start_remediation_execution(ConfigRuleName="backup-tag-case", ResourceKeys=keys)
