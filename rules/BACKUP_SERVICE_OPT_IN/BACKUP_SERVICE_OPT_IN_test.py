"""A type that is turned off, and its healthy twin."""

from __future__ import annotations

import unittest

from aws_simulator.core.faults import recorded_calls
from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import ACCOUNT, front_door

RULE = "BACKUP_SERVICE_OPT_IN"
SELECTION = "AWS::Backup::BackupSelection"


class ServiceOptIn(unittest.TestCase):
    """Two selections by the same tag, in one Region with volumes turned off and in one with all types on."""

    def judged(self, *, on: bool) -> tuple[str, str]:
        with front_door() as door:
            tag_resource(ACCOUNT, door.region, f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abc", {"backup": "true"})
            door.client("backup").update_region_settings(ResourceTypeOptInPreference={"EBS": on})
            selection = door.selection(door.plan())
            found = door.evaluate(RULE)[SELECTION, selection]
            return found.compliance, found.annotation

    def test_a_type_that_is_turned_off(self) -> None:
        compliance, annotation = self.judged(on=False)
        self.assertEqual(compliance, "NON_COMPLIANT")
        self.assertEqual(
            annotation,
            'Resource type EBS is turned off in eu-west-1, so tag "backup"="true" of selection everything of'
            " plan nightly skips 1 EBS volume, vol-0abc. Turn it on under AWS Backup > Settings > Service opt-in.",
        )

    def test_a_type_that_is_turned_on(self) -> None:
        self.assertEqual(self.judged(on=True), ("COMPLIANT", ""))

    def test_a_parameter_that_is_refused_puts_nothing(self) -> None:
        with front_door() as door, recorded_calls() as calls:
            with self.assertRaises(InvalidRuleParametersError):
                door.evaluate(RULE, {"RequiredResourceTypes": "EBS,Volumes"})
            self.assertNotIn("PutEvaluations", {call.operation for call in calls})
