"""The resource types of moto's own CloudFormation, for whatever this package has none of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.common_models import CloudFormationModel

from aws_simulator.deployment.cloudformation.resources import Made, Properties, ResourceType, Scope


class _Attributes(Mapping[str, Any]):
    """What `Fn::GetAtt` gives of a resource of moto's."""

    def __init__(self, resource: Any) -> None:
        self._resource = resource

    def __getitem__(self, name: str) -> Any:
        try:
            return self._resource.get_cfn_attribute(name)
        except (AttributeError, NotImplementedError, UnformattedGetAttTemplateException):
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def moto_type(name: str) -> ResourceType | None:
    """The type of that name, or None when moto has none either."""
    model: type[CloudFormationModel] | None = parsing.get_model_map().get(name)
    if model is None:
        return None

    def put(scope: Scope, properties: Properties, made: Made | None) -> Made:
        named = parsing.resource_name_property_from_type(name)
        generated = parsing.generate_resource_name(name, scope.stack_name, scope.logical_id)
        resource_name = properties.get(named, generated) if named else generated
        body = {"Type": name, "Properties": dict(properties)}
        if made:
            resource = model.update_from_cloudformation_json(
                original_resource=made.handle[0],
                new_resource_name=resource_name,
                cloudformation_json=body,
                account_id=scope.account,
                region_name=scope.region,
            )
        else:
            resource = model.create_from_cloudformation_json(
                resource_name,
                body,
                scope.account,
                scope.region,
                LogicalId=scope.logical_id,
                StackId=scope.stack_id,
                ResourceType=name,
            )
        resource.logical_resource_id, resource.cf_resource_type = scope.logical_id, name
        identity = getattr(resource, "physical_resource_id", None) or resource_name
        return Made(str(identity), _Attributes(resource), handle=(resource, body))

    def delete(scope: Scope, made: Made) -> None:
        resource, body = made.handle
        if hasattr(resource, "delete"):
            try:
                resource.delete(scope.account, scope.region)
            except TypeError:
                pass  # moto's models differ in what they take; the other way follows
            else:
                return
        parsing.parse_and_delete_resource(made.id, body, scope.account, scope.region)

    updates = not hasattr(model.update_from_cloudformation_json, "__isabstractmethod__")
    return ResourceType(name, put, delete, update=updates)
