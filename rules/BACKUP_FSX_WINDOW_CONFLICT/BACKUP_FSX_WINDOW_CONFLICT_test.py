"""Run by `rdk test-local` (and by pytest): the rule through its front door, a Config event."""

from __future__ import annotations

import unittest

from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import Door, front_door

RULE = "BACKUP_FSX_WINDOW_CONFLICT"


def create(door: Door, backup_window: str) -> None:
    door.client("fsx").create_file_system(
        FileSystemType="WINDOWS",
        StorageCapacity=32,
        SubnetIds=["subnet-0123456789abcdef0"],
        Tags=[{"Key": "backup", "Value": "true"}],
        WindowsConfiguration={
            "ThroughputCapacity": 8,
            "DailyAutomaticBackupStartTime": backup_window,
            "WeeklyMaintenanceStartTime": "7:20:00",
            "AutomaticBackupRetentionDays": 7,
        },
    )


class TestWindowConflict(unittest.TestCase):
    def compliance(self, backup_window: str) -> str:
        with front_door() as door:
            create(door, backup_window)
            door.selection(door.plan())
            (found,) = door.evaluate(RULE).values()
            return found.compliance

    def test_start_before_the_window_is_non_compliant(self) -> None:
        self.assertEqual(self.compliance("07:00"), "NON_COMPLIANT")

    def test_start_far_from_the_window_is_compliant(self) -> None:
        self.assertEqual(self.compliance("12:00"), "COMPLIANT")

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door:
            create(door, "07:00")
            door.selection(door.plan())
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"BufferMinutes": "soon"})
            self.assertEqual(door.stored(RULE), {})
