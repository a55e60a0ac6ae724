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

from backup_rules_cli.deploy.artifacts import Artifacts, artifacts, template_key
from backup_rules_cli.deploy.aws import Access
from backup_rules_cli.deploy.organization import Organization, Reach
from backup_rules_cli.deploy.settings import ACCOUNTS, NARROWEST, OPEN, Settings, SettingsError
from backup_rules_cli.deploy.stacks import LONGEST_BODY, Stack, Step, surplus
from backup_rules_cli.deploy.templates import Template
from backup_rules_cli.package import Package
from backup_rules_cli.templates import HEADER
from backup_rules_cli.templates.conformance_pack import PackedRule, conformance_pack
from backup_rules_cli.templates.remediation.pack import Deployment, pack_text
from backup_rules_cli.templates.rule_parameters import EXCLUDED_PLANS, frequency, prefix
from backup_rules_cli.templates.yaml_text import yaml_text

ARTIFACTS, FUNCTIONS, INVOKE = "artifacts", "functions", "invoke-permissions"
MEMBER_ROLE, ORGANIZATION, SINGLE_ACCOUNT = "member-role", "organization", "single-account"
QUERIES, REMEDIATION = "queries", "remediation"
REMEDIATION_ROLE, REMEDIATION_DOCUMENTS = "remediation-role", "remediation-documents"
"""Stacks, in accounts that no StackSet reaches; elsewhere the StackSets, whose names are the same."""
PACK = "conformance-pack"

_FILES = {FUNCTIONS: "rule-functions", ARTIFACTS: "artifact-bucket"}
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
        template = self.template(_FILES.get(part, part))
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
        }
        if settings.reserved_concurrency is not None:
            given["ReservedConcurrency"] = str(settings.reserved_concurrency)
        return given


