"""What AWS Backup keeps, per account and Region, and what all its operations share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.backup.models import BackupBackend, backup_backends

from aws_simulator.core.operations import AwsError, Paging, Request, page

Document = dict[str, Any]

OPT_IN_KEYS = (
    "Aurora",
    "CloudFormation",
    "DSQL",
    "DocumentDB",
    "DynamoDB",
    "EBS",
    "EC2",
    "EFS",
    "EKS",
    "FSx",
    "Neptune",
    "RDS",
    "Redshift",
    "Redshift Serverless",
    "S3",
    "SAP HANA on Amazon EC2",
    "Storage Gateway",
    "Timestream",
    "VirtualMachine",
)
"""The keys of `DescribeRegionSettings` where every resource type is supported; all are on when an account begins."""

_MANAGEMENT_KEYS = ("CloudFormation", "DSQL", "DynamoDB", "EFS")


@dataclass(slots=True)
class Version:
    """A version of a plan: what `UpdateBackupPlan` adds."""

    version_id: str
    created: datetime
    document: Document


@dataclass(slots=True)
class Selection:
    """A selection of a plan, with AWS's document of it."""

    selection_id: str
    created: datetime
    creator_request_id: str | None
    document: Document


@dataclass(slots=True)
class Plan:
    """A plan with all its versions, the current one last; a deleted one is kept, without selections."""

    plan_id: str
    arn: str
    creator_request_id: str | None
    versions: list[Version]
    selections: dict[str, Selection] = field(default_factory=dict)
    deleted: datetime | None = None
    last_execution: datetime | None = None

    @property
    def current(self) -> Version:
        return self.versions[-1]

    @property
    def made_by_organization(self) -> bool:
        """Nobody in the account may change such a plan."""
        return self.plan_id.startswith("orgs/")


@dataclass(slots=True)
class State:
    """One account in one Region; vaults and jobs are kept as AWS answers them."""

    plans: dict[str, Plan] = field(default_factory=dict)
    vaults: dict[str, Document] = field(default_factory=dict)
    access_policies: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Document] = field(default_factory=dict)
    opt_in: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(OPT_IN_KEYS, True))
    management: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(_MANAGEMENT_KEYS, True))


def state_in(account: str, region: str) -> State:
    """All that AWS Backup keeps there."""
    return state_of(backup_backends[account][region])


def state_of(backend: BackupBackend) -> State:
    """All that AWS Backup keeps in one of moto's backends."""
    # moto empties this dictionary when it resets the backend.
    state: State = vars(backend).setdefault("simulated", State())
    return state


def at(request: Request) -> State:
    """All that AWS Backup keeps where the request is made."""
    return state_in(request.account, request.region)


def given(**members: Any) -> Document:
    """The members that have a value: AWS leaves the others out."""
    return {key: value for key, value in members.items() if value is not None}


_PAGING = Paging(size_parameter="MaxResults", largest=1000, refusal="InvalidParameterValueException")


def page_of(items: Sequence[Any], request: Request) -> tuple[list[Any], str | None]:
    """The page that the request asks for, and the token of the next."""
    return page(items, request, _PAGING)


def tag(request: Request, arn: str, tags: Mapping[str, str]) -> None:
    """Adds tags to a plan or vault."""
    backup_backends[request.account][request.region].tag_resource(arn, dict(tags))


def immutable(message: str) -> AwsError:
    """The refusal to change what an organization's policy made."""
    return AwsError("InvalidParameterValueException", message)
