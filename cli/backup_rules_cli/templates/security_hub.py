"""security-hub.yaml: insights that answer a backup administrator's questions, and automation rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.alerts import alerts
from backup_rules_cli.templates.compliance_events import RULE_NAME_PREFIX
from backup_rules_cli.templates.declarations import choice, interface
from backup_rules_cli.templates.finding_events_everywhere import finding_events_everywhere
from backup_rules_cli.templates.findings import finding_event_bus, finding_events, finding_forwarder
from backup_rules_cli.templates.intrinsics import NO_VALUE, Intrinsic, equals, if_, sub
from backup_rules_cli.templates.yaml_text import Noted, yaml_text

# What the forwarder's findings have before the rule's name in their GeneratorId.
GENERATOR = "backup-config-rules/"
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
FIRST_ORDER = 700
# https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Insight.html
MAX_FILTER_VALUES = 20


def templates(rules: Sequence[RuleFolder], header: str) -> dict[str, str]:
    """The text of each template that brings verdicts to people, by its file name."""
    events = finding_events(rules)
    made = {
        "alerts.yaml": alerts(rules),
        "event-bus.yaml": finding_event_bus(),
        "finding-events.yaml": events,
        "finding-events-everywhere.yaml": finding_events_everywhere(yaml_text(events, header), events["Parameters"]),
        "finding-forwarder.yaml": finding_forwarder(rules),
        "security-hub.yaml": security_hub(rules),
    }
    return {name: yaml_text(template, header) for name, template in made.items()}


def security_hub(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """What Security Hub's administrator account needs in each Region, or in its home Region if Regions are linked."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The AWS Backup Config rules in Security Hub CSPM: insights, and automation rules that set"
        " severities and keep findings from being there twice. For Security Hub's administrator account.",
        "Metadata": interface({"Findings": ("Forwarder", "SuppressBuiltInFindings", "RuleNamePrefix")}),
        "Parameters": {
            "Forwarder": choice(
                "Whether the forwarder imports findings: true. Only AWS Config's built-in ones are there: false.",
                "false",
                "true",
            ),
            "SuppressBuiltInFindings": choice(
                "With the forwarder: whether AWS Config's built-in findings of these rules are suppressed, as the"
                " forwarder's say the same and more.",
                "true",
                "false",
            ),
            **RULE_NAME_PREFIX,
        },
        "Conditions": {
            "Forwards": equals("Forwarder", "true"),
            "Suppresses": {"Fn::And": [equals("Forwarder", "true"), equals("SuppressBuiltInFindings", "true")]},
            "SetsSeverity": {
                "Fn::Not": [
                    {"Fn::And": [equals("Forwarder", "true"), equals("SuppressBuiltInFindings", "true")]},
                ]
            },
        },
        "Resources": {**_insights(rules), **_automation_rules(rules)},
    }


