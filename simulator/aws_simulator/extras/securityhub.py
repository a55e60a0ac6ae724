"""AWS Security Hub CSPM with what findings of one's own need: import, updates, filters, insights, automation rules.

moto's own takes any finding, also when the hub is off, and ignores filters. Here findings are checked as AWS documents
it, an older update is ignored, people's workflow is theirs, automation rules of the administrator act on what comes in,
and the administrator of an organization sees its members' findings. Region aggregation is not simulated.
Sources: https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html,
https://docs.aws.amazon.com/securityhub/latest/userguide/automation-rules.html and
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import get_service_model
from moto.securityhub import urls
from moto.securityhub.models import SecurityHubBackend, securityhub_backends
from moto.securityhub.responses import SecurityHubResponse

from aws_simulator.core.config import compliance_change
from aws_simulator.core.iam.principals import membership
from aws_simulator.core.operations import AwsError, Handler, Paging, Request, implement, now, page
from aws_simulator.extras.findings_filters import check_filters, matches, values_of

Finding = dict[str, Any]
Answer = dict[str, Any]

MAX_FINDINGS = 100
MAX_FINDING_BYTES = 240 * 1024
MAX_RULES = 100
MAX_GROUPS = 100
"""Results that an insight shows."""

MAX_LENGTHS = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "ProductArn": 2048, "ProductName": 128}
PEOPLES = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
"""What `BatchImportFindings` sets on a new finding only."""
UNTIL_PEOPLE_DO = ("Confidence", "Criticality", "RelatedFindings", "Severity", "Types")
"""What `BatchImportFindings` updates as long as no one has by `BatchUpdateFindings`."""
NORMALIZED = {"INFORMATIONAL": 0, "LOW": 1, "MEDIUM": 40, "HIGH": 70, "CRITICAL": 90}

_PAGING = Paging("MaxResults", largest=100, refusal="InvalidInputException")


@dataclass(slots=True)
class _Stored:
    """A finding, and which of its fields a customer has updated."""

    finding: Finding
    updated: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _State:
    findings: dict[tuple[str, str], _Stored] = field(default_factory=dict)
    insights: dict[str, Answer] = field(default_factory=dict)
    rules: dict[str, Answer] = field(default_factory=dict)


def _state(backend: SecurityHubBackend) -> _State:
    # moto empties this dictionary when it resets the backend.
    state: _State = vars(backend).setdefault("simulated", _State())
    return state


@dataclass(slots=True)
class _Settings:
    built_in: bool = False


_settings = _Settings()


@contextmanager
def config_integration() -> Iterator[None]:
    """While it lasts, Security Hub makes findings of AWS Config's evaluations, of conformance packs' rules too.

    Whether it does that in AWS for the rules of a conformance pack is not established, so it is off by default.
    """
    before, _settings.built_in = _settings.built_in, True
    try:
        yield
    finally:
        _settings.built_in = before


def install() -> None:
    """Puts these operations into moto's Security Hub, which hears of changes of compliance. Idempotent."""
    if put_config_finding not in compliance_change.listeners:
        compliance_change.listeners.append(put_config_finding)
    implement(SecurityHubResponse, HANDLERS)
    dispatch: Callable[..., Any] = SecurityHubResponse.dispatch
    urls.url_paths["{0}/.*"] = dispatch  # one pattern for all paths: the model's router tells the operations apart


def _hub(request: Request) -> SecurityHubBackend:
    backend: SecurityHubBackend = securityhub_backends[request.account][request.region]
    if not backend.enabled:
        raise AwsError(
            "InvalidAccessException", f"Account {request.account} is not subscribed to AWS Security Hub", 401
        )
    return backend


# --- Who sees what ---------------------------------------------------------------------------------------------------


def administrator(account: str, region: str) -> str:
    """The account that administers Security Hub for this one; itself where there is no other."""
    backend = securityhub_backends[account][region]
    place = membership(account, backend.partition)
    known = SecurityHubBackend._org_configs.get(place.organization_id, {}) if place else {}  # noqa: SLF001 - moto offers no public way
    return str(known.get("admin_account_id") or account)


