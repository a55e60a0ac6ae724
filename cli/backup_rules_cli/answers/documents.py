"""An explanation as JSON: `formats/explanation.schema.json` publishes its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.answers.causes import Causes, causes
from backup_rules_cli.answers.conditions import Condition, Finding, State
from backup_rules_cli.answers.picks import Missed, Pick
from backup_rules_cli.answers.plans import PlanAnswer, ResourceAnswer
from backup_rules_cli.answers.runs import NextRun, PastRun, in_words
from backup_rules_cli.reports import Failure


def _where(place: Place, names: Mapping[str, str]) -> dict[str, str]:
    return {
        "account": place.account,
        "account_name": names.get(place.account, ""),
        "partition": place.partition,
        "region": place.region,
    }


def of_plans(
    answers: Iterable[PlanAnswer], failures: Iterable[Failure], names: Mapping[str, str], source: str, now: datetime
) -> dict[str, Any]:
    """The plans, with their state and next run."""
    return {
        "kind": "plans",
        "source": source,
        "read_at": now.isoformat(),
        "plans": [_in_short(each, names) for each in answers],
        "failures": [{"account": each.account, "region": each.region, "error": each.error} for each in failures],
    }


def _in_short(answer: PlanAnswer, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_where(answer.place, names),
        "plan": answer.summary.name,
        "plan_id": answer.summary.id,
        "plan_arn": answer.summary.arn,
        "state": str(answer.state),
        "broken": list(answer.rules(State.BROKEN)),
        "unknown": list(answer.rules(State.UNKNOWN)),
        "excluded": list(answer.rules_excluded),
        "next_run": answer.next_run.isoformat() if answer.next_run else None,
    }


def of_plan(answer: PlanAnswer, names: Mapping[str, str], source: str, now: datetime) -> dict[str, Any]:
    """A plan, or a selection of it."""
    selection = answer.selection
    return {
        "kind": "selection" if selection else "plan",
        "source": source,
        "read_at": now.isoformat(),
        **_where(answer.place, names),
        "plan": answer.summary.name,
        "plan_id": answer.summary.id,
        "plan_arn": answer.summary.arn,
        **({"selection": selection.name, "selection_id": selection.id} if selection else {}),
        "state": str(answer.state),
        "conditions": list(map(_condition, answer.conditions)),
        "causes": list(map(_causes, causes(answer))),
        "next_runs": list(map(_next_run, answer.next_runs)),
        "past_runs": list(map(_past_run, answer.past_runs)),
        "picks": list(map(_pick, answer.picks)),
        "narrowly_missed": list(map(_missed, answer.missed)),
        "could_not_look": list(answer.unread),
    }


def of_resource(
    answer: ResourceAnswer, plans: Sequence[PlanAnswer], names: Mapping[str, str], source: str, now: datetime
) -> dict[str, Any]:
    """A resource, with the plans that pick it."""
    return {
        "kind": "resource",
        "source": source,
        "read_at": now.isoformat(),
        **_where(answer.place, names),
        "arn": answer.resource.arn,
        "resource_type": answer.resource.type.singular,
        "state": str(answer.state_with(plans)),
        "conditions": list(map(_condition, answer.conditions)),
        "picks": list(map(_pick, answer.picks)),
        "plans": [_in_short(each, names) for each in plans],
        "narrowly_missed": list(map(_missed, answer.missed)),
        "commands": list(answer.commands),
        "could_not_look": list(answer.unread),
    }


def _condition(each: Condition) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "title": each.title,
        "severity": each.severity,
        "state": str(each.state),
        "findings": list(map(_finding, each.findings)),
        "evidence": {"operations": list(each.evidence.operations), "read_from": each.evidence.read_from},
        "fix": "\n".join(each.commands) or (each.remedy if each.state == "broken" else ""),
        "remedy": each.remedy,
        "commands": list(each.commands),
        "page": each.page,
    }


def _finding(each: Finding) -> dict[str, Any]:
    return {
        "resource_type": each.resource_type,
        "resource_id": each.resource_id,
        "name": each.name,
        "state": str(each.state),
        "text": each.text,
        "excluded": each.excluded,
    }


def _causes(each: Causes) -> dict[str, Any]:
    return {
        "symptom": each.symptom,
        "rules": list(each.rules),
        "unknown": list(each.unknown),
        "remains": list(each.remains),
    }


def _next_run(each: NextRun) -> dict[str, Any]:
    return {
        "backup_rule": each.backup_rule,
        "at": each.at.isoformat(),
        "local": each.local.isoformat(),
        "timezone": each.timezone,
        "start_by": each.start_by.isoformat(),
        "complete_by": each.complete_by.isoformat(),
        "swallowed_by": each.swallowed_by,
    }


def _past_run(each: PastRun) -> dict[str, Any]:
    run = each.outcome.run
    return {
        "backup_rule": each.backup_rule,
        "at": run.start.isoformat(),
        "start_by": run.window_end.isoformat(),
        "started": each.started,
        "jobs": [
            {
                "id": words.job.id,
                "state": str(words.job.state),
                "resource_arn": words.job.resource_arn,
                "created": words.job.created.isoformat(),
                "message": words.message,
                "advice": words.advice,
                "rule": words.look_at,
            }
            for words in map(in_words, each.outcome.jobs)
        ],
    }


def _pick(each: Pick) -> dict[str, Any]:
    return {
        "arn": each.arn,
        "resource_type": each.resource.type.singular if each.resource else None,
        "plan": each.selection.plan_name,
        "plan_id": each.selection.plan_id,
        "selection": each.selection.name,
        "selection_id": each.selection.id,
        "elements": [element.describe() for element in each.elements],
        "seen": each.resource is not None,
    }


def _missed(each: Missed) -> dict[str, Any]:
    return {
        "arn": each.resource.arn,
        "resource_type": each.resource.type.singular,
        "plan": each.selection.plan_name,
        "selection": each.selection.name,
        "wanted": {"key": each.miss.wanted.key, "value": each.miss.wanted.value},
        "found": {"key": each.miss.key, "value": each.miss.value},
        "rule": each.rule,
    }