def _insights(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    open_ones = {
        "ComplianceStatus": _values("EQUALS", "FAILED"),
        "WorkflowStatus": _values("EQUALS", "NEW", "NOTIFIED"),
    }
    ignored = {"ComplianceStatus": _values("EQUALS", "FAILED"), "WorkflowStatus": _values("EQUALS", "SUPPRESSED")}
    missed = [rule for rule in rules if rule.name == "BACKUP_PLAN_RAN_ON_SCHEDULE"]
    questions: list[tuple[str, str, str, dict[str, Any], Sequence[RuleFolder]]] = [
        ("Accounts", "Which accounts have backups at risk?", "AwsAccountId", open_ones, rules),
        ("Causes", "Why are backups at risk?", "GeneratorId", open_ones, rules),
        ("Resources", "Which plans, selections and resources are at risk?", "ResourceId", open_ones, rules),
        ("ResourceTypes", "What kinds of resources are at risk?", "ResourceType", open_ones, rules),
        ("Severities", "How urgent is it?", "SeverityLabel", open_ones, rules),
        ("Missed", "Which accounts have already missed backups?", "AwsAccountId", open_ones, missed),
        ("Ignored", "Where have people chosen to ignore backup problems?", "AwsAccountId", ignored, rules),
    ]
    return {
        f"{name}Insight": {
            "Type": "AWS::SecurityHub::Insight",
            "Properties": {
                "Name": f"AWS Backup: {question}",
                "GroupByAttribute": attribute,
                "Filters": {**_of_the_pack(about), "RecordState": _values("EQUALS", "ACTIVE"), **filters},
            },
        }
        for name, question, attribute, filters, about in questions
        if about
    }


def _of_the_pack(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """The findings of these rules: the forwarder's if it is on, else AWS Config's own, whose title is the rule's name.

    Raises:
        ValueError: when there are more rules than an insight can name.
    """
    if len(rules) > MAX_FILTER_VALUES:
        raise ValueError(f"There are {len(rules)} rules; an insight filters by at most {MAX_FILTER_VALUES} values.")
    names = [f"${{RuleNamePrefix}}{rule.config_rule_name}" for rule in rules]
    return {
        "GeneratorId": if_("Forwards", _values("EQUALS", *(sub(f"{GENERATOR}{name}") for name in names))),
        "ProductName": if_("Forwards", NO_VALUE, _values("EQUALS", "Config")),
        "Title": if_("Forwards", NO_VALUE, _values("PREFIX", *map(sub, names))),
    }


def _values(comparison: str, *values: str | Intrinsic) -> list[dict[str, Any]]:
    return [{"Comparison": comparison, "Value": value} for value in values]


def _automation_rules(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for order, severity in enumerate(SEVERITIES, FIRST_ORDER):
        named = [rule for rule in rules if rule.about["Severity"] == severity]
        if named:
            made[f"{severity.capitalize()}Severity"] = _automation_rule(
                "SetsSeverity",
                order,
                f"AWS Backup Config rules: {severity}",
                f"AWS Config's findings are always MEDIUM; those of these rules are {severity} until they have passed.",
                {**_built_in(named), "WorkflowStatus": _values("EQUALS", "NEW", "NOTIFIED")},
                {"Severity": {"Label": severity}},
            )
    after = FIRST_ORDER + len(SEVERITIES)
    made[Noted("SuppressBuiltIn", "The switch that keeps findings from being there twice.")] = _automation_rule(
        "Suppresses",
        after,
        "AWS Backup Config rules: not twice",
        "The forwarder imports findings of these rules with the reason; AWS Config's own say the same without it.",
        _built_in(rules),
        {"Workflow": {"Status": "SUPPRESSED"}},
    )
    made["ResolvePassed"] = _automation_rule(
        "Forwards",
        after + 1,
        "AWS Backup Config rules: resolved when passed",
        "What the rules find COMPLIANT again has the severity INFORMATIONAL; it is resolved.",
        {
            "GeneratorId": _values("PREFIX", sub(f"{GENERATOR}${{RuleNamePrefix}}")),
            "SeverityLabel": _values("EQUALS", "INFORMATIONAL"),
            "WorkflowStatus": _values("EQUALS", "NEW", "NOTIFIED"),
        },
        {"Workflow": {"Status": "RESOLVED"}},
    )
    return made


def _built_in(rules: Sequence[RuleFolder]) -> dict[str, Any]:
    """AWS Config's own findings of these rules, in packs and alone, and of no other whose name begins alike."""
    names = [f"${{RuleNamePrefix}}{rule.config_rule_name}" for rule in rules]
    return {
        "ProductName": _values("EQUALS", "Config"),
        "Title": [
            *_values("EQUALS", *map(sub, names)),
            *_values("PREFIX", *(sub(f"{name}-conformance-pack-") for name in names)),
        ],
    }


def _automation_rule(  # noqa: PLR0913, PLR0917 - what each says of itself
    condition: str, order: int, name: str, description: str, criteria: dict[str, Any], update: dict[str, Any]
) -> dict[str, Any]:
    return {
        "Type": "AWS::SecurityHub::AutomationRule",
        "Condition": condition,
        "Properties": {
            "RuleName": name,
            "RuleOrder": order,
            "RuleStatus": "ENABLED",
            "Description": description,
            "IsTerminal": False,
            "Criteria": {**criteria, "RecordState": _values("EQUALS", "ACTIVE")},
            "Actions": [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": update}],
        },
    }
