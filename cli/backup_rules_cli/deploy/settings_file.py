"""The settings of a deployment in a YAML file: read into what was chosen, and refused by name where wrong.

`rdk-config/deployment.yaml` says what each setting means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.nodes import MappingNode

from backup_rules.errors import InvalidRuleParametersError
from backup_rules.evaluation.renewal import ALL, CHANGES, MOST_REFRESH_DAYS
from backup_rules_cli.catalogue import RuleFolder, rule_folders
from backup_rules_cli.deploy.settings import (
    ACCOUNTS,
    BUILT_IN,
    FORWARDER,
    NARROWEST,
    OPEN,
    ORGANIZATION,
    RuleSettings,
    Settings,
    SettingsError,
)
from backup_rules_cli.places import known_regions, partition_of
from backup_rules_cli.suggestions import did_you_mean
from backup_rules_cli.templates.remediation.names import (
    DOCUMENT_PREFIX,
    DOCUMENT_PREFIX_IN_WORDS,
)
from backup_rules_cli.templates.rule_parameters import FREQUENCIES, OFF, own_parameters

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)

# A function is named after the pack and the rule, in 64 characters at most.
_LONGEST_NAME = 34


def load(path: Path, regions: Sequence[str] = ()) -> Settings:
    """The settings of a file, with other Regions than its own where some are given.

    Raises:
        SettingsError: naming the file and what is wrong in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"The settings cannot be read: {error}") from error
    try:
        return read(text, regions)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def read(text: str, regions: Sequence[str] = ()) -> Settings:
    """The settings that a YAML text holds, with other Regions than its own where some are given.

    Raises:
        SettingsError: naming the key, its value and what is allowed.
    """
    try:
        # Every scalar is read as a text: to YAML, `off` is false, 22:00 a number, and 000123456701 an octal one.
        document = yaml.load(text, Loader=_TextLoader)  # noqa: S506 - it makes texts, lists and mappings only
    except yaml.YAMLError as error:
        raise SettingsError(f"This is not YAML: {error}") from None
    given = _mapping("the file", {} if document in (None, "") else document)
    _known("", given, (*_READERS, "rules"))
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key != "rules":
            values |= _READERS[key](key, value)
    known = dict.fromkeys((*values.get("regions", ()), *regions))
    for key in ("log_kms_keys", "alarm_topics"):
        _known(key, values.get(key, ()), known)
    if regions or not known:
        values["regions"] = _regions("--region" if regions else "regions", list(regions))
    settings = Settings(rules=_rules(_mapping("rules", given.get("rules") or {})), **values)
    if settings.invoke_permission not in (OPEN, NARROWEST) and partition_of(settings.home) != "aws":
        _refuse("invoke_permission", settings.invoke_permission, f"{OPEN} in China and GovCloud; see docs/deploying.md")
    if settings.security_hub_region not in ("", *settings.regions):
        _refuse("security_hub_region", settings.security_hub_region, f"blank or one of {', '.join(settings.regions)}")
    return settings


