"""Run by `rdk test-local` (and by pytest): the rule through its front door, a Config event."""

from __future__ import annotations

import unittest

from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import front_door
from tests.organization import Organization, policy_plan

RULE = "BACKUP_POLICY_ROLE_EXISTS"


class TestPolicyRoleExists(unittest.TestCase):
    def compliance(self, role: str) -> str:
        with front_door() as door:
            Organization.of(door).attach({"plans": {"nightly": policy_plan()}})
            door.role(role)
            (found,) = door.evaluate(RULE).values()
            return found.compliance

    def test_a_missing_role_is_non_compliant(self) -> None:
        self.assertEqual(self.compliance("OtherRole"), "NON_COMPLIANT")

    def test_a_role_that_trusts_aws_backup_is_compliant(self) -> None:
        self.assertEqual(self.compliance("BackupRole"), "COMPLIANT")

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door:
            Organization.of(door).attach({"plans": {"nightly": policy_plan()}})
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"AssumeRoleMode": "perhaps"})
            self.assertEqual(door.stored(RULE), {})
