"""Template parameters that several templates have, and how they are grouped in the console's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backup_rules_cli.templates.names import FUNCTION_ROLE_NAME, MEMBER_ROLE_NAME


def text(
    description: str, default: str | None = None, *, pattern: str = "", constraint: str = "", **more: Any
) -> dict[str, Any]:
    """A String parameter; without a default it must be given. `constraint` says in words what `pattern` demands."""
    declared: dict[str, Any] = {"Type": "String"}
    if default is not None:
        declared["Default"] = default
    if pattern:
        declared |= {"AllowedPattern": pattern, "ConstraintDescription": constraint}
    return {**declared, **more, "Description": description}


def choice(description: str, *values: str) -> dict[str, Any]:
    """A String parameter with these values, the first its default."""
    return {"Type": "String", "Default": values[0], "AllowedValues": list(values), "Description": description}


def account_list(description: str) -> dict[str, Any]:
    """A list of account ids, which may be blank."""
    return {
        "Type": "CommaDelimitedList",
        "Default": "",
        "AllowedPattern": "^([0-9]{12})?$",
        "ConstraintDescription": "must be a comma-separated list of 12-digit account ids.",
        "Description": description,
    }


CENTRAL_ACCOUNT_ID = {
    "CentralAccountId": text(
        "The id of the account whose functions judge: the delegated administrator's, or the management account's.",
        pattern="^[0-9]{12}$",
        constraint="must be a 12-digit account id.",
    )
}
ORGANIZATION_ID = {
    "OrganizationId": text(
        "The id of the organization, o-exampleorgid: nobody outside it gets in.",
        pattern="^o-[a-z0-9]{10,32}$",
        constraint="must be the id of an organization, such as o-exampleorgid.",
    )
}
MEMBER_ROLE = {
    "MemberRoleName": text(
        "The name of the IAM role in each account under which the functions read it.",
        MEMBER_ROLE_NAME,
        pattern="^[a-zA-Z0-9+=,.@_-]{1,64}$",
        constraint="must be the name of a role, without path.",
    )
}
FUNCTION_ROLE = {
    "FunctionRoleName": text(
        "What the name of the functions' IAM role begins with; a hyphen and the Region follow.",
        FUNCTION_ROLE_NAME,
        pattern="^[a-zA-Z0-9+=,.@_-]{1,45}$",
        constraint="must have at most 45 characters that may stand in the name of a role.",
    )
}


def interface(groups: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """The template's Metadata: its parameters in groups, by label."""
    return {
        "AWS::CloudFormation::Interface": {
            "ParameterGroups": [
                {"Label": {"default": label}, "Parameters": list(names)} for label, names in groups.items()
            ]
        }
    }
