"""Run by `rdk test-local` (and by pytest): the rule through its front door, a Config event."""

from __future__ import annotations

import unittest
from typing import Any

from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import front_door
from tests.organization import Organization, policy_plan

RULE = "BACKUP_POLICY_VALID"


class TestPolicyValid(unittest.TestCase):
    def compliance(self, **plan: Any) -> str:
        with front_door() as door:
            organization = Organization.of(door)
            organization.attach({"plans": {"nightly": policy_plan(**plan)}}, door.account)
            (found,) = organization.management.evaluate(RULE).values()
            return found.compliance

    def test_an_incomplete_policy_is_non_compliant(self) -> None:
        self.assertEqual(self.compliance(rules=None), "NON_COMPLIANT")

    def test_a_valid_policy_is_compliant(self) -> None:
        self.assertEqual(self.compliance(), "COMPLIANT")

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door:
            Organization.of(door)
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"HomeRegion": "here"})
            self.assertEqual(door.stored(RULE), {})
