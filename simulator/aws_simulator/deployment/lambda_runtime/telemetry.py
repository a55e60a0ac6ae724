"""What Lambda writes about an invocation: CloudWatch Logs and metrics.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html and
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import unix_time_millis, utcnow
from moto.logs.models import logs_backends

from aws_simulator.deployment.lambda_runtime.environment import Invocation
from aws_simulator.deployment.lambda_runtime.functions import Function
from aws_simulator.deployment.lambda_runtime.permissions import role_may


def new_request_id() -> str:
    """The id of an invocation, the same for all tries of an event."""
    return str(uuid4())


def record(function: Function, log_stream: str, invocation: Invocation) -> None:
    """Writes the log lines, as far as the function's role lets Lambda, and the metrics."""
    _write_lines(function, log_stream, platform_lines(function, invocation))
    count(function, "Invocations", 1)
    count(function, "Errors", 0 if invocation.error is None else 1)
    count(function, "Duration", invocation.seconds * 1000, unit="Milliseconds")


def platform_lines(function: Function, invocation: Invocation) -> list[str]:
    """What the function printed, between the lines that Lambda adds."""
    request, milliseconds = invocation.request_id, invocation.seconds * 1000
    timed_out = invocation.error is not None and invocation.error.startswith("Sandbox.Timedout")
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [
        *([invocation.init_line] if invocation.cold else []),
        f"START RequestId: {request} Version: {function.version}",
        *invocation.log_lines,
        *([f"{moment} {request} Task timed out after {function.timeout:.2f} seconds"] if timed_out else []),
        f"END RequestId: {request}",
        f"REPORT RequestId: {request}\tDuration: {milliseconds:.2f} ms\tMemory Size: {function.memory} MB",
    ]


def count(function: Function, metric: str, value: float, unit: str = "Count") -> None:
    """One value of a metric in `AWS/Lambda`, by function name."""
    datum = {
        "MetricName": metric,
        "Dimensions": [{"Name": "FunctionName", "Value": function.name}],
        "Value": value,
        "Unit": unit,
        "Timestamp": utcnow(),
    }
    cloudwatch_backends[function.account][function.region].put_metric_data("AWS/Lambda", [datum])


def _write_lines(function: Function, stream: str, lines: list[str]) -> None:
    backend = logs_backends[function.account][function.region]
    group = f"arn:{function.partition}:logs:{function.region}:{function.account}:log-group:{function.log_group}"
    if function.log_group not in backend.groups:
        if not role_may(function, "logs:CreateLogGroup", group):
            return
        backend.create_log_group(function.log_group, {})
    of_stream = f"{group}:log-stream:{stream}"
    if not (
        role_may(function, "logs:CreateLogStream", of_stream) and role_may(function, "logs:PutLogEvents", of_stream)
    ):
        return
    backend.ensure_log_stream(function.log_group, stream)
    moment = int(unix_time_millis())
    backend.put_log_events(function.log_group, stream, [{"timestamp": moment, "message": line} for line in lines])
