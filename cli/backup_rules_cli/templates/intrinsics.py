"""CloudFormation's intrinsic functions in their long form."""

from __future__ import annotations

from typing import Any

Intrinsic = dict[str, Any]

NO_VALUE: Intrinsic = {"Ref": "AWS::NoValue"}

# AWS Config as a principal. In China its name ends in .cn, as the suffix of URLs does; Lambda's name does not.
CONFIG: Intrinsic = {"Fn::Sub": "config.${AWS::URLSuffix}"}


def ref(name: str) -> Intrinsic:
    return {"Ref": name}


def sub(text: str) -> Intrinsic:
    return {"Fn::Sub": text}


def get_att(resource: str, attribute: str) -> Intrinsic:
    return {"Fn::GetAtt": f"{resource}.{attribute}"}


def join(*parts: Any) -> Intrinsic:
    """The parts, one after the other."""
    return {"Fn::Join": ["", list(parts)]}


def select_first(first: Any, second: Any) -> Intrinsic:
    """`first`, which is resolved when `second` is as well."""
    return {"Fn::Select": [0, [first, second]]}


def if_(condition: str, then: Any, otherwise: Any = NO_VALUE) -> Intrinsic:
    """`then` under the condition; otherwise nothing, as if the property were not written."""
    return {"Fn::If": [condition, then, otherwise]}


def equals(parameter: str, value: str) -> Intrinsic:
    return {"Fn::Equals": [ref(parameter), value]}


def differs(parameter: str, value: str) -> Intrinsic:
    return {"Fn::Not": [equals(parameter, value)]}


def given(parameter: str) -> Intrinsic:
    """The condition that a parameter is not blank."""
    return differs(parameter, "")
