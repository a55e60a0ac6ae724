"""Run by `rdk test-local` (and by pytest): the rule through its front door, a Config event."""

from __future__ import annotations

import unittest

from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import Door, front_door
from tests.organization import Organization, policy_plan

RULE = "BACKUP_POLICY_ATTACHED"


class TestPolicyAttached(unittest.TestCase):
    def compliance(self, door: Door, **parameters: str) -> str:
        (found,) = door.evaluate(RULE, parameters).values()
        return found.compliance

    def test_no_policy_is_non_compliant(self) -> None:
        with front_door() as door:
            Organization.of(door)
            self.assertEqual(self.compliance(door), "NON_COMPLIANT")

    def test_a_policy_with_the_required_plan_is_compliant(self) -> None:
        with front_door() as door:
            Organization.of(door).attach({"plans": {"nightly": policy_plan()}})
            self.assertEqual(self.compliance(door, RequiredPlans="nightly"), "COMPLIANT")
            self.assertEqual(self.compliance(door, RequiredPlans="weekly"), "NON_COMPLIANT")

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door:
            Organization.of(door)
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"Required": "perhaps"})
            self.assertEqual(door.stored(RULE), {})
