"""The language of AWS Config's advanced queries: a part of SQL's SELECT, over configuration items.

There is no FROM: a query is about items, and a property is a path into them. A path that leads through a list stands
for the values in all its elements; a comparison holds when any of them fits it. So do two comparisons of one
element's members: each finds an element of its own, and the item fits both though no single element does.
Sources: https://docs.aws.amazon.com/config/latest/developerguide/query-components.html and
https://docs.aws.amazon.com/config/latest/developerguide/querying-AWS-resources.html#array-property-query-behavior
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Any]
Value = str | int | float | bool
Predicate = Callable[[Item], bool]

MAX_GROUP_PROPERTIES = 3
LEAST_BEFORE_WILDCARD = 3
TOP_LEVEL_SCALARS = (
    "accountId",
    "arn",
    "availabilityZone",
    "awsRegion",
    "configurationItemCaptureTime",
    "resourceCreationTime",
    "resourceId",
    "resourceName",
    "resourceType",
    "version",
)
"""What `SELECT *` selects."""

_AGGREGATES = ("AVG", "COUNT", "MAX", "MIN", "SUM")
_UNSUPPORTED = frozenset({"ALL", "AS", "CASE", "DISTINCT", "FROM", "HAVING", "JOIN", "NULL", "UNION"})
_KEYWORDS = frozenset(
    {"SELECT", "WHERE", "GROUP", "ORDER", "BY", "ASC", "DESC", "AND", "OR", "NOT", "IN", "LIKE", "BETWEEN"}
)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w-]*(?:\.[\w-]+)*)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),*]))"
)
_END = ("end", "")


class QueryError(ValueError):
    """The expression is not one that AWS Config accepts; the message says where."""


@dataclass(frozen=True, slots=True)
class Field:
    """What is selected, or sorted by: a property, or an aggregate function of one (`*` in `COUNT(*)` and alone)."""

    path: str
    function: str = ""

    @property
    def name(self) -> str:
        """As AWS names it in the answer."""
        return f"{self.function}({self.path})" if self.function else self.path


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood."""

    fields: tuple[Field, ...]
    where: Predicate
    group: tuple[str, ...] = ()
    order: tuple[tuple[Field, bool], ...] = ()
    """Fields to sort by, and whether descending."""
    types: frozenset[str] | None = None
    """The only values of `resourceType` that can fit; None when the query does not say."""

    @property
    def aggregates(self) -> bool:
        """It answers a row per group instead of one per item."""
        return bool(self.group) or any(field.function for field in self.fields)

    @property
    def pages(self) -> bool:
        """AWS does not continue a query that sorts by an aggregate function."""
        return not any(field.function for field, _ in self.order)

    @property
    def names(self) -> list[str]:
        """The selected fields, as `QueryInfo` lists them."""
        return [name for field in self.fields for name in (TOP_LEVEL_SCALARS if field.name == "*" else (field.name,))]

    def answer(self, items: Iterable[Item]) -> list[dict[str, Any]]:
        """The rows that the query answers, in its order, or else in that of the items."""
        found = [item for item in items if self.where(item)]
        rows = _groups(self, found) if self.aggregates else [(item, _selected(self, item)) for item in found]
        for field, descending in reversed(self.order):
            rows.sort(key=lambda row, field=field: _sort_key(field, row), reverse=descending)  # type: ignore[misc]
        return [row for _, row in rows]


def parse(expression: str) -> Query:
    """The query that an expression says.

    Raises:
        QueryError: it does not follow the grammar, or uses what AWS Config does not support.
    """
    return _Parser(_tokens(expression)).query()


# --- Values ---------------------------------------------------------------------------------------------------------


def values(item: Any, path: str) -> list[Any]:
    """All values that a path leads to in the item; a list on the way stands for each of its elements."""
    found = [item]
    for name in path.split("."):
        found = [
            element
            for each in found
            if isinstance(each, Mapping) and name in each
            for element in (each[name] if isinstance(each[name], list) else [each[name]])
        ]
    return [value for value in found if value is not None]


def _selected(query: Query, item: Item) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in query.names:
        _merge(row, _only(item, name.split(".")))
    return row


_NOTHING: Any = object()


def _only(value: Any, path: Sequence[str]) -> Any:
    """The value with nothing in it but what the path leads to, or `_NOTHING`."""
    if not path:
        return value
    if isinstance(value, list):
        return [each if each is not _NOTHING else {} for each in (_only(element, path) for element in value)]
    if not isinstance(value, Mapping) or value.get(path[0]) is None:
        return _NOTHING
    inner = _only(value[path[0]], path[1:])
    return _NOTHING if inner is _NOTHING else {path[0]: inner}


