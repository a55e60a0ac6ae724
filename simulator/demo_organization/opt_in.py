"""Rule BACKUP_SERVICE_OPT_IN: resource types turned off in the Region, in payments-production, us-east-1."""

from __future__ import annotations

from aws_simulator.core import backup, tagging
from demo_organization.site import Site, nightly, tags_are


def storefront(site: Site) -> None:
    """Aurora, EBS and FSx are turned off, and the Region does not know Storage Gateway.

    Healthy: `storefront-tables` (a type that is on) and `storefront-volumes` (EBS is off, but named as a type). Broken:
    `storefront-ec2` (all of EC2, volumes among it), `storefront-shares` (by tag), `storefront-aurora` (by ARN, where
    opt-in counts all the same) and `storefront-gateways`.
    """
    types = [key for key in backup.OPT_IN_KEYS if key != "Storage Gateway"]
    backup.set_supported_resource_types(site.account.id, site.region, types)
    site.client("backup").update_region_settings(
        ResourceTypeOptInPreference={"Aurora": False, "EBS": False, "FSx": False}
    )
    site.table("storefront-carts", app="storefront")
    site.volume("storefront-web", part="web")
    _file_systems(site)
    cluster = site.client("rds").create_db_cluster(
        DBClusterIdentifier="storefront",
        Engine="aurora-postgresql",
        MasterUsername="storefront",
        ManageMasterUserPassword=True,
        PreferredBackupWindow="14:00-14:30",
        PreferredMaintenanceWindow="wed:15:00-wed:15:30",
    )["DBCluster"]
    gateway = site.arn("storagegateway", "gateway/sgw-12A3456B/volume/vol-1122AABB")
    tagging.tag_resource(site.account.id, site.region, gateway, {"tier": "on-premises"})

    plan = site.plan("storefront-nightly", nightly())
    site.selection(plan, "storefront-tables", ListOfTags=tags_are(app="storefront"))
    site.selection(plan, "storefront-volumes", Resources=["arn:aws:ec2:*:*:volume/*"])
    site.selection(plan, "storefront-ec2", Resources=["arn:aws:ec2:*"])
    site.selection(plan, "storefront-shares", ListOfTags=tags_are(tier="shared-files"))
    site.selection(plan, "storefront-aurora", Resources=[cluster["DBClusterArn"]])
    site.selection(plan, "storefront-gateways", ListOfTags=tags_are(tier="on-premises"))


def _file_systems(site: Site) -> None:
    for _ in range(3):
        site.client("fsx").create_file_system(
            FileSystemType="WINDOWS",
            StorageCapacity=32,
            SubnetIds=["subnet-0123456789abcdef0"],
            WindowsConfiguration={
                "ThroughputCapacity": 8,
                "WeeklyMaintenanceStartTime": "3:14:00",
                "DailyAutomaticBackupStartTime": "15:00",
                "AutomaticBackupRetentionDays": 7,
            },
            Tags=[{"Key": "tier", "Value": "shared-files"}],
        )


def organization_plan(site: Site) -> None:
    """In the management account, whose settings decide about plans of the organization's policy, EFS is turned off.

    Broken: the policy's selection `datatype`, which picks an EFS file system by tag. Healthy: `billing-tables`.
    """
    site.client("backup").update_region_settings(ResourceTypeOptInPreference={"EFS": False})
    site.client("efs").create_file_system(CreationToken="reports", Tags=[{"Key": "dataType", "Value": "PII"}])
    site.table("billing", unit="finance")
    plan = site.plan("billing-nightly", nightly(StartWindowMinutes=120))
    site.selection(plan, "billing-tables", ListOfTags=tags_are(unit="finance"))
