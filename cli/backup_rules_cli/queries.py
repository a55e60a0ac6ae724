"""What the pack found, across an organization, read where AWS Config has collected it.

Runs one of the stored queries (`backup_rules_cli.stored_queries`) over an aggregator, or over the account of the
profile, and prints what its rows say. A row about a resource lists all rules that judged it, and AWS Config answers it
even when the NON_COMPLIANT one is not the pack's: such rows are dropped here, and the annotations of the others read.
Only reads: config:SelectAggregateResourceConfig, config:GetAggregateComplianceDetailsByConfigRule and, for the names of
accounts, organizations:ListAccounts, which may be refused; without an aggregator config:SelectResourceConfig and
config:GetComplianceDetailsByConfigRule. config:DescribeConfigurationAggregators, which may be refused too, names the
aggregators that there are.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.aws.clients import CLIENT_CONFIG
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.console import columns_of, note, titled
from backup_rules_cli.errors import CommandError
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.reports import NON_COMPLIANT, evaluation_lines
from backup_rules_cli.stored_queries import StoredQuery

_PAGE = 100
_ACCOUNT, _REGION, _PACK, _RULE, _COMPLIANCE, _COUNT = (
    "accountId",
    "awsRegion",
    "resourceName",
    "rule",
    "complianceType",
    "COUNT(*)",
)

_NOT_RECORDED = (
    "AWS Config has recorded nothing of type {}, so there is no telling whether there are problems. The recorder of"
    " each account must record that type, and rules must have run."
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A resource that a rule of the pack found NON_COMPLIANT. `config_rule` is the rule's full name in AWS Config."""

    account: str
    region: str
    resource_type: str
    resource_id: str
    rule: str
    config_rule: str
    annotation: str = ""


class RuleNames:
    """The names under which AWS Config knows the rules of the pack in an account.

    A rule of a conformance pack has 27 more characters: `backup-tag-case-conformance-pack-n0q8yfwsp`.
    """

    def __init__(self, folders: Sequence[RuleFolder], prefix: str = "") -> None:
        """`prefix` is the pack's parameter RuleNamePrefix."""
        self._folders = {f"{prefix}{folder.config_rule_name}": folder.name for folder in folders}

    def rule(self, config_rule: str) -> str | None:
        """The rule of the pack behind a name, or None when it is somebody else's."""
        return self._folders.get(re.sub(r"-conformance-pack-[a-z0-9]+$", "", config_rule))


def findings(rows: Sequence[Row], names: RuleNames) -> list[Finding]:
    """What the rows about resources say of the pack's rules; none for a row whose NON_COMPLIANT rule is another."""
    found = []
    for row in rows:
        configuration = row["configuration"]
        for element in configuration["configRuleList"]:
            rule = names.rule(element["configRuleName"])
            if rule and element["complianceType"] == NON_COMPLIANT:
                found.append(
                    Finding(
                        account=row[_ACCOUNT],
                        region=row[_REGION],
                        resource_type=configuration["targetResourceType"],
                        resource_id=configuration["targetResourceId"],
                        rule=rule,
                        config_rule=element["configRuleName"],
                    )
                )
    return sorted(found, key=lambda each: (each.account, each.region, each.rule, each.resource_type, each.resource_id))