def _visible(backend: SecurityHubBackend) -> list[_Stored]:
    """The account's findings, and those of its members."""
    accounts = [
        account
        for account in list(securityhub_backends)
        if backend.region_name in securityhub_backends[account].keys()  # noqa: SIM118 - moto's `in` answers otherwise
        and securityhub_backends[account][backend.region_name].enabled
        and backend.account_id in {account, administrator(account, backend.region_name)}
    ]
    stored = [each for account in accounts for each in _findings_of(account, backend.region_name)]
    return sorted(stored, key=lambda each: (each.finding["ProductArn"], each.finding["Id"]))


def _findings_of(account: str, region: str) -> list[_Stored]:
    return list(_state(securityhub_backends[account][region]).findings.values())


# --- Import ----------------------------------------------------------------------------------------------------------


def _batch_import_findings(request: Request) -> Answer:
    backend = _hub(request)
    given = request.parameters["Findings"]
    if not 1 <= len(given) <= MAX_FINDINGS:
        raise AwsError("InvalidInputException", f"Findings must hold 1 to {MAX_FINDINGS} findings, not {len(given)}")
    failed = []
    for finding in given:
        problem = _problem(finding, request)
        if problem:
            failed.append({"Id": finding.get("Id", "unknown"), "ErrorCode": problem[0], "ErrorMessage": problem[1]})
        else:
            put_finding(backend, deepcopy(finding))
    return {"FailedCount": len(failed), "SuccessCount": len(given) - len(failed), "FailedFindings": failed}


def _problem(finding: Finding, request: Request) -> tuple[str, str] | None:
    """The error code and message with which a finding is handed back."""
    shape = get_service_model("securityhub").shape_for("AwsSecurityFinding")
    missing = [name for name in shape.required_members if not finding.get(name)]
    if not (finding.get("Severity") or finding.get("FindingProviderFields", {}).get("Severity")):
        missing.append("Severity")
    if missing:
        return "InvalidInput", f"Finding does not adhere to Amazon Finding Format. Missing: {', '.join(missing)}"
    own = f"arn:{request.partition}:securityhub:{request.region}:{request.account}:product/{request.account}/default"
    if finding["AwsAccountId"] != request.account:
        return "InvalidAccess", f"AwsAccountId {finding['AwsAccountId']} is not the account that imports"
    if finding["ProductArn"] != own:
        return "InvalidAccess", f"ProductArn {finding['ProductArn']} is not enabled for account {request.account}"
    wrong = [*_too_long(finding), *_wrong_values(finding)]
    if wrong:
        return "InvalidInput", f"Finding does not adhere to Amazon Finding Format. {'; '.join(wrong)}"
    return None


def _too_long(finding: Finding) -> Iterator[str]:
    for name, longest in MAX_LENGTHS.items():
        if len(finding.get(name, "")) > longest:
            yield f"{name} should NOT be longer than {longest} characters"
    recommendation = finding.get("Remediation", {}).get("Recommendation", {})
    if len(recommendation.get("Text", "")) > 512:
        yield "Remediation.Recommendation.Text should NOT be longer than 512 characters"
    fields = finding.get("ProductFields", {})
    if len(fields) > 50 or any(len(key) > 128 or len(value) > 2048 for key, value in fields.items()):
        yield "ProductFields should have at most 50 pairs of 128 and 2048 characters"
    if len(finding["Resources"]) > 32:
        yield "Resources should NOT have more than 32 items"
    if len(json.dumps(finding, default=str).encode()) > MAX_FINDING_BYTES:
        yield "the finding should NOT be larger than 240 KB"


def _wrong_values(finding: Finding) -> Iterator[str]:
    model = get_service_model("securityhub")
    for name, value, shape in (
        ("RecordState", finding.get("RecordState"), "RecordState"),
        ("Compliance.Status", finding.get("Compliance", {}).get("Status"), "ComplianceStatus"),
        ("Workflow.Status", finding.get("Workflow", {}).get("Status"), "WorkflowStatus"),
        ("Severity.Label", _provided(finding).get("Label"), "SeverityLabel"),
        *(("Resources.Partition", each.get("Partition"), "Partition") for each in finding["Resources"]),
    ):
        allowed = model.shape_for(shape).enum
        if value is not None and value not in allowed:
            yield f"{name} should be one of {', '.join(allowed)}"
    for each in ("CreatedAt", "UpdatedAt"):
        if not finding[each].endswith("Z") or "T" not in finding[each]:
            yield f"{each} should match format date-time"
    for each in finding["Resources"]:
        for value in each.get("Tags", {}).values():
            if any(
                not (character.isascii() and character.isalnum()) and character not in " .:+=@_/-"
                for character in value
            ):
                yield f"Resources.Tags has a value that is not allowed: {value!r}"


