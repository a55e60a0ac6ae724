"""What a person can choose about a deployment. One file is one pack; several files are several packs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backup_rules.evaluation.renewal import ALL, REFRESH_DAYS
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.errors import CommandError
from backup_rules_cli.templates.names import FUNCTION_ROLE_NAME, MEMBER_ROLE_NAME, PACK_NAME
from backup_rules_cli.templates.remediation.names import REMEDIATION_DOCUMENT_PREFIX, REMEDIATION_ROLE_NAME
from backup_rules_cli.templates.rule_parameters import OFF, own_parameters

OPEN, ORGANIZATION, ACCOUNTS, NARROWEST = "open", "organization", "accounts", ""
"""Who may invoke the functions. The narrowest that works: accounts, where the partition has it and all can be named."""

BUILT_IN, FORWARDER = "built-in", "forwarder"
"""What Security Hub shows: AWS Config's own findings, or the forwarder's, with reason and remedy."""

HOME_REGION = "HomeRegion"


class SettingsError(CommandError, ValueError):
    """A setting is unknown, or its value not allowed. Names the file, the key, the value and what is allowed."""


@dataclass(frozen=True)
class RuleSettings:
    """How one rule runs. `frequency` is one of `FREQUENCIES`, or `OFF`; `parameters` are those that were set."""

    folder: RuleFolder
    frequency: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_on(self) -> bool:
        """Whether the rule is part of the pack."""
        return self.frequency != OFF


@dataclass(frozen=True)
class Settings:
    """One pack. `regions` begin with the home Region, which holds what is needed once: the member role's StackSet."""

    regions: tuple[str, ...]
    rules: tuple[RuleSettings, ...]
    name: str = PACK_NAME
    targets: tuple[str, ...] = ()
    """Ids of organizational units; none stands for the whole organization."""
    excluded_accounts: tuple[str, ...] = ()
    skip_accounts_without_recorder: bool = False
    deployer_role_arn: str = ""
    """The role that deploys, if it may ask AWS Config in each account through the member role."""
    excluded_plans: tuple[str, ...] = ()
    not_excluded: tuple[str, ...] = ()
    """What an exclusions file names and the pack reports all the same, each with the reason."""
    member_role_name: str = MEMBER_ROLE_NAME
    function_role_name: str = FUNCTION_ROLE_NAME
    rule_name_prefix: str = ""
    log_retention_days: int = 30
    log_kms_keys: Mapping[str, str] = field(default_factory=dict)
    alarm_topics: Mapping[str, str] = field(default_factory=dict)
    tracing: bool = False
    reserved_concurrency: int | None = None
    """Of each function; None leaves the account's common pool."""
    architecture: str = "arm64"
    put: str = ALL
    """What periodic runs put: all evaluations, or changes, and everything every `refresh_days`."""
    refresh_days: int = REFRESH_DAYS
    keep_reads: bool = True
    """Whether the functions keep what cannot change of plans and selections."""
    invoke_permission: str = NARROWEST
    invoke_accounts: tuple[str, ...] = ()
    check_organization_in_code: bool = False
    aggregator: bool = False
    queries: bool = True
    remediation: bool = False
    remediation_role_name: str = REMEDIATION_ROLE_NAME
    remediation_document_prefix: str = REMEDIATION_DOCUMENT_PREFIX
    security_hub: str = ""
    """What is brought to Security Hub: nothing, `BUILT_IN` or `FORWARDER`."""
    security_hub_region: str = ""
    """Security Hub's home Region, one of `regions`, where its Regions are linked."""
    alerts: bool = False
    alert_email: str = ""
    alert_schedule: str = "rate(15 minutes)"
    rule_pages_url: str = ""
    findings_role_name: str = "BackupConfigRulesFindingsRole"
    forwarder_role_name: str = "BackupConfigRulesForwarder"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        """The first Region."""
        return self.regions[0]

    @property
    def forwards(self) -> bool:
        """Whether findings with reason and remedy are imported into Security Hub."""
        return self.security_hub == FORWARDER

    @property
    def hub_regions(self) -> tuple[str, ...]:
        """Where Security Hub gets insights and automation rules; none without it."""
        if not self.security_hub:
            return ()
        return (self.security_hub_region,) if self.security_hub_region else self.regions

    @property
    def rules_on(self) -> tuple[RuleSettings, ...]:
        """The rules that the pack has."""
        return tuple(rule for rule in self.rules if rule.is_on)

    @property
    def frequencies(self) -> dict[str, str]:
        """How often each rule of the pack runs, by its name."""
        return {rule.folder.name: rule.frequency for rule in self.rules_on}

    def parameters_of(self, rule: RuleSettings) -> dict[str, str]:
        """The rule's parameters that were set, and the home Region for one that reports in one Region of an account."""
        homes = {each.key: self.home for each in own_parameters(rule.folder) if each.key == HOME_REGION}
        return {**homes, **rule.parameters}

    def stack(self, part: str) -> str:
        """The name of a stack of this pack: `functions`, `organization`, …"""
        return f"{self.name}-{part}"

    def function(self, rule: RuleFolder) -> str:
        """The name of the rule's Lambda function."""
        return f"{self.name}-{rule.config_rule_name}"
