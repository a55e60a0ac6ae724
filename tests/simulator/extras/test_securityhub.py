"""Security Hub in the simulator: what it takes, what it refuses, who sees it, and what automation rules do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_simulator.core.operations import page_size
from aws_simulator.extras.securityhub import administrator
from aws_simulator.simulation import simulated_aws
from tests.simulator import callers

MANAGEMENT, HUB, MEMBER, STRANGER = "123456789012", "444455556666", "111122223333", "999988887777"
REGION = "eu-west-1"


def client(account: str, service: str = "securityhub") -> Any:
    return callers.client(service, account, REGION)


@pytest.fixture(autouse=True)
def _simulation() -> Iterator[None]:
    with simulated_aws():
        yield


@pytest.fixture
def organization() -> dict[str, str]:
    """Accounts of an organization, of which one administers Security Hub; all have it enabled."""
    organizations = client(MANAGEMENT, "organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = {}
    for name in ("hub", "member"):
        status = organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        made[name] = status["AccountId"]
    client(MANAGEMENT).enable_organization_admin_account(AdminAccountId=made["hub"])
    for account in (*made.values(), STRANGER):
        client(account).enable_security_hub()
    return made


def finding(account: str = MEMBER, **changes: Any) -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": "finding/1",
        "ProductArn": f"arn:aws:securityhub:{REGION}:{account}:product/{account}/default",
        "GeneratorId": "checks/one",
        "AwsAccountId": account,
        "CreatedAt": "2026-11-01T00:00:00Z",
        "UpdatedAt": "2026-11-01T00:00:00Z",
        "Title": "A title",
        "Description": "What is wrong",
        "FindingProviderFields": {"Severity": {"Label": "HIGH"}, "Types": ["Software and Configuration Checks"]},
        "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::orders", "Tags": {"team": "payments"}}],
        "Compliance": {"Status": "FAILED"},
        **changes,
    }


def put(*findings: dict[str, Any], account: str = MEMBER) -> dict[str, Any]:
    return dict(client(account).batch_import_findings(Findings=list(findings)))


def found(account: str = MEMBER, **filters: Any) -> list[dict[str, Any]]:
    return list(client(account).get_findings(Filters=filters)["Findings"])


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return str(raised.value.response["Error"]["Code"])


def equals(*values: str, comparison: str = "EQUALS") -> list[dict[str, str]]:
    return [{"Value": value, "Comparison": comparison} for value in values]


# --- Import ---------------------------------------------------------------------------------------------------------


def test_where_the_hub_is_off_nothing_is_taken() -> None:
    assert refusal(client(MEMBER).batch_import_findings, Findings=[finding()]) == "InvalidAccessException"
    client(MEMBER).enable_security_hub()
    assert put(finding())["SuccessCount"] == 1
    client(MEMBER).disable_security_hub()
    assert refusal(client(MEMBER).get_findings) == "InvalidAccessException"
    client(MEMBER).enable_security_hub()
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AwsAccountId": HUB}, "InvalidAccess"),
        ({"ProductArn": f"arn:aws:securityhub:{REGION}:{HUB}:product/{HUB}/default"}, "InvalidAccess"),
        ({"ProductArn": f"arn:aws:securityhub:us-east-1:{MEMBER}:product/{MEMBER}/default"}, "InvalidAccess"),
        ({"Title": "x" * 257}, "InvalidInput"),
        ({"Id": "x" * 513}, "InvalidInput"),
        ({"Description": "x" * 1025}, "InvalidInput"),
        ({"Remediation": {"Recommendation": {"Text": "x" * 513}}}, "InvalidInput"),
        ({"ProductFields": {str(number): "" for number in range(51)}}, "InvalidInput"),
        ({"ProductFields": {"x": "x" * 2049}}, "InvalidInput"),
        ({"Resources": [{"Type": "Other", "Id": str(number)} for number in range(33)]}, "InvalidInput"),
        ({"Resources": [{"Type": "Other", "Id": "1", "Tags": {"a": "ü"}}]}, "InvalidInput"),
        ({"FindingProviderFields": {}}, "InvalidInput"),
        ({"Compliance": {"Status": "BAD"}}, "InvalidInput"),
        ({"Workflow": {"Status": "OPEN"}}, "InvalidInput"),
        ({"RecordState": "GONE"}, "InvalidInput"),
        ({"UpdatedAt": "yesterday"}, "InvalidInput"),
        ({"UserDefinedFields": {"x": "x" * 250_000}}, "InvalidInput"),
    ],
)
def test_findings_that_aws_would_hand_back(changes: dict[str, Any], code: str) -> None:
    client(MEMBER).enable_security_hub()
    answer = put(finding() | changes, finding(Id="finding/2"))
    (failed,) = answer["FailedFindings"]
    assert (failed["ErrorCode"], answer["FailedCount"], answer["SuccessCount"]) == (code, 1, 1)
    assert [each["Id"] for each in found()] == ["finding/2"]


def test_a_call_takes_a_hundred() -> None:
    client(MEMBER).enable_security_hub()
    many = [finding(Id=str(number)) for number in range(101)]
    assert refusal(client(MEMBER).batch_import_findings, Findings=many) == "InvalidInputException"
    assert put(*many[:100])["SuccessCount"] == 100
    pages = client(MEMBER).get_paginator("get_findings").paginate(PaginationConfig={"PageSize": 30})
    assert [len(each["Findings"]) for each in pages] == [30, 30, 30, 10]
    with page_size(50):
        assert len(client(MEMBER).get_findings()["Findings"]) == 50


@pytest.mark.parametrize("updated", ["2026-11-01T00:00:00Z", "2026-10-31T00:00:00Z"])
def test_an_update_that_is_not_newer_is_ignored(updated: str) -> None:
    client(MEMBER).enable_security_hub()
    put(finding())
    assert put(finding(UpdatedAt=updated, Description="Other"))["SuccessCount"] == 1
    assert found()[0]["Description"] == "What is wrong"


def test_what_is_peoples_stays_theirs() -> None:
    client(MEMBER).enable_security_hub()
    put(finding())
    identifier = {"Id": "finding/1", "ProductArn": finding()["ProductArn"]}
    unknown = {"Id": "none", "ProductArn": finding()["ProductArn"]}
    answer = client(MEMBER).batch_update_findings(
        FindingIdentifiers=[identifier, unknown], Severity={"Label": "LOW"}, Workflow={"Status": "SUPPRESSED"}
    )
    assert [each["FindingIdentifier"] for each in answer["UnprocessedFindings"]] == [unknown]
    put(finding(UpdatedAt="2026-11-02T00:00:00Z", Workflow={"Status": "NEW"}, Description="Newer"))
    (after,) = found()
    assert (after["Severity"]["Label"], after["Workflow"]["Status"]) == ("LOW", "SUPPRESSED")
    assert after["Description"] == "Newer"
    assert after["FindingProviderFields"]["Severity"]["Label"] == "HIGH"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"Compliance": {"Status": "PASSED"}}, {"Compliance": {"Status": "FAILED"}}),
        ({"RecordState": "ARCHIVED"}, {"RecordState": "ACTIVE"}),
    ],
)
def test_what_comes_back_is_new_again(first: dict[str, Any], second: dict[str, Any]) -> None:
    client(MEMBER).enable_security_hub()
    put(finding(Workflow={"Status": "RESOLVED"}, **first))
    put(finding(UpdatedAt="2026-11-02T00:00:00Z", **second))
    assert found()[0]["Workflow"]["Status"] == "NEW"


# --- Filters and insights -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, ["1", "2"]),
        ({"Id": equals("1")}, ["1"]),
        ({"Id": equals("1", "2")}, ["1", "2"]),
        ({"GeneratorId": equals("backup/", comparison="PREFIX")}, ["1"]),
        ({"GeneratorId": equals("backup/", comparison="PREFIX_NOT_EQUALS")}, ["2"]),
        ({"Title": equals("itl", comparison="CONTAINS")}, ["1", "2"]),
        ({"SeverityLabel": equals("MEDIUM"), "Id": equals("1")}, []),
        ({"ComplianceStatus": equals("PASSED", comparison="NOT_EQUALS")}, ["1"]),
        ({"ResourceType": equals("AwsS3Bucket")}, ["1", "2"]),
        ({"ResourceTags": [{"Key": "team", "Value": "payments", "Comparison": "EQUALS"}]}, ["1", "2"]),
        ({"ResourceTags": [{"Key": "team", "Value": "payments", "Comparison": "NOT_EQUALS"}]}, []),
        ({"UpdatedAt": [{"Start": "2026-11-02T00:00:00Z", "End": "2026-11-03T00:00:00Z"}]}, ["2"]),
    ],
)
def test_filters(filters: dict[str, Any], ids: list[str]) -> None:
    client(MEMBER).enable_security_hub()
    provided = {"Severity": {"Label": "MEDIUM"}}
    put(
        finding(Id="1", GeneratorId="backup/a"),
        finding(
            Id="2",
            UpdatedAt="2026-11-02T00:00:00Z",
            Compliance={"Status": "PASSED"},
            FindingProviderFields=provided,
        ),
    )
    assert [each["Id"] for each in found(**filters)] == ids


@pytest.mark.parametrize(
    "filters",
    [
        {"NetworkDirection": equals("IN")},
        {"Id": equals(*map(str, range(21)))},
        {"Id": [*equals("1"), *equals("2", comparison="NOT_EQUALS")]},
    ],
)
def test_filters_that_are_refused(filters: dict[str, Any]) -> None:
    client(MEMBER).enable_security_hub()
    assert refusal(client(MEMBER).get_findings, Filters=filters) == "InvalidInputException"


def test_an_insight_counts_by_its_attribute() -> None:
    hub = client(MEMBER)
    hub.enable_security_hub()
    put(*(finding(Id=str(number), GeneratorId=f"g{number % 2}") for number in range(5)))
    arn = hub.create_insight(Name="causes", Filters={"Title": equals("A title")}, GroupByAttribute="GeneratorId")
    (insight,) = hub.get_insights()["Insights"]
    assert (insight["Name"], insight["InsightArn"]) == ("causes", arn["InsightArn"])
    results = hub.get_insight_results(InsightArn=arn["InsightArn"])["InsightResults"]["ResultValues"]
    assert results == [{"GroupByAttributeValue": "g0", "Count": 3}, {"GroupByAttributeValue": "g1", "Count": 2}]
    hub.update_insight(InsightArn=arn["InsightArn"], GroupByAttribute="SeverityLabel")
    results = hub.get_insight_results(InsightArn=arn["InsightArn"])["InsightResults"]["ResultValues"]
    assert results == [{"GroupByAttributeValue": "HIGH", "Count": 5}]
    hub.delete_insight(InsightArn=arn["InsightArn"])
    assert refusal(hub.get_insight_results, InsightArn=arn["InsightArn"]) == "ResourceNotFoundException"


# --- The administrator ----------------------------------------------------------------------------------------------


def test_the_administrator_sees_its_members_and_they_only_themselves(organization: dict[str, str]) -> None:
    hub, member = organization["hub"], organization["member"]
    assert administrator(member, REGION) == administrator(hub, REGION) == hub
    assert administrator(STRANGER, REGION) == STRANGER
    for account in (hub, member, STRANGER):
        put(finding(account), account=account)
    assert {each["AwsAccountId"] for each in found(hub)} == {hub, member}
    assert {each["AwsAccountId"] for each in found(member)} == {member}
    assert {each["AwsAccountId"] for each in found(STRANGER)} == {STRANGER}


RULE = {
    "RuleOrder": 1,
    "RuleName": "low",
    "Description": "d",
    "Criteria": {"GeneratorId": equals("checks/", comparison="PREFIX")},
    "Actions": [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": {"Severity": {"Label": "LOW"}}}],
}
SUPPRESS = [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": {"Workflow": {"Status": "SUPPRESSED"}}}]


def test_the_administrators_rules_act_on_new_and_updated_findings_of_members(organization: dict[str, str]) -> None:
    hub, member = organization["hub"], organization["member"]
    put(finding(member), account=member)
    assert refusal(client(member).create_automation_rule, **RULE) == "AccessDeniedException"
    client(hub).create_automation_rule(**RULE)
    assert found(member)[0]["Severity"]["Label"] == "HIGH", "rules act on what comes in, not on what is there"
    put(finding(member, UpdatedAt="2026-11-02T00:00:00Z"), finding(member, Id="2"), account=member)
    assert [each["Severity"]["Label"] for each in found(member)] == ["LOW", "LOW"]


def test_rules_act_in_their_order_until_one_ends_it(organization: dict[str, str]) -> None:
    hub = client(organization["hub"])
    first = hub.create_automation_rule(**RULE)["RuleArn"]
    hub.create_automation_rule(**RULE | {"RuleOrder": 2, "RuleName": "suppress", "Actions": SUPPRESS})
    names = [each["RuleName"] for each in hub.list_automation_rules()["AutomationRulesMetadata"]]
    assert names == ["low", "suppress"]

    def import_again(day: int) -> tuple[str, str]:
        account = organization["hub"]
        put(finding(account, Id=str(day)), account=account)
        (after,) = found(account, Id=equals(str(day)))
        return after["Severity"]["Label"], after["Workflow"]["Status"]

    assert import_again(1) == ("LOW", "SUPPRESSED")
    hub.batch_update_automation_rules(UpdateAutomationRulesRequestItems=[{"RuleArn": first, "IsTerminal": True}])
    assert import_again(2) == ("LOW", "NEW")
    hub.batch_update_automation_rules(UpdateAutomationRulesRequestItems=[{"RuleArn": first, "RuleStatus": "DISABLED"}])
    assert import_again(3) == ("HIGH", "SUPPRESSED")
    hub.batch_delete_automation_rules(AutomationRulesArns=[first])
    assert refusal(hub.batch_get_automation_rules, AutomationRulesArns=[first]) == "ResourceNotFoundException"