def _provided(finding: Finding) -> Answer:
    severity = finding.get("FindingProviderFields", {}).get("Severity") or finding.get("Severity") or {}
    return dict(severity)


def put_finding(backend: SecurityHubBackend, finding: Finding) -> None:
    """Create or update a finding as its provider gives it, and let the administrator's automation rules act on it."""
    stored = _state(backend).findings
    key = (finding["ProductArn"], finding["Id"])
    before = stored.get(key)
    if before and finding["UpdatedAt"] <= before.finding["UpdatedAt"]:
        return  # AWS ignores an update that is not newer
    label = _provided(finding).get("Label", "INFORMATIONAL")
    provider: Finding = {
        "Severity": _provided(finding),
        "Types": finding.get("FindingProviderFields", {}).get("Types") or finding.get("Types") or [],
    }
    new = {
        "ProductName": "Default",
        "CompanyName": "Personal",
        "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"},
        "Compliance": {},
        **finding,
        "Region": backend.region_name,
        "FindingProviderFields": provider,
        "Severity": {**provider["Severity"], "Label": label, "Normalized": NORMALIZED[label]},
        "Types": provider["Types"],
    }
    item = _Stored(new)
    if before:
        item.updated = before.updated
        kept = [*PEOPLES, *(name for name in UNTIL_PEOPLE_DO if name in before.updated)]
        for name in kept:
            new.pop(name, None)
        new.update({name: before.finding[name] for name in kept if name in before.finding})
        if _comes_back(before.finding, new) and new["Workflow"]["Status"] in {"NOTIFIED", "RESOLVED"}:
            new["Workflow"] = {"Status": "NEW"}
    stored[key] = item
    _automate(backend, item)


def _comes_back(before: Finding, new: Finding) -> bool:
    passed = before["Compliance"].get("Status") == "PASSED"
    return (before["RecordState"] == "ARCHIVED" and new["RecordState"] == "ACTIVE") or (
        passed and new["Compliance"].get("Status") in {"WARNING", "FAILED", "NOT_AVAILABLE"}
    )


def _automate(backend: SecurityHubBackend, item: _Stored) -> None:
    account = administrator(backend.account_id, backend.region_name)
    rules = _state(securityhub_backends[account][backend.region_name]).rules.values()
    for rule in sorted(rules, key=lambda each: int(each["RuleOrder"])):
        if rule["RuleStatus"] == "ENABLED" and matches(item.finding, rule["Criteria"]):
            for action in rule["Actions"]:
                _update(item, action["FindingFieldsUpdate"])
            if rule["IsTerminal"]:
                return


def _update(item: _Stored, changes: Mapping[str, Any]) -> None:
    """What a customer or an automation rule changes."""
    for name, value in changes.items():
        item.updated.add(name)
        if name == "Severity":
            label = value.get("Label", "INFORMATIONAL")
            item.finding["Severity"] = {**item.finding["Severity"], "Label": label, "Normalized": NORMALIZED[label]}
        elif name == "Note":
            item.finding["Note"] = {**value, "UpdatedAt": now().isoformat()}
        else:
            item.finding[name] = deepcopy(value)


# --- AWS Config's own findings ---------------------------------------------------------------------------------------


