"""What a deployment would do, in words, before it does it: stacks, uploads, roles, accounts."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backup_rules.evaluation.renewal import ALL, CHANGES
from backup_rules_cli.costs.counts import Account
from backup_rules_cli.costs.months import Functions, Prices, bill, months, recorded_items
from backup_rules_cli.deploy.failed_packs import FailedPack
from backup_rules_cli.deploy.findings import EVENTS
from backup_rules_cli.deploy.organization_rollout import OrganizationRollout
from backup_rules_cli.deploy.rollout import MEMBER_ROLE, ORGANIZATION, REMEDIATION_ROLE, Rollout
from backup_rules_cli.deploy.settings import ACCOUNTS, OPEN, Settings
from backup_rules_cli.deploy.stacks import Change, Step
from backup_rules_cli.deploy.templates import Resource, Role, roles
from backup_rules_cli.deploy.words import counted
from backup_rules_cli.rules_page import HOURS

WIDTH = 100
_SHOWN = 10

_ANY_ACCOUNT = "<account>"
"""Stands for the account in which a role is made, where there are many."""


@dataclass(frozen=True)
class Plan:
    """A rollout, what each of its stacks needs, and what its Regions' buckets lack."""

    rollout: Rollout
    steps: tuple[Step, ...]
    uploads: Mapping[str, Mapping[str, bytes]]
    failed: tuple[FailedPack, ...] = ()
    """Packs that are put again."""

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        steps = any(step.change is not Change.LEAVE for step in self.steps)
        return steps or any(self.uploads.values()) or bool(self.failed)

    def lines(self) -> Iterator[str]:
        """The plan for a person, in 100 columns."""
        yield from self._head()
        yield from self._regions()
        yield from self._roles()

    def _head(self) -> Iterator[str]:
        rollout, settings, caller = self.rollout, self.rollout.settings, self.rollout.access.caller
        yield f"{settings.name} in account {caller.account}, as {caller.arn}"
        yield "─" * WIDTH
        if isinstance(rollout, OrganizationRollout):
            yield from _reached(rollout)
            yield from self._left_behind(rollout)
        yield from _rules(settings)
        yield from _estimate(settings, len(rollout.reach.accounts) if isinstance(rollout, OrganizationRollout) else 1)
        if settings.keep_reads:
            yield from _wrapped(
                "Kept reads: what cannot change of plans and selections (names, tags and ARNs of every account reached)"
                f" lies in a private bucket of account {caller.account} in each Region. See SECURITY.md.",
                0,
            )
        if settings.remediation:
            yield "Remediation: documents that a person may start for some findings; nothing starts by itself."
        yield from _carried_on(settings, self.rollout.hub.caller.account if settings.security_hub else "")
        yield ""

    def _left_behind(self, rollout: OrganizationRollout) -> Iterator[str]:
        """The accounts that the pack has reached so far, and will reach no longer."""
        for step in self.steps:
            if step.stack.name == rollout.settings.stack(ORGANIZATION) and step.live:
                before = step.live.parameters.get("ExcludedAccounts", "").split(",")
                lost = [rollout.organization.named(each) for each in rollout.reach.excluded if each not in before]
                yield from _listing(f"No longer reached in {step.stack.region}, where its verdicts go", lost)

    def _regions(self) -> Iterator[str]:
        for region in self.rollout.settings.regions:
            yield region + (" (home Region)" if region == self.rollout.settings.home else "")
            for step in self.steps:
                if step.stack.region == region:
                    yield from self._stack(step)
            for each in self.failed:
                if each.region == region:
                    yield from _wrapped(f"put again  the pack, which failed in {each.text}", 2)
            objects = self.uploads[region]
            size = sum(map(len, objects.values()))
            yield f"  upload  {counted(len(objects), 'file')}, {size:,} bytes" if objects else "  upload  nothing"
            yield ""

    def _stack(self, step: Step) -> Iterator[str]:
        stack = step.stack
        account = stack.access.caller.account
        elsewhere = f"  in account {account}" if account != self.rollout.access.caller.account else ""
        yield f"  {step.change.value}  {stack.name}{elsewhere}"
        for text in step.differences:
            yield from _wrapped(text, 10)
        if step.change in (Change.CREATE, Change.REPLACE):
            counts = Counter(resource.type for resource in self._resources(step))
            text = ", ".join(f"{count} {kind.removeprefix('AWS::')}" for kind, count in sorted(counts.items()))
            yield from _wrapped(text, 10)

    def _resources(self, step: Step) -> list[Resource]:
        member = step.stack.name in map(self.rollout.settings.stack, (MEMBER_ROLE, REMEDIATION_ROLE, EVENTS))
        pseudo = self._pseudo(step, _ANY_ACCOUNT if member else step.stack.access.caller.account)
        return step.stack.template.resources(step.stack.parameters, pseudo)

    def _pseudo(self, step: Step, account: str) -> dict[str, str]:
        caller = step.stack.access.caller
        return {
            "AWS::AccountId": account,
            "AWS::Partition": caller.partition,
            "AWS::Region": step.stack.region,
            "AWS::StackName": step.stack.name,
            "AWS::URLSuffix": "amazonaws.com.cn" if caller.partition == "aws-cn" else "amazonaws.com",
        }

    def _roles(self) -> Iterator[str]:
        found: dict[Role, list[str]] = {}
        for step in self.steps:
            if not step.brings_template:
                continue
            for resource in self._resources(step):
                everywhere = resource.type == "AWS::CloudFormation::StackSet"
                where = "in every account reached" if everywhere else f"in account {step.stack.access.caller.account}"
                for role in roles([resource], self._pseudo(step, _ANY_ACCOUNT)):
                    found.setdefault(role, []).append(where)
        if found:
            yield "Roles, who may assume them, and what they may do"
        for role, places in found.items():
            yield f"  {role.name}  {' and '.join(places)}"
            for text in role.trusted:
                yield from _wrapped(f"assumed by {text}", 6)
            for text in (*role.actions, *(f"the AWS managed policy {name}" for name in role.managed)):
                yield from _wrapped(f"may {text}", 6)
        if found:
            yield ""


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _reached(rollout: OrganizationRollout) -> Iterator[str]:
    organization, reach, settings = rollout.organization, rollout.reach, rollout.settings
    targets = ", ".join(settings.targets) or "the whole organization"
    yield f"Organization {organization.id}, {targets}: {counted(len(reach.accounts), 'account')} reached"
    yield from _listing("Reached", [organization.named(each) for each in reach.accounts])
    yield from _listing("Not reached", [organization.named(each) for each in reach.excluded])
    if organization.management in reach.excluded and rollout.management is None:
        yield from _wrapped(
            f"The management account {organization.management} is left out: no StackSet reaches it. To include it,"
            " name a profile of it with --management-profile.",
            2,
        )
    for region, accounts in rollout.without_recorder.items():
        names = [organization.named(each) for each in accounts]
        yield from _listing(f"Left out of {region}, as nothing is recorded there", names)
    if not settings.skip_accounts_without_recorder:
        yield from _wrapped(
            "Each account needs a running recorder of AWS Config in each Region. Only the own account's was looked at;"
            " where one is missing, the pack fails in that account, and verify says so.",
            2,
        )
    yield f"  {_INVOKE[rollout.invoke_permission]}"
    if rollout.invoke_permission == ACCOUNTS and not settings.invoke_accounts:
        yield "  Deploy again when an account joins: its rules may not invoke them until then; verify tells."


