"""The folders of `remediation/`, an Automation document each, and the template that deploys them.

A folder is `document.yaml`, the Python that its step runs (`script.py`), and `about.yaml`, which names the rule and the
permissions. A new folder appears in all four templates.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from backup_rules_cli.catalogue import ROOT
from backup_rules_cli.templates.declarations import interface
from backup_rules_cli.templates.intrinsics import ref, sub
from backup_rules_cli.templates.remediation.names import DOCUMENT_NAME_PREFIX, RULE_NAME_PREFIX

FOLDER = ROOT / "remediation"
SHARED = "remediation.shared"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's `!Sub`."""


def _sub(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.ScalarNode):
        raise TypeError(f"!Sub with anything but a text: {node.start_mark}")
    return sub(str(loader.construct_scalar(node)))


_Loader.add_constructor("!Sub", _sub)


@dataclass(frozen=True)
class Remediation:
    """One folder of `remediation/`."""

    path: Path

    @property
    def name(self) -> str:
        """What its document's name ends with, and its logical id: `TurnOnResourceTypes`."""
        return "".join(word.capitalize() for word in self.path.name.split("_"))

    @cached_property
    def _about(self) -> dict[str, Any]:
        # The loader is a safe one that knows one more tag.
        loaded = yaml.load((self.path / "about.yaml").read_text(encoding="utf-8"), _Loader)  # noqa: S506
        return dict(loaded)

    @property
    def rule(self) -> str:
        """The rule whose findings it settles."""
        return str(self._about["Rule"])

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The IAM statements that the role needs for it."""
        return list(self._about["Permissions"])

    @property
    def content(self) -> dict[str, Any]:
        """The document as Systems Manager gets it, with the texts of its scripts in the place of their file names.

        Raises:
            ValueError: when a script holds double braces, which Systems Manager would take for a variable.
        """
        document: dict[str, Any] = yaml.safe_load((self.path / "document.yaml").read_text(encoding="utf-8"))
        for step in document["mainSteps"]:
            if step["action"] == "aws:executeScript":
                path = self.path / step["inputs"]["Script"]
                script = inlined(path.read_text(encoding="utf-8"))
                if "{{" in script or "}}" in script:
                    raise ValueError(f"{path} holds double braces, which Systems Manager would replace.")
                step["inputs"]["Script"] = script
        return document


def remediations(folder: Path = FOLDER) -> tuple[Remediation, ...]:
    """All of them, in the order of their names."""
    return tuple(Remediation(path.parent) for path in sorted(folder.glob("*/document.yaml")))


def inlined(script: str) -> str:
    """The script with what it imports of the shared module in the place of the import.

    `aws:executeScript` runs one text: the module's imports come along, and of its definitions those that are used.
    """
    lines = script.splitlines()
    body = ast.parse(script).body
    statement = next((each for each in body if isinstance(each, ast.ImportFrom) and each.module == SHARED), None)
    if statement is None:
        return script
    shared = (FOLDER / "shared.py").read_text(encoding="utf-8")
    used = _used(ast.parse(shared).body, {alias.name for alias in statement.names})
    imported = {ast.unparse(each) for each in body if isinstance(each, ast.Import | ast.ImportFrom)}
    texts = [
        ast.get_source_segment(shared, each) or ""
        for each in used
        if not isinstance(each, ast.Import | ast.ImportFrom) or ast.unparse(each) not in imported
    ]
    before, after = lines[: statement.lineno - 1], lines[statement.end_lineno :]
    return "\n".join([*before, *"\n\n".join(texts).splitlines(), *after]) + "\n"


def _used(module: Sequence[ast.stmt], wanted: set[str]) -> list[ast.stmt]:
    """The statements of the module that define the wanted names, and whatever those use, in their order."""
    names = set(wanted)
    kept: list[ast.stmt] = []
    for each in reversed(module):
        if _defined(each) & names:
            kept.insert(0, each)
            names |= {node.id for node in ast.walk(each) if isinstance(node, ast.Name)}
    return kept


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def documents_template() -> dict[str, Any]:
    """remediation-documents.yaml: one AWS::SSM::Document each."""
    found = remediations()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": (
            "AWS Backup Config rules: Automation documents that settle findings, started by hand. For each account and"
            " Region."
        ),
        "Metadata": interface({"The documents": ["DocumentNamePrefix", "RuleNamePrefix"]}),
        "Parameters": {**DOCUMENT_NAME_PREFIX, **RULE_NAME_PREFIX},
        "Resources": {
            each.name: {
                "Type": "AWS::SSM::Document",
                "Properties": {
                    "Name": sub(f"${{DocumentNamePrefix}}{each.name}"),
                    "DocumentType": "Automation",
                    "DocumentFormat": "JSON",
                    "TargetType": "/",
                    "UpdateMethod": "NewVersion",
                    "Content": _of_the_pack(each.content),
                },
            }
            for each in found
        },
        "Outputs": {
            f"{each.name}Document": {"Description": f"Settles findings of {each.rule}.", "Value": ref(each.name)}
            for each in found
        },
    }


def _of_the_pack(content: dict[str, Any]) -> dict[str, Any]:
    """The document with the stack's parameters as defaults of its own of the same name."""
    parameters = content["parameters"]
    own = {name: {**parameters[name], "default": ref(name)} for name in RULE_NAME_PREFIX if name in parameters}
    return {**content, "parameters": {**parameters, **own}}
