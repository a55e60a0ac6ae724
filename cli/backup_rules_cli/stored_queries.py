"""The pack's stored queries for AWS Config's advanced query, and the template that deploys them.

`make templates` writes the template to `cloudformation/queries.yaml`; `backup_rules_cli.queries` runs the same
expressions and reads the answers.

The language limits what a query can say (https://docs.aws.amazon.com/config/latest/developerguide/querying-AWS-resources.html):
no FROM, AS or HAVING, wildcards at the end only, and a condition on a list holds when any element meets it. So
"this rule, and NON_COMPLIANT" cannot be asked of one element of `configRuleList`: the queries about resources answer
the whole list, and who reads it must look for an element that is both. The queries about packs need not: every rule in
their lists is the pack's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

from backup_rules_cli.catalogue import RuleFolder, rule_folders

QUERY_PREFIX = "backup-config-rules"
PACK_NAME = "backup-config-rules"
PACK_COMPLIANCE = "AWS::Config::ConformancePackCompliance"
RESOURCE_COMPLIANCE = "AWS::Config::ResourceCompliance"
MAX_EXPRESSION = 4096
MAX_NAME = 64
MAX_PREFIX = 40
"""Characters before the query's own name, so that both fit a name."""

_READ_THE_LIST = "Those with an element in configRuleList that has a rule of the pack and NON_COMPLIANT."
_IN_PLANS = "('AWS::Backup::BackupPlan', 'AWS::Backup::BackupSelection')"
_IN_ALL_BUT_RESOURCES = "('AWS::Backup::BackupPlan', 'AWS::Backup::BackupSelection', 'AWS::::Account')"


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """A question, and the expression that answers it, in which `${RuleNamePrefix}` and `${PackName}` are open."""

    name: str
    question: str
    template: str
    reading: str = ""
    """How to read the answer, where it needs telling."""
    about_packs: bool = False
    """It reads the compliance of packs, one row a pack, instead of that of resources."""

    @property
    def logical_id(self) -> str:
        """Its name in the template."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    @property
    def reads(self) -> str:
        """The type of items that it reads: what a recorder must record."""
        return PACK_COMPLIANCE if self.about_packs else RESOURCE_COMPLIANCE

    @property
    def description(self) -> str:
        """What the console shows beside its name."""
        return f"{self.question} {self.reading}".strip()

    def expression(self, *, rule_name_prefix: str = "", pack_name: str = PACK_NAME) -> str:
        """The expression for one deployment of the pack."""
        return Template(self.template).substitute(RuleNamePrefix=rule_name_prefix, PackName=pack_name)


def stored_queries(folders: Sequence[RuleFolder] | None = None) -> tuple[StoredQuery, ...]:
    """All queries, for these rules or for all of the pack."""
    rules = folders if folders is not None else rule_folders()
    return (
        StoredQuery(
            "accounts",
            "Which accounts have problems, and in how many Regions?",
            _about_packs("accountId, COUNT(*)", failing=True, end="GROUP BY accountId"),
            about_packs=True,
        ),
        StoredQuery(
            "causes",
            "Which rules fail, in which account and Region?",
            _about_packs("accountId, awsRegion, resourceName, configuration.configRuleList", failing=True),
            "Those in configRuleList with NON_COMPLIANT.",
            about_packs=True,
        ),
        StoredQuery(
            "packs",
            "Where is the pack, and what is its compliance there?",
            _about_packs("accountId, awsRegion, resourceName, configuration.complianceType"),
            about_packs=True,
        ),
        StoredQuery(
            "findings", "What stops backups, in all accounts and Regions?", _about_resources(rules), _READ_THE_LIST
        ),
        StoredQuery(
            "plans-and-selections",
            "Which plans and selections have problems?",
            _about_resources(rules, f"configuration.targetResourceType IN {_IN_PLANS}"),
            _READ_THE_LIST,
        ),
        StoredQuery(
            "resources",
            "Which databases, volumes, tables and other resources are missed?",
            _about_resources(rules, f"NOT configuration.targetResourceType IN {_IN_ALL_BUT_RESOURCES}"),
            _READ_THE_LIST,
        ),
    )


def _about_packs(selected: str, *, failing: bool = False, end: str = "ORDER BY accountId") -> str:
    # Config names the pack of an organization's pack in each account `OrgConformsPack-<name>-<8 characters>`.
    conditions = [
        f"resourceType = '{PACK_COMPLIANCE}'",
        "(resourceName LIKE 'OrgConformsPack-${PackName}-%' OR resourceName = '${PackName}')",
        *(["configuration.complianceType = 'NON_COMPLIANT'"] if failing else []),
    ]
    return _select(selected, conditions, end)


def _about_resources(folders: Sequence[RuleFolder], *conditions: str) -> str:
    # Not LIKE 'backup-%': the names of AWS's own managed rules about backups begin so, too.
    names = "\n    OR ".join(
        f"configuration.configRuleList.configRuleName LIKE '${{RuleNamePrefix}}{folder.config_rule_name}%'"
        for folder in folders
    )
    return _select(
        "accountId, awsRegion, configuration.targetResourceType, configuration.targetResourceId,\n"
        "  configuration.configRuleList",
        [
            f"resourceType = '{RESOURCE_COMPLIANCE}'",
            "configuration.complianceType = 'NON_COMPLIANT'",
            *conditions,
            f"(\n    {names}\n  )",
        ],
        "ORDER BY accountId",
    )


def _select(selected: str, conditions: Sequence[str], end: str) -> str:
    return f"SELECT {selected}\nWHERE " + "\n  AND ".join(conditions) + f"\n{end}"


# --- The template ---------------------------------------------------------------------------------------------------

_HEAD = """\
# Made by `make templates` from the rules' metadata (rules/*/parameters.json): not to be edited by hand.
AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  Stored queries of AWS Config that answer, for an account or across an organization, which accounts, plans, selections
  and resources have problems that stop backups. Deploy it where the aggregator is. See docs/queries.md.
Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups:
      - Label: {{default: Names}}
        Parameters: [QueryNamePrefix, RuleNamePrefix, PackName]
