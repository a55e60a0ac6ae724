"""Amazon EKS: how a cluster lets callers in, which moto forgets and AWS Backup asks for.

Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessConfigRequest.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.core.responses import ActionResult
from moto.eks.models import Cluster
from moto.eks.responses import EKSResponse

DEFAULT_MODE = "CONFIG_MAP"
"""Of a cluster made through the API without `accessConfig`."""


def install() -> None:
    """Has moto's clusters keep their `accessConfig`. Idempotent."""
    create: Callable[[EKSResponse], ActionResult] = EKSResponse.create_cluster
    if hasattr(create, "keeps_access"):
        return
    Cluster.access_config = {"authenticationMode": DEFAULT_MODE, "bootstrapClusterCreatorAdminPermissions": True}

    @wraps(create)
    def created(self: EKSResponse) -> ActionResult:
        answer = create(self)
        cluster: Any = self.eks_backend.clusters[self._get_param("name")]
        cluster.access_config = Cluster.access_config | (self._get_param("accessConfig") or {})
        return answer

    setattr(created, "keeps_access", True)  # noqa: B010 - a function has no such attribute by type
    setattr(EKSResponse, "create_cluster", created)  # noqa: B010 - mypy forbids assigning to a method
