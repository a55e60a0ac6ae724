"""What the remediation templates share: names, and the parameters that must agree."""

from __future__ import annotations

from backup_rules_cli.templates.declarations import text

REMEDIATION_ROLE_NAME = "BackupConfigRulesRemediationRole"
REMEDIATION_DOCUMENT_PREFIX = "BackupConfigRules-"

DOCUMENT_PREFIX = r"(?!(?i:aws|amazon|amzn))[a-zA-Z0-9_.-]{3,60}"
"""What a prefix of documents may be. AWS keeps some names for its own:
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
"""
DOCUMENT_PREFIX_IN_WORDS = "3 to 60 letters, digits, '.', '-' or '_'"

ROLE_NAME_PARAMETER = {
    "RemediationRoleName": text(
        "The name of the role. The conformance pack names it: both must agree.",
        REMEDIATION_ROLE_NAME,
        pattern="^[a-zA-Z0-9+=,.@_-]{1,64}$",
        constraint="is the name of a role, without path.",
    )
}
DOCUMENT_NAME_PREFIX = {
    "DocumentNamePrefix": text(
        "What the names of the documents begin with. The conformance pack names them: both must agree.",
        REMEDIATION_DOCUMENT_PREFIX,
        pattern="^[a-zA-Z0-9_.-]{3,60}$",
        constraint="has 3 to 60 letters, digits, dots, hyphens and underscores.",
    )
}
RULE_NAME_PREFIX = {
    "RuleNamePrefix": text(
        "What the names of the pack's Config rules begin with: the documents believe evaluations of these only.",
        "",
        pattern="^[a-z0-9-]{0,8}$",
        constraint="must have at most 8 lower-case letters, digits and hyphens.",
    )
}
