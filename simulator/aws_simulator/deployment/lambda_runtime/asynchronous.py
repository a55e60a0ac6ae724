"""What becomes of an event of which all tries have failed.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends

from aws_simulator.core.messages.configuration_items import iso_time
from aws_simulator.core.operations import now
from aws_simulator.deployment.events import emit_to
from aws_simulator.deployment.lambda_runtime.environment import Invocation
from aws_simulator.deployment.lambda_runtime.functions import Function
from aws_simulator.deployment.lambda_runtime.permissions import role_may
from aws_simulator.deployment.lambda_runtime.telemetry import count


def report_failure(function: Function, event: Any, tries: Sequence[Invocation]) -> None:
    """Sends AWS's record of the failed event to the function's on-failure destination, an SQS queue or an event bus.

    When that does not exist, or the function's role may not send to it, the event is lost, and only the metric
    DestinationDeliveryFailures tells.
    """
    destination = function.on_failure
    if not destination:
        return
    *_, service, region, account, name = destination.split(":")
    if service == "sqs" and role_may(function, "sqs:SendMessage", destination):
        try:
            sqs_backends[account][region].send_message(name, json.dumps(failure_record(function, event, tries)))
        except QueueDoesNotExist:
            pass
        else:
            return
    if service == "events" and role_may(function, "events:PutEvents", destination):
        record = failure_record(function, event, tries)
        told = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Lambda Function Invocation Result - Failure",
            "source": "lambda",
            "account": account,
            "time": record["timestamp"],
            "region": region,
            "resources": [destination, record["requestContext"]["functionArn"]],
            "detail": record,
        }
        if emit_to(destination, told):
            return
    count(function, "DestinationDeliveryFailures", 1)


def failure_record(function: Function, event: Any, tries: Sequence[Invocation]) -> dict[str, Any]:
    """The record, as AWS documents it."""
    last = tries[-1]
    return {
        "version": "1.0",
        "timestamp": iso_time(now()),
        "requestContext": {
            "requestId": last.request_id,
            "functionArn": f"{function.unqualified_arn}:{function.version}",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": len(tries),
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": function.version,
            "functionError": "Unhandled",
        },
        "responsePayload": last.payload,
    }