def _merge(into: Any, other: Any) -> Any:
    if isinstance(into, dict) and isinstance(other, Mapping):
        for name, value in other.items():
            into[name] = _merge(into[name], value) if name in into else value
        return into
    if isinstance(into, list) and isinstance(other, list):
        return [
            _merge(dict(one), two) if isinstance(one, Mapping) else two for one, two in zip(into, other, strict=True)
        ]
    return into if other is _NOTHING else other


def _groups(query: Query, items: Sequence[Item]) -> list[tuple[Item, dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[Item]] = {} if query.group else {(): []}
    for item in items:
        groups.setdefault(tuple(_single(item, path) for path in query.group), []).append(item)
    rows = []
    for key, members in groups.items():
        row: dict[str, Any] = {}
        for field in query.fields:
            if field.function:
                row[field.name] = _aggregate(field, members)
            else:
                _merge(row, _nested(field.path, key[query.group.index(field.path)]))
        # Groups are sorted by what they are grouped by, or by what was selected of them.
        rows.append((members[0] if members else {}, row))
    return rows


def _single(item: Item, path: str) -> Any:
    found = values(item, path)
    if len(found) > 1:
        raise QueryError(f"GROUP BY {path}, which has many values in one item, is not known here: AWS does not say.")
    return found[0] if found else None


def _nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value) if value is not None else {}


def _aggregate(field: Field, items: Sequence[Item]) -> Any:
    if field.path == "*":
        return len(items)
    found = [value for item in items for value in values(item, field.path)]
    if field.function == "COUNT":
        return len(found)
    if field.function in {"MAX", "MIN"}:
        return (max if field.function == "MAX" else min)(found, default=None)
    if not found:
        return None
    return sum(found) if field.function == "SUM" else sum(found) / len(found)


def _sort_key(field: Field, row: tuple[Item, dict[str, Any]]) -> tuple[bool, str, float]:
    item, answered = row
    found = [answered[field.name]] if field.name in answered else values(item, field.path)
    first = found[0] if found else None
    is_number = isinstance(first, int | float)
    return first is None, "" if is_number else str(first), float(first) if is_number else 0.0  # type: ignore[arg-type]


# --- Grammar --------------------------------------------------------------------------------------------------------


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, position, text = [], 0, expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError(f"Unexpected character {text[position:].lstrip()[:1]!r} at position {position}.")
        kind = str(match.lastgroup)
        value = match[kind]
        if kind == "word" and value.upper() in _UNSUPPORTED:
            raise QueryError(f"{value.upper()} is not supported.")
        if kind == "word" and value.upper() in _KEYWORDS:
            kind, value = "keyword", value.upper()
        tokens.append((kind, value))
        position = match.end()
    return tokens


