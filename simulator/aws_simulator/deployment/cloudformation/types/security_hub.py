"""AWS Security Hub CSPM: insights and automation rules."""

from __future__ import annotations

from aws_simulator.deployment.cloudformation.resources import Made, Properties, ResourceType, Scope, gone, only, tag_map


def _put_insight(scope: Scope, properties: Properties, made: Made | None) -> Made:
    given = only(properties, "Filters", "GroupByAttribute", "Name")
    if made:
        scope.call("securityhub", "update_insight", InsightArn=made.id, **given)
        return made
    arn = scope.call("securityhub", "create_insight", **given)["InsightArn"]
    return Made(arn, {"InsightArn": arn})


def _delete_insight(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("securityhub", "delete_insight", InsightArn=made.id)


_RULE = ("Actions", "Criteria", "Description", "IsTerminal", "RuleName", "RuleOrder", "RuleStatus")


def _put_automation_rule(scope: Scope, properties: Properties, made: Made | None) -> Made:
    given = only(properties, *_RULE)
    if made:
        change = [{"RuleArn": made.id, **given}]
        answer = scope.call("securityhub", "batch_update_automation_rules", UpdateAutomationRulesRequestItems=change)
        for refused in answer.get("UnprocessedAutomationRules") or []:
            raise ValueError(refused["ErrorMessage"])
        return made
    arn = scope.call("securityhub", "create_automation_rule", Tags=tag_map(properties), **given)["RuleArn"]
    return Made(arn, {"RuleArn": arn})


def _delete_automation_rule(scope: Scope, made: Made) -> None:
    with gone():
        scope.call("securityhub", "batch_delete_automation_rules", AutomationRulesArns=[made.id])


def _put_hub(scope: Scope, properties: Properties, made: Made | None) -> Made:
    if made:
        return made
    given = only(properties, "ControlFindingGenerator", "EnableDefaultStandards")
    scope.call("securityhub", "enable_security_hub", Tags=tag_map(properties), **given)
    arn = scope.arn("securityhub", "hub/default")
    return Made(arn, {"ARN": arn})


def _delete_hub(scope: Scope, _: Made) -> None:
    with gone():
        scope.call("securityhub", "disable_security_hub")


TYPES = (
    ResourceType("AWS::SecurityHub::Hub", _put_hub, _delete_hub),
    ResourceType("AWS::SecurityHub::Insight", _put_insight, _delete_insight),
    ResourceType("AWS::SecurityHub::AutomationRule", _put_automation_rule, _delete_automation_rule),
)
