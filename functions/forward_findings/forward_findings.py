"""Changes of compliance from the queue into Security Hub of the account where they happened.

Lambda hands over up to a hundred messages of the queue; each holds one event of AWS Config. What could not be imported
is named in `batchItemFailures`, stays in the queue, and at last goes to the dead-letter queue: nothing is lost.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from asff import Described, finding, finding_id, product_arn
from hub import Failures, Hub, HubError, RoleError

from backup_rules.compliance_changes import Change, UnreadableEventError, newest, read_change, read_rules
from backup_rules.logs import log

WORKERS = 8  # accounts that are served side by side

RULES = read_rules(Path(__file__).with_name("rules.json"))


def lambda_handler(event: Mapping[str, Any], _context: Any) -> dict[str, list[dict[str, str]]]:
    """Import the changes that the messages hold; answers the messages to keep.

    Environment: `FINDINGS_ROLE_NAME` is the role of the member accounts, `RULE_PAGES_URL` where the rules' pages are.
    """
    changes: dict[str, Change] = {}
    failed: list[str] = []
    for record in event["Records"]:
        message = str(record["messageId"])
        try:
            changes[message] = read_change(json.loads(record["body"]), RULES)
        except (UnreadableEventError, ValueError) as error:
            log("ERROR", "message not read", message_id=message, error=str(error))
            failed.append(message)
    messages_of = newest(changes)
    groups: dict[tuple[str, str], list[Change]] = {}
    for messages in messages_of.values():
        change = changes[messages[0]]
        groups.setdefault((change.account, change.region), []).append(change)
    with ThreadPoolExecutor(WORKERS) as pool:
        for unimported in pool.map(_forward, groups.values()):
            # Of several messages about one resource only the newest is kept: the others are out of date.
            failed += [messages_of[change.key][0] for change in unimported]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _forward(changes: Sequence[Change]) -> list[Change]:
    """Import the changes of one account and Region; those that could not be imported."""
    one = changes[0]
    place = {"account": one.account, "region": one.region}
    hub = Hub(one, os.environ["FINDINGS_ROLE_NAME"])
    try:
        findings = _findings(hub, changes, place)
        failures = hub.import_findings(list(findings.values()))
    except HubError as error:
        failures = _all_failed(changes, error)
    except Exception as error:  # noqa: BLE001 - an account that answers what cannot be read must not keep the others
        failures = _all_failed(changes, error)
    failed = [each for each in changes if finding_id(each) in failures]
    for reason in sorted(set(failures.values())):
        about = [each for each in failed if failures[finding_id(each)] == reason]
        log("ERROR", "findings not imported", **place, findings=len(about), rules=_rules(about), error=reason)
    log("INFO", "findings imported", **place, findings=len(changes) - len(failed), failed=len(failed))
    return failed


def _all_failed(changes: Sequence[Change], error: Exception) -> Failures:
    reason = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
    return dict.fromkeys(map(finding_id, changes), reason)


def _rules(changes: Sequence[Change]) -> list[str]:
    return sorted({each.rule_name for each in changes})


def _findings(hub: Hub, changes: Sequence[Change], place: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The findings to import, by id. A resource that was never judged and is out of scope makes none."""
    pages_url = os.environ.get("RULE_PAGES_URL", "")
    known = [each for each in changes if each.previous is not None or each.compliance == "NOT_APPLICABLE"]
    created: dict[str, str] = {}
    described: dict[tuple[str, str], Described] = {}
    try:
        if known:
            created = hub.created(product_arn(changes[0]), [finding_id(each) for each in known])
        described = hub.describe(each for each in changes if each.compliance != "NOT_APPLICABLE")
    except RoleError:
        raise
    except HubError as error:
        # The finding itself matters more than its age, its tags and an ARN.
        log("ERROR", "findings not completed", **place, error=str(error), permission=error.permission)
    return {
        finding_id(each): finding(
            each,
            described.get((each.resource_type, each.resource_id), Described()),
            created.get(finding_id(each), each.recorded),
            pages_url,
        )
        for each in changes
        if each.compliance != "NOT_APPLICABLE" or each.previous is not None or finding_id(each) in created
    }
