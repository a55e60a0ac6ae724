"""The optional remediation: Automation documents, the role that they assume, and a conformance pack that names them."""

from __future__ import annotations

from collections.abc import Sequence

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.conformance_pack import at_defaults
from backup_rules_cli.templates.remediation.documents import documents_template
from backup_rules_cli.templates.remediation.pack import HEADER, Deployment, pack_text
from backup_rules_cli.templates.remediation.role import role_template, stack_sets_template
from backup_rules_cli.templates.yaml_text import yaml_text


def remediation_templates(rules: Sequence[RuleFolder]) -> dict[str, str]:
    """The text of each committed template, by file name; the pack names an example's management account."""
    role = yaml_text(role_template(), HEADER)
    return {
        "conformance-pack-with-remediation.yaml": pack_text(at_defaults(rules), Deployment()),
        "remediation.yaml": yaml_text(stack_sets_template(role), HEADER),
        "remediation-documents.yaml": yaml_text(documents_template(), HEADER),
        "remediation-role.yaml": role,
    }
