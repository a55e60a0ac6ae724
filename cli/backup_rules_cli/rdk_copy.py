"""`python -m backup_rules_cli.rdk_copy`: the rule folders as RDK deploys them, parameters set, in a folder to work in.

RDK takes parameters from `parameters.json` only, rewrites that file without what it does not know, and leaves zips and
Terraform files in the rule folders. So that `rules/` stays as it is, RDK works in a copy of each rule's code and
metadata.

* A parameter that is given stands among the copy's `InputParameters`; an optional one that is not given is left out.
* With `--periodic-only` the copies have no `SourceEvents`: what RDK 1.0.0 exports to Terraform gives a rule that has
  both kinds of trigger two resources with one name.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from backup_rules.errors import InvalidRuleParametersError
from backup_rules_cli.catalogue import RULES, RuleFolder, rule_folders

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
        ValueError: no rule has a parameter of that name; or the folder is where the rules are, or leads there.
        InvalidRuleParametersError: a value is not allowed. In each case nothing is written.
    """
    folders = rule_folders() if folders is None else folders
    given = dict(parameters or {})
    unknown = set(given).difference(*({*folder.defaults, *folder.optional} for folder in folders))
    if unknown:
        raise ValueError(f"No rule that is copied has a parameter {', '.join(sorted(unknown))}.")
    written = {folder: _metadata(folder, given, periodic_only=periodic_only) for folder in folders}
    earlier = [destination / folder.name for folder in rule_folders()]
    source = RULES.resolve()
    if any(each.resolve().is_relative_to(source) or each.is_symlink() for each in (destination, *earlier)):
        raise ValueError(f"{destination} is where the rules themselves are, or has links: name another folder.")
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
    own = {*folder.defaults, *folder.optional}
    values = {**folder.defaults, **{name: value for name, value in given.items() if name in own}}
    folder.rule().evaluate_parameters(values)
    parameters = folder.metadata | {"InputParameters": json.dumps(values), "OptionalParameters": "{}"}
    if periodic_only:
        parameters.pop("SourceEvents", None)
    return {"Version": "1.0", "Parameters": parameters, "Tags": "[]"}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 2 when a name or value is not allowed."""
    parser = argparse.ArgumentParser(
        prog="python -m backup_rules_cli.rdk_copy", description="Copy the rule folders for RDK."
    )
    parser.add_argument("--into", type=Path, default=DESTINATION, help=f"the folder to write (default: {DESTINATION})")
    parser.add_argument("--rules", nargs="*", default=[], metavar="RULE", help="only these rules; default: all")
    parser.add_argument("--parameter", action="append", default=[], metavar="Name=value", help="a rule parameter")
    parser.add_argument("--periodic-only", action="store_true", help="leave the change triggers out")
    options = parser.parse_args(arguments)
    try:
        copies = copy_rules(
            options.into,
            _pairs(options.parameter),
            periodic_only=options.periodic_only,
            folders=rule_folders(*options.rules),
        )
    except (ValueError, InvalidRuleParametersError) as error:
        print(f"rdk_copy: {error}", file=sys.stderr)
        return 2
    print(f"{len(copies)} rules are in {options.into}.")
    return 0


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, value in pairs:
        if not equals:
            raise ValueError(f"--parameter {name + value!r} is not of the form Name=value.")
    return {name: value for name, _, value in pairs}


if __name__ == "__main__":
    sys.exit(main())
