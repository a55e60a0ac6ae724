"""What the rule says of a plan whose schedule runs less often than it reads, and of one that runs as it reads."""

from __future__ import annotations

import unittest

from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import front_door

RULE = "BACKUP_WINDOW_CONFIGURED"
PLAN = "AWS::Backup::BackupPlan"


def scheduled(expression: str) -> dict[str, str]:
    return {"RuleName": "daily", "TargetBackupVaultName": "Default", "ScheduleExpression": expression}


class WindowConfiguredTest(unittest.TestCase):
    def test_an_hour_step_that_runs_once_a_day_is_reported(self) -> None:
        with front_door() as door:
            plan_id = door.plan("nightly", scheduled("cron(0 12/12 ? * * *)"))
            found = door.evaluate(RULE)[PLAN, plan_id]
        self.assertEqual(found.compliance, "NON_COMPLIANT")
        self.assertEqual(
            found.annotation,
            "Backup rule daily of plan nightly: Hours field 12/12 runs once a day, not twice, since AWS Backup counts"
            " hours to 23:59 only: write 0/12.",
        )

    def test_one_that_runs_twice_a_day_is_not(self) -> None:
        with front_door() as door:
            plan_id = door.plan("nightly", scheduled("cron(0 0/12 ? * * *)"))
            self.assertEqual(door.evaluate(RULE)[PLAN, plan_id].compliance, "COMPLIANT")

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door:
            door.plan()
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"AllowedWindow": "at night"})
            self.assertEqual(door.stored(RULE), {})


if __name__ == "__main__":
    unittest.main()
