"""What the rule must never get wrong: run by `rdk test-local` and by pytest."""

import unittest

from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import ACCOUNT, REGION, front_door

RULE = "BACKUP_ROLE_PERMISSIONS"
VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-0abc"
FOR_BACKUP = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"


class RolePermissionsTest(unittest.TestCase):
    def test_role_without_policy(self) -> None:
        with front_door() as door:
            door.role()
            selection = door.selection(door.plan())
            tag_resource(ACCOUNT, REGION, VOLUME, {"backup": "true"})
            found = door.evaluate(RULE)["AWS::Backup::BackupSelection", selection]
        self.assertEqual(found.compliance, "NON_COMPLIANT")
        self.assertIn("ec2:CreateSnapshot", found.annotation)

    def test_role_with_the_managed_policy(self) -> None:
        with front_door() as door:
            door.role()
            door.client("iam").attach_role_policy(RoleName="BackupRole", PolicyArn=FOR_BACKUP)
            selection = door.selection(door.plan())
            tag_resource(ACCOUNT, REGION, VOLUME, {"backup": "true"})
            found = door.evaluate(RULE)["AWS::Backup::BackupSelection", selection]
        self.assertEqual((found.compliance, found.annotation), ("COMPLIANT", ""))

    def test_unknown_parameter(self) -> None:
        with front_door() as door:
            door.selection(door.plan())
            with self.assertRaisesRegex(InvalidRuleParametersError, "Strict"):
                door.evaluate(RULE, {"Strict": "true"})
            self.assertEqual(door.stored(RULE), {})
