"""Which stacks make up a deployment, with which parameters, and in which order.

Phases follow one another; the stacks of one phase are made side by side. Roles come before what assumes them, functions
before the rules that invoke them, remediation documents before the pack that names them, and the home Region's
organization stack, which brings the member role, before the others'. What the settings do not ask for any more goes
last.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from backup_rules_cli.deploy import findings
from backup_rules_cli.deploy.artifacts import Artifacts, artifacts, template_key
from backup_rules_cli.deploy.aws import Access
from backup_rules_cli.deploy.settings import Settings, SettingsError
from backup_rules_cli.deploy.stacks import LONGEST_BODY, Stack, Step, surplus
from backup_rules_cli.deploy.templates import Template
from backup_rules_cli.package import Package
from backup_rules_cli.templates.rule_parameters import EXCLUDED_PLANS, frequency, prefix

ARTIFACTS, FUNCTIONS, INVOKE = "artifacts", "functions", "invoke-permissions"
KEPT_READS = "kept-reads"
MEMBER_ROLE, ORGANIZATION, SINGLE_ACCOUNT = "member-role", "organization", "single-account"
QUERIES, REMEDIATION = "queries", "remediation"
REMEDIATION_ROLE, REMEDIATION_DOCUMENTS = "remediation-role", "remediation-documents"
"""Stacks, in accounts that no StackSet reaches; elsewhere the StackSets, whose names are the same."""
PACK = "conformance-pack"

FILES = {FUNCTIONS: "rule-functions", ARTIFACTS: "artifact-bucket", **findings.FILES}
"""The templates that are not named like the stack's part."""

_HOSTED = frozenset({PACK, REMEDIATION_DOCUMENTS})
"""The templates that AWS reads from the bucket, whatever their length."""

MOST_NAMED = 4096 // 13
"""Accounts that the parameter of invoke-permissions.yaml can name: a value has 4,096 bytes, an id and its comma 13."""

_DNS_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}

Phase = tuple[Stack, ...]
Place = tuple[Access, str, str]
"""Access, Region, and the name of a stack or its part."""


def bucket_name(pack: str, access: Access, region: str) -> str:
    """What the bucket of code and templates is called.

    AWS's guide reads a pack's template with the credentials of whoever puts it; its examples, and the policy of AWS
    Config's service-linked role, know buckets of this beginning only. So it works either way:
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ConfigConformsServiceRolePolicy.html
    """
    own = hashlib.sha256(pack.encode()).hexdigest()[:8]  # a bucket's name has 63 characters at most
    return f"awsconfigconforms-{access.caller.account}-{region}-{own}"


def kept_reads_bucket(pack: str, access: Access, region: str) -> str:
    """What the bucket is called in which the functions keep what cannot change."""
    own = hashlib.sha256(pack.encode()).hexdigest()[:8]
    return f"backup-rules-reads-{access.caller.account}-{region}-{own}"


def document_parameters(settings: Settings) -> dict[str, str]:
    """What the stack of the remediation documents takes."""
    return {
        "DocumentNamePrefix": settings.remediation_document_prefix,
        "RuleNamePrefix": settings.rule_name_prefix,
    }


