"""AWS Config: rules and their evaluations, configuration items, queries over them, and what it does by itself.

`rules` keeps rules, evaluations and configuration items, and `compliance_change` tells of what they change; `service`
invokes the functions of rules; `queries` answers advanced queries about one account and Region, with `query_language`
and `recorded_items`; `service_linked` tells whose rules are AWS's own.
"""

from aws_simulator.core.config import compliance_change, queries, rules
from aws_simulator.core.config.rules import (
    Result,
    compliance_listeners,
    conformance_pack_rule_name,
    principal,
    put_configuration_item,
    reject_evaluations,
    result_token,
    take_requested_evaluations,
)

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
    rules.install(require_functions=require_functions)
    compliance_change.install()
    queries.install()