def pack_rows(rows: Sequence[Row], names: RuleNames, pack_name: str) -> list[dict[str, Any]]:
    """The rows about packs without those of packs whose names only begin alike; a row a failing rule, if asked for."""
    exact = re.compile(rf"(OrgConformsPack-)?{re.escape(pack_name)}(?(1)-[A-Za-z0-9]{{8}})")
    flat = []
    for row in rows:
        if _PACK in row and not exact.fullmatch(row[_PACK]):
            continue
        place = {key: row[key] for key in (_ACCOUNT, _REGION, _PACK, _COUNT) if key in row}
        configuration = row.get("configuration", {})
        if _COMPLIANCE in configuration:
            place[_COMPLIANCE] = configuration[_COMPLIANCE]
        if "configRuleList" not in configuration:
            flat.append(place)
            continue
        for element in configuration["configRuleList"]:
            rule = names.rule(element["configRuleName"])
            if rule and element["complianceType"] == NON_COMPLIANT:
                flat.append(place | {_RULE: rule})
    return sorted(flat, key=lambda row: [str(row.get(key, "")) for key in (_ACCOUNT, _REGION, _RULE, _PACK)])


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom the answer is from: an aggregator, or one account and Region alone (`aggregator` empty)."""

    account: str
    region: str
    aggregator: str
    aggregators: tuple[str, ...] | None
    """Those of the account and Region; None where they may not be listed."""

    @property
    def where(self) -> str:
        """The account and Region, for a sentence."""
        return f"account {self.account}, {self.region}"

    @property
    def choice(self) -> str:
        """Which aggregators could be asked there, in a sentence."""
        if self.aggregators is None:
            return f"Which aggregators there are in {self.where} may not be listed."
        if self.aggregators:
            return f"Aggregators in {self.where}: {', '.join(self.aggregators)}."
        return (
            f"There is no aggregator in {self.where}; `aggregator: true` in the settings of the deployment makes one in"
            " its home Region."
        )

    def narrowness(self) -> Iterator[str]:
        """What the answer leaves out where no aggregator was asked: the others may have problems all the same."""
        if not self.aggregator:
            yield f"Asked was {self.where} alone, and no other account or Region. {self.choice}"


def asked_of(session: boto3.Session, client: Any, aggregator: str) -> Asked:
    """Whom the session asks.

    Raises:
        BotoCoreError, ClientError: it has no valid credentials.
    """
    account = session.client("sts", config=CLIENT_CONFIG).get_caller_identity()["Account"]
    names: tuple[str, ...] | None
    try:
        pages = client.get_paginator("describe_configuration_aggregators").paginate()
        found = (each["ConfigurationAggregatorName"] for page in pages for each in page["ConfigurationAggregators"])
        names = tuple(sorted(found))
    except ClientError:
        names = None
    return Asked(account, client.meta.region_name, aggregator, names)


class Collected:
    """What AWS Config has collected: under an aggregator, or of the one account and Region of the client."""

    def __init__(self, client: Any, aggregator: str = "") -> None:
        """`client` is boto3's for `config`."""
        self._client = client
        self._aggregator = {"ConfigurationAggregatorName": aggregator} if aggregator else {}

    def select(self, expression: str) -> list[Row]:
        """All rows of the answer, page by page.

        Raises:
            ClientError: AWS Config refuses, or the aggregator does not exist.
        """
        operation = self._client.select_aggregate_resource_config if self._aggregator else None
        operation = operation or self._client.select_resource_config
        asked = {"Expression": expression, "Limit": _PAGE, **self._aggregator}
        rows: list[Row] = []
        while True:
            answer = operation(**asked)
            rows += [json.loads(row) for row in answer["Results"]]
            if not answer.get("NextToken"):
                return rows
            asked["NextToken"] = answer["NextToken"]

    def rows(self, query: StoredQuery, expression: str, asked: Asked) -> list[Row]:
        """What the query answers.

        Raises:
            ClientError: AWS Config refuses.
            CommandError: there is no such aggregator, or nothing was recorded that could be answered.
        """
        try:
            rows = self.select(expression)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchConfigurationAggregatorException":
                raise CommandError(f"There is no aggregator {asked.aggregator!r}. {asked.choice}") from None
            raise
        if not rows and not self.has(query.reads):
            raise CommandError("\n".join((_NOT_RECORDED.format(query.reads), *asked.narrowness())))
        return rows

    def has(self, resource_type: str) -> bool:
        """Whether any item of the type was recorded.

        Raises:
            ClientError: AWS Config refuses.
        """
        return any(row[_COUNT] for row in self.select(f"SELECT {_COUNT} WHERE resourceType = '{resource_type}'"))

    def with_annotations(self, found: Sequence[Finding]) -> list[Finding]:
        """The findings with their annotations, read once for each rule in each account and Region.

        One without any has been evaluated anew meanwhile.

        Raises:
            ClientError: AWS Config refuses.
        """
        annotated = []
        for (account, region, config_rule), group in groupby(sorted(found, key=_rule_in_place), key=_rule_in_place):
            texts = self._annotations(account, region, config_rule)
            annotated += [
                replace(each, annotation=texts.get((each.resource_type, each.resource_id), "")) for each in group
            ]
        return sorted(annotated, key=lambda each: (each.account, each.region, each.rule, each.resource_type))

    def _annotations(self, account: str, region: str, config_rule: str) -> dict[tuple[str, str], str]:
        place: dict[str, Any]
        if self._aggregator:
            name, results = "get_aggregate_compliance_details_by_config_rule", "AggregateEvaluationResults"
            place = {"AccountId": account, "AwsRegion": region, "ComplianceType": NON_COMPLIANT, **self._aggregator}
        else:
            name, results = "get_compliance_details_by_config_rule", "EvaluationResults"
            place = {"ComplianceTypes": [NON_COMPLIANT]}
        pages = self._client.get_paginator(name).paginate(ConfigRuleName=config_rule, **place)
        texts = {}
        for result in (each for page in pages for each in page[results]):
            qualifier = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
            texts[qualifier["ResourceType"], qualifier["ResourceId"]] = result.get("Annotation", "")
        return texts


