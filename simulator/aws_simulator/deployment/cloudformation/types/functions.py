"""AWS Lambda."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from aws_simulator.deployment.cloudformation.resources import Made, Properties, ResourceType, Scope, gone, only, tag_map

_CONFIGURATION = (
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "KMSKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
)

# --- Functions ------------------------------------------------------------------------------------------------------


def _put_function(scope: Scope, properties: Properties, made: Made | None) -> Made:
    name = made.id if made else properties.get("FunctionName") or scope.generated_name()
    configuration = only(properties, *_CONFIGURATION)
    if "KmsKeyArn" in properties:
        configuration["KMSKeyArn"] = properties["KmsKeyArn"]
    code = _code(properties["Code"])
    architectures = properties.get("Architectures")
    if made:
        for setting in {*made.handle} - {*configuration}:
            configuration[setting] = _EMPTY.get(setting, "")
        scope.call("lambda", "update_function_configuration", FunctionName=name, **configuration)
        answer = scope.call("lambda", "update_function_code", FunctionName=name, Architectures=architectures, **code)
    else:
        answer = scope.call(
            "lambda",
            "create_function",
            FunctionName=name,
            Code=code,
            Tags=tag_map(properties),
            Architectures=architectures,
            **configuration,
        )
    _reserve(scope, name, properties.get("ReservedConcurrentExecutions"))
    return Made(name, {"Arn": answer["FunctionArn"]}, handle=frozenset(configuration))


_EMPTY: dict[str, Any] = {
    "DeadLetterConfig": {},
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "Layers": [],
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {},
}
"""What a setting becomes that a template no longer has."""


def _code(given: Properties) -> dict[str, Any]:
    """The code as the API has it: source that stands in the template is zipped."""
    if "ZipFile" not in given:
        return dict(given)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", given["ZipFile"])
    return {"ZipFile": packed.getvalue()}


def _reserve(scope: Scope, name: str, concurrency: Any) -> None:
    if concurrency is None:
        scope.call("lambda", "delete_function_concurrency", FunctionName=name)
    else:
        scope.call("lambda", "put_function_concurrency", FunctionName=name, ReservedConcurrentExecutions=concurrency)


def _delete_function(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("lambda", "delete_function", FunctionName=made.id)


# --- Layers ---------------------------------------------------------------------------------------------------------


def _put_layer(scope: Scope, properties: Properties, _: Made | None) -> Made:
    name = properties.get("LayerName") or scope.generated_name()
    answer = scope.call(
        "lambda",
        "publish_layer_version",
        LayerName=name,
        **only(properties, "CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LicenseInfo"),
    )
    arn = answer["LayerVersionArn"]
    return Made(arn, {"LayerVersionArn": arn}, handle=(name, answer["Version"]))


def _delete_layer(scope: Scope, made: Made) -> None:
    name, version = made.handle
    with gone():
        scope.call("lambda", "delete_layer_version", LayerName=name, VersionNumber=version)


# --- Who may invoke -------------------------------------------------------------------------------------------------


def _put_permission(scope: Scope, properties: Properties, _: Made | None) -> Made:
    statement = scope.generated_name(100)
    scope.call(
        "lambda",
        "add_permission",
        StatementId=statement,
        **only(
            properties,
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ),
    )
    return Made(statement, {"Id": statement}, handle=properties["FunctionName"])


def _delete_permission(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("lambda", "remove_permission", FunctionName=made.handle, StatementId=made.id)


def _put_policy(scope: Scope, properties: Properties, _: Made | None) -> Made:
    document = properties["PolicyDocument"]
    policy = document if isinstance(document, str) else json.dumps(document)
    arn = properties["ResourceArn"]
    scope.call("lambda", "put_resource_policy", ResourceArn=arn, Policy=policy)
    return Made(arn)


def _delete_policy(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("lambda", "delete_resource_policy", ResourceArn=made.id)


# --- Asynchronous invocation, event sources -------------------------------------------------------------------------


def _put_invoke_config(scope: Scope, properties: Properties, made: Made | None) -> Made:
    function, qualifier = properties["FunctionName"], properties["Qualifier"]
    if made:
        _delete_invoke_config(scope, made)
    scope.call(
        "lambda",
        "put_function_event_invoke_config",
        FunctionName=function,
        Qualifier=None if qualifier == "$LATEST" else qualifier,
        **only(properties, "DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"),
    )
    return Made(f"{function}|{qualifier}", handle=function)


def _delete_invoke_config(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("lambda", "delete_function_event_invoke_config", FunctionName=made.handle)


def _put_mapping(scope: Scope, properties: Properties, made: Made | None) -> Made:
    given = {name: value for name, value in properties.items() if name != "Tags"}
    if made:
        changed = {name: value for name, value in given.items() if name != "EventSourceArn"}
        answer = scope.call("lambda", "update_event_source_mapping", UUID=made.id, **changed)
    else:
        answer = scope.call("lambda", "create_event_source_mapping", Tags=tag_map(properties), **given)
    identity = answer["UUID"]
    arn = scope.arn("lambda", f"event-source-mapping:{identity}")
    return Made(identity, {"Id": identity, "EventSourceMappingArn": arn})


def _delete_mapping(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("lambda", "delete_event_source_mapping", UUID=made.id)


TYPES = (
    ResourceType("AWS::Lambda::Function", _put_function, _delete_function, frozenset({"FunctionName", "PackageType"})),
    ResourceType("AWS::Lambda::LayerVersion", _put_layer, _delete_layer, update=False),
    ResourceType("AWS::Lambda::Permission", _put_permission, _delete_permission, update=False),
    ResourceType("AWS::Lambda::ResourcePolicy", _put_policy, _delete_policy, frozenset({"ResourceArn"})),
    ResourceType(
        "AWS::Lambda::EventInvokeConfig",
        _put_invoke_config,
        _delete_invoke_config,
        frozenset({"FunctionName", "Qualifier"}),
    ),
    ResourceType("AWS::Lambda::EventSourceMapping", _put_mapping, _delete_mapping, frozenset({"EventSourceArn"})),
)
