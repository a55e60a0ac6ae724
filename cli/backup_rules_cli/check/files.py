"""Files, recognised by what they hold, and put together where they belong together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.check import aws_json, cloudformation, terraform
from backup_rules_cli.check.decoding import BrokenFileError, Several, decoded, may_be_judged
from backup_rules_cli.check.identities import BACKUP_POLICY
from backup_rules_cli.check.judging import named_in, place_of
from backup_rules_cli.check.organization import Organization, Policy
from backup_rules_cli.check.things import Documented, Object, Position, Thing, Unknown, at_of, unknowns
from backup_rules_cli.places import partition_of

TEMPLATE, TERRAFORM, POLICY, COMMAND = "CloudFormation template", "Terraform", "backup policy", "AWS CLI output"
SUFFIXES = frozenset({".json", ".yaml", ".yml", ".template"})


@dataclass
class Subject:
    """What is judged together: its documents, and the policies that reach the account."""

    documented: Documented
    kind: str
    files: list[str]
    policies: list[Policy] = field(default_factory=list)
    document: Any = None
    """Of a template: read again, once account and Region are known."""
    worlds: list[Documented] = field(default_factory=list)
    """Of a template with open conditions: what it declares for each way in which they may turn out."""
    deciding: list[Unknown] = field(default_factory=list)
    """What these conditions depend on."""
    macros: list[str] = field(default_factory=list)
    """What may change the whole template."""
    region: str | None = None
    """Of a Terraform document with resources in several Regions: which of them; `""` is the default provider's."""

    @property
    def starts(self) -> list[int]:
        """Of a template: the lines on which its resources and its sections start."""
        resources = self.document.get("Resources") if self.kind == TEMPLATE else None
        sections = self.document if self.kind == TEMPLATE else None
        return [at.line for each in (resources, sections) for at in getattr(each, "keys_at", {}).values()]

    @property
    def regions(self) -> list[str]:
        """The Regions that its policies name."""
        return Organization(self.policies).regions() if self.policies else []


@dataclass
class Read:
    """What all files came to: what to judge, files that cannot be read, and files that hold nothing of the kind."""

    subjects: list[Subject] = field(default_factory=list)
    broken: list[BrokenFileError] = field(default_factory=list)
    others: list[Position] = field(default_factory=list)


