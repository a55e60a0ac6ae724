"""A selection that picks nothing, and its healthy twin."""

from __future__ import annotations

import unittest

from aws_simulator.core.faults import recorded_calls
from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import ACCOUNT, front_door

RULE = "BACKUP_SELECTION_NOT_EMPTY"
SELECTION = "AWS::Backup::BackupSelection"


class SelectionNotEmpty(unittest.TestCase):
    """A plan without a selection; and the same selection without and with a resource to pick."""

    def test_a_plan_without_a_selection(self) -> None:
        with front_door() as door:
            plan = door.plan()
            found = door.evaluate(RULE)["AWS::Backup::BackupPlan", plan]
        self.assertEqual(found.compliance, "NON_COMPLIANT")
        self.assertTrue(found.annotation.startswith("Plan nightly has no selection, so it backs up nothing."))

    def test_a_tag_that_nothing_carries(self) -> None:
        with front_door() as door:
            selection = door.selection(door.plan())
            found = door.evaluate(RULE)[SELECTION, selection]
        self.assertEqual(found.compliance, "NON_COMPLIANT")
        self.assertIn('no resource that AWS Backup protects carries tag "backup"="true" here.', found.annotation)

    def test_a_tag_that_a_resource_carries(self) -> None:
        with front_door() as door:
            tag_resource(ACCOUNT, door.region, f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abc", {"backup": "true"})
            selection = door.selection(door.plan())
            found = door.evaluate(RULE)[SELECTION, selection]
        self.assertEqual((found.compliance, found.annotation), ("COMPLIANT", ""))

    def test_a_parameter_that_is_refused_puts_nothing(self) -> None:
        with front_door() as door, recorded_calls() as calls:
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"BufferMinutes": "60"})
            self.assertNotIn("PutEvaluations", {call.operation for call in calls})
