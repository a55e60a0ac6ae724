"""One execution environment: the process that serves a function, with what that process can see of the world."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any
from uuid import uuid4

from aws_simulator.core.operations import now
from aws_simulator.deployment.lambda_runtime.api import Answer, RuntimeApi, Work
from aws_simulator.deployment.lambda_runtime.functions import Function, unpack
from aws_simulator.deployment.lambda_runtime.interpreters import interpreter_of

START_SECONDS = 60
"""How long a process may take to ask for its first event. AWS gives 10 seconds; here machines differ."""

_PATIENCE = 0.05
"""Seconds between two looks whether the process still runs."""

# awslambdaric, found on the given path, as Lambda's own bootstrap starts it. The function comes before its layers, and
# both before what the runtime ships.
_BOOTSTRAP = (
    "import os, runpy, sys; sys.path[:0] = sys.argv.pop(1).split(os.pathsep);"
    " runpy.run_module('awslambdaric', run_name='__main__')"
)


@dataclass(frozen=True)
class Credentials:
    """Those of a session of the function's role."""

    access_key: str
    secret_key: str
    token: str


@dataclass(frozen=True)
class Shipped:
    """What a function finds beside its own zip: folders as Lambda's `/var/runtime` and `/opt`."""

    runtime: Path
    layers: Path


@dataclass(frozen=True)
class Invocation:
    """One invocation, and what became of it."""

    request_id: str
    payload: Any
    """What the handler returned; when it failed, the object with `errorType`, `errorMessage` and `stackTrace`."""
    error: str | None
    """None, or type and message of what went wrong, such as `Runtime.ImportModuleError: Unable to import …`."""
    log_lines: tuple[str, ...]
    """What the function printed and logged, without the lines that Lambda adds (START, END, REPORT)."""
    cold: bool
    """Whether a process was started for it."""
    seconds: float
    """How long the handler took."""
    init_line: str
    """What Lambda logs of the Python when it starts one."""


class ExecutionEnvironment:
    """A process under awslambdaric, and the files that it runs from."""

    def __init__(
        self, function: Function, credentials: Credentials, endpoint_url: str, shipped: Shipped, folder: Path
    ) -> None:
        self.function = function
        self.folder = folder
        self.log_stream = f"{now():%Y/%m/%d}/[{function.version}]{uuid4().hex}"
        self._used = False
        self._log = folder / "log"
        self._log_position = 0
        task = unpack(function.code, folder / "task")
        self.interpreter = interpreter_of(function.runtime)
        path = _search_path(task, shipped, self.interpreter.minor)
        self._api = RuntimeApi()
        variables = _variables(function, credentials, endpoint_url, folder) | {
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_RUNTIME_DIR": str(shipped.runtime),
        }
        arguments = [os.pathsep.join(map(str, path)), function.handler]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a Python of this machine, on unpacked code of the simulation
                [self.interpreter.path, "-I", "-S", "-c", _BOOTSTRAP, *arguments],
                cwd=task,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def invoke(self, event: Any, request_id: str) -> Invocation:
        """Hands the event to the process and waits. After a time-out, or when it ended itself, it is not alive."""
        work = Work(request_id, self.function.arn, json.dumps(event).encode(), float(self.function.timeout))
        asked = time.monotonic()
        cold, self._used = not self._used, True
        self._api.offer(work)
        answer = self._wait(work, asked + START_SECONDS)
        finished = time.monotonic()
        payload = json.loads(answer.body or b"null")
        error = f"{payload.get('errorType')}: {payload.get('errorMessage')}" if answer.failed else None
        started = asked if work.deadline is None else work.deadline - work.seconds
        seconds = max(0.0, finished - started)
        return Invocation(request_id, payload, error, self._printed(), cold, seconds, self.interpreter.line)

    def stop(self) -> None:
        """Ends the process and whatever it has started."""
        if self.alive:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._api.close()

    def _wait(self, work: Work, start_limit: float) -> Answer:
        while True:
            limit = start_limit if work.deadline is None else work.deadline
            ended = not self.alive
            try:
                answer = self._api.answers.get(timeout=max(0.001, min(_PATIENCE, limit - time.monotonic())))
            except Empty:
                if ended:
                    return self._ended(work)
                if time.monotonic() >= limit:
                    return self._timed_out(work)
                continue
            if answer.failed and work.deadline is None:
                self._process.wait(START_SECONDS)  # awslambdaric ends itself when it could not load the handler
            return answer

    def _ended(self, work: Work) -> Answer:
        status = self._process.returncode
        how = f"exit status {status}" if status >= 0 else f"signal: {signal.Signals(-status).name}"
        return _failure("Runtime.ExitError", f"RequestId: {work.request_id} Error: Runtime exited with error: {how}")

    def _timed_out(self, work: Work) -> Answer:
        self.stop()
        return _failure(
            "Sandbox.Timedout", f"RequestId: {work.request_id} Error: Task timed out after {work.seconds:.2f} seconds"
        )

    def _printed(self) -> tuple[str, ...]:
        """What the process has written since the last time."""
        with self._log.open("rb") as log:
            log.seek(self._log_position)
            written = log.read()
        self._log_position += len(written)
        # awslambdaric separates the lines of one error by carriage returns: in CloudWatch Logs they are one event.
        lines = written.decode(errors="replace").split("\n")
        return tuple(line.replace("\r", "\n") for line in lines if line)


def _failure(error_type: str, message: str) -> Answer:
    return Answer(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), failed=True)


def _search_path(task: Path, shipped: Shipped, version: str) -> list[Path]:
    """In Lambda's order: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath"""
    of_layers = [shipped.layers / "python" / "lib" / f"python{version}" / "site-packages", shipped.layers / "python"]
    return [task, *(path for path in of_layers if path.is_dir()), shipped.runtime]


def _variables(function: Function, credentials: Credentials, endpoint_url: str, folder: Path) -> dict[str, str]:
    """The environment of the process, which inherits nothing from this one."""
    scratch = folder / "tmp"
    scratch.mkdir()
    of_lambda: Mapping[str, str] = {
        "_HANDLER": function.handler,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.token,
        "LAMBDA_TASK_ROOT": str(folder / "task"),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin/:/bin",
        "TZ": ":UTC",
        # What Lambda does not set: calls go to the simulator, and files of this machine's user are not found.
        "AWS_ENDPOINT_URL": endpoint_url,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }
    return {**function.variables, **of_lambda}
