"""Wildcards and policy variables, as the elements of an IAM policy use them.

`*` stands for any run of characters, `?` for exactly one. `${aws:username}` is replaced by the value that the request
carries, `${aws:username, 'nobody'}` by a default when it carries none, and `${*}`, `${?}`, `${$}` are those characters
themselves. A replaced value is plain text: a star inside it is no wildcard.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

Context = Mapping[str, tuple[str, ...]]
"""What a request carries: condition key, in lower case, to its values."""

ARN_PARTS: Final = 6


class Wildcard(Enum):
    ANY = "*"
    ONE = "?"


Token = str | Wildcard
"""A single character, or a wildcard."""

_VARIABLE = re.compile(r"\$\{(?P<key>[^},]+?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?\}")
_LITERALS: Final = {"*", "?", "$"}


def variables(text: str) -> frozenset[str]:
    """The condition keys that `text` refers to by policy variables, spelled as they stand, those with a default too."""
    return frozenset(match["key"] for match in _VARIABLE.finditer(text) if match["key"] not in _LITERALS)


def compile_pattern(text: str, context: Context | None = None) -> tuple[Token, ...] | None:
    """The tokens of a pattern; None when it refers to a variable that the request does not carry.

    Without `context` variables are not replaced, as in policies that don't declare version 2012-10-17. A key with
    several values has no single text to put in its place, and counts as not carried.
    """
    if context is None:
        return tuple(_wildcards(text))
    tokens: list[Token] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        replacement = _replacement(match, context)
        if replacement is None:
            return None
        tokens += _wildcards(text[position : match.start()])
        tokens += replacement
        position = match.end()
    return (*tokens, *_wildcards(text[position:]))


def _replacement(variable: re.Match[str], context: Context) -> str | None:
    key: str = variable["key"]
    if key in _LITERALS:
        return key
    values = context.get(key.lower(), ())
    return values[0] if len(values) == 1 else variable["default"]


def _wildcards(text: str) -> list[Token]:
    return [Wildcard(character) if character in "*?" else character for character in text]


def literal(tokens: tuple[Token, ...]) -> str:
    """The text of a pattern whose wildcards are meant as characters, as in StringEquals."""
    return "".join(token.value if isinstance(token, Wildcard) else token for token in tokens)


def matches(tokens: tuple[Token, ...], text: str) -> bool:
    """Whether the whole of `text` fits the pattern.

    On a mismatch only the latest `*` takes one character more, so that the time is bounded by the product of the two
    lengths, however many stars there are.
    """
    token = position = 0
    star, resume = -1, 0
    while position < len(text):
        if token < len(tokens) and tokens[token] is Wildcard.ANY:
            star, resume = token, position
            token += 1
        elif token < len(tokens) and tokens[token] in (Wildcard.ONE, text[position]):
            token += 1
            position += 1
        elif star >= 0:
            resume += 1
            token, position = star + 1, resume
        else:
            return False
    return all(rest is Wildcard.ANY for rest in tokens[token:])


def matches_arn(tokens: tuple[Token, ...], arn: str) -> bool:
    """Whether an ARN fits a pattern part by part, so that a wildcard does not reach across a colon.

    The sixth part holds whatever colons are left. A pattern with fewer parts is completed with `*`, as AWS does:
    `arn:aws:sqs` means `arn:aws:sqs:*:*:*`. A pattern that is no ARN (`*` most of all) is compared as a whole.
    """
    parts = _parts(tokens)
    if len(parts) == 1:
        return matches(tokens, arn)
    values = arn.split(":", ARN_PARTS - 1)
    if len(values) != ARN_PARTS:
        return False
    completed = parts + [(Wildcard.ANY,)] * (ARN_PARTS - len(parts))
    return all(matches(part, value) for part, value in zip(completed, values, strict=True))


def _parts(tokens: tuple[Token, ...]) -> list[tuple[Token, ...]]:
    parts: list[list[Token]] = [[]]
    for piece in tokens:
        if piece == ":" and len(parts) < ARN_PARTS:
            parts.append([])
        else:
            parts[-1].append(piece)
    return [tuple(part) for part in parts]
