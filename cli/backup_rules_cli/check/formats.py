"""What `check` found, for a person and for machines: table, JSON, SARIF, JUnit, and GitHub's workflow commands."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from backup_rules_cli.check.findings import Finding, Findings
from backup_rules_cli.check.judging import BROKEN, HOLDS, UNKNOWN
from backup_rules_cli.check.things import Position
from backup_rules_cli.console import as_json, indented, printable, titled
from backup_rules_cli.formats.sarif import LEVELS, SCHEMA

_ORDER = {BROKEN: 0, UNKNOWN: 1, HOLDS: 2}
_SHOWN = {BROKEN: "PROBLEM", UNKNOWN: "unknown", HOLDS: "holds"}


def table(findings: Findings, *, columns: int, everything: bool, quiet: bool) -> Iterator[str]:
    """By file: state and rule, what it is about with its line, and the words; then the counts."""
    for name, group in groupby(sorted(findings.found, key=_place), key=lambda each: each.at.file):
        here = list(group)
        shown = [each for each in here if not each.quiet and (each.judged.state != HOLDS or everything)]
        counts = Counter(each.judged.state for each in here if not each.quiet)
        tally = f"{counts[BROKEN]} broken, {counts[UNKNOWN]} unknown, {counts[HOLDS]} hold"
        yield from titled(f"{name}  ({here[0].kind})", tally, columns)
        ordered = sorted(shown, key=lambda it: (_ORDER[it.judged.state], it.at.line, it.judged.text, it.judged.rule))
        for _, alike in groupby(ordered, key=_alike):
            yield from _told(list(alike), columns)
        yield ""
    if quiet:
        for each in findings.quiet:
            yield from _told([each], columns)
            yield from indented(f"Excluded: {each.quiet}", columns, 9)
    for plan in findings.gets:
        yield from _got(plan, columns)
    if findings.gets:
        yield ""
    for broken in findings.broken_files:
        yield f"BROKEN   {broken}"
    for other in findings.others:
        yield f"nothing  {other.file} holds nothing that is checked: {_KNOWN}."
    if findings.broken_files or findings.others:
        yield ""
    states = Counter(each.judged.state for each in findings.found if not each.quiet)
    excluded = f", {len(findings.quiet)} excluded" if findings.quiet else ""
    unread = f", {_files(len(findings.broken_files))} could not be read" if findings.broken_files else ""
    yield (
        f"{_files(len(findings.files))}:"
        f" {states[BROKEN]} broken, {states[UNKNOWN]} unknown, {states[HOLDS]} hold"
        f"{excluded}{unread}."
    )


def _files(number: int) -> str:
    return f"{number} file" if number == 1 else f"{number} files"


_KNOWN = "CloudFormation templates, terraform show -json, backup policies, and answers of the AWS CLI are"


def _place(each: Finding) -> tuple[str, int, int]:
    return each.at.file, _ORDER[each.judged.state], each.at.line


def _got(plan: Mapping[str, Any], columns: int) -> Iterator[str]:
    yield f"Account {plan['account']} gets plan {plan['plan']} in {plan['region']}:"
    for rule in plan["rules"]:
        zone = rule.get("ScheduleExpressionTimezone", "UTC")
        when = f"{rule.get('ScheduleExpression', 'daily')} ({zone})"
        yield from indented(f"{rule['RuleName']}: {when} to {rule['TargetBackupVaultName']}", columns, 2)
    for selection in plan["selections"]:
        tags = [f"{each['ConditionKey']}={each['ConditionValue']}" for each in selection.get("ListOfTags", ())]
        what = ", ".join((*selection.get("Resources", ()), *tags))
        yield from indented(f"{selection['SelectionName']}: {what}, by {selection['IamRoleArn']}", columns, 2)


def _alike(each: Finding) -> tuple[str, ...]:
    """Findings of one thing in the same words are told once; problems each by itself."""
    judged = each.judged
    rule = judged.rule if judged.state == BROKEN else ""
    return judged.state, judged.name, str(judged.at), judged.text, rule


def _told(alike: list[Finding], columns: int) -> Iterator[str]:
    each = alike[0]
    yield f"{_SHOWN[each.judged.state]:<8} {each.judged.name}: {each.judged.rule}"
    for other in alike[1:]:
        yield f"{'':<8} {'':{len(each.judged.name) + 1}} {other.judged.rule}"
    if each.source and len(each.source) < 160:
        yield f"{'':<8} {each.at.line:>5} │ {each.source.strip()}"[:columns]
    else:
        yield f"{'':<8} line {each.at.line}, column {each.at.column}"
    yield from indented(each.judged.text, columns, 9)


def document(findings: Findings) -> dict[str, Any]:
    """What `check.schema.json` beside this module describes."""
    return {
        "checked_at": findings.now.isoformat(),
        "files": findings.files,
        "findings": [_record(each) for each in findings.found if not each.quiet],
        "excluded": [_record(each) | {"reason": each.quiet} for each in findings.quiet],
        "broken_files": [
            {"file": each.at.file, "line": each.at.line, "column": each.at.column, "error": each.why}
            for each in findings.broken_files
        ],
        "plans": findings.gets,
        "others": [each.file for each in findings.others],
        "counts": dict(Counter(each.judged.state for each in findings.found if not each.quiet)),
    }


def _record(each: Finding) -> dict[str, Any]:
    judged = each.judged
    return {
        "rule": judged.rule,
        "title": each.title,
        "severity": each.severity,
        "state": judged.state,
        "type": judged.kind,
        "name": judged.name,
        "file": judged.at.file,
        "line": judged.at.line,
        "column": judged.at.column,
        "path": judged.path,
        "text": judged.text,
        "fix": each.fix,
        "page": each.page,
    }


def as_json_text(findings: Findings) -> str:
    """The document as JSON."""
    return as_json(document(findings)) + "\n"


def sarif(findings: Findings) -> str:
    """SARIF 2.1.0: a problem is a result of kind fail, what is unknown one of kind open."""
    told = [*findings.of(BROKEN), *findings.of(UNKNOWN), *findings.quiet]
    rules = list({each.judged.rule: each for each in told}.values())
    order = {each.judged.rule: index for index, each in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "aws-backup-config-rules", "rules": [_rule(each) for each in rules]}},
        "invocations": [
            {
                "executionSuccessful": not findings.broken_files,
                "endTimeUtc": f"{findings.now:%Y-%m-%dT%H:%M:%S}Z",
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {"text": printable(each.why)},
                        "locations": [_location(each.at)],
                    }
                    for each in findings.broken_files
                ],
            }
        ],
        "results": [_result(each, order[each.judged.rule]) for each in told],
    }
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _rule(each: Finding) -> dict[str, Any]:
    return {
        "id": each.judged.rule,
        "shortDescription": {"text": each.title},
        "help": {"text": each.fix},
        "defaultConfiguration": {"level": LEVELS[each.severity]},
        "properties": {"severity": each.severity, "page": each.page},
    }


def _result(each: Finding, index: int) -> dict[str, Any]:
    judged = each.judged
    identity = f"{judged.rule}\n{judged.at.file}\n{judged.kind}\n{judged.name}"
    fails = judged.state == BROKEN
    result = {
        "ruleId": judged.rule,
        "ruleIndex": index,
        "kind": "fail" if fails else "open",
        # The level of a result of another kind than fail is none.
        "level": LEVELS[each.severity] if fails else "none",
        "message": {"text": printable(judged.text) or each.title},
        "locations": [
            _location(judged.at)
            | {
                "logicalLocations": [
                    {"name": printable(judged.name), "fullyQualifiedName": printable(judged.path or judged.name)}
                ]
            }
        ],
        "partialFingerprints": {"backupRules/v1": hashlib.sha256(identity.encode(errors="replace")).hexdigest()},
    }
    if each.quiet:
        result["suppressions"] = [{"kind": "external", "justification": printable(each.quiet)}]
    return result


def _location(at: Position) -> dict[str, Any]:
    uri = quote(PurePath(at.file).as_posix(), safe="/")
    region = {"startLine": max(1, at.line), "startColumn": max(1, at.column)}
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def junit(findings: Findings) -> str:
    """A suite for each file, a case for each rule and thing: problems fail, what is unknown is skipped."""
    root = Element("testsuites")
    by_file = {
        name: list(group) for name, group in groupby(sorted(findings.found, key=_place), key=lambda each: each.at.file)
    }
    for number, name in enumerate(dict.fromkeys((*by_file, *(each.at.file for each in findings.broken_files)))):
        here = [each for each in by_file.get(name, ()) if not each.quiet]
        unread = [each for each in findings.broken_files if each.at.file == name]
        suite = SubElement(
            root,
            "testsuite",
            {
                "name": printable(name),
                "id": str(number),
                "package": "backup-rules",
                "timestamp": f"{findings.now:%Y-%m-%dT%H:%M:%S}",
                "hostname": "-",
                "tests": str(len(here) + len(unread)),
                "failures": str(sum(each.judged.state == BROKEN for each in here)),
                "errors": str(len(unread)),
                "skipped": str(sum(each.judged.state == UNKNOWN for each in here)),
                "time": "0",
            },
        )
        SubElement(suite, "properties")
        for each in here:
            _case(suite, each)
        for broken in unread:
            case = SubElement(suite, "testcase", {"name": printable(name), "classname": "file", "time": "0"})
            SubElement(case, "error", {"message": printable(str(broken)), "type": "broken"})
        SubElement(suite, "system-out")
        SubElement(suite, "system-err")
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _case(suite: Element, each: Finding) -> None:
    judged = each.judged
    name = f"{judged.name} ({judged.at.line}:{judged.at.column})"
    case = SubElement(suite, "testcase", {"name": printable(name), "classname": judged.rule, "time": "0"})
    if judged.state == BROKEN:
        told = SubElement(case, "failure", {"message": printable(judged.text), "type": each.severity})
        told.text = printable(f"{judged.at}: {judged.text}")
    elif judged.state == UNKNOWN:
        SubElement(case, "skipped", {"message": printable(judged.text)})


def github(findings: Findings) -> str:
    """Workflow commands, which GitHub shows beside the lines of a change."""
    lines = [
        _command(
            "error" if LEVELS[each.severity] == "error" else "warning", each.at, each.judged.rule, each.judged.text
        )
        for each in findings.of(BROKEN)
    ]
    lines += [
        _command("notice", each.at, f"{each.judged.rule} (unknown)", each.judged.text) for each in findings.of(UNKNOWN)
    ]
    lines += [_command("error", each.at, "broken file", each.why) for each in findings.broken_files]
    return "".join(f"{line}\n" for line in lines)


def _command(kind: str, at: Position, title: str, text: str) -> str:
    """See https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""

    def value(of: str) -> str:
        escaped = printable(of).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        return escaped.replace(":", "%3A").replace(",", "%2C")

    told = printable(text).replace("%", "%25")
    return f"::{kind} file={value(at.file)},line={at.line},col={at.column},title={value(title)}::{told}"


FORMATS: Mapping[str, Callable[[Findings], str]] = {
    "json": as_json_text,
    "sarif": sarif,
    "junit": junit,
    "github": github,
}