def _rule_in_place(found: Finding) -> tuple[str, str, str]:
    return found.account, found.region, found.config_rule


# --- What is printed -------------------------------------------------------------------------------------------------


def account_names(session: boto3.Session) -> dict[str, str]:
    """Names of the organization's accounts by id; none where they may not be listed, which is told."""
    try:
        pages = session.client("organizations", config=CLIENT_CONFIG).get_paginator("list_accounts").paginate()
        return {account["Id"]: account["Name"] for page in pages for account in page["Accounts"]}
    except (BotoCoreError, ClientError) as error:
        note(f"query: accounts are shown without their names: {error}")
        return {}


def findings_table(found: Sequence[Finding], others: int, names: Mapping[str, str], columns: int) -> Iterator[str]:
    """The findings in lines. `others`: resources that only rules of others find NON_COMPLIANT; `names` of accounts."""
    called = {each.account: f"{names.get(each.account, 'account')} ({each.account})" for each in found}
    for (account, region), group in groupby(found, key=lambda each: (each.account, each.region)):
        here = list(group)
        title, tally = f"{called[account]}  {region}", f"{len(here)} {NON_COMPLIANT}"
        yield from titled(title, tally, columns)
        for each in here:
            yield from evaluation_lines(
                Evaluated(
                    rule=each.rule,
                    account=account,
                    region=region,
                    resource_type=each.resource_type,
                    resource_id=each.resource_id,
                    compliance=NON_COMPLIANT,
                    annotation=each.annotation,
                ),
                columns,
            )
        yield ""
    yield from _tally("Account", Counter(called[each.account] for each in found))
    yield from _tally("Rule", Counter(each.rule for each in found))
    about = {(each.account, each.region, each.resource_type, each.resource_id) for each in found}
    yield f"{_count(len(found), 'finding')} about {_count(len(about), 'resource')}."
    if others:
        yield f"Left out: {_count(others, 'resource')} that only rules of others find {NON_COMPLIANT}."


def _tally(title: str, counts: Counter[str]) -> Iterator[str]:
    if counts:
        width = max(33, *map(len, counts)) + 1
        yield f"{title:<{width}}{NON_COMPLIANT:>16}"
        yield from (f"{name:<{width}}{number:>16}" for name, number in counts.most_common())
        yield ""


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def packs_table(query: StoredQuery, rows: Sequence[Row]) -> Iterator[str]:
    """The rows about packs in lines, in columns as wide as what they hold."""
    yield query.question
    columns = [key for key in _TITLES if rows and key in rows[0]]
    table = [[_TITLES[key] for key in columns], *([str(row[key]) for key in columns] for row in rows)]
    yield from columns_of(table) if rows else ()
    yield f"{_count(len(rows), 'row')}."


def failing(rows: Sequence[Row]) -> bool:
    """Whether any of the rows about packs tells of a problem."""
    return any(row.get(_COMPLIANCE, NON_COMPLIANT) == NON_COMPLIANT for row in rows)


_TITLES = {
    _ACCOUNT: "Account",
    _REGION: "Region",
    _RULE: "Rule",
    _COMPLIANCE: "Compliance",
    _COUNT: "Regions with problems",
    _PACK: "Pack",
}
"""The columns about packs, in their order."""
