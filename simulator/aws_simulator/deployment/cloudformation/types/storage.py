"""S3 and SSM documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from aws_simulator.deployment.cloudformation.resources import (
    Made,
    Properties,
    ResourceType,
    Scope,
    gone,
    only,
    tag_list,
)

# --- S3 -------------------------------------------------------------------------------------------------------------


def _put_bucket(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("BucketName") or scope.generated_name(63).lower()
    if not made:
        place = None if scope.region == "us-east-1" else {"LocationConstraint": scope.region}
        locked = properties.get("ObjectLockEnabled")
        scope.call(
            "s3",
            "create_bucket",
            Bucket=name,
            CreateBucketConfiguration=place,
            ObjectLockEnabledForBucket=None if locked is None else str(locked).lower() == "true",
        )
    try:
        _configure_bucket(scope, name, properties, made.handle if made else frozenset())
    except Exception:
        if not made:
            scope.call("s3", "delete_bucket", Bucket=name)
        raise
    domain = f"{name}.s3.amazonaws.com"
    attributes = {
        "Arn": f"arn:{scope.partition}:s3:::{name}",
        "DomainName": domain,
        "RegionalDomainName": f"{name}.s3.{scope.region}.amazonaws.com",
    }
    return Made(name, attributes, handle=frozenset(properties))


def _configure_bucket(scope: Scope, name: str, properties: Properties, before: frozenset[str]) -> None:
    def given(setting: str) -> Any:
        return properties.get(setting)

    if given("VersioningConfiguration") or "VersioningConfiguration" in before:
        versioning = given("VersioningConfiguration") or {"Status": "Suspended"}
        scope.call("s3", "put_bucket_versioning", Bucket=name, VersioningConfiguration=versioning)
    if given("BucketEncryption"):
        rules = [
            {
                "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault", {}),
                **only(rule, "BucketKeyEnabled"),
            }
            for rule in given("BucketEncryption")["ServerSideEncryptionConfiguration"]
        ]
        encryption = {"Rules": rules}
        scope.call("s3", "put_bucket_encryption", Bucket=name, ServerSideEncryptionConfiguration=encryption)
    if given("PublicAccessBlockConfiguration"):
        block = given("PublicAccessBlockConfiguration")
        scope.call("s3", "put_public_access_block", Bucket=name, PublicAccessBlockConfiguration=block)
    elif "PublicAccessBlockConfiguration" in before:
        scope.call("s3", "delete_public_access_block", Bucket=name)
    if given("OwnershipControls"):
        scope.call("s3", "put_bucket_ownership_controls", Bucket=name, OwnershipControls=given("OwnershipControls"))
    if given("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in given("LifecycleConfiguration")["Rules"]]
        scope.call("s3", "put_bucket_lifecycle_configuration", Bucket=name, LifecycleConfiguration={"Rules": rules})
    elif "LifecycleConfiguration" in before:
        scope.call("s3", "delete_bucket_lifecycle", Bucket=name)
    if tag_list(properties):
        scope.call("s3", "put_bucket_tagging", Bucket=name, Tagging={"TagSet": tag_list(properties)})


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as the API has it, which groups what CloudFormation writes side by side."""
    made: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}} | (
        {"ID": rule["Id"]} if "Id" in rule else {}
    )
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": rule["ExpirationInDays"]}
    elif "ExpiredObjectDeleteMarker" in rule:
        made["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    old = rule.get("NoncurrentVersionExpiration")
    if old:
        made["NoncurrentVersionExpiration"] = dict(old)
    elif "NoncurrentVersionExpirationInDays" in rule:
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    return made | only(rule, "AbortIncompleteMultipartUpload")


def _delete_bucket(scope: Scope, made: Made) -> None:
    """A bucket with objects is not deleted: the stack's deletion fails, as on AWS."""
    with gone():
        scope.call("s3", "delete_bucket", Bucket=made.id)


def _put_bucket_policy(scope: Scope, properties: Properties, _: Made | None) -> Made:
    policy = properties["PolicyDocument"]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    scope.call("s3", "put_bucket_policy", Bucket=properties["Bucket"], Policy=text)
    return Made(properties["Bucket"])


def _delete_bucket_policy(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("s3", "delete_bucket_policy", Bucket=made.id)


# --- SSM ------------------------------------------------------------------------------------------------------------


def _put_document(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("Name") or scope.generated_name(128)
    form = properties.get("DocumentFormat", "JSON")
    content = properties["Content"]
    if not isinstance(content, str):
        content = yaml.safe_dump(content, sort_keys=False) if form == "YAML" else json.dumps(content)
    given = {"Name": name, "Content": content, "DocumentFormat": form} | only(properties, "TargetType", "VersionName")
    if not made:
        kind = properties.get("DocumentType", "Command")
        scope.call("ssm", "create_document", DocumentType=kind, Tags=tag_list(properties), **given)
        return Made(name)
    answer = scope.call("ssm", "update_document", DocumentVersion="$LATEST", **given)
    version = answer["DocumentDescription"]["DocumentVersion"]
    scope.call("ssm", "update_document_default_version", Name=name, DocumentVersion=version)
    return Made(name)


def _delete_document(scope: Scope, made: Made) -> None:
    with gone("InvalidDocument"):
        scope.call("ssm", "delete_document", Name=made.id)


TYPES = (
    ResourceType("AWS::S3::Bucket", _put_bucket, _delete_bucket, frozenset({"BucketName"})),
    ResourceType("AWS::S3::BucketPolicy", _put_bucket_policy, _delete_bucket_policy, frozenset({"Bucket"})),
    ResourceType("AWS::SSM::Document", _put_document, _delete_document, frozenset({"DocumentType", "Name"})),
)
