"""What importing a rule brings in: it is what a cold start pays for, and what must be in the layer."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backup_rules_cli.catalogue import ROOT, RuleFolder, rule_folders

LAYER = ROOT / "layer" / "backup_rules"
SHIPPED = {"backup_rules", "rdklib"}

MODULES_AFTER = """
import json, sys
before = set(sys.modules)
{work}
print(json.dumps(sorted(set(sys.modules) - before)))
"""

# What may know of AWS's wire, a clock and an environment: the reading half, and the way in and out.
READING = {"aws", "evaluation", "shared_rules"}


def modules_after(work: str, *path: Path) -> set[str]:
    """The modules that a fresh interpreter imports to do `work`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
    environment |= {"PYTHONPATH": os.pathsep.join(map(str, path)), "AWS_DEFAULT_REGION": "eu-west-1"}
    command = [sys.executable, "-c", MODULES_AFTER.format(work=work)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    return set(json.loads(finished.stdout))


@pytest.fixture(scope="module")
def boto3_needs() -> set[str]:
    """The modules that `import boto3` and a client bring in by themselves."""
    return modules_after("import boto3; boto3.client('sts')")


@pytest.mark.parametrize("folder", rule_folders(), ids=lambda folder: folder.name)
def test_importing_a_rule_imports_nothing_but_what_lambda_has(folder: RuleFolder, boto3_needs: set[str]) -> None:
    imported = modules_after(f"import {folder.name}", folder.path, ROOT / "layer")
    assert f"{folder.name}" in imported
    beyond_boto3 = {module.split(".")[0] for module in imported - boto3_needs}
    of_python = {name for name in beyond_boto3 if name in sys.stdlib_module_names or name.startswith("_sysconfigdata")}
    assert beyond_boto3 - of_python == SHIPPED | {folder.name}


def imports(tree: ast.AST) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def reads_of_clock_or_environment(tree: ast.AST) -> set[str]:
    """`datetime.now`, `time.time`, `os.environ` and their like, as they are written in a module."""
    owners = {
        "datetime": {"now", "utcnow", "today"},
        "date": {"today"},
        "time": {"time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime"},
        "os": {"environ", "getenv"},
    }
    return {
        f"{owner}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        for owner in [ast.unparse(node.value).rsplit(".", 1)[-1]]
        if node.attr in owners.get(owner, ())
    }


def judging_modules() -> list[Path]:
    """The modules of the layer that judge, and so know nothing but what they are given."""
    return [path for path in sorted(LAYER.rglob("*.py")) if path.relative_to(LAYER).parts[0] not in READING]


@pytest.mark.parametrize("module", judging_modules(), ids=lambda path: path.stem)
def test_judging_knows_no_wire_clock_or_environment(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert not imports(tree) & {"boto3", "botocore", "os", "time", "socket", "urllib3", "subprocess"}
    assert not reads_of_clock_or_environment(tree)


@pytest.mark.parametrize("folder", rule_folders(), ids=lambda folder: folder.name)
def test_a_rule_knows_no_wire_clock_or_environment(folder: RuleFolder) -> None:
    tree = ast.parse((folder.path / f"{folder.name}.py").read_text(encoding="utf-8"))
    assert not imports(tree) & {"boto3", "botocore", "os", "time", "socket", "urllib3", "subprocess"}
    assert not reads_of_clock_or_environment(tree)


@pytest.mark.parametrize("path", [*LAYER.rglob("*.py"), *(each.path / f"{each.name}.py" for each in rule_folders())])
def test_nothing_asks_for_the_client_of_ec2(path: Path) -> None:
    """Its service model takes 31 MiB, more than all the others together."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asked = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and ast.unparse(call.func).rsplit(".", 1)[-1] in {"client", "build_client", "one", "items"}
    }
    assert "ec2" not in asked


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from datetime import datetime\ndatetime.now()", {"datetime.now"}),
        ("import datetime\ndatetime.datetime.utcnow()", {"datetime.utcnow"}),
        ("import os\nos.environ['A']", {"os.environ"}),
        ("import time\ntime.time()", {"time.time"}),
        ("run.now", set()),
    ],
)
def test_the_scan_sees_what_it_looks_for(code: str, expected: set[str]) -> None:
    assert reads_of_clock_or_environment(ast.parse(code)) == expected