def put_config_finding(event: Mapping[str, Any]) -> None:
    """What the built-in integration makes of a "Config Rules Compliance Change", while `config_integration` lasts.

    Always MEDIUM, without the annotation; the rule's name is its title.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-internal-providers.html
    """
    account, region, detail = event["account"], event["region"], event["detail"]
    backend = securityhub_backends[account][region]
    if not (_settings.built_in and backend.enabled):
        return
    rule, arn, compliance = detail["configRuleName"], detail["configRuleARN"], detail["newEvaluationResult"]
    name = f"{detail['resourceType']}/{detail['resourceId']}"
    status = {"NON_COMPLIANT": "FAILED", "COMPLIANT": "PASSED"}.get(compliance["complianceType"], "NOT_AVAILABLE")
    put_finding(
        backend,
        {
            "SchemaVersion": "2018-10-08",
            "Id": f"{arn}/finding/{uuid.uuid5(uuid.NAMESPACE_URL, f'{arn}/{name}').hex}",
            "ProductArn": f"arn:{backend.partition}:securityhub:{region}::product/aws/config",
            "ProductName": "Config",
            "CompanyName": "AWS",
            "GeneratorId": arn,
            "AwsAccountId": account,
            "Types": ["Software and Configuration Checks"],
            "CreatedAt": compliance["resultRecordedTime"],
            "UpdatedAt": compliance["resultRecordedTime"],
            "Severity": {"Label": "MEDIUM"},
            "Title": rule,
            "Description": f"This finding is created for a resource compliance change for config rule: {rule}",
            "Resources": [{"Type": "Other", "Id": name, "Partition": backend.partition, "Region": region}],
            "Compliance": {"Status": status},
            "Workflow": {"Status": "RESOLVED" if status == "PASSED" else "NEW"},
            "RecordState": "ACTIVE",
        },
    )


# --- Reading and updating --------------------------------------------------------------------------------------------


def _get_findings(request: Request) -> Answer:
    filters = request.parameters.get("Filters") or {}
    check_filters(filters)
    found = [each.finding for each in _visible(_hub(request)) if matches(each.finding, filters)]
    for criterion in reversed(request.parameters.get("SortCriteria") or []):
        down = criterion.get("SortOrder") == "desc"
        found.sort(key=lambda each: (values_of(each, criterion["Field"]) or [""])[0], reverse=down)
    listed, token = page(found, request, _PAGING)
    return {"Findings": listed, **({"NextToken": token} if token else {})}


def _batch_update_findings(request: Request) -> Answer:
    visible = {(each.finding["ProductArn"], each.finding["Id"]): each for each in _visible(_hub(request))}
    changes = {name: value for name, value in request.parameters.items() if name != "FindingIdentifiers"}
    processed, unprocessed = [], []
    for identifier in request.parameters["FindingIdentifiers"]:
        item = visible.get((identifier["ProductArn"], identifier["Id"]))
        if item is None:
            reason = {"ErrorCode": "FindingNotFound", "ErrorMessage": "Finding not found"}
            unprocessed.append({"FindingIdentifier": identifier, **reason})
            continue
        _update(item, changes)
        processed.append(identifier)
    return {"ProcessedFindings": processed, "UnprocessedFindings": unprocessed}


# --- Insights --------------------------------------------------------------------------------------------------------


def _create_insight(request: Request) -> Answer:
    check_filters(request.parameters["Filters"])
    insights = _state(_hub(request)).insights
    place = f"{request.region}:{request.account}"
    arn = f"arn:{request.partition}:securityhub:{place}:insight/{request.account}/custom/{uuid.uuid4()}"
    insights[arn] = {"InsightArn": arn, **{name: request.parameters[name] for name in _INSIGHT}}
    return {"InsightArn": arn}


_INSIGHT = ("Name", "Filters", "GroupByAttribute")


def _update_insight(request: Request) -> Answer:
    check_filters(request.parameters.get("Filters") or {})
    _insight(request).update({name: request.parameters[name] for name in _INSIGHT if name in request.parameters})
    return {}


def _delete_insight(request: Request) -> Answer:
    arn = _insight(request)["InsightArn"]
    del _state(_hub(request)).insights[arn]
    return {"InsightArn": arn}


def _get_insights(request: Request) -> Answer:
    insights = _state(_hub(request)).insights
    asked = request.parameters.get("InsightArns") or list(insights)
    listed, token = page([_named(insights, arn) for arn in asked], request, _PAGING)
    return {"Insights": listed, **({"NextToken": token} if token else {})}


