"""A role that is gone, and its healthy twin."""

from __future__ import annotations

import unittest

from aws_simulator.core.faults import recorded_calls
from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import front_door

RULE = "BACKUP_ROLE_ASSUMABLE"
SELECTION = "AWS::Backup::BackupSelection"


class RoleAssumable(unittest.TestCase):
    """The same selection, without its role and with it."""

    def test_a_role_that_does_not_exist(self) -> None:
        with front_door() as door:
            selection = door.selection(door.plan())
            found = door.evaluate(RULE)[SELECTION, selection]
        self.assertEqual(found.compliance, "NON_COMPLIANT")
        self.assertEqual(
            found.annotation,
            "Role arn:aws:iam::111122223333:role/BackupRole of selection everything of plan nightly does not exist."
            " Create it (it must trust backup.amazonaws.com), or assign the resources with a role that exists.",
        )

    def test_a_role_that_aws_backup_may_assume(self) -> None:
        with front_door() as door:
            door.role()
            selection = door.selection(door.plan())
            found = door.evaluate(RULE)[SELECTION, selection]
        self.assertEqual((found.compliance, found.annotation), ("COMPLIANT", ""))

    def test_a_parameter_that_is_refused_puts_nothing(self) -> None:
        with front_door() as door, recorded_calls() as calls:
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"AssumeRoleMode": "perhaps"})
            self.assertNotIn("PutEvaluations", {call.operation for call in calls})
