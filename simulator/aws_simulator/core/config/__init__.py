"""AWS Config: rules and their evaluations, configuration items, queries over them, and what it does by itself.

moto keeps recorders, delivery channels and rules; it has no evaluations. `install` adds them to moto's own response
class, so that requests pass botocore's serialisation in process and through moto's server alike. `rules`,
`evaluations`, `results` and `history` answer the operations, from what `state` keeps; `compliance_change` tells of what
evaluations change; `service` invokes the functions of rules; `queries` answers advanced queries about one account and
Region, with `query_language` and `recorded_items`; `service_linked` tells whose rules are AWS's own.
"""

from moto.config import responses

from aws_simulator.core.config import compliance_change, evaluations, history, queries, results, rules
from aws_simulator.core.config.evaluations import reject_evaluations, result_token
from aws_simulator.core.config.history import put_configuration_item
from aws_simulator.core.config.rules import conformance_pack_rule_name, principal, take_requested_evaluations
from aws_simulator.core.config.state import Result, compliance_listeners

__all__ = [
    "Result",
    "compliance_listeners",
    "conformance_pack_rule_name",
    "install",
    "principal",
    "put_configuration_item",
    "reject_evaluations",
    "result_token",
    "take_requested_evaluations",
]


def install(*, require_functions: bool | None = None) -> None:
    """Teach moto's AWS Config what it lacks. Idempotent.

    Args:
        require_functions: whether `PutConfigRule` refuses a custom Lambda rule whose function does not exist in the
            account and Region of its ARN, or does not let AWS Config invoke it for the account of the rule, as AWS
            does. A run without deployed functions turns it off. None: as before, and at first True.
    """
    for module in (rules, evaluations, results, history):
        for name, operation in module.OPERATIONS.items():
            setattr(responses.ConfigResponse, name, operation)
    rules.install(require_functions=require_functions)
    compliance_change.install()
    queries.install()