def _estimate(settings: Settings, accounts: int) -> Iterator[str]:
    """What a month costs where every account is an ordinary one, with all evaluations and with changes only."""
    folders, frequencies = [rule.folder for rule in settings.rules_on], settings.frequencies
    account, places = Account(), accounts * len(settings.regions)
    told = []
    for put, days in ((ALL, None), (CHANGES, settings.refresh_days)):
        whole = months(folders, account, frequencies, days) * places
        cost = bill(whole, recorded_items(account) * places, Prices(), Functions()).total
        chosen = " (chosen)" if put == settings.put else ""
        told.append(f"put: {put}{chosen} {whole.evaluations:,} evaluations, ${cost:,.2f}")
    yield from _wrapped(
        f"A month, if every account is like the ordinary one of docs/cost-and-quotas.md: {'; '.join(told)}."
        " For accounts like yours: backup-rules costs.",
        0,
    )


_INVOKE = {
    OPEN: "AWS Config may invoke the functions for any account; they can read accounts of the organization only.",
    ACCOUNTS: "AWS Config may invoke the functions for accounts that are named one by one.",
    "organization": "AWS Config may invoke the functions for accounts of the organization (aws:SourceOrgID).",
}


def _carried_on(settings: Settings, hub: str) -> Iterator[str]:
    if settings.security_hub:
        what = "findings with reason and remedy" if settings.forwards else "AWS Config's own findings"
        where = ", ".join(settings.hub_regions)
        yield f"Security Hub: {what}; insights and automation rules in account {hub}, {where}"
    if settings.alerts:
        yield f"Alerts: {settings.alert_schedule}, to {settings.alert_email or 'who subscribes to the topic'}"


def _listing(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        yield from _wrapped(f"{title}: {', '.join(names[:_SHOWN])}{more}", 2)


def _rules(settings: Settings) -> Iterator[str]:
    off = [rule.folder.name for rule in settings.rules if not rule.is_on]
    yield f"Rules: {len(settings.rules_on)}" + (f"; off: {len(off)}" if off else "")
    for rule in settings.rules_on:
        given = "".join(f"  {name}={value}" for name, value in settings.parameters_of(rule).items())
        yield f"  {rule.folder.name:<32}every {HOURS[rule.frequency]}{given}"
    for name in off:
        yield f"  {name:<32}off"
    if settings.excluded_plans:
        yield from _wrapped(f"Plans that no rule reports: {', '.join(settings.excluded_plans)}", 0)
    if settings.not_excluded:
        yield "Reported all the same, though the exclusions name it:"
    for text in settings.not_excluded:
        yield from _wrapped(text, 2)