class _Parser:
    """Reads tokens from left to right; each method reads one part of the grammar."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        self._need("SELECT")
        fields = self._list(self._field)
        where, types = self._condition() if self._take("WHERE") else (_everything, None)
        group = tuple(field.path for field in self._list(self._property)) if self._take("GROUP", "BY") else ()
        order = tuple(self._list(self._sorting)) if self._take("ORDER", "BY") else ()
        if self._peek() != _END:
            raise self._unexpected("the end")
        query = Query(tuple(fields), where, group, order, types)
        _check(query)
        return query

    # SELECT, GROUP BY, ORDER BY

    def _field(self) -> Field:
        if self._take("*"):
            return Field("*")
        word = self._word("a property")
        if not self._take("("):
            return Field(word)
        if word.upper() not in _AGGREGATES:
            raise QueryError(f"{word} is no aggregate function; there are {', '.join(_AGGREGATES)}.")
        argument = "*" if self._take("*") else self._word("a property")
        self._need(")")
        return Field(argument, word.upper())

    def _property(self) -> Field:
        return Field(self._word("a property"))

    def _sorting(self) -> tuple[Field, bool]:
        field = self._field()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        return field, descending

    # WHERE. Each part gives the predicate, and the resource types that it leaves, or None.

    def _condition(self) -> tuple[Predicate, frozenset[str] | None]:
        parts = [self._conjunction()]
        while self._take("OR"):
            parts.append(self._conjunction())
        if len(parts) == 1:
            return parts[0]
        predicates, types = zip(*parts, strict=True)
        known = [each for each in types if each is not None]
        return _any_of(predicates), frozenset().union(*known) if len(known) == len(parts) else None

    def _conjunction(self) -> tuple[Predicate, frozenset[str] | None]:
        parts = [self._negation()]
        while self._take("AND"):
            parts.append(self._negation())
        predicates, types = zip(*parts, strict=True)
        known = [each for each in types if each is not None]
        return _all_of(predicates), frozenset.intersection(*known) if known else None

    def _negation(self) -> tuple[Predicate, frozenset[str] | None]:
        if self._take("NOT"):
            return _not(self._negation()[0]), None
        if self._take("("):
            inner = self._condition()
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> tuple[Predicate, frozenset[str] | None]:
        path = self._word("a property")
        negated = self._take("NOT")
        test, exact = self._test(path, negated=negated)
        predicate = _fits(path, test)
        if negated:
            return _not(predicate), None
        return predicate, frozenset(map(str, exact)) if exact is not None and path == "resourceType" else None

    def _test(self, path: str, *, negated: bool) -> tuple[Callable[[Any], bool], tuple[Value, ...] | None]:
        if self._take("IN"):
            self._need("(")
            members = tuple(self._list(self._value))
            self._need(")")
            return lambda value: value in members, members
        if self._take("LIKE"):
            pattern = _pattern(str(self._value()))
            return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None, None
        if self._take("BETWEEN"):
            low = self._value()
            self._need("AND")
            high = self._value()
            return lambda value: _compares(value, low) and low <= value <= high, None
        kind, sign = self._peek()
        if kind != "sign" or sign not in _SIGNS or negated:
            raise self._unexpected(f"a comparison of {path}")
        self._at += 1
        bound = self._value()
        return (lambda value: _SIGNS[sign](value, bound)), (bound,) if sign == "=" else None

    def _value(self) -> Value:
        kind, text = self._peek()
        self._at += 1
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "word" and text.lower() in {"true", "false"}:
            return text.lower() == "true"
        self._at -= 1
        raise self._unexpected("a value")

    # Tokens

    def _list(self, read: Callable[[], Any]) -> list[Any]:
        found = [read()]
        while self._take(","):
            found.append(read())
        return found

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _take(self, *words: str) -> bool:
        there = [value for kind, value in self._tokens[self._at : self._at + len(words)] if kind in {"keyword", "sign"}]
        if there != list(words):
            return False
        self._at += len(words)
        return True

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected(word)

    def _word(self, wanted: str) -> str:
        kind, value = self._peek()
        if kind != "word":
            raise self._unexpected(wanted)
        self._at += 1
        return value

    def _unexpected(self, wanted: str) -> QueryError:
        kind, text = self._peek()
        return QueryError(f"Expected {wanted}, found {'the end' if kind == 'end' else repr(text)}.")


def _check(query: Query) -> None:
    if any(field.function and field.path == "*" and field.function != "COUNT" for field in query.fields):
        raise QueryError("Only COUNT takes *.")
    if len(query.group) > MAX_GROUP_PROPERTIES:
        raise QueryError(f"GROUP BY takes at most {MAX_GROUP_PROPERTIES} properties.")
    if not query.pages and len(query.group) > 1:
        raise QueryError("GROUP BY takes a single property when ORDER BY has an aggregate function.")
    if query.aggregates:
        alone = [field.path for field in query.fields if not field.function and field.path not in query.group]
        if alone:
            raise QueryError(f"{alone[0]} is selected, but neither aggregated nor grouped by.")


def _pattern(text: str) -> re.Pattern[str]:
    """LIKE: `%` stands for anything and `_` for one character, at the end only, after three others at least."""
    literal = text.rstrip("%_")
    if "%" in literal or text.startswith("_"):
        raise QueryError(f"LIKE {text!r}: wildcards are supported at the end of a value only.")
    if literal != text and len(literal) < LEAST_BEFORE_WILDCARD:
        raise QueryError(f"LIKE {text!r}: a wildcard must follow at least {LEAST_BEFORE_WILDCARD} characters.")
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(character, re.escape(character)) for character in text), re.DOTALL)


def _compares(value: Any, bound: Value) -> bool:
    numbers = isinstance(value, int | float) and isinstance(bound, int | float)
    return numbers or (isinstance(value, str) and isinstance(bound, str))


_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, bound: value == bound,
    "!=": lambda value, bound: value != bound,
    "<>": lambda value, bound: value != bound,
    "<": lambda value, bound: _compares(value, bound) and value < bound,
    "<=": lambda value, bound: _compares(value, bound) and value <= bound,
    ">": lambda value, bound: _compares(value, bound) and value > bound,
    ">=": lambda value, bound: _compares(value, bound) and value >= bound,
}


def _everything(_: Item) -> bool:
    return True


def _fits(path: str, test: Callable[[Any], bool]) -> Predicate:
    return lambda item: any(test(value) for value in values(item, path))


def _not(predicate: Predicate) -> Predicate:
    return lambda item: not predicate(item)


def _all_of(predicates: Sequence[Predicate]) -> Predicate:
    return lambda item: all(predicate(item) for predicate in predicates)


def _any_of(predicates: Sequence[Predicate]) -> Predicate:
    return lambda item: any(predicate(item) for predicate in predicates)