def _get_insight_results(request: Request) -> Answer:
    insight = _insight(request)
    groups: Counter[str] = Counter()
    for each in _visible(_hub(request)):
        if matches(each.finding, insight["Filters"]):
            groups.update(set(values_of(each.finding, insight["GroupByAttribute"])))
    results = [{"GroupByAttributeValue": value, "Count": count} for value, count in groups.most_common(MAX_GROUPS)]
    about = {name: insight[name] for name in ("InsightArn", "GroupByAttribute")}
    return {"InsightResults": {**about, "ResultValues": results}}


def _insight(request: Request) -> Answer:
    return _named(_state(_hub(request)).insights, request.text("InsightArn"))


def _named(items: Mapping[str, Answer], arn: str) -> Answer:
    if arn not in items:
        raise AwsError("ResourceNotFoundException", f"{arn} does not exist", 404)
    return items[arn]


# --- Automation rules ------------------------------------------------------------------------------------------------


def _create_automation_rule(request: Request) -> Answer:
    backend = _hub(request)
    if administrator(request.account, request.region) != request.account:
        raise AwsError("AccessDeniedException", "Only the administrator account can create automation rules", 403)
    rules = _state(backend).rules
    if len(rules) >= MAX_RULES:
        raise AwsError("LimitExceededException", f"There are {MAX_RULES} automation rules already", 429)
    check_filters(request.parameters["Criteria"], most=100)
    arn = f"arn:{request.partition}:securityhub:{request.region}:{request.account}:automation-rule/{uuid.uuid4()}"
    instant = {"CreatedAt": now(), "UpdatedAt": now()}
    defaults = {"RuleStatus": "ENABLED", "IsTerminal": False, "CreatedBy": request.account}
    rules[arn] = {
        **defaults,
        **instant,
        **{name: v for name, v in request.parameters.items() if name != "Tags"},
        "RuleArn": arn,
    }
    return {"RuleArn": arn}


def _list_automation_rules(request: Request) -> Answer:
    rules = sorted(_state(_hub(request)).rules.values(), key=lambda each: int(each["RuleOrder"]))
    listed, token = page(rules, request, _PAGING)
    metadata = [{name: value for name, value in each.items() if name not in {"Criteria", "Actions"}} for each in listed]
    return {"AutomationRulesMetadata": metadata, **({"NextToken": token} if token else {})}


def _batch_get_automation_rules(request: Request) -> Answer:
    rules = _state(_hub(request)).rules
    return {
        "Rules": [_named(rules, arn) for arn in request.parameters["AutomationRulesArns"]],
        "UnprocessedAutomationRules": [],
    }


def _batch_update_automation_rules(request: Request) -> Answer:
    rules = _state(_hub(request)).rules
    for change in request.parameters["UpdateAutomationRulesRequestItems"]:
        check_filters(change.get("Criteria") or {}, most=100)
        _named(rules, change["RuleArn"]).update({**change, "UpdatedAt": now()})
    arns = [each["RuleArn"] for each in request.parameters["UpdateAutomationRulesRequestItems"]]
    return {"ProcessedAutomationRules": arns, "UnprocessedAutomationRules": []}


def _batch_delete_automation_rules(request: Request) -> Answer:
    rules, arns = _state(_hub(request)).rules, request.parameters["AutomationRulesArns"]
    for arn in arns:
        del rules[_named(rules, arn)["RuleArn"]]
    return {"ProcessedAutomationRules": arns, "UnprocessedAutomationRules": []}


def _disable_security_hub(request: Request) -> Answer:
    backend = _hub(request)
    backend.disable_security_hub()
    vars(backend).pop("simulated", None)
    return {}


HANDLERS: Mapping[str, Handler] = {
    "BatchDeleteAutomationRules": _batch_delete_automation_rules,
    "BatchGetAutomationRules": _batch_get_automation_rules,
    "BatchImportFindings": _batch_import_findings,
    "BatchUpdateAutomationRules": _batch_update_automation_rules,
    "BatchUpdateFindings": _batch_update_findings,
    "CreateAutomationRule": _create_automation_rule,
    "CreateInsight": _create_insight,
    "DeleteInsight": _delete_insight,
    "DisableSecurityHub": _disable_security_hub,
    "GetFindings": _get_findings,
    "GetInsightResults": _get_insight_results,
    "GetInsights": _get_insights,
    "ListAutomationRules": _list_automation_rules,
    "UpdateInsight": _update_insight,
}
