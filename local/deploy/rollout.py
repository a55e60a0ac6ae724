"""Which stacks make up a deployment, with which parameters, and in which order.

Phases follow one another; the stacks of one phase are made side by side. Roles come before what assumes them, functions
before the rules that invoke them, and the home Region's organization stack, which brings the member role, before the
others'.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from local.deploy.artifacts import Artifacts, artifacts, template_key
from local.deploy.aws import Access
from local.deploy.organization import Organization, Reach
from local.deploy.settings import ACCOUNTS, OPEN, Settings, SettingsError
from local.deploy.stacks import LONGEST_BODY, Stack
from local.deploy.templates import Template
from local.package import Package
from local.templates.rule_parameters import frequency, prefix

ARTIFACTS, FUNCTIONS, INVOKE = "artifacts", "functions", "invoke-permissions"
MEMBER_ROLE, ORGANIZATION, SINGLE_ACCOUNT = "member-role", "organization", "single-account"
PACK = "conformance-pack"

_FILES = {FUNCTIONS: "rule-functions", ARTIFACTS: "artifact-bucket"}
"""The templates that are not named like the stack's part."""

_DNS_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}

Phase = tuple[Stack, ...]


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
        return artifacts(self.package, *(each for name, each in templates.items() if name == PACK or _is_long(each)))

    @property
    @abstractmethod
    def templates(self) -> tuple[str, ...]:
        """The templates that AWS reads from the bucket, always or when they are long."""

    @abstractmethod
    def phases(self, buckets: Mapping[str, str]) -> tuple[Phase, ...]:
        """The stacks that follow the artifact buckets, whose names `buckets` gives by Region."""

    def template(self, name: str) -> Template:
        """A template of `cloudformation/`."""
        return Template.of(name)

    def buckets(self) -> Phase:
        """The stacks of the artifact buckets: the first phase."""
        return tuple(self.stack(ARTIFACTS, region, {}) for region in self.settings.regions)

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
        suffix = _DNS_SUFFIXES.get(self.access.caller.partition, "amazonaws.com")
        url = f"https://{bucket}.s3.{region}.{suffix}/{template_key(template)}" if bucket else ""
        name = self.settings.stack(part)
        return Stack(access or self.access, region, name, template, parameters, self.settings.tags, url)

    def rule_parameters(self) -> dict[str, str]:
        """Of every rule its frequency, and the parameters that a person set."""
        given = {}
        for rule in self.settings.rules:
            given[frequency(rule.folder)] = rule.frequency
            given |= {f"{prefix(rule.folder)}{name}": value for name, value in rule.parameters.items()}
        if self.settings.excluded_plans:
            given["ExcludedPlans"] = ",".join(self.settings.excluded_plans)
        return given

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
        return PACK, _FILES[FUNCTIONS], INVOKE, MEMBER_ROLE, ORGANIZATION

    def phases(self, buckets: Mapping[str, str]) -> tuple[Phase, ...]:
        settings = self.settings
        phases: list[Phase] = [tuple(self._functions(region, buckets[region]) for region in settings.regions)]
        if settings.invoke_permission != OPEN:
            phases.append(tuple(self._invoke_permissions(region, buckets[region]) for region in settings.regions))
        if self.reach.management_role:
            phases.append((self._management_role(),))
        phases.append((self._organization(settings.home, buckets),))
        phases.append(tuple(self._organization(region, buckets) for region in settings.regions[1:]))
        return tuple(phase for phase in phases if phase)

    def _functions(self, region: str, bucket: str) -> Stack:
        given = self.code_parameters(region, bucket) | {
            "MemberRoleName": self.settings.member_role_name,
            "OrganizationId": self.organization.id,
            "InvokePermission": "Open" if self.settings.invoke_permission == OPEN else "Managed",
        }
        return self.stack(FUNCTIONS, region, given | self._frequencies(), bucket)

    def _invoke_permissions(self, region: str, bucket: str) -> Stack:
        settings = self.settings
        given = {
            "FunctionPrefix": f"{settings.name}-",
            "OrganizationId": self.organization.id,
            "UseSourceOrganization": _truth(settings.invoke_permission != ACCOUNTS),
            **self._frequencies(),
        }
        if settings.invoke_permission == ACCOUNTS:
            given["MemberAccountIds"] = ",".join(settings.invoke_accounts or self.reach.accounts)
        return self.stack(INVOKE, region, given, bucket)

    def _frequencies(self) -> dict[str, str]:
        return {frequency(rule.folder): rule.frequency for rule in self.settings.rules}

    def _management_role(self) -> Stack:
        parameters = self._member_role_parameters()
        return self.stack(MEMBER_ROLE, self.settings.home, parameters, access=self.management)

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
            "RuleNamePrefix": settings.rule_name_prefix,
            "TargetIds": ",".join(settings.targets or (self.organization.root,)),
            "ExcludedAccounts": ",".join(self.reach.excluded),
            "CallAs": "SELF" if caller.account == self.organization.management else "DELEGATED_ADMIN",
            "CreateMemberRole": _truth(is_home),
            "CreateAggregator": _truth(is_home and settings.aggregator),
            **self._member_role_parameters(),
            **self.rule_parameters(),
        }
        return self.stack(ORGANIZATION, region, given, buckets[region])


@dataclass(frozen=True)
class SingleAccountRollout(Rollout):
    """A pack on its way into the account and Regions of the caller, without an organization."""

    @property
    def templates(self) -> tuple[str, ...]:
        return (SINGLE_ACCOUNT,)

    def phases(self, buckets: Mapping[str, str]) -> tuple[Phase, ...]:
        return (tuple(self._single_account(region, buckets[region]) for region in self.settings.regions),)

    def _single_account(self, region: str, bucket: str) -> Stack:
        given = self.code_parameters(region, bucket) | self.rule_parameters()
        given["RuleNamePrefix"] = self.settings.rule_name_prefix
        return self.stack(SINGLE_ACCOUNT, region, given, bucket)


def _truth(value: bool) -> str:  # noqa: FBT001 - a plain conversion
    return "true" if value else "false"


def _is_long(template: Template) -> bool:
    return len(template.text.encode()) > LONGEST_BODY
