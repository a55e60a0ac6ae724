"""IAM as the rules meet it: policies are evaluated and simulated.

moto stores roles and policies but has no policy simulator. `install` adds it to moto's response class, in process and
in its server.
"""

from collections.abc import Callable

from moto.core.errors import COMMON_ERROR_CODES
from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, Role
from moto.iam.responses import IamResponse

from aws_simulator.core.iam import simulation
from aws_simulator.core.iam.policies import Decision, Effect, Policies, decide, parse_document

__all__ = [
    "Decision",
    "Effect",
    "Policies",
    "decide",
    "install",
    "page_size",
    "parse_document",
]


def _unbounded() -> int | None:
    return None


page_size: Callable[[], int | None] = _unbounded
"""What bounds every page of simulation results, beside `MaxItems`: None, or a number of results."""


def install() -> None:
    """Extends moto's IAM. Idempotent."""
    if hasattr(IamResponse, "simulate_principal_policy"):
        return
    simulation.shape.page_size = _current_page_size
    for method in (simulation.simulate_principal_policy, simulation.simulate_custom_policy):
        setattr(IamResponse, method.__name__, method)
    COMMON_ERROR_CODES.append(simulation.NotBuiltError.code)  # moto warns of codes that a model does not list
    _word_missing_roles_as_aws()


def _current_page_size() -> int | None:
    return page_size()


def _word_missing_roles_as_aws() -> None:
    get_role: Callable[[IAMBackend, str], Role] = IAMBackend.get_role

    def get_role_as_aws(self: IAMBackend, role_name: str) -> Role:
        try:
            return get_role(self, role_name)
        except NotFoundException as error:
            raise NotFoundException(f"The role with name {role_name} cannot be found.") from error

    setattr(IAMBackend, "get_role", get_role_as_aws)  # noqa: B010 - mypy forbids assigning to a method
