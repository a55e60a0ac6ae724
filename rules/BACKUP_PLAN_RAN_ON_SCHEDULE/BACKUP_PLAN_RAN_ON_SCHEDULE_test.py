"""What the rule says of a plan that has started no job, and of one that has."""

from __future__ import annotations

import unittest
from datetime import timedelta

from aws_simulator.core.backup.jobs import add_backup_job
from aws_simulator.core.operations import clock
from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import ACCOUNT, NOW, REGION, Door, front_door

RULE = "BACKUP_PLAN_RAN_ON_SCHEDULE"
PLAN = "AWS::Backup::BackupPlan"


def plan_of_last_month(door: Door) -> str:
    """A plan that runs at 05:00 UTC, with a start window until 13:00: one hour after `NOW`."""
    with clock(NOW - timedelta(days=30)):
        plan_id = door.plan()
        door.selection(plan_id)
    return plan_id


class PlanRanOnScheduleTest(unittest.TestCase):
    def test_a_run_without_job_is_reported(self) -> None:
        with front_door() as door, clock(NOW):
            plan_id = plan_of_last_month(door)
            found = door.evaluate(RULE, {"LookbackDays": "1"})[PLAN, plan_id]
        self.assertEqual(found.compliance, "NON_COMPLIANT")
        self.assertEqual(
            found.annotation,
            "daily of plan nightly: no job by 2026-11-22 13:00 UTC. Look at BACKUP_SELECTION_NOT_EMPTY,"
            " BACKUP_SERVICE_OPT_IN, BACKUP_ROLE_ASSUMABLE, BACKUP_ROLE_PERMISSIONS, BACKUP_VAULT_USABLE,"
            " BACKUP_TAG_CASE, BACKUP_TAG_WHITESPACE, BACKUP_RESOURCE_READY.",
        )

    def test_a_run_with_its_job_is_not(self) -> None:
        with front_door() as door, clock(NOW):
            plan_id = plan_of_last_month(door)
            (rule,) = door.client("backup").get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]["Rules"]
            add_backup_job(
                ACCOUNT,
                REGION,
                CreationDate=NOW - timedelta(hours=30),
                CreatedBy={"BackupPlanId": plan_id, "BackupRuleId": rule["RuleId"]},
            )
            self.assertEqual(door.evaluate(RULE, {"LookbackDays": "1"})[PLAN, plan_id].compliance, "COMPLIANT")

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door:
            door.plan()
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"LookbackDays": "30"})
            self.assertEqual(door.stored(RULE), {})


if __name__ == "__main__":
    unittest.main()
