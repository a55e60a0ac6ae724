"""The tables of `docs/cost-and-quotas.md`, and of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.costs.calls import Account, Invocation, calls, evaluations
from backup_rules_cli.costs.months import (
    OFF,
    Functions,
    Month,
    Prices,
    bill,
    month,
    months,
    recorded_items,
    seconds_to_work_off,
)

ORGANIZATIONS = (10, 100, 1_000, 10_000)


def rules_table(folders: Sequence[RuleFolder], account: Account, frequencies: Mapping[str, str] | None = None) -> str:
    """A row per rule: what a scheduled run does, and what a month brings, changes included."""
    rows = [
        "| Rule | AWS calls of a run | Evaluations of a run | Invocations a month | Evaluations a month |",
        "|---|---:|---:|---:|---:|",
    ]
    chosen = frequencies or {}
    for folder in folders:
        invocation, whole = Invocation(account), month(folder, account, chosen.get(folder.name))
        rows.append(
            f"| {folder.name} | {calls(folder, invocation).total()} | {evaluations(folder, invocation)} |"
            f" {whole.invocations:,} | {whole.evaluations:,} |"
        )
    whole = months(folders, account, chosen)
    rows.append(f"| **all** | | | **{whole.invocations:,}** | **{whole.evaluations:,}** |")
    return "\n".join(rows)


def services_table(whole: Month) -> str:
    """The AWS calls of a month by service."""
    rows = ["| Service | AWS calls a month |", "|---|---:|"]
    rows += [f"| {service} | {count:,} |" for service, count in sorted(whole.calls_by_service.items())]
    return "\n".join([*rows, f"| **all** | **{whole.calls.total():,}** |"])


def organizations_table(  # noqa: PLR0913 - the inputs of the formula, told apart by name
    folders: Sequence[RuleFolder],
    account: Account,
    *,
    accounts: Iterable[int],
    regions: int = 1,
    frequencies: Mapping[str, str] | None = None,
    prices: Prices | None = None,
    functions: Functions | None = None,
) -> str:
    """A row per size of organization: what a month brings and costs."""
    prices, functions, chosen = prices or Prices(), functions or Functions(), frequencies or {}
    rows = [
        "| Accounts | Invocations | Evaluations | AWS calls | Findings | Config | Lambda | Items | Total | At once |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    one = months(folders, account, chosen)
    active = sum(chosen.get(folder.name) != OFF for folder in folders)
    for number in accounts:
        places = number * regions
        whole, items = one * places, recorded_items(account) * places
        cost = bill(whole, items, prices, functions)
        rows.append(
            f"| {number:,} | {whole.invocations:,} | {whole.evaluations:,} | {whole.calls.total():,} |"
            f" {account.compliance_changes * places:,} | ${cost.config:,.2f} | ${cost.functions:,.2f} |"
            f" ${cost.items:,.2f} | ${cost.total:,.2f} | {seconds_to_work_off(active, number, functions):,.1f} s |"
        )
    return "\n".join(rows)


def page_parts(folders: Sequence[RuleFolder]) -> dict[str, str]:
    """The generated parts of the page by the names of their marks."""
    account = Account()
    return {
        "rules": rules_table(folders, account),
        "services": services_table(months(folders, account, {})),
        "organizations": organizations_table(folders, account, accounts=ORGANIZATIONS),
    }


def with_parts(page: str, parts: Mapping[str, str]) -> str:
    """`page` with each part between its two marks.

    Raises:
        ValueError: when a mark is missing.
    """
    for name, part in parts.items():
        begin, end = (
            f"<!-- {name}: made by `make docs` -->",
            f"<!-- end of {name} -->",
        )
        if begin not in page or end not in page:
            raise ValueError(f"The page lacks the marks {begin!r} and {end!r}, between which a table belongs.")
        before, rest = page.split(begin, 1)
        page = f"{before}{begin}\n{part}\n{end}{rest.split(end, 1)[1]}"
    return page