Parameters:
  QueryNamePrefix:
    Type: String
    Default: {query_prefix}
    Description: The names of the queries begin with it, and a hyphen.
    AllowedPattern: "[a-zA-Z0-9-_]{{1,{max_prefix}}}"
    ConstraintDescription: 1 to {max_prefix} letters, digits, hyphens and underscores.
  RuleNamePrefix:
    Type: String
    Default: ""
    Description: The parameter RuleNamePrefix of the conformance pack, if it was given.
    # An underscore would be a wildcard.
    AllowedPattern: "[a-zA-Z0-9-]{{0,8}}"
    ConstraintDescription: At most 8 letters, digits and hyphens.
  PackName:
    Type: String
    Default: {pack_name}
    Description: The name of the (organization) conformance pack.
    AllowedPattern: "[a-zA-Z][-a-zA-Z0-9]{{0,127}}"
    ConstraintDescription: At most 128 letters, digits and hyphens, a letter first.
Resources:
"""


def template(folders: Sequence[RuleFolder] | None = None) -> str:
    """The CloudFormation template that deploys the queries."""
    head = _HEAD.format(query_prefix=QUERY_PREFIX, pack_name=PACK_NAME, max_prefix=MAX_PREFIX)
    return head + "".join(_resource(each) for each in stored_queries(folders))


def _resource(query: StoredQuery) -> str:
    expression = "".join(f"        {line}\n" for line in query.template.splitlines())
    return (
        f"  {query.logical_id}:\n"
        "    Type: AWS::Config::StoredQuery\n"
        "    Properties:\n"
        f'      QueryName: !Sub "${{QueryNamePrefix}}-{query.name}"\n'
        f"      QueryDescription: {query.description}\n"
        "      QueryExpression: !Sub |-\n"
        f"{expression}"
    )