def files_in(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """The files, and of folders those that may be templates; whether each was named itself."""
    for path in paths:
        if path.is_dir():
            inside = (each for each in sorted(path.rglob("*")) if each.suffix.lower() in SUFFIXES and each.is_file())
            yield from ((each, False) for each in inside if ".terraform" not in each.parts and ".git" not in each.parts)
        else:
            yield path, True


def read(paths: Sequence[Path], parents: Iterable[Path] = (), *, any_files: bool = False) -> Read:
    """All files. Those of the AWS CLI belong together, and so do policies; a template or a plan stands alone.

    With `any_files` they may be of any kind, as those of a folder may.
    """
    reading = _Reading()
    for parent in parents:
        reading.add_parent(parent)
    for path, named in files_in(paths):
        reading.add(path, named=named and not any_files)
    found = reading.whole()
    if not (found.subjects or found.broken or found.others or any_files):
        found.others += [Position(str(each)) for each in paths]
    return found


class _Reading:
    def __init__(self) -> None:
        self._found = Read()
        self._answers = Subject(Documented(""), COMMAND, [])
        self._policies = Subject(Documented(""), POLICY, [])

    def whole(self) -> Read:
        """All that was added."""
        answers, policies = self._answers, self._policies
        if answers.files:
            answers.documented.things = aws_json.joined(answers.documented.things)
            answers.documented.called = answers.files[0]
            answers.policies = [each for each in policies.policies if each.effective]
            self._found.subjects.append(answers)
        if policies.files and not answers.policies:
            policies.documented.called = policies.files[0]
            self._found.subjects.append(policies)
        return self._found

    def add_parent(self, path: Path) -> None:
        """A policy that is attached above."""
        here = Position(str(path))
        try:
            policy = policy_of(decoded(path), path, here, parent=True)
        except BrokenFileError as error:
            self._found.broken.append(error)
            return
        if policy is None:
            self._found.broken.append(BrokenFileError(here, "is no backup policy, as --parent needs one"))
        else:
            self._policies.policies.append(policy)

    def add(self, path: Path, *, named: bool) -> None:
        """A file; `named`: by the person, and not found in a folder."""
        try:
            document = decoded(path)
            _refuse_several(document, path)
        except BrokenFileError as error:
            if named or may_be_judged(path):
                self._found.broken.append(error)
            return
        for each in _documents(document):
            self._add_document(each, path, named=named)

    def _add_document(self, document: Any, path: Path, *, named: bool) -> None:
        here, name = Position(str(path)), str(path)
        if cloudformation.is_template(document):
            self._found.subjects.append(Subject(Documented(name), TEMPLATE, [name], document=document))
        elif terraform.is_terraform(document):
            self._found.subjects += _of_terraform(document, name)
        elif (policy := policy_of(document, path, here, parent=False)) is not None:
            self._policies.policies.append(policy)
            self._policies.files.append(name)
        elif (command := aws_json.command_of(document)) is not None:
            things, whole = aws_json.things(document, command)
            self._answers.documented.things += things
            self._answers.documented.whole |= whole
            self._answers.files.append(name)
        elif named and here not in self._found.others:
            self._found.others.append(here)


def _of_terraform(document: Object, name: str) -> list[Subject]:
    """A subject for each Region: what is in one is not in another."""
    found = terraform.regions(document)
    if len(found) < 2:
        return [Subject(Documented(name), TERRAFORM, [name], document=document)]
    return [
        Subject(Documented(name), TERRAFORM, [name] if number == 0 else [], document=document, region=region)
        for number, region in enumerate(found)
    ]


def _refuse_several(document: Any, path: Path) -> None:
    if isinstance(document, Several) and any(map(cloudformation.is_template, document)):
        at = at_of(document[1], Position(str(path)))
        raise BrokenFileError(at, "holds more than one YAML document, and CloudFormation takes one")


def _documents(document: Any) -> Iterator[Any]:
    """The document, or those that a list holds."""
    if isinstance(document, Several) or (
        isinstance(document, list) and document and all(isinstance(each, Mapping) for each in document)
    ):
        yield from document
    else:
        yield document


def policy_of(document: Any, path: Path, here: Position, *, parent: bool) -> Policy | None:
    """The backup policy that a document is, or holds as an AWS command prints it; None where it is none."""
    if not isinstance(document, Mapping):
        return None
    effective = document.get("EffectivePolicy")
    if isinstance(effective, Mapping) and isinstance(effective.get("PolicyContent"), str):
        return Policy(
            path.name, effective["PolicyContent"], here, _tree(effective["PolicyContent"]), parent, effective=True
        )
    whole = document.get("Policy")
    if isinstance(whole, Mapping) and isinstance(whole.get("Content"), str):
        summary = whole.get("PolicySummary")
        if isinstance(summary, Mapping) and summary.get("Type") not in {None, "BACKUP_POLICY"}:
            return None
        name = summary.get("Name", path.name) if isinstance(summary, Mapping) else path.name
        return Policy(str(name), whole["Content"], here, _tree(whole["Content"]), parent)
    plans = document.get("plans")
    if isinstance(plans, Mapping):
        return Policy(path.name, json.dumps(document), at_of(plans, here), document, parent)
    return None


def _tree(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def placed(subject: Subject, account: str, region: str, parameters: Mapping[str, Any]) -> Place:
    """The account and Region of a subject, with its things made for them."""
    documented = subject.documented
    if subject.kind == TEMPLATE:
        return _placed_template(subject, account, region, parameters)
    if subject.kind == TERRAFORM:
        return _placed_terraform(subject, account, region)
    return place_of(documented, account, region, subject.regions)


def _placed_terraform(subject: Subject, account: str, region: str) -> Place:
    documented, document = subject.documented, subject.document
    # What the document tells of its Region, goes before what is meant on the whole.
    told = terraform.regions(document) if subject.region is None else [subject.region]
    region = next((each for each in told if is_region(each)), region)
    documented.things = list(terraform.things(document, _nowhere(account, region), subject.region))
    subject.policies = list(_declared_policies(documented.things))
    place = place_of(documented, account, region, subject.regions)
    documented.things = list(terraform.things(document, place, subject.region))
    # A policy is of no Region: once is enough.
    subject.policies = list(_declared_policies(documented.things)) if subject.files else []
    return place


def is_region(name: str) -> bool:
    """Whether it is a Region's name, and no provider's key."""
    return bool(name) and "." not in name


def _nowhere(account: str, region: str) -> Place:
    """To see which account and Region a document's ARNs name: those that are made up must not."""
    return Place(partition_of(region) or "aws", account, region)


def _placed_template(subject: Subject, account: str, region: str, parameters: Mapping[str, Any]) -> Place:
    documented, document = subject.documented, subject.document
    first = cloudformation.Reading(parameters, _not_named(parameters, account, region))
    documented.things = list(cloudformation.things(document, _nowhere(account, region), first))
    subject.policies = list(_declared_policies(documented.things))
    place = place_of(documented, account, region, subject.regions)
    named_account, named_region = named_in(documented)
    reading = cloudformation.Reading(
        parameters, _not_named(parameters, account or named_account, region or named_region)
    )
    documented.things = list(cloudformation.things(document, place, reading))
    subject.policies = list(_declared_policies(documented.things))
    subject.deciding = list(reading.open.values())
    subject.worlds = [replace(documented, things=made) for made in cloudformation.worlds(document, place, reading)]
    subject.macros = cloudformation.macros(document)
    return place


def _not_named(parameters: Mapping[str, Any], account: str, region: str) -> dict[str, Unknown]:
    """What a template may ask of where it is deployed, and nobody says."""
    found = {}
    if not region:
        found["AWS::Region"] = Unknown("no Region is named", "name it (--region)")
    if not account:
        found["AWS::AccountId"] = Unknown("no account is named", "name it (--account)")
    if "AWS::StackName" not in parameters:
        found["AWS::StackName"] = Unknown("the stack's name is not known", "give AWS::StackName with --parameters")
    return found


def _declared_policies(things: Sequence[Thing]) -> Iterator[Policy]:
    """The backup policies that a template or a plan declares."""
    for each in things:
        if each.type != BACKUP_POLICY or each.properties.get("Type") != "BACKUP_POLICY":
            continue
        name, content = str(each.properties.get("Name", each.name)), each.properties.get("Content")
        missing = next(unknowns(content), None)
        if missing is not None:
            yield Policy(name, "", each.at, open=missing)
            continue
        text = content if isinstance(content, str) else json.dumps(content, default=str)
        yield Policy(name, text, each.at, content if isinstance(content, Object) else None)
