"""Which stacks bring a pack to the accounts of an organization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from backup_rules_cli.deploy import findings
from backup_rules_cli.deploy.artifacts import template_key
from backup_rules_cli.deploy.aws import Access
from backup_rules_cli.deploy.organization import Organization, Reach
from backup_rules_cli.deploy.rollout import (
    FILES,
    FUNCTIONS,
    INVOKE,
    MEMBER_ROLE,
    MOST_NAMED,
    ORGANIZATION,
    PACK,
    QUERIES,
    REMEDIATION,
    REMEDIATION_DOCUMENTS,
    Phase,
    Place,
    Rollout,
    document_parameters,
    own_remediation_places,
)
from backup_rules_cli.deploy.settings import ACCOUNTS, NARROWEST, OPEN, SettingsError
from backup_rules_cli.deploy.stacks import Stack
from backup_rules_cli.deploy.templates import Template
from backup_rules_cli.templates import HEADER
from backup_rules_cli.templates.conformance_pack import PackedRule, conformance_pack
from backup_rules_cli.templates.remediation.pack import Deployment, pack_text
from backup_rules_cli.templates.rule_parameters import frequency
from backup_rules_cli.templates.yaml_text import yaml_text


@dataclass(frozen=True)
class OrganizationRollout(Rollout):
    """A pack on its way to the accounts of an organization. `management` reaches the management account."""

    organization: Organization
    reach: Reach
    management: Access | None
    without_recorder: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Accounts that are reached, and left out of a Region's pack as they have no recorder there; by Region."""

    @property
    def templates(self) -> tuple[str, ...]:
        documents = (REMEDIATION_DOCUMENTS,) if self.settings.remediation else ()
        return (PACK, FILES[FUNCTIONS], INVOKE, MEMBER_ROLE, ORGANIZATION, REMEDIATION, *documents)

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
        senders = [each for each in (self.management,) if each is not None]
        own = (
            (self.access, home, QUERIES),
            *((self.access, region, REMEDIATION) for region in regions),
            *self.kept_reads_places(),
        )
        own += findings.places(self.access, self.hub, senders, self.settings)
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
        functions = tuple(self._functions(region, buckets[region]) for region in settings.regions)
        phases: list[Phase] = [self.kept_reads(), functions]
        if self.invoke_permission != OPEN:
            phases.append(tuple(self._invoke_permissions(region, buckets[region]) for region in settings.regions))
        phases += self.findings(buckets, self.organization.id)
        phases.append(self._in_management() + self._remediation(buckets) + self._events())
        phases.append((self._organization(settings.home, buckets), *self.queries()))
        phases.append(tuple(self._organization(region, buckets) for region in settings.regions[1:]))
        return tuple(phase for phase in phases if phase)

    def _functions(self, region: str, bucket: str) -> Stack:
        given = self.code_parameters(region, bucket) | {
            "MemberRoleName": self.settings.member_role_name,
            "OrganizationId": self.organization.id,
            "InvokePermission": "Open" if self.invoke_permission == OPEN else "Managed",
            "CheckOrganizationInCode": truth(self.settings.check_organization_in_code),
        }
        return self.stack(FUNCTIONS, region, given | self._frequencies(), bucket)

    def _invoke_permissions(self, region: str, bucket: str) -> Stack:
        settings = self.settings
        given = {
            "FunctionPrefix": f"{settings.name}-",
            "OrganizationId": self.organization.id,
            "UseSourceOrganization": truth(self.invoke_permission != ACCOUNTS),
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
        events = self.own_events(self.management, self.organization.id)
        return (self.stack(MEMBER_ROLE, self.settings.home, parameters, access=self.management), *remediation, *events)

    def _events(self) -> Phase:
        if not findings.needs_events(self.settings):
            return ()
        given = {
            "PackName": self.settings.name,
            **self._stack_set_parameters(),
            **findings.sender_parameters(self.settings, self.access.caller.account, self.organization.id),
        }
        return tuple(self.stack(findings.EVENTS_EVERYWHERE, region, given) for region in self.settings.regions)

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
                    "CreateRole": truth(region == settings.home),
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
            "DeployerRoleArn": self.settings.deployer_role_arn,
        }

    def _organization(self, region: str, buckets: Mapping[str, str]) -> Stack:
        settings, caller = self.settings, self.access.caller
        is_home = region == settings.home
        functions = f"arn:{caller.partition}:lambda:{region}:{caller.account}:function:{settings.name}-"
        given = {
            "PackName": settings.name,
            "PackTemplateUri": f"s3://{buckets[region]}/{template_key(self.template(PACK))}",
            "FunctionArnPrefix": functions,
            "ExcludedAccounts": ",".join((*self.reach.excluded, *self.without_recorder.get(region, ()))),
            **self._stack_set_parameters(),
            "CreateMemberRole": truth(is_home),
            "CreateAggregator": truth(is_home and settings.aggregator),
            **self._member_role_parameters(),
            **self.excluded_plans(),
        }
        return self.stack(ORGANIZATION, region, given, buckets[region])


def truth(value: bool) -> str:  # noqa: FBT001 - a plain conversion
    """As templates spell it."""
    return "true" if value else "false"
