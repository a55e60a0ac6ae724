"""An exclusions file, handed to a deployed pack: as `ExcludedPlans` of all rules, and `ExcludedResources` of some.

A pack has one set of parameters for all accounts and Regions, and knows no last day. What an exclusion narrows to more
than that is left out and told: a pack that keeps more quiet than was meant would hide what nobody knows of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from backup_rules_cli.deploy.settings import RuleSettings, Settings
from backup_rules_cli.errors import CommandError
from backup_rules_cli.known import Exclusion, matches
from backup_rules_cli.templates.rule_parameters import EXCLUDED_PLANS, PLANS_LENGTH, own_parameters

RESOURCES = "ExcludedResources"


def handed_over(settings: Settings, exclusions: Sequence[Exclusion], today: date) -> Settings:
    """The settings with what the exclusions add to them; `not_excluded` tells what they cannot.

    Raises:
        CommandError: a parameter of the pack would be longer than AWS takes it.
    """
    told: list[str] = []
    plans: list[str] = []
    resources: dict[str, list[str]] = {}
    for each in exclusions:
        why = _why_not(each, today)
        rules = [] if why else _rules_with_resources(each, settings)
        if why is None and each.resource != "*" and not rules:
            why = f"no rule of the pack that it names has {RESOURCES}"
        if why is not None:
            told.append(f"{each}: {why}.")
        elif each.resource == "*":
            plans.append(each.plan)
        else:
            for rule in rules:
                resources.setdefault(rule, []).append(each.resource)
            others = [name for name in _named(each, settings) if name not in rules]
            if others:
                told.append(f"{each}: in {', '.join(rules)} only, as no other rule has {RESOURCES}.")
    made = replace(
        settings,
        excluded_plans=tuple(dict.fromkeys((*settings.excluded_plans, *plans))),
        rules=tuple(_with(each, resources) for each in settings.rules),
        not_excluded=tuple(told),
    )
    _check_lengths(made)
    return made


def _why_not(exclusion: Exclusion, today: date) -> str | None:
    """Why a pack cannot be told of it, to follow a colon; None: it may be."""
    of_place = exclusion.account != "*" or exclusion.region != "*"
    of_plan, of_resource, of_rule = exclusion.plan != "*", exclusion.resource != "*", exclusion.rule != "*"
    name = exclusion.plan if of_plan else exclusion.resource
    unwritable = not name.isascii() or any(each in name for each in ',"\\\n')
    expired = exclusion.expires is not None and exclusion.expires < today
    reasons = (
        (expired, f"it has expired on {exclusion.expires}"),
        (exclusion.expires is not None, "a deployed pack knows no last day"),
        (of_place, "a pack has the same parameters in all accounts and Regions"),
        (of_plan and of_resource, "a pack excludes a plan or a resource, not one of the other"),
        (of_plan and of_rule, f"{EXCLUDED_PLANS} is the same for all rules"),
        (not (of_plan or of_resource), "it names no plan and no resource; to leave a rule out, turn it off"),
        (unwritable, "a parameter takes no comma, quotation mark, backslash or letter beyond ASCII"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _named(exclusion: Exclusion, settings: Settings) -> list[str]:
    return [each.folder.name for each in settings.rules_on if matches(exclusion.rule, each.folder.name)]


def _rules_with_resources(exclusion: Exclusion, settings: Settings) -> list[str]:
    """The rules that the exclusion names and that can leave resources out."""
    if exclusion.resource == "*":
        return []
    able = {
        each.folder.name for each in settings.rules_on for own in own_parameters(each.folder) if own.key == RESOURCES
    }
    return [name for name in _named(exclusion, settings) if name in able]


def _with(rule: RuleSettings, resources: Mapping[str, Iterable[str]]) -> RuleSettings:
    more = resources.get(rule.folder.name)
    if not more:
        return rule
    given = (each.strip() for each in rule.parameters.get(RESOURCES, "").split(","))
    names = ",".join(dict.fromkeys(each for each in (*given, *more) if each))
    return replace(rule, parameters={**rule.parameters, RESOURCES: names})


def _check_lengths(settings: Settings) -> None:
    for name, value, refusal in _lengths(settings):
        if refusal:
            raise CommandError(
                f"--exclusions: {name} would have {len(value)} characters; it {refusal} Use * in the names."
            )


def _lengths(settings: Settings) -> Iterator[tuple[str, str, str | None]]:
    plans = ",".join(settings.excluded_plans)
    too_long = f"must have at most {PLANS_LENGTH}." if len(plans) > PLANS_LENGTH else None
    yield EXCLUDED_PLANS, plans, too_long
    for rule in settings.rules:
        for own in own_parameters(rule.folder):
            if own.key == RESOURCES and RESOURCES in rule.parameters:
                value = rule.parameters[RESOURCES]
                yield f"{RESOURCES} of {rule.folder.name}", value, own.refusal(value)
