"""The AWS::Config::ConfigRule of a rule folder."""

from __future__ import annotations

from typing import Any

from backup_rules_cli.catalogue import RuleFolder


def config_rule(rule: RuleFolder, *, name: Any, source: Any, inputs: dict[str, Any], frequency: Any) -> dict[str, Any]:
    """The Config rule that invokes the function with the ARN `source`, with the rule parameters `inputs`.

    A rule that runs on its schedule only gets no Scope, which PutConfigRule refuses for it.
    """
    properties = {
        "ConfigRuleName": name,
        "Description": rule.metadata["Description"],
        **({"Scope": {"ComplianceResourceTypes": list(rule.triggers)}} if rule.triggers else {}),
        "InputParameters": inputs,
        "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": source, "SourceDetails": _details(rule, frequency)},
    }
    return {"Type": "AWS::Config::ConfigRule", "Properties": properties}


def _details(rule: RuleFolder, frequency: Any) -> list[dict[str, Any]]:
    schedule = {
        "EventSource": "aws.config",
        "MessageType": "ScheduledNotification",
        "MaximumExecutionFrequency": frequency,
    }
    # An item of more than 256 KB arrives as the second kind:
    # https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
    changes = ("ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification")
    on_change = [{"EventSource": "aws.config", "MessageType": kind} for kind in changes]
    return [schedule, *(on_change if rule.triggers else [])]
