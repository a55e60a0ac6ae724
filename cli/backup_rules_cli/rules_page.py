"""`docs/rules.md`: every rule on one page, made from its folder: metadata, code and the link to its own page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from backup_rules.evaluation.parameters import RuleParameters
from backup_rules_cli.catalogue import COMMON_PERMISSIONS, RuleFolder
from backup_rules_cli.resources import ROOT
from backup_rules_cli.templates.rule_parameters import frequency, own_parameters

PAGE = ROOT / "docs" / "rules.md"

HOURS = {
    "One_Hour": "hour",
    "Three_Hours": "3 hours",
    "Six_Hours": "6 hours",
    "Twelve_Hours": "12 hours",
    "TwentyFour_Hours": "24 hours",
}

_HEAD = """\
<!-- Made by `make docs` from the rules' folders: do not edit. -->
# The rules

What each rule asks, of what it says COMPLIANT or NON_COMPLIANT, when it runs and how it can be set. A rule's own page
has the verdicts in full, examples, the fix in the console, with the AWS CLI and in CloudFormation, and sources.

{overview}

In AWS Config a rule goes by its name there; to one of a conformance pack, AWS Config appends `-conformance-pack-` and
nine characters. The description is what the console's list of rules shows. The title, which says what holds when all is
well, stands over the findings that are forwarded to Security Hub. The parameters of rule-functions and
single-account.yaml for a rule begin with its name in one word, such as `{example}`, which takes `One_Hour`,
`Three_Hours`, `Six_Hours`, `Twelve_Hours`, `TwentyFour_Hours`, or `Off` to leave the rule out; in a conformance pack,
all that is plain text.

## What all rules take and read

| Parameter | Default | Allowed |
|---|---|---|
{parameters}

`ExcludedPlans` names plans by name or id; `*` stands for any characters and `?` for any one. Such plans and their
selections are not reported. `ExecutionRoleName` is the role under which the account is read, and `AssumeRoleMode=false`
reads it under the function's own role. An unknown parameter, or a value that is not allowed, fails the evaluation with
a message that says what is.

Every rule needs {common}, beside what is listed with it.
"""


def page(folders: Sequence[RuleFolder]) -> str:
    """The page about these rules, grouped by the first rule set of each.

    Raises:
        ValueError: a rule lacks something that the page shows; the message names both.
    """
    groups: dict[str, list[RuleFolder]] = {}
    for folder in folders:
        groups.setdefault(_rule_sets(folder)[0], []).append(folder)
    in_order = [folder for name in sorted(groups) for folder in groups[name]]
    head = _HEAD.format(
        overview="\n".join(_overview(in_order)),
        example=frequency(in_order[0]),
        parameters="\n".join(f"| `{name}` | {_default(name)} | {_allowed(name)} |" for name in RuleParameters.names()),
        common=_listed(sorted(COMMON_PERMISSIONS)),
    )
    parts = [head]
    for name in sorted(groups):
        parts.append(f"## Rule set `{name}`\n")
        parts += ["\n".join(_entry(folder)) + "\n" for folder in groups[name]]
    return "\n".join(parts)


def _overview(folders: Sequence[RuleFolder]) -> Iterator[str]:
    yield "| Rule | Its condition | Verdicts are about | Runs | Severity |"
    yield "|---|---|---|---|---|"
    for folder in folders:
        yield (
            f"| [{folder.name}](#{folder.name.lower()}) | {_about(folder, 'Condition')} | {_subject(folder)} |"
            f" {runs(folder)} | {_severity(folder)} |"
        )


def _entry(folder: RuleFolder) -> Iterator[str]:
    yield f"### {folder.name}\n"
    yield f"{_about(folder, 'Title')}. [Its page]({_link(folder)}).\n"
    yield "| | |"
    yield "|---|---|"
    rows = {
        "Condition": _about(folder, "Condition"),
        "Verdicts are about": _subject(folder),
        "Runs": runs(folder) + (f" of {_listed(folder.triggers)}" if folder.triggers else ""),
        "Severity": _severity(folder),
        "Name in AWS Config": f"`{folder.config_rule_name}`",
        "Description": _need(folder, "Description", folder.metadata.get("Description")),
        "How to fix it": _about(folder, "Remediation"),
        "Permissions": _listed(sorted(_about(folder, "Permissions"))),
        "Rule sets": _listed(_rule_sets(folder)),
        "How often, in the templates": f"`{frequency(folder)}`",
    }
    yield from (f"| {name} | {text} |" for name, text in rows.items())
    declared = type(folder.rule()).parameters_type
    own = own_parameters(folder)
    if own:
        yield "\n| Parameter | Default | Allowed | Meaning | In the templates |"
        yield "|---|---|---|---|---|"
    for each in own:
        yield (
            f"| `{each.key}` | {_default(each.key, declared)} | {_allowed(each.key, declared)} | {each.meaning} |"
            f" `{each.name}` |"
        )


def runs(folder: RuleFolder) -> str:
    """How often the rule runs, and whether on changes: `every 24 hours, on changes`."""
    frequency_name = _need(folder, "SourcePeriodic", folder.metadata.get("SourcePeriodic"))
    return f"every {HOURS[frequency_name]}" + (", on changes" if folder.triggers else "")


def _default(name: str, declared: type[RuleParameters] = RuleParameters) -> str:
    default = declared.names()[name].default
    if default in (None, ()):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _allowed(name: str, declared: type[RuleParameters] = RuleParameters) -> str:
    allowed = str(declared.names()[name].metadata["kind"].allowed)
    if not allowed:
        raise ValueError(f"Parameter {name} of {declared.__module__} lacks what is allowed.")
    return allowed


def _subject(folder: RuleFolder) -> str:
    """What the docstring of the rule's class says its verdicts are about."""
    found = re.match(r"(?:Verdicts are|The verdict is) about ([^.;:]+)", type(folder.rule()).__doc__ or "")
    return str(_need(folder, "docstring that says what its verdicts are about", found and found[1]))


def _severity(folder: RuleFolder) -> str:
    return str(_about(folder, "Severity")).lower()


def _rule_sets(folder: RuleFolder) -> list[str]:
    return list(_need(folder, "RuleSets", folder.metadata.get("RuleSets")))


def _link(folder: RuleFolder) -> str:
    _need(folder, "page README.md", (folder.path / "README.md").is_file())
    return f"../rules/{folder.name}/README.md"


def _about(folder: RuleFolder, name: str) -> Any:
    return _need(folder, name, folder.about.get(name))


def _need(folder: RuleFolder, name: str, value: Any) -> Any:
    if not value:
        raise ValueError(f"{folder.name} lacks {name}.")
    return value


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
