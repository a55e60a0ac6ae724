"""The AWS::Config::ConfigRule of a rule folder."""

from __future__ import annotations

from typing import Any

from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.templates.intrinsics import join, ref
from backup_rules_cli.templates.rule_parameters import frequency, input_parameters, on


def config_rule(rule: RuleFolder, source: Any, account_access: dict[str, Any]) -> dict[str, Any]:
    """The Config rule that invokes the function with the ARN `source`.

    `account_access` are the rule parameters that tell the function how to read the account. A rule that runs on its
    schedule only gets no Scope, which PutConfigRule refuses for it.
    """
    properties = {
        "ConfigRuleName": join(ref("RuleNamePrefix"), rule.config_rule_name),
        "Description": rule.metadata["Description"],
        **({"Scope": {"ComplianceResourceTypes": list(rule.triggers)}} if rule.triggers else {}),
        "InputParameters": {**account_access, **input_parameters(rule)},
        "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": source, "SourceDetails": _details(rule)},
    }
    return {"Type": "AWS::Config::ConfigRule", "Condition": on(rule), "Properties": properties}


def _details(rule: RuleFolder) -> list[dict[str, Any]]:
    schedule = {
        "EventSource": "aws.config",
        "MessageType": "ScheduledNotification",
        "MaximumExecutionFrequency": ref(frequency(rule)),
    }
    # An item of more than 256 KB arrives as the second kind:
    # https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
    changes = ("ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification")
    on_change = [{"EventSource": "aws.config", "MessageType": kind} for kind in changes]
    return [schedule, *(on_change if rule.triggers else [])]
