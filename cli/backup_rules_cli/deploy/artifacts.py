"""What a deployment uploads: the functions' code and the templates, under keys that tell their content.

An object is never changed: other content has another key. So an upload that was cut short is completed by the next, and
CloudFormation sees from the key alone that something is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from backup_rules_cli.deploy.aws import Access, AwsCallError
from backup_rules_cli.deploy.stacks import read_stack
from backup_rules_cli.deploy.templates import Template
from backup_rules_cli.deploy.words import counted
from backup_rules_cli.package import Package

NO_BUCKET = "not-yet-made"
"""Stands for the bucket that CloudFormation will make and name."""

_BATCH = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html


@dataclass(frozen=True)
class Artifacts:
    """The objects of one version of the pack, by key; the same in every Region."""

    code_prefix: str
    objects: Mapping[str, bytes]

    def missing(self, access: Access, region: str, bucket: str) -> dict[str, bytes]:
        """The objects that the bucket lacks; all of them where there is no bucket yet.

        Raises:
            AwsCallError: the bucket cannot be listed.
        """
        if bucket == NO_BUCKET:
            return dict(self.objects)
        there: set[str] = set()
        for prefix in sorted({key.rpartition("/")[0] for key in self.objects}):
            listed = access.items("s3", region, "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{prefix}/")
            there.update(each["Key"] for each in listed)
        return {key: body for key, body in self.objects.items() if key not in there}


def artifacts(package: Package, *templates: Template) -> Artifacts:
    """The package's files, and the templates that have to lie in a bucket."""
    prefix = f"code/{package.hash}"
    code = {f"{prefix}/{name}": path.read_bytes() for name, path in package.files.items()}
    return Artifacts(prefix, code | {template_key(each): each.text.encode() for each in templates})


def template_key(template: Template) -> str:
    """Where a template lies in the bucket."""
    return f"templates/{hashlib.sha256(template.text.encode()).hexdigest()[:16]}/template.yaml"


def upload(access: Access, region: str, bucket: str, objects: Mapping[str, bytes]) -> None:
    """Put the objects into the bucket, which must belong to the caller's account.

    Raises:
        AwsCallError: one could not be put.
    """
    for key, body in objects.items():
        owner = access.caller.account
        access.call("s3", region, "put_object", Bucket=bucket, Key=key, Body=body, ExpectedBucketOwner=owner)


def empty(access: Access, region: str, bucket: str) -> int:
    """Delete every version of every object, and say how many there were.

    Raises:
        AwsCallError: one could not be deleted.
    """
    deleted = 0
    batch: list[dict[str, str]] = []
    for version in _versions(access, region, bucket):
        batch.append(version)
        if len(batch) == _BATCH:
            deleted += _delete(access, region, bucket, batch)
            batch = []
    return deleted + (_delete(access, region, bucket, batch) if batch else 0)


def empty_buckets(stacks: Iterable[tuple[Access, str, str]], say: Callable[[str], None]) -> None:
    """Empty the bucket of each of the stacks (access, Region, name): CloudFormation deletes none that holds something.

    Raises:
        AwsCallError: an object could not be deleted, or a stack not be read.
    """
    for access, region, name in stacks:
        live = read_stack(access, region, name)
        bucket = live.outputs.get("BucketName") if live else None
        if bucket:
            say(f"{region}  {counted(empty(access, region, bucket), 'version')} of objects deleted from {bucket}")


def _versions(access: Access, region: str, bucket: str) -> Iterator[dict[str, str]]:
    for kind in ("Versions", "DeleteMarkers"):
        for each in access.items("s3", region, "list_object_versions", kind, Bucket=bucket):
            yield {"Key": each["Key"], "VersionId": each["VersionId"]}


def _delete(access: Access, region: str, bucket: str, batch: list[dict[str, str]]) -> int:
    answer = access.call("s3", region, "delete_objects", Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
    for error in answer.get("Errors") or ():
        text = f"{error.get('Code')}: {error.get('Message')}"
        raise AwsCallError(f"s3:DeleteObjectVersion of {error.get('Key')} in {bucket}: {text}", error["Code"], text)
    return len(batch)
