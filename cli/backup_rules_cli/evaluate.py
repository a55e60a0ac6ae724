"""What the pack says about an account, in the words of the AWS Config console.

The demo organization is simulated in memory: every rule's real Lambda handler gets the events that AWS Config would
send, per account and Region, and its stored evaluations are read back through the Config API. A real account is judged
by the same rules, read-only; nothing is put.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backup_rules.arns import Place
from backup_rules.aws.account import Account
from backup_rules.aws.backup import plan_summaries, selections_of
from backup_rules.aws.calls import Calls
from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import BackupRulesError, ReadError
from backup_rules.plans.plans import PlanSummary
from backup_rules.selections.picking import SelectionSummary
from backup_rules_cli.answers.judging import JudgedAccount, Parameters
from backup_rules_cli.catalogue import RuleFolder, planted
from backup_rules_cli.console import progress, results_only
from backup_rules_cli.errors import CommandError
from backup_rules_cli.forks import can_fork, in_processes, processors
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.reports import Failure, Report
from backup_rules_cli.sources import Readable, Sources, more_than_demo
from backup_rules_cli.targets import SessionClients, side_by_side

if TYPE_CHECKING:
    from demo_organization import Account as Member

ACCOUNTS_A_PART = 20


def evaluate_demo(  # noqa: PLR0913 - what is judged, by what, and how
    folders: Sequence[RuleFolder],
    parameters: Parameters,
    accounts: int = 0,
    *,
    quiet: bool,
    named: bool = False,
    processes: int | None = None,
) -> Report:
    """Every rule's handler, for every account and Region of the simulated organization.

    A large one is judged part by part, in as many processes as there are processors. What is found is the same.

    Args:
        folders: the rules.
        parameters: what a person gave.
        accounts: how many accounts the organization has, where that is more than those that hold planted problems.
        quiet: without telling how far it is.
        named: read the names of plans and selections as well.
        processes: how many to use at most, in place of one for each processor.
    """
    # The simulator is needed for this only, and takes a second to import.
    from aws_simulator.core import config  # noqa: PLC0415
    from aws_simulator.core.accounts import kept_clients  # noqa: PLC0415
    from aws_simulator.simulation import simulated_aws  # noqa: PLC0415
    from demo_organization import grow, seed  # noqa: PLC0415
    from demo_organization.accounts import ACCOUNTS  # noqa: PLC0415

    now = datetime.now(UTC).replace(microsecond=0)
    more = more_than_demo(accounts)
    for folder in folders:
        folder.module()  # imported once, before there are several processes
    with simulated_aws(), kept_clients(), progress(more + len(ACCOUNTS) + 1, shown=not quiet) as step:
        config.install(require_functions=False)
        step("making an organization in memory")
        organization = seed(now, more, plants=planted(), filled=False)
        central = next(each.id for each in organization.accounts if each.role == "delegated administrator")
        members = organization.accounts
        report = Report("a simulated organization", now, {each.id: each.name for each in members})
        parts: list[tuple[Member, ...]] = [members[: len(ACCOUNTS)]]
        starts = range(len(ACCOUNTS), len(members), ACCOUNTS_A_PART)
        parts += [members[start : start + ACCOUNTS_A_PART] for start in starts]

        def judge(number: int) -> Report:
            """The accounts of a part. Those that were added are filled here, so that only a part is in memory."""
            if number:
                first = 1 + (number - 1) * ACCOUNTS_A_PART
                grow(range(first, first + len(parts[number])), now)
            part = Report(report.source, now, report.names)
            for account in parts[number]:
                if not apart:
                    step(account.name)
                _judge_account(folders, parameters, account, central, part, named=named)
            return part

        at_once = min(processes or processors(), len(parts)) if len(parts) > 2 and can_fork() else 1
        apart = at_once > 1
        found = in_processes(judge, len(parts), at_once) if apart else map(judge, range(len(parts)))
        for number, part in enumerate(found):
            for account in parts[number] if apart else ():
                step(account.name)
            report.evaluated += part.evaluated
            report.failures += part.failures
            report.things |= part.things
    return report


def _judge_account(  # noqa: PLR0913 - one account, and what to judge it by
    folders: Sequence[RuleFolder],
    parameters: Parameters,
    account: Member,
    central: str,
    report: Report,
    *,
    named: bool,
) -> None:
    from moto.utilities.utils import get_partition  # noqa: PLC0415

    from aws_simulator.core.accounts import account_session  # noqa: PLC0415

    for region in account.regions:
        place = Place(get_partition(region), account.id, region)
        _judge_place(folders, parameters, place, central, report.now, report)
        if named:
            clients = SessionClients(account_session(place.account, place.region))
            _name_things(Account(Calls(place, clients)), report)


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
    accounts: list[Account] = []
    with results_only(), progress(len(sources.found) * len(folders), shown=not quiet) as step:

        def judge(source: Readable) -> Report:
            part = Report(report.source, report.now, report.names)
            account = Account(Calls(source.place, source.clients, pace=source.pace))
            accounts.append(account)
            judged = JudgedAccount(account, folders, parameters, part.now, report.source)
            _report(judged, part, lambda what: step(f"{_calls(accounts)} calls, {what}"))
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


def _calls(accounts: Iterable[Account]) -> int:
    """How many calls were made, of all accounts together."""
    return sum(sum(tuple(each.calls.counts.values())) for each in accounts)


def _report(judged: JudgedAccount, report: Report, step: Callable[[str], None]) -> None:
    """Judge the account by every rule, into the report."""
    place = judged.place
    where = f"{report.names.get(place.account, place.account)}, {place.region}"
    for folder in judged.folders:
        step(f"{where}: {folder.name}")
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