class _TextLoader(yaml.BaseLoader):
    """Reads every scalar as a text, and refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        keys = [key.value for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise SettingsError(f"{', '.join(twice)} stands twice in the same place.")
        return super().construct_mapping(node, deep)


def _refuse(key: str, value: object, allowed: str) -> NoReturn:
    raise SettingsError(f"{key} is {value!r}; allowed is {allowed}.")


def _mapping(key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(key, value, "a mapping of keys to values")
    return value


def _known(under: str, given: Iterable[str], known: Iterable[str]) -> None:
    allowed = list(known)
    for key in given:
        if key not in allowed:
            where = f" under {under}" if under else ""
            raise SettingsError(
                f"Unknown key {key!r}{where}.{did_you_mean(key, allowed)} Allowed are {', '.join(allowed)}."
            )


def _text(key: str, value: object, pattern: str, allowed: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        _refuse(key, value, allowed)
    return value


def _texts(key: str, value: object, pattern: str, allowed: str) -> tuple[str, ...]:
    if value == "":
        return ()
    if not isinstance(value, list):
        _refuse(key, value, f"a list, each {allowed}")
    return tuple(dict.fromkeys(_text(key, each, pattern, allowed) for each in value))


def _choice(key: str, value: object, choices: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        for text, meaning in choices.items():
            if text.lower() == value.lower():
                return meaning
    _refuse(key, value, f"one of {', '.join(text for text in choices if text)}")


def _number(key: str, value: object, low: int, high: int) -> int:
    allowed = f"a whole number from {low} to {high}"
    number = int(_text(key, value, r"\d{1,9}", allowed))
    if not low <= number <= high:
        _refuse(key, value, allowed)
    return number


_ACCOUNT_ID = r"\d{12}"
_ACCOUNT = "an account id of 12 digits"
_TRUTH = {"true": True, "false": False}


def _regions(key: str, value: object) -> tuple[str, ...]:
    chosen = _texts(key, value, r"[a-z0-9-]+", "a Region of AWS, such as eu-west-1")
    if not chosen:
        _refuse(key, value, "a list of one Region or more; the first is the home Region")
    partitions = {partition_of(region): region for region in chosen}
    if None in partitions:
        hint = did_you_mean(partitions[None], known_regions())
        raise SettingsError(f"{key} is {partitions[None]!r}; allowed is a Region of AWS, such as eu-west-1.{hint}")
    if len(partitions) > 1:
        _refuse(key, value, "Regions of one partition: an organization does not span several")
    return chosen


def _targets(key: str, value: object) -> tuple[str, ...]:
    if value == "root":
        return ()
    chosen = _texts(key, value, r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}", "the id of an organizational unit (ou-…)")
    if not chosen:
        _refuse(key, value, "root, or a list of ids of organizational units (ou-…)")
    return chosen


def _invoke_permission(key: str, value: object) -> dict[str, Any]:
    if isinstance(value, list):
        accounts = _texts(key, value, _ACCOUNT_ID, _ACCOUNT)
        if not accounts:
            _refuse(key, value, "a list of one account id or more")
        return {"invoke_permission": ACCOUNTS, "invoke_accounts": accounts}
    if value not in (OPEN, ORGANIZATION, ACCOUNTS, NARROWEST):
        _refuse(key, value, f"{OPEN}, {ORGANIZATION}, {ACCOUNTS} (all that the pack reaches) or a list of account ids")
    return {"invoke_permission": value}


def _by_region(key: str, value: object, service: str) -> dict[str, str]:
    given = _mapping(key, value or {})
    pattern = rf"arn:aws[\w-]*:{service}:[\w-]+:\d{{12}}:[\w/.-]+"
    return {
        region: _text(f"{key}.{region}", arn, pattern, f"an ARN of {service.upper()} in that Region")
        for region, arn in given.items()
    }


def _tags(key: str, value: object) -> dict[str, str]:
    given = _mapping(key, value or {})
    for tag, text in given.items():
        if tag.lower().startswith("aws:"):
            _refuse(key, tag, "any tag key but those of AWS, which begin with aws:")
        _text(f"{key}.{tag}", text, r"(?s).{0,256}", "a text of at most 256 characters")
    return given


_Reader = Callable[[str, object], dict[str, Any]]


def _one(read_value: Callable[..., Any], **given: Any) -> _Reader:
    """A reader of the setting that is named like its key."""
    return lambda key, value: {key: read_value(key, value, **given)}


_ROLE = {"pattern": r"[\w+=,.@-]{1,%d}", "allowed": "the name of an IAM role without a path, of at most %d characters"}


def _role(longest: int) -> _Reader:
    return _one(_text, pattern=_ROLE["pattern"] % longest, allowed=_ROLE["allowed"] % longest)


_READERS: Mapping[str, _Reader] = {
    "name": _one(
        _text,
        pattern=rf"[a-z](-?[a-z0-9]){{0,{_LONGEST_NAME - 1}}}",
        allowed=f"at most {_LONGEST_NAME} lower-case letters, digits and single hyphens, beginning with a letter",
    ),
    "regions": _one(_regions),
    "targets": _one(_targets),
    "excluded_accounts": _one(_texts, pattern=_ACCOUNT_ID, allowed=_ACCOUNT),
    "skip_accounts_without_recorder": _one(_choice, choices=_TRUTH),
    "deployer_role_arn": _one(
        _text,
        pattern=r"|arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        allowed="the ARN of an IAM role of the account that owns the pack, or blank",
    ),
    "excluded_plans": _one(_texts, pattern=r"[^,\n]+", allowed="the name or id of a plan, * and ? allowed, no comma"),
    "member_role_name": _role(64),
    "function_role_name": _role(45),  # the Region is added to it
    "rule_name_prefix": _one(
        _text,
        pattern=r"|[a-z][a-z0-9-]{0,7}",
        allowed="at most 8 lower-case letters, digits and hyphens, beginning with a letter",
    ),
    "log_retention_days": lambda key, value: {
        key: int(_choice(key, value, {str(days): days for days in RETENTIONS})),
    },
    "log_kms_keys": _one(_by_region, service="kms"),
    "alarm_topics": _one(_by_region, service="sns"),
    "tracing": _one(_choice, choices=_TRUTH),
    "reserved_concurrency": lambda key, value: {key: None if value == "" else _number(key, value, 1, 9_999)},
    "architecture": _one(_choice, choices={"arm64": "arm64", "x86_64": "x86_64"}),
    "put": _one(_choice, choices={ALL: ALL, CHANGES: CHANGES}),
    "refresh_days": _one(_number, low=1, high=MOST_REFRESH_DAYS),
    "keep_reads": _one(_choice, choices=_TRUTH),
    "invoke_permission": _invoke_permission,
    "check_organization_in_code": _one(_choice, choices=_TRUTH),
    "aggregator": _one(_choice, choices=_TRUTH),
    "queries": _one(_choice, choices=_TRUTH),
    "remediation": _one(_choice, choices=_TRUTH),
    "remediation_role_name": _role(64),
    "remediation_document_prefix": _one(
        _text, pattern=DOCUMENT_PREFIX, allowed=f"{DOCUMENT_PREFIX_IN_WORDS}, and no name of AWS"
    ),
    "security_hub": _one(_choice, choices={"false": "", BUILT_IN: BUILT_IN, FORWARDER: FORWARDER}),
    "security_hub_region": _one(_text, pattern=r"[a-z0-9-]*", allowed="one of regions, or blank"),
    "alerts": _one(_choice, choices=_TRUTH),
    "alert_email": _one(_text, pattern=r"|[^@\s]+@[^@\s]+", allowed="an e-mail address, or blank"),
    "alert_schedule": _one(
        _text, pattern=r"(rate|cron)\([^()\n]+\)", allowed="a schedule of EventBridge, such as rate(15 minutes)"
    ),
    "rule_pages_url": _one(_text, pattern=r"|https://\S+", allowed="a URL that begins with https://, or blank"),
    "findings_role_name": _role(64),
    "forwarder_role_name": _role(45),  # the Region is added to it
    "tags": _one(_tags),
}


def _rules(given: Mapping[str, Any]) -> tuple[RuleSettings, ...]:
    folders = rule_folders()
    _known("rules", given, (folder.name for folder in folders))
    rules = tuple(_rule(folder, given.get(folder.name, "")) for folder in folders)
    if not any(rule.is_on for rule in rules):
        raise SettingsError("Every rule is off; a pack needs one rule at least.")
    return rules


def _rule(folder: RuleFolder, value: object) -> RuleSettings:
    key = f"rules.{folder.name}"
    if isinstance(value, str):
        frequency = _choice(key, value, {"": folder.frequency, "on": folder.frequency, "off": OFF})
        return RuleSettings(folder, frequency)
    given = _mapping(key, value)
    _known(key, given, ("frequency", "parameters"))
    frequencies = {frequency: frequency for frequency in (*FREQUENCIES, OFF)}
    frequency = _choice(f"{key}.frequency", given.get("frequency", folder.frequency), frequencies)
    parameters = _mapping(f"{key}.parameters", given.get("parameters") or {})
    own = {parameter.key: parameter for parameter in own_parameters(folder)}
    _known(f"{key}.parameters", parameters, own)
    try:
        folder.rule().evaluate_parameters({**folder.defaults, **parameters})
    except InvalidRuleParametersError as error:
        raise SettingsError(f"{key}.parameters: {error}") from None
    for name, text in parameters.items():
        refusal = own[name].refusal(text)
        if refusal is not None:
            raise SettingsError(f"{key}.parameters.{name} is {text!r}; it {refusal}")
    return RuleSettings(folder, frequency, parameters)
