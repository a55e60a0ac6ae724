"""`make templates`: the CloudFormation templates and the conformance pack, made from the rules' metadata.

A new rule folder appears in all of them; nothing else is edited.
"""

from __future__ import annotations

from collections.abc import Sequence

from backup_rules_cli import stored_queries
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates import remediation, security_hub
from backup_rules_cli.templates.conformance_pack import at_defaults, conformance_pack
from backup_rules_cli.templates.invoke_permissions import invoke_permissions
from backup_rules_cli.templates.member_role import member_role
from backup_rules_cli.templates.organization import organization
from backup_rules_cli.templates.rule_functions import rule_functions
from backup_rules_cli.templates.single_account import single_account
from backup_rules_cli.templates.yaml_text import yaml_text

HEADER = "Made by `make templates` from the rules' metadata (rules/*/parameters.json): not to be edited by hand."


def templates(rules: Sequence[RuleFolder]) -> dict[str, str]:
    """The text of each generated template, by file name."""
    role = yaml_text(member_role(rules), HEADER)
    made = {
        "conformance-pack.yaml": conformance_pack(at_defaults(rules)),
        "invoke-permissions.yaml": invoke_permissions(rules),
        "organization.yaml": organization(role),
        "rule-functions.yaml": rule_functions(rules),
        "single-account.yaml": single_account(rules),
    }
    return {
        "member-role.yaml": role,
        "queries.yaml": stored_queries.template(rules),
        **{name: yaml_text(template, HEADER) for name, template in made.items()},
        **security_hub.templates(rules, HEADER),
        **remediation.remediation_templates(rules),
    }
