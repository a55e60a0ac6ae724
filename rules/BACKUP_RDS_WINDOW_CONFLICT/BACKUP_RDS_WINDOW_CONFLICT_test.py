"""Run by `rdk test-local` (and by pytest): the rule through its front door, a Config event."""

from __future__ import annotations

import unittest

from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import Door, front_door

RULE = "BACKUP_RDS_WINDOW_CONFLICT"


def create(door: Door, backup_window: str) -> None:
    door.client("rds").create_db_instance(
        DBInstanceIdentifier="orders-db",
        Engine="mysql",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="root",
        MasterUserPassword="correct-horse",
        PreferredBackupWindow=backup_window,
        PreferredMaintenanceWindow="sun:14:00-sun:14:30",
        BackupRetentionPeriod=7,
        Tags=[{"Key": "backup", "Value": "true"}],
    )


class TestWindowConflict(unittest.TestCase):
    def compliance(self, backup_window: str) -> str:
        with front_door() as door:
            create(door, backup_window)
            door.selection(door.plan())
            (found,) = door.evaluate(RULE).values()
            return found.compliance

    def test_start_before_the_window_is_non_compliant(self) -> None:
        self.assertEqual(self.compliance("05:30-06:00"), "NON_COMPLIANT")

    def test_start_far_from_the_window_is_compliant(self) -> None:
        self.assertEqual(self.compliance("12:00-12:30"), "COMPLIANT")

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door:
            create(door, "05:30-06:00")
            door.selection(door.plan())
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"BufferMinutes": "soon"})
            self.assertEqual(door.stored(RULE), {})
