"""What the pack says about an account, in the words of the AWS Config console.

The demo organization is simulated in memory: every rule's real Lambda handler gets the events that AWS Config would
send, per account and Region, and its stored evaluations are read back through the Config API. A real account is judged
by the same rules, read-only; nothing is put.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby

from backup_rules.arns import Place
from backup_rules.aws.account import Account
from backup_rules.aws.backup import plan_summaries, selections_of
from backup_rules.aws.calls import Calls
from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import BackupRulesError, ReadError
from backup_rules.plans.plans import PlanSummary
from backup_rules.selections.picking import SelectionSummary
from backup_rules_cli.answers.judging import JudgedAccount, Parameters
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.console import progress, results_only
from backup_rules_cli.errors import CommandError
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.reports import Failure, Report
from backup_rules_cli.sources import Readable, Sources, more_than_demo, of_demo
from backup_rules_cli.targets import side_by_side


def evaluate_demo(
    folders: Sequence[RuleFolder], parameters: Parameters, accounts: int = 0, *, quiet: bool, named: bool = False
) -> Report:
    """Every rule's handler, for every account and Region of the simulated organization. `named`: read names as well."""
    # The simulator is needed for this only, and takes a second to import.
    from aws_simulator.core import config  # noqa: PLC0415
    from demo_organization.accounts import ACCOUNTS, SECURITY  # noqa: PLC0415

    more = more_than_demo(accounts)
    with progress(more + len(ACCOUNTS) + 1, shown=not quiet) as step, of_demo(more, step) as sources:
        config.install(require_functions=False)
        report = Report(sources.called, sources.now, sources.names)
        for account, readable in groupby(sources.found, key=lambda each: each.place.account):
            step(sources.names[account])
            for each in readable:
                _judge_place(folders, parameters, each.place, SECURITY.id, sources.now, report)
                if named:
                    _name_things(Account(Calls(each.place, each.clients)), report)
    return report


def _name_things(account: Account, report: Report) -> None:
    """Note the names of the plans and selections of the account. What cannot be read stays without."""
    where = account.place.account, account.place.region
    with contextlib.suppress(ReadError), gaps_noticed():
        plans = plan_summaries(account)
        report.things |= {(*where, plan.id): (plan.name, "") for plan in plans}
        for each in selections_of(account, plans):
            report.things[*where, f"{each.id}_{each.plan_id}"] = each.plan_name, each.name


def _judge_place(  # noqa: PLR0913, PLR0917 - one account and Region, and what to judge it by
    folders: Sequence[RuleFolder],
    parameters: Parameters,
    place: Place,
    central: str,
    now: datetime,
    report: Report,
) -> None:
    from aws_simulator.core.accounts import account_session  # noqa: PLC0415
    from aws_simulator.core.config import result_token  # noqa: PLC0415
    from backup_rules_cli.invoke import Caller, invoke, put_rule, read_back  # noqa: PLC0415

    session = account_session(place.account, place.region)
    for folder in folders:
        put_rule(folder, session, central, place)
        token = result_token(place.account, place.region, folder.config_rule_name)
        caller = Caller(place, token, now)
        try:
            with results_only():
                invoke(folder, caller, parameters[folder.name])
        except BackupRulesError as error:
            report.failures.append(Failure(folder.name, place.account, place.region, str(error)))
        report.evaluated += read_back(folder, session, place)


def evaluate_sources(
    sources: Sources,
    folders: Sequence[RuleFolder],
    parameters: Parameters,
    *,
    quiet: bool,
    beside: Callable[[JudgedAccount], object] | None = None,
) -> Report:
    """Every rule, for every account and Region of these, side by side. Only read; nothing is put.

    Reads are shared between the rules. What cannot be read is told, and does not end the others. `beside` is called
    for each account after that.
    """
    for folder in folders:
        folder.module()  # imported here, not by several threads at once
    report = Report(sources.called, sources.now, sources.names, failures=list(sources.failures))
    with results_only(), progress(len(sources.found) * len(folders), shown=not quiet) as step:

        def judge(source: Readable) -> Report:
            part = Report(report.source, report.now, report.names)
            account = Account(Calls(source.place, source.clients))
            judged = JudgedAccount(account, folders, parameters, part.now, report.source)
            _report(judged, part, step)
            if beside is not None:
                beside(judged)
            return part

        for part in side_by_side(judge, sources.found, sources.side_by_side):
            if isinstance(part, CommandError):
                raise part
            report.evaluated += part.evaluated
            report.failures += part.failures
            report.things |= part.things
    return report


def _report(judged: JudgedAccount, report: Report, step: Callable[[str], None]) -> None:
    """Judge the account by every rule, into the report."""
    place = judged.place
    where = f"{report.names.get(place.account, place.account)}, {place.region}"
    for folder in judged.folders:
        step(f"{where}: {folder.name} ({sum(judged.account.calls.counts.values())} calls)")
        came = judged.judged(folder)
        if came.error is not None:
            report.failures.append(Failure(folder.name, place.account, place.region, str(came.error)))
        outcome = came.outcome
        for (resource_type, resource_id), failure in outcome.failures.items():
            told = f"{resource_type} {resource_id}: {failure}"
            report.failures.append(Failure(folder.name, place.account, place.region, told))
        for gap in dict.fromkeys(map(str, (*outcome.gaps, *outcome.unread))):
            report.failures.append(Failure(folder.name, place.account, place.region, gap))
        for each in outcome.verdicts:
            report.evaluated.append(
                Evaluated(folder.name, place.account, place.region, *each.subject.key, each.compliance, each.annotation)
            )
            thing = each.subject.of
            if isinstance(thing, PlanSummary):
                report.things[place.account, place.region, each.subject.resource_id] = thing.name, ""
            elif isinstance(thing, SelectionSummary):
                report.things[place.account, place.region, each.subject.resource_id] = thing.plan_name, thing.name