@dataclass(frozen=True)
class Rollout(ABC):
    """A pack on its way into AWS."""

    settings: Settings
    access: Access
    package: Package
    hub: Access
    """Security Hub's administrator account."""

    @cached_property
    def artifacts(self) -> Artifacts:
        """What is uploaded into each Region's bucket."""
        templates = {name: self.template(name) for name in self.templates}
        return artifacts(self.package, *(each for name, each in templates.items() if name in _HOSTED or _is_long(each)))

    @property
    @abstractmethod
    def templates(self) -> tuple[str, ...]:
        """The templates that AWS reads from the bucket, always or when they are long."""

    @property
    @abstractmethod
    def optional(self) -> tuple[Place, ...]:
        """Where parts are deployed under some settings, and not under others. What is not asked for goes last."""

    @property
    def optional_before(self) -> tuple[Place, ...]:
        """The same, of what must be gone before anything else is made."""
        return ()

    @abstractmethod
    def phases(self, buckets: Mapping[str, str]) -> tuple[Phase, ...]:
        """The stacks that follow the artifact buckets, whose names `buckets` gives by Region."""

    def template(self, name: str) -> Template:
        """A template of `cloudformation/`."""
        return Template.of(name)

    def buckets(self) -> Phase:
        """The stacks of the artifact buckets: the first phase."""
        return tuple(
            self.stack(ARTIFACTS, region, {"BucketName": bucket_name(self.settings.name, self.access, region)})
            for region in self.settings.regions
        )

    def stack(
        self, part: str, region: str, parameters: Mapping[str, str], bucket: str = "", access: Access | None = None
    ) -> Stack:
        """One stack of the pack.

        Raises:
            SettingsError: its template does not admit one of the parameters.
        """
        template = self.template(FILES.get(part, part))
        refusals = template.refusals(parameters)
        if refusals:
            raise SettingsError("\n".join(refusals))
        url = self.template_url(template, region, bucket) if bucket else ""
        name = self.settings.stack(part)
        return Stack(access or self.access, region, name, template, parameters, self.settings.tags, url)

    def template_url(self, template: Template, region: str, bucket: str) -> str:
        """Where CloudFormation reads a template in the bucket of a Region."""
        suffix = _DNS_SUFFIXES.get(self.access.caller.partition, "amazonaws.com")
        return f"https://{bucket}.s3.{region}.{suffix}/{template_key(template)}"

    def kept_reads(self) -> Phase:
        """The buckets in which the functions keep what cannot change."""
        settings = self.settings
        return tuple(
            self.stack(
                KEPT_READS,
                region,
                {
                    "BucketName": kept_reads_bucket(settings.name, self.access, region),
                    "FunctionRoleName": settings.function_role_name,
                },
            )
            for region in settings.regions
            if settings.keep_reads
        )

    def kept_reads_places(self) -> tuple[Place, ...]:
        """Where these are, if they are."""
        return tuple((self.access, region, KEPT_READS) for region in self.settings.regions)

    def findings(self, buckets: Mapping[str, str], organization: str = "") -> tuple[Phase, ...]:
        """What reads the event bus, and the bus before it; Security Hub's insights."""
        settings, regions = self.settings, self.settings.regions
        wanted = findings.central_parts(settings)
        bus = findings.bus_parameters(settings, organization)
        buses = tuple(self.stack(findings.EVENT_BUS, region, bus) for region in regions if wanted[findings.EVENT_BUS])
        readers = []
        for part in (findings.FORWARDER, findings.ALERTS):
            admitted = self.template(FILES[part]).defaults
            given = findings.reader_parameters(settings, part, organization)
            for region in regions if wanted[part] else ():
                code = {k: v for k, v in self.code_parameters(region, buckets[region]).items() if k in admitted}
                readers.append(self.stack(part, region, code | given))
        hub = findings.hub_parameters(settings)
        insights = [self.stack(findings.INSIGHTS, each, hub, access=self.hub) for each in settings.hub_regions]
        return tuple(phase for phase in (buses, (*readers, *insights)) if phase)

    def own_events(self, access: Access, organization: str = "") -> Phase:
        """What sends the events of an account that no StackSet reaches."""
        if not findings.needs_events(self.settings):
            return ()
        given = findings.sender_parameters(self.settings, self.access.caller.account, organization)
        return tuple(self.stack(findings.EVENTS, each, given, access=access) for each in self.settings.regions)

    def queries(self) -> Phase:
        """The stored queries: where the aggregator is, or would be."""
        settings = self.settings
        if not settings.queries:
            return ()
        given = {
            "QueryNamePrefix": settings.name,
            "RuleNamePrefix": settings.rule_name_prefix,
            "PackName": settings.name,
        }
        return (self.stack(QUERIES, settings.home, given),)

    def own_remediation(self, access: Access) -> Phase:
        """The role and the documents of an account that no StackSet reaches."""
        settings = self.settings
        if not settings.remediation:
            return ()
        name = {"RemediationRoleName": settings.remediation_role_name}
        prefixed = document_parameters(settings)
        return (
            self.stack(REMEDIATION_ROLE, settings.home, name, access=access),
            *(self.stack(REMEDIATION_DOCUMENTS, region, prefixed, access=access) for region in settings.regions),
        )

    def surplus(self, phases: Sequence[Phase], *, before: bool = False) -> tuple[Step, ...]:
        """The deletions of stacks that are there, and in none of the phases: of those that go `before`, or last.

        Raises:
            AwsCallError: one cannot be read.
        """
        wanted = {_place(stack.access, stack.region, stack.name) for phase in phases for stack in phase}
        others = [
            (access, region, self.settings.stack(part))
            for access, region, part in (self.optional_before if before else self.optional)
            if _place(access, region, self.settings.stack(part)) not in wanted
        ]
        return tuple(step for each in others if (step := surplus(*each)) is not None)

    def rule_parameters(self) -> dict[str, str]:
        """Of every rule its frequency, and the parameters that a person set; the home Region, where one asks for it."""
        settings, given = self.settings, {}
        for rule in settings.rules:
            given[frequency(rule.folder)] = rule.frequency
            given |= {f"{prefix(rule.folder)}{name}": value for name, value in settings.parameters_of(rule).items()}
        return given | self.excluded_plans()

    def excluded_plans(self) -> dict[str, str]:
        """The parameter for the plans that no rule reports, where there are some."""
        plans = ",".join(self.settings.excluded_plans)
        return {EXCLUDED_PLANS: plans} if plans else {}

    def code_parameters(self, region: str, bucket: str) -> dict[str, str]:
        """What every template with functions takes."""
        settings = self.settings
        given = {
            "CodeBucket": bucket,
            "CodePrefix": self.artifacts.code_prefix,
            "FunctionPrefix": f"{settings.name}-",
            "FunctionRoleName": settings.function_role_name,
            "LogRetentionDays": str(settings.log_retention_days),
            "LogKmsKeyArn": settings.log_kms_keys.get(region, ""),
            "AlarmTopicArn": settings.alarm_topics.get(region, ""),
            "Tracing": "Active" if settings.tracing else "PassThrough",
            "Architecture": settings.architecture,
            "PutEvaluations": settings.put,
            "RefreshDays": str(settings.refresh_days),
        }
        if settings.keep_reads:
            given["KeptReadsBucket"] = kept_reads_bucket(settings.name, self.access, region)
        if settings.reserved_concurrency is not None:
            given["ReservedConcurrency"] = str(settings.reserved_concurrency)
        return given


def own_remediation_places(access: Access, settings: Settings) -> tuple[Place, ...]:
    """Where role and documents of an account are that no StackSet reaches."""
    documents = ((access, region, REMEDIATION_DOCUMENTS) for region in settings.regions)
    return ((access, settings.home, REMEDIATION_ROLE), *documents)


def _place(access: Access, region: str, name: str) -> tuple[str, str, str]:
    return access.caller.account, region, name


def _is_long(template: Template) -> bool:
    return len(template.text.encode()) > LONGEST_BODY
