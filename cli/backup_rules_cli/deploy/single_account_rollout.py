"""Which stacks bring a pack to one account alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backup_rules_cli.deploy import findings
from backup_rules_cli.deploy.rollout import QUERIES, SINGLE_ACCOUNT, Phase, Place, Rollout, own_remediation_places
from backup_rules_cli.deploy.stacks import Stack


@dataclass(frozen=True)
class SingleAccountRollout(Rollout):
    """A pack on its way into the account and Regions of the caller, without an organization."""

    @property
    def templates(self) -> tuple[str, ...]:
        return (SINGLE_ACCOUNT,)

    @property
    def optional(self) -> tuple[Place, ...]:
        of_findings = findings.places(self.access, self.hub, [self.access], self.settings)
        remediation = own_remediation_places(self.access, self.settings)
        return ((self.access, self.settings.home, QUERIES), *remediation, *of_findings, *self.kept_reads_places())

    def phases(self, buckets: Mapping[str, str]) -> tuple[Phase, ...]:
        rules = tuple(self._single_account(region, buckets[region]) for region in self.settings.regions)
        phases = (self.kept_reads(), *self.findings(buckets), self.own_events(self.access), rules)
        return tuple(phase for phase in (*phases, self.queries() + self.own_remediation(self.access)) if phase)

    def _single_account(self, region: str, bucket: str) -> Stack:
        given = self.code_parameters(region, bucket) | self.rule_parameters()
        given["RuleNamePrefix"] = self.settings.rule_name_prefix
        return self.stack(SINGLE_ACCOUNT, region, given, bucket)
