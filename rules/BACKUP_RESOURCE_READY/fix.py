"""What makes a bucket ready to be backed up."""

from __future__ import annotations

from collections.abc import Iterator

from backup_rules_cli.answers.fixes import Broken, aws


def commands(broken: Broken) -> Iterator[str]:
    """Versioning of the bucket. What AWS Backup cannot back up, no command makes ready."""
    subject = broken.verdict.subject
    if subject.resource_type == "AWS::S3::Bucket":
        yield aws(
            "s3api",
            "put-bucket-versioning",
            region=broken.place.region,
            bucket=subject.resource_id,
            versioning_configuration="Status=Enabled",
        )
