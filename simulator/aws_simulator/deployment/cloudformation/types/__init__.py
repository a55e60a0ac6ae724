"""The resource types that a template can have, and the one way to find them.

Those of this package call the service's API, as CloudFormation does; for others, moto's own stand in.
"""

from __future__ import annotations

from functools import cache

from aws_simulator.deployment.cloudformation.resources import Made, Properties, ResourceType, Scope
from aws_simulator.deployment.cloudformation.types import (
    config,
    functions,
    identity,
    messaging,
    monitoring,
    nested,
    organization_rules,
    security_hub,
    storage,
)
from aws_simulator.deployment.cloudformation.types.moto_types import moto_type

_MODULES = (config, functions, identity, messaging, monitoring, nested, organization_rules, security_hub, storage)

_OWN: dict[str, ResourceType] = {each.name: each for module in _MODULES for each in module.TYPES}


@cache
def type_of(name: str) -> ResourceType | None:
    """The resource type of that name; None where the simulation has none, and a stack with it fails."""
    if name in _OWN:
        return _OWN[name]
    if name in {"AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle"}:
        return ResourceType(name, _nothing, lambda _scope, _made: None)
    return moto_type(name)


def _nothing(scope: Scope, _properties: Properties, _made: Made | None) -> Made:
    return Made(scope.generated_name())
