"""What the rule says of a plan whose vault is missing, and of one whose vault exists."""

from __future__ import annotations

import unittest

from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import front_door

RULE = "BACKUP_VAULT_USABLE"
PLAN = "AWS::Backup::BackupPlan"


class VaultUsableTest(unittest.TestCase):
    def test_a_missing_vault_is_reported(self) -> None:
        with front_door() as door:
            plan_id = door.plan()
            found = door.evaluate(RULE)[PLAN, plan_id]
        self.assertEqual(found.compliance, "NON_COMPLIANT")
        self.assertEqual(
            found.annotation,
            'Plan nightly: backup rule daily backs up to vault "Default", which does not exist in eu-west-1. Open the'
            " AWS Backup console in that Region once, which creates it, or name another vault.",
        )

    def test_a_vault_that_exists_is_not(self) -> None:
        with front_door() as door:
            door.client("backup").create_backup_vault(BackupVaultName="Default")
            plan_id = door.plan()
            self.assertEqual(door.evaluate(RULE)[PLAN, plan_id].compliance, "COMPLIANT")

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door:
            door.plan()
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"VaultName": "Default"})
            self.assertEqual(door.stored(RULE), {})


if __name__ == "__main__":
    unittest.main()
