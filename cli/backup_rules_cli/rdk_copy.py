"""`backup-rules rdk-rules`: the rule folders as RDK deploys them, parameters set, in a folder to work in.

RDK takes parameters from `parameters.json` only, rewrites that file without what it does not know, and leaves zips and
Terraform files in the rule folders. So that `rules/` stays as it is, RDK works in a copy of each rule's code and
metadata.

* A parameter that is given stands among the copy's `InputParameters`; an optional one that is not given is left out.
* With `--periodic-only` the copies have no `SourceEvents`: what RDK 1.0.0 exports to Terraform gives a rule that has
  both kinds of trigger two resources with one name.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from backup_rules_cli.catalogue import RULES, RuleFolder, rule_folders
from backup_rules_cli.errors import CommandError
from backup_rules_cli.options import parameters_by_rule

DESTINATION = Path("build/rdk")


def copy_rules(
    destination: Path,
    parameters: Mapping[str, str] | None = None,
    *,
    periodic_only: bool = False,
    folders: Sequence[RuleFolder] | None = None,
) -> tuple[Path, ...]:
    """Write the copies, in place of earlier ones of the pack's rules; returns them.

    Args:
        destination: the folder to work in; what else is in it stays, rules of others among it.
        parameters: rule parameters; each goes to the rules that have it, and must fit one at least.
        periodic_only: leave the change triggers out.
        folders: the rules to copy; all when left out.

    Raises:
        CommandError: no rule has a parameter of that name, or a value is not allowed; or the folder is where the rules
            are, or leads there. Nothing is written.
    """
    folders = rule_folders() if folders is None else folders
    given = parameters_by_rule(parameters or {}, folders)
    written = {folder: _metadata(folder, given[folder.name], periodic_only=periodic_only) for folder in folders}
    earlier = [destination / folder.name for folder in rule_folders()]
    source = RULES.resolve()
    if any(each.resolve().is_relative_to(source) or each.is_symlink() for each in (destination, *earlier)):
        raise CommandError(f"{destination} is where the rules themselves are, or has links: name another folder.")
    for old in earlier:
        if old.exists():
            shutil.rmtree(old)
    for folder, metadata in written.items():
        copy = destination / folder.name
        copy.mkdir(parents=True)
        shutil.copy(folder.path / f"{folder.name}.py", copy)
        (copy / "parameters.json").write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    return tuple(destination / folder.name for folder in written)


def _metadata(folder: RuleFolder, given: Mapping[str, str], *, periodic_only: bool) -> dict[str, object]:
    """The copy's `parameters.json`."""
    values = {**folder.defaults, **given}
    parameters = folder.metadata | {"InputParameters": json.dumps(values), "OptionalParameters": "{}"}
    if periodic_only:
        parameters.pop("SourceEvents", None)
    return {"Version": "1.0", "Parameters": parameters, "Tags": "[]"}
