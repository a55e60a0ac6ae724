"""Tags of plans and vaults."""

from __future__ import annotations

from collections.abc import Iterator

from moto.backup.models import BackupBackend, backup_backends
from moto.core.resource_tagging import TaggedResource

from aws_simulator.core.backup.state import Document, page_of, state_of, tag
from aws_simulator.core.operations import Handler, Request


def _list_tags(request: Request) -> Document:
    tagger = backup_backends[request.account][request.region].tagger
    tags: dict[str, str] = tagger.get_tag_dict_for_resource(request.text("ResourceArn"))
    keys, token = page_of(sorted(tags), request)
    return {"Tags": {key: tags[key] for key in keys}, "NextToken": token}


def _tag_resource(request: Request) -> Document:
    tag(request, request.text("ResourceArn"), request.parameters["Tags"])
    return {}


def _untag_resource(request: Request) -> Document:
    backend = backup_backends[request.account][request.region]
    backend.untag_resource(request.text("ResourceArn"), list(request.parameters["TagKeyList"]))
    return {}


def tagged_resources(self: BackupBackend) -> Iterator[TaggedResource]:
    state = state_of(self)
    arns = [(plan.arn, "backup:backup-plan") for plan in state.plans.values() if plan.deleted is None]
    arns += [(vault["BackupVaultArn"], "backup:backup-vault") for vault in state.vaults.values()]
    for arn, resource_type in arns:
        yield TaggedResource(arn, self.tagger.get_tag_dict_for_resource(arn), resource_type)


HANDLERS: dict[str, Handler] = {
    "ListTags": _list_tags,
    "TagResource": _tag_resource,
    "UntagResource": _untag_resource,
}
