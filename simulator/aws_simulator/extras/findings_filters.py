"""How Security Hub filters findings: in GetFindings, in insights, and as criteria of automation rules.

Different attributes must all match. Of one attribute, EQUALS, PREFIX and CONTAINS are joined by OR, their negations by
AND. Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_StringFilter.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_simulator.core.operations import AwsError

Finding = Mapping[str, Any]

_MOST_VALUES, _MOST_ATTRIBUTES = 20, 10


def _resources(name: str) -> Callable[[Finding], list[str]]:
    return lambda finding: [each[name] for each in finding["Resources"] if name in each]


def _path(*names: str) -> Callable[[Finding], list[str]]:
    def read(finding: Finding) -> list[str]:
        value: Any = finding
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return [] if value is None else [str(each) for each in (value if isinstance(value, list) else [value])]

    return read


_READ: Mapping[str, Callable[[Finding], list[str]]] = {
    **{
        name: _path(name)
        for name in (
            "AwsAccountId",
            "CompanyName",
            "CreatedAt",
            "Description",
            "GeneratorId",
            "Id",
            "ProductArn",
            "ProductName",
            "RecordState",
            "Region",
            "SourceUrl",
            "Title",
            "UpdatedAt",
            "VerificationState",
        )
    },
    "ComplianceStatus": _path("Compliance", "Status"),
    "FindingProviderFieldsSeverityLabel": _path("FindingProviderFields", "Severity", "Label"),
    "RecommendationText": _path("Remediation", "Recommendation", "Text"),
    "ResourceId": _resources("Id"),
    "ResourcePartition": _resources("Partition"),
    "ResourceRegion": _resources("Region"),
    "ResourceType": _resources("Type"),
    "SeverityLabel": _path("Severity", "Label"),
    "Type": _path("Types"),
    "WorkflowStatus": _path("Workflow", "Status"),
}

_MAPS: Mapping[str, Callable[[Finding], list[Mapping[str, str]]]] = {
    "ProductFields": lambda finding: [finding.get("ProductFields", {})],
    "UserDefinedFields": lambda finding: [finding.get("UserDefinedFields", {})],
    "ResourceTags": lambda finding: [each.get("Tags", {}) for each in finding["Resources"]],
}

_POSITIVE: Mapping[str, Callable[[str, str], bool]] = {
    "EQUALS": lambda value, wanted: value == wanted,
    "PREFIX": lambda value, wanted: value.startswith(wanted),
    "CONTAINS": lambda value, wanted: wanted in value,
}
_NEGATIVE = {"NOT_EQUALS": "EQUALS", "PREFIX_NOT_EQUALS": "PREFIX", "NOT_CONTAINS": "CONTAINS"}


def check_filters(filters: Mapping[str, Any], most: int = _MOST_VALUES) -> None:
    """Refuses what Security Hub would, and what is not simulated.

    Raises:
        AwsError: InvalidInputException.
    """
    if len(filters) > _MOST_ATTRIBUTES:
        raise AwsError("InvalidInputException", f"At most {_MOST_ATTRIBUTES} attributes can be filtered by")
    for name, conditions in filters.items():
        if name not in _READ and name not in _MAPS:
            raise AwsError("InvalidInputException", f"The simulator knows no findings filter {name}")
        if len(conditions) > most:
            raise AwsError("InvalidInputException", f"{name} has {len(conditions)} values; at most {most} are allowed")
        kinds = {each.get("Comparison") for each in conditions}
        if "EQUALS" in kinds and kinds & {"NOT_EQUALS", "PREFIX_NOT_EQUALS"}:
            raise AwsError("InvalidInputException", f"{name} has both an EQUALS filter and a negation")


def matches(finding: Finding, filters: Mapping[str, Any]) -> bool:
    """Whether the finding passes all filters."""
    return all(_matches(finding, name, conditions) for name, conditions in filters.items())


def values_of(finding: Finding, attribute: str) -> list[str]:
    """What the finding has for an attribute that filters and insights name: several for its resources and types.

    Raises:
        AwsError: InvalidInputException when it is no attribute that can be read so.
    """
    if attribute not in _READ:
        raise AwsError("InvalidInputException", f"The simulator knows no findings attribute {attribute}")
    return _READ[attribute](finding)


def _matches(finding: Finding, name: str, conditions: Sequence[Mapping[str, Any]]) -> bool:
    if name in _MAPS:
        return _any_and_all(
            conditions,
            lambda each: [mapping[each["Key"]] for mapping in _MAPS[name](finding) if each["Key"] in mapping],
        )
    values = _READ[name](finding)
    if any("Start" in each or "End" in each for each in conditions):
        return any(each.get("Start", "") <= value <= each.get("End", "9999") for each in conditions for value in values)
    return _any_and_all(conditions, lambda _: values)


def _any_and_all(conditions: Sequence[Mapping[str, Any]], values: Callable[[Mapping[str, Any]], Sequence[str]]) -> bool:
    positive = [each for each in conditions if each["Comparison"] in _POSITIVE]
    negative = [each for each in conditions if each["Comparison"] in _NEGATIVE]
    some = not positive or any(
        _POSITIVE[each["Comparison"]](value, each["Value"]) for each in positive for value in values(each)
    )
    return some and not any(
        _POSITIVE[_NEGATIVE[each["Comparison"]]](value, each["Value"]) for each in negative for value in values(each)
    )
