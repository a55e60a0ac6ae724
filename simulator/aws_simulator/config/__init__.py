"""AWS Config: rules and their evaluations, packs, queries, remediations, and what it does by itself.

`rules` keeps rules, evaluations and configuration items; `conformance_packs` and `organization_rules` bring rules into
accounts, as `service_linked` ones; `service` invokes the functions of rules; `queries` answers advanced queries, with
`query_language`, `recorded_items` and `aggregators`; `remediation` and `remediation_executions` settle what was found.
"""

from aws_simulator.config import (
    conformance_packs,
    organization_rules,
    queries,
    remediation,
    remediation_executions,
    rules,
)
from aws_simulator.config.rules import (
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

_MODULES = (conformance_packs, organization_rules, queries, remediation, remediation_executions)


def install(*, require_functions: bool | None = None) -> None:
    """Teach moto's AWS Config what it lacks. Idempotent.

    Args:
        require_functions: whether `PutConfigRule` refuses a custom Lambda rule whose function does not exist in the
            account and Region of its ARN, or does not let AWS Config invoke it for the account of the rule, as AWS
            does. A run without deployed functions turns it off. None: as before, and at first True.
    """
    rules.install(require_functions=require_functions)
    for module in _MODULES:
        module.install()
