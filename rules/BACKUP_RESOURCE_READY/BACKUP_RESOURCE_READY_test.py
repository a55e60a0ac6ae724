"""A bucket without versioning, and its healthy twin."""

from __future__ import annotations

import unittest

from aws_simulator.core.config.service import start_recorder
from backup_rules.errors import InvalidRuleParametersError
from tests.front_door import front_door

RULE = "BACKUP_RESOURCE_READY"


class ResourceReady(unittest.TestCase):
    """Two buckets that one selection picks."""

    def test_a_bucket_without_versioning_and_one_with_it(self) -> None:
        with front_door() as door:
            start_recorder(door.session, door.region)
            s3 = door.client("s3")
            for name in ("bare", "versioned"):
                s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": door.region})
                s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "backup", "Value": "true"}]})
            s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
            door.selection(door.plan())
            found = door.evaluate(RULE)
        compliances = {key[1]: each.compliance for key, each in found.items() if key[0] == "AWS::S3::Bucket"}
        self.assertEqual(compliances, {"bare": "NON_COMPLIANT", "versioned": "COMPLIANT"})

    def test_a_bad_parameter_is_refused(self) -> None:
        with front_door() as door, self.assertRaises(InvalidRuleParametersError):
            door.evaluate(RULE, {"ExcludedBuckets": "logs"})