@dataclass(frozen=True)
class OrganizationRollout(Rollout):
    """A pack on its way to the accounts of an organization. `management` reaches the management account."""

    organization: Organization
    reach: Reach
    management: Access | None

    @property
    def templates(self) -> tuple[str, ...]:
        documents = (REMEDIATION_DOCUMENTS,) if self.settings.remediation else ()
        return (PACK, _FILES[FUNCTIONS], INVOKE, MEMBER_ROLE, ORGANIZATION, REMEDIATION, *documents)

    @property
    def invoke_permission(self) -> str:
        """Who may invoke the functions, decided: `open`, `accounts` or `organization`."""
        chosen = self.settings.invoke_permission
        if chosen != NARROWEST:
            return chosen
        named = self.access.caller.partition == "aws" and len(self.reach.accounts) <= MOST_NAMED
        return ACCOUNTS if named else OPEN

    @property
    def optional(self) -> tuple[Place, ...]:
        home, regions = self.settings.home, self.settings.regions
        own = ((self.access, home, QUERIES), *((self.access, region, REMEDIATION) for region in regions))
        return own if self.management is None else own + own_remediation_places(self.management, self.settings)

    @property
    def optional_before(self) -> tuple[Place, ...]:
        """A function's policy goes whole with its stack: gone later, it takes the functions' own permission along."""
        return tuple((self.access, region, INVOKE) for region in self.settings.regions)

    def template(self, name: str) -> Template:
        return self._pack if name == PACK else super().template(name)

    @cached_property
    def _pack(self) -> Template:
        """The pack with what the settings say in plain text, as AWS Config takes no parameter for most of it."""
        settings = self.settings
        rules = [PackedRule(rule.folder, rule.frequency, settings.parameters_of(rule)) for rule in settings.rules_on]
        try:
            if not settings.remediation:
                return Template(yaml_text(conformance_pack(rules, settings.rule_name_prefix), HEADER))
            deployment = Deployment(
                self.organization.management,
                self.access.caller.partition,
                settings.remediation_role_name,
                settings.remediation_document_prefix,
                settings.rule_name_prefix,
            )
            return Template(pack_text(rules, deployment))
        except ValueError as error:
            raise SettingsError(str(error)) from None

    def phases(self, buckets: Mapping[str, str]) -> tuple[Phase, ...]:
        settings = self.settings
        phases: list[Phase] = [tuple(self._functions(region, buckets[region]) for region in settings.regions)]
        if self.invoke_permission != OPEN:
            phases.append(tuple(self._invoke_permissions(region, buckets[region]) for region in settings.regions))
        phases.append(self._in_management() + self._remediation(buckets))
        phases.append((self._organization(settings.home, buckets), *self.queries()))
        phases.append(tuple(self._organization(region, buckets) for region in settings.regions[1:]))
        return tuple(phase for phase in phases if phase)

    def _functions(self, region: str, bucket: str) -> Stack:
        given = self.code_parameters(region, bucket) | {
            "MemberRoleName": self.settings.member_role_name,
            "OrganizationId": self.organization.id,
            "InvokePermission": "Open" if self.invoke_permission == OPEN else "Managed",
            "CheckOrganizationInCode": _truth(self.settings.check_organization_in_code),
        }
        return self.stack(FUNCTIONS, region, given | self._frequencies(), bucket)

    def _invoke_permissions(self, region: str, bucket: str) -> Stack:
        settings = self.settings
        given = {
            "FunctionPrefix": f"{settings.name}-",
            "OrganizationId": self.organization.id,
            "UseSourceOrganization": _truth(self.invoke_permission != ACCOUNTS),
            **self._frequencies(),
        }
        if self.invoke_permission == ACCOUNTS:
            given["MemberAccountIds"] = ",".join(settings.invoke_accounts or self.reach.accounts)
        return self.stack(INVOKE, region, given, bucket)

    def _frequencies(self) -> dict[str, str]:
        return {frequency(rule.folder): rule.frequency for rule in self.settings.rules}

    def _in_management(self) -> Phase:
        """What StackSets bring to the other accounts: the member role where the pack reaches the management account.

        The remediation in any case: AWS Config wants its role there before the pack.
        https://docs.aws.amazon.com/config/latest/developerguide/cpack-prerequisites.html
        """
        if self.management is None:
            return ()
        remediation = self.own_remediation(self.management)
        if not self.reach.management_role:
            return remediation
        parameters = self._member_role_parameters()
        return (self.stack(MEMBER_ROLE, self.settings.home, parameters, access=self.management), *remediation)

    def _remediation(self, buckets: Mapping[str, str]) -> Phase:
        settings = self.settings
        if not settings.remediation:
            return ()
        documents = self.template(REMEDIATION_DOCUMENTS)
        given = {
            "PackName": settings.name,
            **self._stack_set_parameters(),
            "RemediationRoleName": settings.remediation_role_name,
            **document_parameters(settings),
        }
        return tuple(
            self.stack(
                REMEDIATION,
                region,
                given
                | {
                    "CreateRole": _truth(region == settings.home),
                    "DocumentsTemplateUrl": self.template_url(documents, region, buckets[region]),
                },
                buckets[region],
            )
            for region in settings.regions
        )

    def _stack_set_parameters(self) -> dict[str, str]:
        in_management = self.access.caller.account == self.organization.management
        return {
            "TargetIds": ",".join(self.settings.targets or (self.organization.root,)),
            "CallAs": "SELF" if in_management else "DELEGATED_ADMIN",
        }

    def _member_role_parameters(self) -> dict[str, str]:
        return {
            "MemberRoleName": self.settings.member_role_name,
            "CentralAccountId": self.access.caller.account,
            "FunctionRoleName": self.settings.function_role_name,
            "OrganizationId": self.organization.id,
        }

    def _organization(self, region: str, buckets: Mapping[str, str]) -> Stack:
        settings, caller = self.settings, self.access.caller
        is_home = region == settings.home
        functions = f"arn:{caller.partition}:lambda:{region}:{caller.account}:function:{settings.name}-"
        given = {
            "PackName": settings.name,
            "PackTemplateUri": f"s3://{buckets[region]}/{template_key(self.template(PACK))}",
            "FunctionArnPrefix": functions,
            "ExcludedAccounts": ",".join(self.reach.excluded),
            **self._stack_set_parameters(),
            "CreateMemberRole": _truth(is_home),
            "CreateAggregator": _truth(is_home and settings.aggregator),
            **self._member_role_parameters(),
            **self.excluded_plans(),
        }
        return self.stack(ORGANIZATION, region, given, buckets[region])


@dataclass(frozen=True)
class SingleAccountRollout(Rollout):
    """A pack on its way into the account and Regions of the caller, without an organization."""

    @property
    def templates(self) -> tuple[str, ...]:
        return (SINGLE_ACCOUNT,)

    @property
    def optional(self) -> tuple[Place, ...]:
        return ((self.access, self.settings.home, QUERIES), *own_remediation_places(self.access, self.settings))

    def phases(self, buckets: Mapping[str, str]) -> tuple[Phase, ...]:
        rules = tuple(self._single_account(region, buckets[region]) for region in self.settings.regions)
        return (rules, self.queries() + self.own_remediation(self.access))

    def _single_account(self, region: str, bucket: str) -> Stack:
        given = self.code_parameters(region, bucket) | self.rule_parameters()
        given["RuleNamePrefix"] = self.settings.rule_name_prefix
        return self.stack(SINGLE_ACCOUNT, region, given, bucket)


def _truth(value: bool) -> str:  # noqa: FBT001 - a plain conversion
    return "true" if value else "false"


def own_remediation_places(access: Access, settings: Settings) -> tuple[Place, ...]:
    """Where role and documents of an account are that no StackSet reaches."""
    documents = ((access, region, REMEDIATION_DOCUMENTS) for region in settings.regions)
    return ((access, settings.home, REMEDIATION_ROLE), *documents)


def _place(access: Access, region: str, name: str) -> tuple[str, str, str]:
    return access.caller.account, region, name


def _is_long(template: Template) -> bool:
    return len(template.text.encode()) > LONGEST_BODY
