"""`backup-rules query`."""

from __future__ import annotations

from dataclasses import asdict

import click

from backup_rules.aws.clients import CLIENT_CONFIG
from backup_rules_cli import console, options
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.errors import PROBLEMS, WELL, CommandError
from backup_rules_cli.places import regions_of, session_of
from backup_rules_cli.queries import (
    Collected,
    RuleNames,
    account_names,
    asked_of,
    failing,
    findings,
    findings_table,
    pack_rows,
    packs_table,
)
from backup_rules_cli.stored_queries import PACK_NAME, stored_queries

_QUERIES = ("accounts", "causes", "packs", "findings", "plans-and-selections", "resources")


@click.command(
    epilog=options.examples(
        "backup-rules query --profile audit --region eu-west-1 --aggregator backup-config-rules",
        "backup-rules query --profile payments --region eu-west-1 --query causes",
        "backup-rules query --query resources --show",
    )
)
@options.profile_option
@options.region_option("Region of the aggregator, or to ask about; without, the profile's.")
@click.option("--aggregator", default="", metavar="NAME", help="The aggregator; without, the account and Region alone.")
@click.option("--query", "name", type=click.Choice(_QUERIES), default="findings", show_default=True)
@click.option("--pack-name", default=PACK_NAME, show_default=True, help="Name of the conformance pack.")
@click.option("--rule-prefix", default="", help="The pack's parameter RuleNamePrefix, if it was given.")
@options.format_option("json")
@click.option("--annotations/--no-annotations", default=True, help="Read the sentences too.", show_default=True)
@click.option("--show", is_flag=True, help="Print the expression, ask nothing.")
def query(
    profile: str,
    regions: tuple[str, ...],
    aggregator: str,
    name: str,
    pack_name: str,
    rule_prefix: str,
    output: str,
    annotations: bool,
    show: bool,
) -> int:
    """Ask AWS Config what the pack found, in an account or across an organization.

    Exit status: 0 nothing was found, 1 problems were found, 2 AWS Config could not be asked.
    """
    folders = rule_folders()
    chosen = next(each for each in stored_queries(folders) if each.name == name)
    expression = chosen.expression(rule_name_prefix=rule_prefix, pack_name=pack_name)
    if show:
        console.show(expression.splitlines())
        return WELL
    if len(regions) > 1:
        raise CommandError(f"One Region can be asked, not {', '.join(regions)}: name an aggregator that collects them.")
    session = session_of(profile, *regions_of(profile, regions))
    client = session.client("config", config=CLIENT_CONFIG)
    asked = asked_of(session, client, aggregator)
    collected = Collected(client, aggregator)
    rows = collected.rows(chosen, expression, asked)
    names = RuleNames(folders, rule_prefix)
    found = [] if chosen.about_packs else findings(rows, names)
    if annotations:
        found = collected.with_annotations(found)
    packs = pack_rows(rows, names, pack_name) if chosen.about_packs else []
    if output == "json":
        of = {"aggregator": aggregator} if aggregator else {"account": asked.account, "region": asked.region}
        told = packs if chosen.about_packs else [asdict(each) for each in found]
        console.show_json({"query": chosen.name, "question": chosen.question, "asked": of, "rows": told})
    else:
        if chosen.about_packs:
            console.show(packs_table(chosen, packs))
        else:
            about = {(each.account, each.region, each.resource_type, each.resource_id) for each in found}
            called = account_names(session) if aggregator else {}
            console.show(findings_table(found, len(rows) - len(about), called, console.width()))
        console.show(asked.narrowness())
    return PROBLEMS if found or failing(packs) else WELL
