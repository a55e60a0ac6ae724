"""AWS Backup as the rules read it: plans and their versions, selections, vaults, Region settings and jobs.

The API: https://docs.aws.amazon.com/aws-backup/latest/devguide/api-reference.html. Errors carry AWS's words where they
are known from its documentation or from what people quoted of its answers. Beside the API stand the functions for what
AWS makes itself and no call can: `add_plan` (plans of an organization's policy, of Amazon EFS), `add_backup_job` (jobs
that a schedule started), `set_last_execution`, `set_vault_state`, `set_supported_resource_types`.

What AWS is lenient about stays possible: schedules, windows, vault names of rules and ARNs of selections are stored as
given, and optional fields that a plan leaves out are missing from the answers too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.backup import urls
from moto.backup.models import BackupBackend
from moto.backup.responses import BackupResponse

from aws_simulator.core.backup import jobs, plans, selections, settings, tags, vaults
from aws_simulator.core.backup.jobs import add_backup_job
from aws_simulator.core.backup.plans import add_plan, remove_plan, set_last_execution
from aws_simulator.core.backup.selections import roles_checked
from aws_simulator.core.backup.settings import set_supported_resource_types
from aws_simulator.core.backup.state import OPT_IN_KEYS
from aws_simulator.core.backup.vaults import add_vault, set_vault_state
from aws_simulator.core.operations import implement

__all__ = [
    "OPT_IN_KEYS",
    "add_backup_job",
    "add_plan",
    "add_vault",
    "install",
    "remove_plan",
    "roles_checked",
    "set_last_execution",
    "set_supported_resource_types",
    "set_vault_state",
]


def install() -> None:
    """Puts these operations into moto's AWS Backup. Idempotent."""
    for module in (plans, selections, vaults, settings, jobs, tags):
        implement(BackupResponse, module.HANDLERS)
    # One pattern for all paths: the model's router tells the operations apart, also for plan ids with slashes, and
    # moto's server handles it where it drops the optional slash at the end of a more exact one.
    dispatch: Callable[..., Any] = BackupResponse.dispatch
    urls.url_paths["{0}/.*"] = dispatch
    setattr(BackupBackend, "iter_tagged_resources", tags.tagged_resources)  # noqa: B010 - mypy forbids assigning to a method
