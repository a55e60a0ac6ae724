"""What the rule must never get wrong: run by `rdk test-local` and by pytest."""

import unittest

from aws_simulator.core.tagging import tag_resource
from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import ACCOUNT, REGION, front_door

RULE = "BACKUP_TAG_CASE"
INSTANCE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0abc"


class TagCaseTest(unittest.TestCase):
    def test_instance_that_differs_in_letter_case(self) -> None:
        with front_door() as door:
            selection = door.selection(door.plan())
            tag_resource(ACCOUNT, REGION, INSTANCE, {"Backup": "true"})
            found = door.evaluate(RULE)
        self.assertEqual(found["AWS::Backup::BackupSelection", selection].compliance, "NON_COMPLIANT")
        self.assertEqual(
            found["AWS::EC2::Instance", "i-0abc"].annotation,
            'i-0abc carries "Backup"="true"; selection everything of plan nightly asks for "backup"="true".'
            " Tags are case-sensitive: rename the tag key.",
        )

    def test_instance_with_the_tag_itself(self) -> None:
        with front_door() as door:
            selection = door.selection(door.plan())
            tag_resource(ACCOUNT, REGION, INSTANCE, {"backup": "true"})
            found = door.evaluate(RULE)
        self.assertEqual(
            {key: each.compliance for key, each in found.items()},
            {("AWS::Backup::BackupSelection", selection): "COMPLIANT"},
        )

    def test_unknown_parameter(self) -> None:
        with front_door() as door:
            door.selection(door.plan())
            with self.assertRaisesRegex(InvalidRuleParametersError, "Strict"):
                door.evaluate(RULE, {"Strict": "true"})
            self.assertEqual(door.stored(RULE), {})
