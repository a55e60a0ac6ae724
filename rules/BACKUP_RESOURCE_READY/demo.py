"""What the demo organization plants for the rule, in payments-production, us-east-1, where AWS Config records."""

from __future__ import annotations

from aws_simulator.core.config.service import service_linked_role
from demo_organization.expected import PAYMENTS, VIRGINIA, Expected, rows
from demo_organization.site import BACKUP_POLICY, S3_BACKUP_POLICY, Site, key_value, nightly, tags_are

_SUBNETS = ["subnet-0123456789abcdef0"]


def ready(site: Site) -> None:
    """Plan `documents-nightly` picks what bears "documents"="yes".

    Healthy: bucket `contracts-archive` (versioning enabled), and selection `contracts`. Broken: bucket
    `contracts-inbox` (no versioning), and selection `scans`, which tags an ONTAP file system in place of its volumes.
    """
    _recorder(site)
    s3 = site.client("s3")
    for name in ("contracts-archive", "contracts-inbox"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": key_value({"documents": "yes"})})
    s3.put_bucket_versioning(Bucket="contracts-archive", VersioningConfiguration={"Status": "Enabled"})
    site.client("fsx").create_file_system(
        FileSystemType="ONTAP",
        StorageCapacity=1024,
        SubnetIds=_SUBNETS,
        OntapConfiguration={
            "DeploymentType": "SINGLE_AZ_1",
            "ThroughputCapacity": 128,
            "AutomaticBackupRetentionDays": 0,
        },
        Tags=key_value({"scans": "yes"}),
    )
    site.table("scans", scans="yes")
    role = site.role("DocumentsBackupRole", BACKUP_POLICY, S3_BACKUP_POLICY)
    plan = site.plan("documents-nightly", nightly(StartWindowMinutes=120))
    site.selection(plan, "contracts", ListOfTags=tags_are(documents="yes"), IamRoleArn=role)
    site.selection(plan, "scans", ListOfTags=tags_are(scans="yes"))


def _recorder(site: Site) -> None:
    """AWS Config records, as with one click in its console."""
    config, bucket = site.client("config"), f"config-bucket-{site.account.id}-{site.region}"
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": service_linked_role(site.account.id, site.region)}
    )
    site.client("s3").create_bucket(Bucket=bucket)
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
    config.start_configuration_recorder(ConfigurationRecorderName="default")


PLANTED = {(PAYMENTS, VIRGINIA): (ready,)}

EXPECTED: tuple[Expected, ...] = (
    *rows(
        "BACKUP_RESOURCE_READY",
        PAYMENTS,
        VIRGINIA,
        {"contracts-inbox": "Off", "scans": "ONTAP"},
        ("contracts-archive", "contracts"),
    ),
)
