"""What is fuzzed: each reader of text from elsewhere, what it may raise, and inputs that grow."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from hypothesis import strategies as st

from backup_rules.arns import Arn, Place
from backup_rules.errors import InvalidEventError, InvalidRuleParametersError
from backup_rules.evaluation.events import read_event
from backup_rules.iam.policy import matches, read_statements
from backup_rules.iam.trust import parse_role_arn, trust, what_it_is
from backup_rules.organization.effective_policy import parse_policy
from backup_rules.schedules import cron, windows
from backup_rules.schedules.schedules import Schedule
from backup_rules.selections.near_misses import Difference, difference, near_pattern
from backup_rules.selections.wildcards import overlap
from backup_rules.vaults.access_policy import vault_denials
from backup_rules.wording.annotations import annotation, name, size
from backup_rules.wording.quoting import plain, quote
from backup_rules_cli.catalogue import rule_folders

PLACE = Place("aws", "111122223333", "eu-west-1")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONGEST_MESSAGE = 2_000

TEXT = st.text(st.characters(), max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def _shaped(*words: str) -> st.SearchStrategy[Any]:
    """JSON whose keys and texts are often those that the reader looks for."""
    text = st.sampled_from(words) | TEXT
    leaf = st.none() | st.booleans() | st.integers() | text
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=5),
        max_leaves=20,
    )


POLICY_WORDS = (
    "Statement", "Effect", "Allow", "Deny", "allow", "Principal", "NotPrincipal", "Service", "AWS", "*",
    "backup.amazonaws.com", "Action", "NotAction", "sts:AssumeRole", "Resource", "Condition", "StringEquals",
    "ForAllValues:StringLike", "Null", "aws:SourceAccount", "aws:SourceArn", "${aws:username}", "ArnLike",
    "111122223333", "Version", "2012-10-17", "backup:StartBackupJob", "backup:*", "true",
)  # fmt: skip
BACKUP_POLICY_WORDS = (
    "plans", "nightly", "rules", "regions", "eu-west-1", "selections", "tags", "resources", "iam_role_arn",
    "schedule_expression", "cron(0 5 ? * * *)", "target_backup_vault_name", "Default", "lifecycle", "$account",
    "delete_after_days", "copy_actions", "tag_key", "tag_value", "conditions", "string_equals", "@@assign", "35",
    "start_backup_window_minutes", "enable_continuous_backup", "true", "arn:aws:iam::$account:role/BackupRole",
)  # fmt: skip
EVENT_WORDS = (
    "invokingEvent", "ruleParameters", "messageType", "ScheduledNotification", "accountId", "111122223333",
    "ConfigurationItemChangeNotification", "configurationItem", "resourceType", "AWS::Backup::BackupPlan",
    "resourceId", "configurationItemStatus", "OK", "resultToken", "eventLeftScope", "configRuleName",
    "notificationCreationTime", "2026-11-23T12:00:00.000Z", "executionRoleArn", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "configRuleArn", "{}", "null",
)  # fmt: skip
CRON = st.lists(
    st.text("0123456789*?/,-#LW() ", max_size=12) | st.sampled_from(["MON", "JAN", "5L", "L-3", "LW", "2#3", "*", "?"]),
    max_size=8,
).map(" ".join)
# A valid expression in which one field is anything.
_FIELDS = ("0", "5", "?", "*", "MON-FRI", "*")
CRON_FIELD = st.sampled_from(["*", "?", "L", "LW", "L-3", "2#3", "5L", "1/2", "*/7", "FRI-MON", "15W", "2,3-9/2"])
ALMOST_CRON = st.tuples(st.integers(0, 5), CRON_FIELD | st.text("0123456789*?/,-#LW", min_size=1, max_size=8)).map(
    lambda given: " ".join((*_FIELDS[: given[0]], given[1], *_FIELDS[given[0] + 1 :]))
)
CRON_TEXT = ALMOST_CRON | ALMOST_CRON.map("cron({})".format) | CRON | CRON.map("cron({})".format) | TEXT
ARN = st.lists(TEXT | st.sampled_from(["arn", "aws", "iam", "", "role/x", "111122223333", "*"]), max_size=8).map(
    ":".join
)
_CLOCK = st.tuples(st.integers(0, 25), st.integers(0, 61)).map(lambda it: f"{it[0]:02}:{it[1]:02}")
_DAY = st.sampled_from(["mon:", "Tue:", "SUN:", "1:", "7:", "8:", "", "x:"])
_POINT = st.tuples(_DAY, _CLOCK).map("".join)
WINDOW = (
    _CLOCK
    | _POINT
    | st.tuples(_CLOCK | _POINT, _CLOCK | _POINT).map("-".join)
    | st.text("0123456789:-montuewdhfris ", max_size=24)
    | TEXT
)


ITEM = {"resourceType": "AWS::Backup::BackupPlan", "resourceId": "plan-1", "configurationItemStatus": "OK"}
INVOKING = {
    "messageType": "ConfigurationItemChangeNotification",
    "notificationCreationTime": "2026-11-23T12:00:00.000Z",
    "configurationItem": ITEM,
}
EVENT = {
    "accountId": "111122223333",
    "configRuleName": "rule",
    "resultToken": "token",
    "ruleParameters": "{}",
    "invokingEvent": json.dumps(INVOKING),
    "eventLeftScope": False,
}


def _one_changed(valid: dict[str, Any], words: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """What is valid, but for one member, which is anything."""
    return st.tuples(st.sampled_from(sorted(valid)), _shaped(*words)).map(lambda it: {**valid, it[0]: it[1]})


STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Service": "backup.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
}
STATEMENTS = st.lists(_one_changed(STATEMENT, POLICY_WORDS), min_size=1, max_size=3) | _shaped(*POLICY_WORDS)
DOCUMENT = st.fixed_dictionaries({"Statement": STATEMENTS}).map(json.dumps)


@dataclass(frozen=True)
class Target:
    """A reader, what it is given, and what it may raise with a message of bounded length."""

    given: st.SearchStrategy[Any]
    read: Callable[[Any], object]
    may_raise: tuple[type[Exception], ...]


def _event(value: Any) -> None:
    """As Lambda hands it over, and with its invoking event as text."""
    read_event(value)


def _event_of(invoking: Any) -> None:
    read_event(EVENT | {"invokingEvent": json.dumps(invoking)})


PARAMETER_TYPES = {folder.name: type(folder.rule()).parameters_type for folder in rule_folders()}
PARAMETER_NAMES = sorted({each for kind in PARAMETER_TYPES.values() for each in kind.names()})


def _parameters(given: dict[str, Any]) -> None:
    refusals = []
    for kind in PARAMETER_TYPES.values():
        own = {key: value for key, value in given.items() if key in kind.names()}
        try:
            kind.read(own)
        except InvalidRuleParametersError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]


def _runs(text: str) -> None:
    schedule = Schedule.parse(text)
    start = NOW
    for run in islice(schedule.runs(start, start.replace(year=start.year + 1)), 20):
        assert run >= start


def _readable(text: str) -> None:
    """What a person reads: printable, and no longer than AWS Config takes."""
    for shown in (plain(text), quote(text), name(text), annotation([(text or "x", text)])):
        assert shown.isprintable(), repr(shown)
        shown.encode()
    assert size(annotation([(text or "x", text), (text, text)])) <= 256


def _tags(pair: tuple[str, str]) -> None:
    one, other = pair
    difference(one, other)
    near_pattern(one, other)
    assert difference(one, one) == Difference.SAME
    overlap(one, other)
    assert matches("*", other)


TARGETS: dict[str, Target] = {
    "event": Target(_one_changed(EVENT, EVENT_WORDS) | _shaped(*EVENT_WORDS) | JSON, _event, (InvalidEventError,)),
    "invoking event": Target(
        _one_changed(INVOKING, EVENT_WORDS)
        | _one_changed(ITEM, EVENT_WORDS).map(lambda item: {**INVOKING, "configurationItem": item})
        | _shaped(*EVENT_WORDS),
        _event_of,
        (InvalidEventError,),
    ),
    "parameters": Target(
        st.dictionaries(st.sampled_from(PARAMETER_NAMES), JSON | TEXT, max_size=6),
        _parameters,
        (InvalidRuleParametersError,),
    ),
    "policy": Target(
        DOCUMENT | _shaped(*POLICY_WORDS).map(json.dumps) | TEXT,
        lambda text: read_statements(text, "it"),
        (ValueError,),
    ),
    "trust document": Target(
        DOCUMENT | TEXT,
        lambda text: trust(text, PLACE),
        (ValueError,),
    ),
    "vault access policy": Target(
        DOCUMENT | TEXT,
        lambda text: vault_denials(
            text, "arn:aws:backup:eu-west-1:111122223333:backup-vault:v", PLACE, ["backup:StartBackupJob"]
        ),
        (ValueError,),
    ),
    "backup policy": Target(
        st.fixed_dictionaries({"plans": _shaped(*BACKUP_POLICY_WORDS)}).map(json.dumps) | TEXT,
        lambda text: parse_policy(text, PLACE),
        (),
    ),
    "cron": Target(CRON_TEXT, cron.parse, (ValueError,)),
    "runs": Target(CRON_TEXT, _runs, (ValueError,)),
    "RDS backup window": Target(WINDOW, windows.backup_window, (ValueError,)),
    "RDS maintenance window": Target(WINDOW, windows.maintenance_window, (ValueError,)),
    "FSx backup window": Target(WINDOW, windows.fsx_backup_window, (ValueError,)),
    "FSx maintenance window": Target(WINDOW, windows.fsx_maintenance_window, (ValueError,)),
    "allowed window": Target(WINDOW, windows.ClockWindow.parse, (ValueError,)),
    "ARN": Target(ARN | TEXT, lambda text: (Arn.parse(text), parse_role_arn(text), what_it_is(text)), ()),
    "tags": Target(st.tuples(TEXT, TEXT), _tags, ()),
    "wordings": Target(TEXT, _readable, ()),
}

# Inputs of size n, for readers whose time must grow no faster than they do.
GROWING: dict[str, tuple[Callable[[int], Any], Callable[[Any], object]]] = {
    "wild cards of a pattern": (lambda n: ("a*" * n + "b", "a" * n), lambda it: matches(*it)),
    "statements of a policy": (
        lambda n: json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}] * n}),
        lambda text: trust(text, PLACE),
    ),
    "plans of a backup policy": (
        lambda n: json.dumps({"plans": {f"plan-{each}": {"rules": {}} for each in range(n)}}),
        lambda text: parse_policy(text, PLACE),
    ),
    "values of a cron field": (lambda n: f"cron({','.join(['5'] * n)} 5 ? * * *)", cron.parse),
    "a long annotation": (lambda n: "word " * n, lambda text: annotation([(text, text)])),
    "a long name": (lambda n: "\N{PILE OF POO}" * n, name),
    "white space of a tag": (lambda n: (" " * n + "a", "a" + "\t" * n), lambda it: difference(*it)),
    "an ARN": (lambda n: "arn:" + ":" * n, Arn.parse),
}
