"""The Lambda service of a simulation: who may invoke which function, and what becomes of the invocation."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aws_simulator.deployment.lambda_runtime import asynchronous, invoke_api, permissions, telemetry
from aws_simulator.deployment.lambda_runtime.environment import ExecutionEnvironment, Invocation, Shipped
from aws_simulator.deployment.lambda_runtime.functions import Function, function_at, unpack
from aws_simulator.deployment.lambda_runtime.packages import runtime_folder

MAX_PROCESSES = 24
"""So many functions stay warm; beyond, the one that has been idle for longest is stopped."""


@contextmanager
def lambda_runtime(endpoint_url: str) -> Iterator[LambdaRuntime]:
    """Runs the functions of this process's simulation while it lasts, through moto's `Invoke` as well.

    `endpoint_url` is that of the simulator's server (`aws_simulator.server.serving`), which must run in this process:
    functions and their settings are read from moto's state.

    Raises:
        ModuleNotFoundError: when awslambdaric, or another distribution that the runtime ships, is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="lambda-") as folder:
        runtime = LambdaRuntime(endpoint_url, Path(folder))
        with invoke_api.answered_by(runtime):
            try:
                yield runtime
            finally:
                runtime.close()


class LambdaRuntime:
    """Invokes deployed functions. Made by `lambda_runtime`."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self._endpoint_url = endpoint_url
        self._folder = folder
        self._packages = runtime_folder(folder / "runtime")
        self._environments: OrderedDict[str, ExecutionEnvironment] = OrderedDict()
        self._layers: dict[tuple[bytes, ...], Path] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._events = ThreadPoolExecutor(max_workers=4, thread_name_prefix="lambda-event")
        self._pending: list[Future[Any]] = []

    def invoke(
        self,
        function_arn: str,
        event: Any,
        *,
        principal: str | None = None,
        source_account: str | None = None,
        source_arn: str | None = None,
    ) -> Invocation:
        """Invoke once and wait for the answer. A function that fails answers too: see `Invocation.error`.

        Args:
            function_arn: with or without a version.
            event: what the handler gets; must be JSON.
            principal: the service that invokes, such as `config.amazonaws.com`: the function's resource-based policy
                must allow it. None: someone of the function's own account, whose permissions are not looked at.
            source_account: the account on whose behalf the service invokes (`aws:SourceAccount`).
            source_arn: the resource on whose behalf the service invokes (`aws:SourceArn`).

        Raises:
            AwsError: as the Invoke API answers: `ResourceNotFoundException` when there is no such function,
                `AccessDeniedException` when the resource-based policy does not allow the principal, or when Lambda
                cannot assume the function's role.
        """
        function = function_at(function_arn)
        permissions.check_invoker(function, principal, source_account, source_arn)
        return self._run(function, event)

    def invoke_async(
        self,
        function_arn: str,
        event: Any,
        *,
        principal: str | None = None,
        source_account: str | None = None,
        source_arn: str | None = None,
    ) -> tuple[Invocation, ...]:
        """Invoke as an event, and return all tries: a failing function is tried two more times.

        The number of retries follows the function's `MaximumRetryAttempts`. When all have failed, AWS's record of the
        event goes to the on-failure destination, if there is one (SQS).

        Raises:
            AwsError: as `invoke`; nothing was run then.
        """
        function = function_at(function_arn)
        permissions.check_invoker(function, principal, source_account, source_arn)
        return self._deliver(function, event)

    def start_event(self, function_arn: str, event: Any) -> str:
        """Invoke as an event in the background, for someone of the function's own account; the id of the request."""
        function = function_at(function_arn)
        request_id = telemetry.new_request_id()
        future = self._events.submit(self._deliver, function, event, request_id)
        with self._lock:
            self._pending = [each for each in self._pending if not each.done()] + [future]
        return request_id

    def settle(self) -> None:
        """Waits until the events that run in the background are done, retries included."""
        with self._lock:
            pending, self._pending = self._pending, []
        for future in wait(pending).done:
            future.result()

    def close(self) -> None:
        """Ends the events that run in the background, and stops all processes."""
        self._events.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            environments, self._environments = list(self._environments.values()), OrderedDict()
        for environment in environments:
            environment.stop()

    def _deliver(self, function: Function, event: Any, request_id: str | None = None) -> tuple[Invocation, ...]:
        request_id = request_id or telemetry.new_request_id()
        tries: list[Invocation] = []
        for _ in range(1 + function.retries):
            tries.append(self._run(function, event, request_id))
            if tries[-1].error is None:
                break
        if tries[-1].error is not None:
            asynchronous.report_failure(function, event, tries)
        return tuple(tries)

    def _run(self, function: Function, event: Any, request_id: str | None = None) -> Invocation:
        with self._lock_of(function.unqualified_arn):
            environment = self._environment(function)
            invocation = environment.invoke(event, request_id or telemetry.new_request_id())
            if not environment.alive:
                self._drop(function.unqualified_arn)
        telemetry.record(function, environment.log_stream, invocation)
        return invocation

    def _lock_of(self, arn: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(arn, threading.Lock())

    def _environment(self, function: Function) -> ExecutionEnvironment:
        """The warm process of the function, or a new one when there is none or the function has changed."""
        arn = function.unqualified_arn
        with self._lock:
            known = self._environments.get(arn)
            if known is not None and known.alive and known.function == function:
                self._environments.move_to_end(arn)
                return known
        self._drop(arn)
        credentials = permissions.role_session(function)
        folder = Path(tempfile.mkdtemp(dir=self._folder, prefix="environment-"))
        shipped = Shipped(self._packages, self._unpacked(function.layers))
        made = ExecutionEnvironment(function, credentials, self._endpoint_url, shipped, folder)
        with self._lock:
            self._environments[arn] = made
            surplus = list(self._environments)[: max(0, len(self._environments) - MAX_PROCESSES)]
        for idle in surplus:
            self._drop_if_idle(idle)
        return made

    def _unpacked(self, layers: tuple[bytes, ...]) -> Path:
        """The counterpart of `/opt` for these layers, which all functions with the same ones share."""
        with self._lock:
            if layers not in self._layers:
                folder = Path(tempfile.mkdtemp(dir=self._folder, prefix="opt-"))
                for layer in layers:
                    unpack(layer, folder)
                self._layers[layers] = folder
            return self._layers[layers]

    def _drop_if_idle(self, arn: str) -> None:
        lock = self._lock_of(arn)
        if lock.acquire(blocking=False):
            try:
                self._drop(arn)
            finally:
                lock.release()

    def _drop(self, arn: str) -> None:
        with self._lock:
            environment = self._environments.pop(arn, None)
        if environment is not None:
            environment.stop()
            shutil.rmtree(environment.folder, ignore_errors=True)
