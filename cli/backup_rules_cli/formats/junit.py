"""JUnit's XML, as build servers read it: a suite for each account and Region, a case for each evaluation.

The format has no standard; this is what Ant writes, by the schema of https://github.com/windyroad/JUnit-Schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from backup_rules_cli.console import printable
from backup_rules_cli.formats.records import Record
from backup_rules_cli.reports import NON_COMPLIANT, Failure, Report


def text(report: Report, records: Sequence[Record]) -> str:
    """NON_COMPLIANT is a failure; what could not be judged is an error."""
    root = Element("testsuites")
    by_place = {place: list(found) for place, found in groupby(records, lambda each: (each.account, each.region))}
    places = dict.fromkeys((*by_place, *((each.account, each.region) for each in report.failures)))
    for number, place in enumerate(places):
        failures = [each for each in report.failures if (each.account, each.region) == place]
        root.append(_suite(report, number, place, by_place.get(place, []), failures))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suite(
    report: Report, number: int, place: tuple[str, str], found: Sequence[Record], failures: Sequence[Failure]
) -> Element:
    account, region = place
    suite = Element(
        "testsuite",
        {
            "name": printable(region) or "-",
            "package": printable(f"{report.names.get(account, 'account')} ({account})"),
            "id": str(number),
            "timestamp": f"{report.now:%Y-%m-%dT%H:%M:%S}",
            "hostname": printable(account) or "-",
            "tests": str(len(found) + len(failures)),
            "failures": str(sum(each.compliance == NON_COMPLIANT for each in found)),
            "errors": str(len(failures)),
            "time": "0",
        },
    )
    SubElement(suite, "properties")
    for each in found:
        case = _case(suite, each.rule, f"{each.resource_type} {each.resource}")
        if each.compliance == NON_COMPLIANT:
            told = SubElement(case, "failure", {"message": printable(each.annotation), "type": each.severity})
            told.text = printable(f"{each.resource_type} {each.resource_id}: {each.annotation}")
    for failure in failures:
        case = _case(suite, failure.rule, "could not be judged")
        SubElement(case, "error", {"message": printable(failure.error), "type": "failed"})
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")
    return suite


def _case(suite: Element, rule: str, name: str) -> Element:
    return SubElement(suite, "testcase", {"name": printable(name), "classname": rule, "time": "0"})
