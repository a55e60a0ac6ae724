"""`backup-rules remediation-pack`."""

from __future__ import annotations

import click

from backup_rules_cli import console, options
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.errors import WELL, CommandError
from backup_rules_cli.templates.conformance_pack import at_defaults
from backup_rules_cli.templates.remediation.names import REMEDIATION_DOCUMENT_PREFIX, REMEDIATION_ROLE_NAME
from backup_rules_cli.templates.remediation.pack import PARTITIONS, Deployment, pack_text


@click.command(
    epilog=options.examples(
        "backup-rules remediation-pack --management-account 111122223333 > remediation-pack.yaml",
    )
)
@click.option("--management-account", required=True, metavar="ID", help="The organization's management account.")
@click.option("--partition", type=click.Choice(PARTITIONS), default="aws", show_default=True)
@click.option("--role-name", default=REMEDIATION_ROLE_NAME, show_default=True)
@click.option("--document-prefix", default=REMEDIATION_DOCUMENT_PREFIX, show_default=True)
@click.option("--rule-name-prefix", default="", help="What the names of all Config rules begin with.")
def remediation_pack(
    management_account: str, partition: str, role_name: str, document_prefix: str, rule_name_prefix: str
) -> int:
    """Print the conformance pack that names the remediation documents. See docs/remediation.md."""
    try:
        deployment = Deployment(management_account, partition, role_name, document_prefix, rule_name_prefix)
        text = pack_text(at_defaults(rule_folders()), deployment)
    except ValueError as error:
        raise CommandError(str(error)) from None
    console.show(text.splitlines())
    return WELL
