"""Ten times the account takes a rule at most some twelve times the processor time, and changes no verdict's kind.

Small sizes and generous limits: what would grow with the square takes about a hundred times as long. `make bench` has
the figures at full size.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from time import process_time

import boto3
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

from backup_rules_cli.catalogue import RuleFolder, rule_folders
from tests.growth.world import World

FOLDERS = rule_folders()
SMALL, LARGE = World(12, 10, 300), World(120, 10, 3_000)


def seconds(folder: RuleFolder, world: World, tries: int) -> float:
    """The least processor time of several tries."""
    taken = []
    for _ in range(tries):
        began = process_time()
        with redirect_stdout(io.StringIO()):
            outcome = world.judged(folder)
        taken.append(process_time() - began)
        assert outcome.verdicts
        assert not outcome.failures
        assert not outcome.gaps
    return min(taken)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_growth(folder: RuleFolder) -> None:
    seconds(folder, SMALL, 1)
    small = seconds(folder, SMALL, 3)
    assert seconds(folder, LARGE, 2) < 14 * small + 0.05


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("backup", "ListBackupPlans", {}),
        ("backup", "GetBackupPlan", {"BackupPlanId": SMALL.plan_id(1)}),
        ("backup", "ListBackupSelections", {"BackupPlanId": SMALL.plan_id(1)}),
        *(
            ("backup", "GetBackupSelection", {"BackupPlanId": SMALL.plan_id(1), "SelectionId": f"selection-{n}"})
            for n in range(10)
        ),
        ("backup", "DescribeRegionSettings", {}),
        ("backup", "ListBackupVaults", {}),
        ("backup", "DescribeBackupVault", {"BackupVaultName": SMALL.vault(1)}),
        ("backup", "GetBackupVaultAccessPolicy", {"BackupVaultName": SMALL.vault(1)}),
        ("backup", "ListBackupJobs", {}),
        ("iam", "SimulatePrincipalPolicy", {"ActionNames": ["ec2:CreateSnapshot"]}),
        ("resourcegroupstaggingapi", "GetResources", {}),
        ("resourcegroupstaggingapi", "GetTagKeys", {}),
        ("resourcegroupstaggingapi", "GetTagValues", {"Key": "owner"}),
        ("config", "SelectResourceConfig", {"Expression": "SELECT resourceType, COUNT(*)"}),
        ("config", "SelectResourceConfig", {"Expression": "SELECT arn WHERE resourceType = 'AWS::S3::Bucket'"}),
        ("rds", "DescribeDBInstances", {}),
        ("rds", "DescribeDBClusters", {}),
        ("fsx", "DescribeFileSystems", {}),
        ("fsx", "DescribeVolumes", {}),
        ("organizations", "DescribeOrganization", {}),
        ("organizations", "DescribeEffectivePolicy", {}),
        ("organizations", "ListAccountsWithInvalidEffectivePolicy", {}),
        ("organizations", "ListEffectivePolicyValidationErrors", {}),
    ],
)
def test_the_world_answers_in_the_form_that_aws_does(
    service: str, operation: str, parameters: dict[str, object]
) -> None:
    answer = getattr(SMALL, f"{service}_{xform_name(operation)}")(**parameters)
    shape = boto3.client(service, region_name="eu-west-1").meta.service_model.operation_model(operation).output_shape
    assert not ParamValidator().validate(answer, shape).has_errors()
