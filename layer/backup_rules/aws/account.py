"""One account in one Region, as the rules see it: each fact is read when first asked for, once per invocation."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, TypeVar

from backup_rules.arns import Arn, Place
from backup_rules.aws import answers
from backup_rules.aws.answers import Answer, field, optional, tags
from backup_rules.aws.calls import Calls
from backup_rules.aws.clients import WORKERS
from backup_rules.errors import ReadError, VanishedError
from backup_rules.plans.plans import Plan, PlanSummary
from backup_rules.resources.resource_types import (
    RDS_INSTANCE,
    RESOURCE_TYPES,
    Resource,
    cluster_type,
    config_id,
    type_of,
)
from backup_rules.selections.picking import Selection, SelectionSummary

T = TypeVar("T")
K = TypeVar("K")

_TAGGING_FILTERS = tuple(sorted({each.tagging_filter for each in RESOURCE_TYPES}))
_BACKUP_PAGE = {"PaginationConfig": {"PageSize": 1000}}
_TAGGING_PAGE = {"PaginationConfig": {"PageSize": 100}}


@dataclass(frozen=True, slots=True)
class Role:
    """An IAM role: its ARN, and its trust policy as AWS gives it (a document or its JSON text)."""

    arn: str
    trust_policy: Mapping[str, Any] | str


@dataclass(frozen=True, slots=True)
class Database:
    """A DB instance or DB cluster with its windows (UTC, in AWS's notation) and who backs it up continuously.

    `retention_days` is that of RDS's own automated backups: 0 means that they are off.
    """

    resource: Resource
    identifier: str
    engine: str
    backup_window: str | None
    maintenance_window: str | None
    retention_days: int | None
    continuous_by_backup: bool


class Account:
    """What can be read of the account and Region `calls.place`.

    Every method raises ReadError when AWS cannot be asked or its answer cannot be read. A question is asked once.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.place: Place = calls.place
        self._answers: dict[Hashable, Future[Any]] = {}
        self._lock = Lock()

    # Plans and selections

    def plan_summaries(self) -> tuple[PlanSummary, ...]:
        """All plans of the Region, those of organization policies and of EFS among them."""
        return self.once(
            "plans",
            lambda: self.calls.items(
                "backup", "ListBackupPlans", "BackupPlansList", answers.plan_summary, **_BACKUP_PAGE
            ),
        )

    def plan(self, summary: PlanSummary) -> Plan:
        """The plan whole.

        Raises:
            VanishedError: when the plan was deleted after it had been listed.
        """

        def read() -> Plan:
            found = self._unless_gone(
                "backup", "GetBackupPlan", lambda it: answers.plan(it, summary), BackupPlanId=summary.id
            )
            if found is None:
                raise VanishedError(f"Plan {summary.id} has been deleted.")
            return found

        return self.once(("plan", summary.id), read)

    def selection_summaries(self, plan: PlanSummary) -> tuple[SelectionSummary, ...]:
        """The selections of a plan; none when it was deleted after it had been listed."""

        def read() -> tuple[SelectionSummary, ...]:
            try:
                return self.calls.items(
                    "backup",
                    "ListBackupSelections",
                    "BackupSelectionsList",
                    lambda item: answers.selection_summary(item, plan),
                    BackupPlanId=plan.id,
                    **_BACKUP_PAGE,
                )
            except ReadError as error:
                if _gone(error):
                    return ()
                raise

        return self.once(("selections", plan.id), read)

    def selection(self, summary: SelectionSummary) -> Selection:
        """The selection whole.

        Raises:
            VanishedError: when it was deleted after it had been listed.
        """

        def read() -> Selection:
            found = self._unless_gone(
                "backup",
                "GetBackupSelection",
                lambda it: answers.selection(it, summary),
                BackupPlanId=summary.plan_id,
                SelectionId=summary.id,
            )
            if found is None:
                raise VanishedError(f"Selection {summary.id} of plan {summary.plan_id} has been deleted.")
            return found

        return self.once(("selection", summary.plan_id, summary.id), read)

    def plans(self, summaries: Iterable[PlanSummary]) -> tuple[Plan, ...]:
        """Several plans, read side by side; those that vanished are left out."""
        return self._present(self.plan, summaries)

    def selections(self, summaries: Iterable[SelectionSummary]) -> tuple[Selection, ...]:
        """Several selections, read side by side; those that vanished are left out."""
        return self._present(self.selection, summaries)

    def readable_selections(self, summaries: Iterable[SelectionSummary]) -> tuple[Selection, ...]:
        """Those that can be read: for what is worked out for many at once, while each failure stays its own."""
        found = []
        for summary in summaries:
            try:
                found.append(self.selection(summary))
            except (ReadError, VanishedError):
                continue
        return tuple(found)

    def all_selections(self) -> tuple[Selection, ...]:
        """All selections of all plans of the Region."""
        plans = self.plan_summaries()
        self.side_by_side(self.selection_summaries, plans)
        return self.selections(summary for plan in plans for summary in self.selection_summaries(plan))

    def opt_in(self) -> dict[str, bool]:
        """Service opt-in of the Region by opt-in key. A key that is missing: AWS Backup has no such type here."""

        def parse(answer: Answer) -> dict[str, bool]:
            preferences = field(answer, "ResourceTypeOptInPreference", dict)
            return {str(key): field(preferences, key, bool) for key in preferences}

        return self.once("opt-in", lambda: self.calls.one("backup", "DescribeRegionSettings", parse))

    # Tagged resources

    def tagged_resources(self) -> tuple[Resource, ...]:
        """The resources of protected types that bear tags, or once did: what `tag:GetResources` lists in the Region."""
        return self.once("tagged", lambda: self._resources(()))

    def resources_tagged(self, wanted: Mapping[str, Sequence[str]]) -> tuple[Resource, ...]:
        """The resources of protected types with any of these tags (values by key): a question per key and 20 values."""
        questions = [
            (key, tuple(values[start : start + 20]))
            for key, values in wanted.items()
            for start in range(0, len(values), 20)
        ]
        self.side_by_side(self._tagged, questions)
        found = {resource.arn: resource for question in questions for resource in self._tagged(question)}
        return tuple(found.values())

    def tag_keys(self) -> tuple[str, ...]:
        """All tag keys in use in the Region."""
        return self.once(
            "tag keys",
            lambda: self.calls.items("resourcegroupstaggingapi", "GetTagKeys", "TagKeys", _text),
        )

    def tag_values(self, key: str) -> tuple[str, ...]:
        """All values in use in the Region under a tag key."""
        return self.once(
            ("tag values", key),
            lambda: self.calls.items("resourcegroupstaggingapi", "GetTagValues", "TagValues", _text, Key=key),
        )

    def _tagged(self, question: tuple[str, tuple[str, ...]]) -> tuple[Resource, ...]:
        key, values = question
        return self.once(("tagged", question), lambda: self._resources(({"Key": key, "Values": list(values)},)))

    def _resources(self, filters: Sequence[Mapping[str, Any]]) -> tuple[Resource, ...]:
        listed = self._tag_mappings(filters)
        rds = [arn for arn, _ in listed if arn.service == "rds"]
        databases: dict[str, Database] = {}
        if rds:
            self.side_by_side(lambda read: read(), (self.db_instances, self.db_clusters))
            databases = {each.resource.arn: each for each in (*self.db_instances(), *self.db_clusters())}
        engines = {arn: each.engine for arn, each in databases.items()}
        found = []
        for arn, its_tags in listed:
            kind = type_of(arn, engines)
            if kind is None or (kind.service == "rds" and str(arn) not in databases):
                continue
            database = databases.get(str(arn))
            found.append(
                Resource(
                    arn=str(arn),
                    type=kind,
                    tags=its_tags,
                    config_id=database.resource.config_id if database else config_id(arn, kind),
                    cluster_member=database is not None and database.resource.cluster_member,
                )
            )
        return tuple(found)

    def _tag_mappings(
        self, filters: Sequence[Mapping[str, Any]], types: Sequence[str] = _TAGGING_FILTERS
    ) -> tuple[tuple[Arn, dict[str, str]], ...]:
        def parse(item: Answer) -> tuple[Arn, dict[str, str]]:
            arn = Arn.parse(field(item, "ResourceARN", str))
            if arn is None:
                raise ValueError(f"ResourceARN is {item['ResourceARN']!r}, not an ARN")
            return arn, tags(field(item, "Tags", list))

        def ask(**narrowing: Any) -> tuple[tuple[Arn, dict[str, str]], ...]:
            return self.calls.items(
                "resourcegroupstaggingapi",
                "GetResources",
                "ResourceTagMappingList",
                parse,
                **({"TagFilters": list(filters)} if filters else {}),
                **narrowing,
                **_TAGGING_PAGE,
            )

        try:
            return ask(ResourceTypeFilters=list(types))
        except ReadError as error:
            # A Region may not know a type that another has; then the types are told apart here.
            if error.code != "InvalidParameterException":
                raise
            return ask()

    # Databases

    def db_instances(self) -> tuple[Database, ...]:
        """All DB instances of the Region, members of clusters among them."""
        return self.once(
            "instances",
            lambda: self.calls.items("rds", "DescribeDBInstances", "DBInstances", _db_instance),
        )

    def db_clusters(self) -> tuple[Database, ...]:
        """All DB clusters of the Region: Aurora, Multi-AZ, DocumentDB and Neptune."""
        return self.once(
            "clusters",
            lambda: self.calls.items("rds", "DescribeDBClusters", "DBClusters", _db_cluster),
        )

    def databases(self) -> tuple[Database, ...]:
        """All DB instances and clusters of the Region, those without tags too."""

        def read() -> tuple[Database, ...]:
            self.side_by_side(lambda ask: ask(), (self.db_instances, self.db_clusters))
            found = (*self.db_instances(), *self.db_clusters())
            tagged = self.with_tags(tuple(each.resource for each in found))
            return tuple(replace(each, resource=resource) for each, resource in zip(found, tagged, strict=True))

        return self.once("databases", read)

    def with_tags(self, resources: Sequence[Resource]) -> tuple[Resource, ...]:
        """The resources, with the tags under which `tag:GetResources` lists them besides those that they bear."""
        filters = tuple(sorted({each.type.tagging_filter for each in resources}))
        if not filters:
            return ()
        listed = {str(arn): its_tags for arn, its_tags in self._tag_mappings((), filters)}
        return tuple(replace(each, tags={**each.tags, **listed.get(each.arn, {})}) for each in resources)

    # IAM

    def role(self, role_name: str) -> Role | None:
        """The role of that name (without path), or None when the account has none."""

        def parse(answer: Answer) -> Role:
            role = field(answer, "Role", dict)
            policy = role["AssumeRolePolicyDocument"]
            if not isinstance(policy, dict | str):
                raise TypeError("AssumeRolePolicyDocument is no policy document")
            return Role(field(role, "Arn", str), policy)

        def read() -> Role | None:
            try:
                return self.calls.one("iam", "GetRole", parse, RoleName=role_name)
            except ReadError as error:
                if error.code in {"NoSuchEntity", "NoSuchEntityException"}:
                    return None
                raise

        return self.once(("role", role_name), read)

    # Organizations

    def management_account(self) -> str | None:
        """The id of the organization's management account, or None when the account is in no organization."""
        return self._organization()[1]

    def organization_id(self) -> str | None:
        """The id of the account's organization (`o-…`), or None when it is in none."""
        return self._organization()[0]

    def _organization(self) -> tuple[str, str] | tuple[None, None]:
        def ids(answer: Answer) -> tuple[str, str]:
            organization = field(answer, "Organization", dict)
            return field(organization, "Id", str), field(organization, "MasterAccountId", str)

        def read() -> tuple[str, str] | tuple[None, None]:
            try:
                return self.calls.one("organizations", "DescribeOrganization", ids)
            except ReadError as error:
                if error.code == "AWSOrganizationsNotInUseException":
                    return None, None
                raise

        return self.once("organization", read)

    # How questions are asked

    def side_by_side(self, read: Callable[[K], object], subjects: Iterable[K]) -> None:
        """Ask independent questions at the same time, to have the answers at hand.

        A question that fails, fails again for whoever asks it: nothing is raised here.
        """
        waiting = list(subjects)
        if len(waiting) < 2:
            return
        with ThreadPoolExecutor(max_workers=min(WORKERS, len(waiting))) as pool:
            for future in [pool.submit(read, subject) for subject in waiting]:
                future.exception()

    def _present(self, read: Callable[[K], T], subjects: Iterable[K]) -> tuple[T, ...]:
        waiting = list(subjects)
        self.side_by_side(read, waiting)
        found = []
        for subject in waiting:
            try:
                found.append(read(subject))
            except VanishedError:
                continue
        return tuple(found)

    def once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """The answer to `question`, asked with `ask` by the first who wants it; a failure is kept as well."""
        with self._lock:
            answer: Future[T] | None = self._answers.get(question)
            mine = answer is None
            if answer is None:
                answer = self._answers[question] = Future()
        if mine:
            try:
                answer.set_result(ask())
            except BaseException as error:  # noqa: BLE001 - kept for everyone who asks; raised below
                answer.set_exception(error)
        return answer.result()

    def _unless_gone(self, service: str, operation: str, parse: Callable[[Answer], T], **parameters: Any) -> T | None:
        try:
            return self.calls.one(service, operation, parse, **parameters)
        except ReadError as error:
            if _gone(error):
                return None
            raise


def _gone(error: ReadError) -> bool:
    # The operations on selections have another word for a plan that is not there.
    missing_plan = error.code == "InvalidParameterValueException" and "cannot find" in str(error).lower()
    return missing_plan or error.code == "ResourceNotFoundException"


def _text(item: object) -> str:
    if not isinstance(item, str):
        raise TypeError(f"{item!r} is no string")
    return item


def _db_instance(answer: Answer) -> Database:
    member = optional(answer, "DBClusterIdentifier", str) is not None
    return Database(
        resource=Resource(
            arn=field(answer, "DBInstanceArn", str),
            type=RDS_INSTANCE,
            tags=tags(optional(answer, "TagList", list) or []),
            config_id=field(answer, "DbiResourceId", str),
            cluster_member=member,
        ),
        identifier=field(answer, "DBInstanceIdentifier", str),
        **_windows(answer),
    )


def _db_cluster(answer: Answer) -> Database:
    return Database(
        resource=Resource(
            arn=field(answer, "DBClusterArn", str),
            type=cluster_type(field(answer, "Engine", str)),
            tags=tags(optional(answer, "TagList", list) or []),
            config_id=field(answer, "DbClusterResourceId", str),
        ),
        identifier=field(answer, "DBClusterIdentifier", str),
        **_windows(answer),
    )


def _windows(answer: Answer) -> dict[str, Any]:
    return {
        "engine": field(answer, "Engine", str),
        "backup_window": optional(answer, "PreferredBackupWindow", str),
        "maintenance_window": optional(answer, "PreferredMaintenanceWindow", str),
        "retention_days": optional(answer, "BackupRetentionPeriod", int),
        "continuous_by_backup": bool(optional(answer, "AwsBackupRecoveryPointArn", str)),
    }
