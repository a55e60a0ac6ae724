"""`make templates`: the CloudFormation templates and the conformance pack, made from the rules' metadata.

A new rule folder appears in all of them; nothing else is edited.
"""

from __future__ import annotations

from collections.abc import Sequence

from local import stored_queries
from local.catalogue import RuleFolder
from local.templates import remediation, security_hub
from local.templates.conformance_pack import conformance_pack
from local.templates.invoke_permissions import invoke_permissions
from local.templates.member_role import member_role
from local.templates.organization import organization
from local.templates.rule_functions import rule_functions
from local.templates.single_account import single_account
from local.templates.yaml_text import yaml_text

HEADER = "Made by `make templates` from the rules' metadata (rules/*/parameters.json): not to be edited by hand."


def templates(rules: Sequence[RuleFolder]) -> dict[str, str]:
    """The text of each generated template, by file name."""
    role = yaml_text(member_role(rules), HEADER)
    made = {
        "conformance-pack.yaml": conformance_pack(rules),
        "invoke-permissions.yaml": invoke_permissions(rules),
        "organization.yaml": organization(rules, role),
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
