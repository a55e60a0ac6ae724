"""The service opt-in of an account in a Region."""

from __future__ import annotations

from collections.abc import Collection

from aws_simulator.core.backup.state import Document, at, state_in
from aws_simulator.core.operations import AwsError, Handler, Request


def _describe_region_settings(request: Request) -> Document:
    state = at(request)
    return {"ResourceTypeOptInPreference": state.opt_in, "ResourceTypeManagementPreference": state.management}


def _update_region_settings(request: Request) -> Document:
    state = at(request)
    opt_in = request.parameters.get("ResourceTypeOptInPreference") or {}
    management = request.parameters.get("ResourceTypeManagementPreference") or {}
    _check_keys(opt_in, state.opt_in, "opt in")
    _check_keys(management, state.management, "management")
    state.opt_in |= opt_in
    state.management |= management
    return {}


def _check_keys(given: Collection[str], supported: Collection[str], preference: str) -> None:
    if not set(given) <= set(supported):
        raise AwsError(
            "InvalidParameterValueException",
            f"Element present in resource type {preference} preference has invalid values. "
            "Please use describeRegionSettings API to know the supported resource types",
        )


def _get_supported_resource_types(request: Request) -> Document:
    return {"ResourceTypes": sorted(at(request).opt_in)}


def set_supported_resource_types(account: str, region: str, keys: Collection[str]) -> None:
    """The opt-in keys that the Region knows at all; those already there keep their setting, new ones are on."""
    state = state_in(account, region)
    state.opt_in = {key: state.opt_in.get(key, True) for key in keys}


HANDLERS: dict[str, Handler] = {
    "DescribeRegionSettings": _describe_region_settings,
    "UpdateRegionSettings": _update_region_settings,
    "GetSupportedResourceTypes": _get_supported_resource_types,
}
