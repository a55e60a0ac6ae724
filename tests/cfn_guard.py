"""`make cfn-guard`: AWS's own CloudFormation Guard rules over every template in cloudformation/.

Two sets: AWS's registry of Guard rules, and the proactive controls of AWS Control Tower that come with AWS's package of
cfn-guard. What fails must be left out by `.cfn-guard.yaml`, with a reason; what is left out there must fail.
Sources: https://github.com/aws-cloudformation/aws-guard-rules-registry,
https://docs.aws.amazon.com/controltower/latest/controlreference/proactive-controls.html
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = ROOT / ".cfn-guard.yaml"
FAILED = 19
"""What cfn-guard exits with when a template breaks a rule: https://docs.aws.amazon.com/cfn-guard/latest/ug/"""


def main() -> int:
    """Print what fails without a reason, and reasons that nothing fails for; 1 when there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="where npm put @cdklabs/cdk-validator-cfnguard")
    parser.add_argument("registry", type=Path, help="a checkout of AWS's registry of Guard rules")
    given = parser.parse_args()
    rules = rule_files(given.registry / "rules" / "aws") + rule_files(given.package / "rules")
    templates = sorted((ROOT / "cloudformation").glob("*.yaml"))
    broken = findings(program(given.package), rules, templates)
    reasons = yaml.safe_load(LEFT_OUT.read_text(encoding="utf-8"))
    told = list(complaints(broken, reasons))
    print("\n".join([*told, f"{len(rules)} rules, {len(templates)} templates: {len(told)} findings."]))
    return 1 if told else 0


def program(package: Path) -> Path:
    """The cfn-guard of this machine, of those in the package."""
    system = {"Linux": "ubuntu", "Darwin": "macos"}[platform.system()]
    machine = {"arm64": "aarch64", "aarch64": "aarch64"}.get(platform.machine(), "x86_64")
    return package / "bin" / system / machine / "cfn-guard"


def rule_files(folder: Path) -> list[Path]:
    """The rules in a folder, at any depth.

    Raises:
        SystemExit: there is none.
    """
    found = sorted(folder.rglob("*.guard"))
    if not found:
        raise SystemExit(f"No Guard rules in {folder}.")
    return found


def findings(guard: Path, rules: Sequence[Path], templates: Sequence[Path]) -> dict[str, list[str]]:
    """The names of the rules that are broken, each with the templates that break it."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        documents = [written_out(template, Path(folder)) for template in templates]
        answers = pool.map(lambda document: broken_by(guard, rules, document), documents)
    found: dict[str, list[str]] = {}
    for template, names in zip(templates, answers, strict=True):
        for name in names:
            found.setdefault(name, []).append(template.name)
    return found


def written_out(template: Path, folder: Path) -> Path:
    """The template as JSON: many of AWS's rules know functions such as Fn::GetAtt in their long form only."""
    path = folder / f"{template.stem}.json"
    path.write_text(json.dumps(cfn_yaml.load(str(template))), encoding="utf-8")
    return path


def broken_by(guard: Path, rules: Sequence[Path], document: Path) -> list[str]:
    """The names of the rules that a template breaks.

    Raises:
        SystemExit: cfn-guard could not judge it.
    """
    command = [str(guard), "validate", "--structured", "--output-format", "json", "--show-summary", "none"]
    command += ["--data", str(document), *(word for rule in rules for word in ("--rules", str(rule)))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - what make installed
    if done.returncode not in {0, FAILED}:
        raise SystemExit(f"cfn-guard ended with {done.returncode} for {document.name}: {done.stderr}{done.stdout}")
    (report,) = json.loads(done.stdout)
    return sorted({each["Rule"]["name"] for each in report["not_compliant"]})


def complaints(broken: Mapping[str, Sequence[str]], reasons: Mapping[str, Any]) -> Iterator[str]:
    """What fails and is not left out, and what is left out and does not fail."""
    for name in sorted(broken.keys() - reasons.keys()):
        yield f"{name} fails for {', '.join(broken[name])}."
    for name in sorted(reasons.keys() - broken.keys()):
        yield f"{name} is left out in {LEFT_OUT.name}, and no template breaks it."


if __name__ == "__main__":
    sys.exit(main())
