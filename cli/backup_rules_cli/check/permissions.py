"""What a declared role may do: its policies, as the simulator's IAM evaluates them, which does as AWS documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.check.account import Role, as_text


class UnknownPolicyError(LookupError):
    """A managed policy that neither AWS nor the documents have."""


def simulated(role: Role, request: Mapping[str, Any], own_policies: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The answer of `SimulatePrincipalPolicy`, as far as the role's own policies and its boundary decide.

    Raises:
        UnknownPolicyError: a managed policy is not known.
        ValueError: a policy is none.
    """
    # The simulator takes a while to import, and most documents declare no role.
    from aws_simulator.core.iam.policies import Policies, parse_document  # noqa: PLC0415
    from aws_simulator.core.iam.simulation import Simulation  # noqa: PLC0415

    def managed(arn: str) -> Any:
        if arn in own_policies:
            return parse_document(arn, as_text(own_policies[arn]))
        text = _aws_managed(arn.rpartition("/")[2]) if ":iam::aws:policy/" in arn else None
        if text is None:
            raise UnknownPolicyError(arn)
        return parse_document(arn, text.replace('"arn:aws:', f'"arn:{place.partition}:'))

    identity = [parse_document(f"policy-{number}", as_text(each)) for number, each in enumerate(role.documents)]
    policies = Policies(
        identity=(*identity, *map(managed, role.managed)), boundary=managed(role.boundary) if role.boundary else None
    )
    context = {each["ContextKeyName"].lower(): tuple(each["ContextKeyValues"]) for each in request["ContextEntries"]}
    known = {"aws:principalaccount": (place.account,), "aws:principalarn": (role.arn,)}
    simulation = Simulation(
        policies, tuple(request["ActionNames"]), tuple(request.get("ResourceArns", ("*",))), context, known
    )
    return {"EvaluationResults": simulation.results()}


@cache
def _all_aws_managed() -> Mapping[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415

    found: Mapping[str, Any] = json.loads(aws_managed_policies_data)
    return found


@cache
def _aws_managed(name: str) -> str | None:
    found = _all_aws_managed().get(name)
    return None if found is None else json.dumps(found["Document"])
