"""From a stored evaluation to a finding and a mail: templates deployed, packages running, nothing called by hand.

A member account's AWS Config stores an evaluation; its event crosses to the central account's bus and queue; the
deployed function, which runs in an interpreter of its own under its role, imports the finding in the member account.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto.sns.models import sns_backends

from aws_simulator.core import config
from aws_simulator.core.config import conformance_pack_rule_name, result_token
from aws_simulator.deployment.authorization import enforced_permissions
from aws_simulator.deployment.events import pump, run_schedules, undelivered
from aws_simulator.deployment.lambda_runtime import LambdaRuntime, lambda_runtime
from aws_simulator.extras import securityhub
from aws_simulator.server import serving
from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.package import package
from tests.simulator import callers

MANAGEMENT, STRANGER, REGION = "123456789012", "999988887777", "eu-west-1"
PREFIX = "backup-config-rules/package"
DATABASE = ("AWS::RDS::DBInstance", "db-AB7BA31A5ADB4604B782AC01DC")
PLAN = ("AWS::Backup::BackupPlan", "b0d75e35-30ae-45b1-8a37-000000000001")
RULE = conformance_pack_rule_name("backup-rds-window-conflict", "backup-config-rules")
GENERATOR = "backup-config-rules/backup-rds-window-conflict"


@dataclass(frozen=True)
class Deployed:
    """The organization, everything deployed."""

    runtime: LambdaRuntime
    central: str
    member: str

    def client(self, service: str, account: str | None = None) -> Any:
        return callers.client(service, account or self.member, REGION)

    def evaluate(self, compliance: str, annotation: str, *resources: tuple[str, str], rule: str = RULE) -> None:
        """The member's AWS Config stores evaluations of the rule, as the rule's function puts them."""
        recorder = self.client("config")
        source = {
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": f"arn:aws:lambda:{REGION}:{self.central}:function:{rule}",
            "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}],
        }
        recorder.put_config_rule(ConfigRule={"ConfigRuleName": rule, "Source": source})
        evaluations = [
            {
                "ComplianceResourceType": kind,
                "ComplianceResourceId": name,
                "ComplianceType": compliance,
                "Annotation": annotation,
                "OrderingTimestamp": datetime.now(UTC),
            }
            for kind, name in resources or (DATABASE,)
        ]
        token = result_token(self.member, REGION, rule)
        recorder.put_evaluations(Evaluations=evaluations, ResultToken=token)
        time.sleep(0.002)  # what comes next is recorded a millisecond later

    def forward(self) -> list[Any]:
        """Lambda polls the queues; the functions have the permissions of their roles only."""
        with enforced_permissions():
            return pump(self.runtime)

    def mail(self) -> list[tuple[str, str]]:
        """The schedule of the alerts is due; the mails sent by it."""
        (topic,) = sns_backends[self.central][REGION].topics.values()
        before = len(topic.sent_notifications)
        with enforced_permissions():
            done = run_schedules(self.runtime, self.central, REGION)
        assert [each.error for each in done] == [None]
        return [(subject, text) for _, text, subject, *_ in topic.sent_notifications[before:]]

    def findings(self, account: str | None = None, **filters: str) -> list[dict[str, Any]]:
        given = {name: [{"Value": value, "Comparison": "EQUALS"}] for name, value in filters.items()}
        return list(self.client("securityhub", account).get_findings(Filters=given)["Findings"])

    def queued(self, part: str) -> int:
        """How many messages the queues with such a name hold, in the central account."""
        sqs = self.client("sqs", self.central)
        wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        urls = [url for url in sqs.list_queues()["QueueUrls"] if part in url]
        counts = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"] for url in urls]
        return sum(int(each[name]) for each in counts for name in wanted)


def deploy(client: Any, name: str, **parameters: str) -> None:
    client.create_stack(
        StackName=f"backup-config-rules-{name}",
        TemplateBody=(ROOT / "cloudformation" / f"{name}.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (stack,) = client.describe_stacks(StackName=f"backup-config-rules-{name}")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return package(tmp_path_factory.mktemp("package") / "package").files


@pytest.fixture
def site(packed: Mapping[str, Path]) -> Iterator[Deployed]:
    with serving() as url, lambda_runtime(url) as runtime:
        config.install(require_functions=False)
        organizations = callers.client("organizations", MANAGEMENT, REGION)
        organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        statuses = (
            organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
            for name in ("central", "member")
        )
        central, member = (each["AccountId"] for each in statuses)
        made = Deployed(runtime, central, member)
        for account in (central, member):
            made.client("securityhub", account).enable_security_hub()
        made.client("securityhub", MANAGEMENT).enable_organization_admin_account(AdminAccountId=central)
        storage = made.client("s3", central)
        storage.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
        for name, path in packed.items():
            if name == "layer.zip" or name.startswith("functions/"):
                storage.put_object(Bucket="artifacts", Key=f"{PREFIX}/{name}", Body=path.read_bytes())
        cloudformation = made.client("cloudformation", central)
        code = {"CodeBucket": "artifacts", "CodePrefix": PREFIX, "OrganizationId": organization}
        pages = {"RulePagesUrl": "https://git.example.com/backup-rules/blob/main"}
        deploy(cloudformation, "finding-forwarder", **code, **pages)
        deploy(cloudformation, "alerts", **code, EmailAddress="backups@example.com", ResourcesPerRule="2")
        deploy(cloudformation, "security-hub", Forwarder="true")
        of_member = {"CentralAccountId": central, "OrganizationId": organization, "FindingsRoleRegion": REGION}
        deploy(made.client("cloudformation"), "finding-events", **of_member)
        yield made


def test_an_evaluation_is_read_as_a_finding_and_as_a_mail(site: Deployed) -> None:
    site.evaluate("NON_COMPLIANT", "Move the schedule.")
    assert undelivered(site.member, REGION) == []
    (done,) = site.forward()
    assert (done.error, done.payload) == (None, {"batchItemFailures": []})
    for account in (site.member, site.central):
        (finding,) = site.findings(account)
        assert finding["AwsAccountId"] == site.member
        assert (finding["Description"], finding["GeneratorId"]) == ("Move the schedule.", GENERATOR)
        assert (finding["Severity"]["Label"], finding["Compliance"]["Status"]) == ("HIGH", "FAILED")
        page = "https://git.example.com/backup-rules/blob/main/rules/BACKUP_RDS_WINDOW_CONFLICT/README.md"
        assert finding["Remediation"]["Recommendation"]["Url"] == page
    ((subject, text),) = site.mail()
    assert subject == f"Backup rules: 1 new problem in account {site.member}, {REGION}"
    assert "    Reason: Move the schedule." in text.splitlines()
    assert site.mail() == [], "the next time there is nothing new"

    site.evaluate("COMPLIANT", "All is well.")
    site.forward()
    (passed,) = site.findings()
    assert (passed["Id"], passed["CreatedAt"]) == (finding["Id"], finding["CreatedAt"])
    assert (passed["Compliance"]["Status"], passed["Workflow"]["Status"]) == ("PASSED", "RESOLVED")
    assert passed["Description"] == "All is well."

    site.evaluate("NON_COMPLIANT", "Again.")
    site.forward()
    (again,) = site.findings()
    assert (again["Compliance"]["Status"], again["Workflow"]["Status"]) == ("FAILED", "NEW")

    site.evaluate("NOT_APPLICABLE", "Gone.")
    site.forward()
    (gone,) = site.findings()
    assert (gone["Id"], gone["RecordState"]) == (finding["Id"], "ARCHIVED")
    assert len(site.mail()) == 1, "of what had become compliant, that it failed again is news"
    assert site.queued("") == 0


def test_insights_answer_their_questions(site: Deployed) -> None:
    site.evaluate("NON_COMPLIANT", "Move it.", DATABASE, ("AWS::RDS::DBInstance", "db-2"))
    ran = conformance_pack_rule_name("backup-plan-ran-on-schedule", "backup-config-rules")
    site.evaluate("NON_COMPLIANT", "No job.", PLAN, rule=ran)
    site.evaluate("COMPLIANT", "Fine.", ("AWS::RDS::DBInstance", "db-3"))
    stranger = Deployed(site.runtime, site.central, STRANGER)
    given = {"CentralAccountId": site.central, "OrganizationId": "o-elsewhere00", "FindingsRoleRegion": REGION}
    deploy(stranger.client("cloudformation"), "finding-events", **given)
    stranger.evaluate("NON_COMPLIANT", "x")
    (reason,) = undelivered(STRANGER, REGION)
    assert f"does not admit account {STRANGER}" in reason, "it is outside the organization"
    site.forward()
    hub = site.client("securityhub", site.central)
    answers = {}
    for insight in hub.get_insights()["Insights"]:
        results = hub.get_insight_results(InsightArn=insight["InsightArn"])["InsightResults"]["ResultValues"]
        answers[insight["Name"]] = {each["GroupByAttributeValue"]: each["Count"] for each in results}
    plan = f"arn:aws:backup:{REGION}:{site.member}:backup-plan:{PLAN[1]}"
    assert answers == {
        "AWS Backup: Which accounts have backups at risk?": {site.member: 3},
        "AWS Backup: Why are backups at risk?": {GENERATOR: 2, "backup-config-rules/backup-plan-ran-on-schedule": 1},
        "AWS Backup: Which plans, selections and resources are at risk?": {DATABASE[1]: 1, "db-2": 1, plan: 1},
        "AWS Backup: What kinds of resources are at risk?": {"AwsRdsDbInstance": 2, "AwsBackupBackupPlan": 1},
        "AWS Backup: How urgent is it?": {"HIGH": 3},
        "AWS Backup: Which accounts have already missed backups?": {site.member: 1},
        "AWS Backup: Where have people chosen to ignore backup problems?": {},
    }


def test_with_the_switch_nothing_is_there_twice(site: Deployed) -> None:
    with securityhub.config_integration():
        site.evaluate("NON_COMPLIANT", "Move it.")
        site.evaluate("NON_COMPLIANT", "Not ours.", rule="backup-plan-min-frequency")
    site.forward()
    open_ones = site.findings(site.central, WorkflowStatus="NEW")
    assert sorted(each["GeneratorId"].rpartition("/")[0] for each in open_ones) == [
        f"arn:aws:config:{REGION}:{site.member}:config-rule",  # of the rule that is not ours, as it was
        "backup-config-rules",
    ]
    (suppressed,) = site.findings(site.central, WorkflowStatus="SUPPRESSED")
    assert (suppressed["ProductName"], suppressed["Title"]) == ("Config", RULE)


def test_without_the_forwarder_built_in_findings_get_the_rules_severity(site: Deployed) -> None:
    cloudformation = site.client("cloudformation", site.central)
    cloudformation.update_stack(
        StackName="backup-config-rules-security-hub",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Forwarder", "ParameterValue": "false"}],
    )
    with securityhub.config_integration():
        for folder in rule_folders("BACKUP_RDS_WINDOW_CONFLICT", "BACKUP_TAG_CASE"):
            name = conformance_pack_rule_name(folder.config_rule_name, "backup-config-rules")
            site.evaluate("NON_COMPLIANT", "x", rule=name)
        site.evaluate("NON_COMPLIANT", "Not ours.", rule="backup-rds-window-conflict-of-mine")
    severities = {
        each["Title"].split("-conformance-pack-")[0]: each["Severity"]["Label"] for each in site.findings(site.central)
    }
    assert severities == {
        "backup-rds-window-conflict": "HIGH",
        "backup-tag-case": "MEDIUM",
        "backup-rds-window-conflict-of-mine": "MEDIUM",
    }
    hub = site.client("securityhub", site.central)
    named = {each["Name"]: each["InsightArn"] for each in hub.get_insights()["Insights"]}
    arn = named["AWS Backup: Which accounts have backups at risk?"]
    (result,) = hub.get_insight_results(InsightArn=arn)["InsightResults"]["ResultValues"]
    assert result["GroupByAttributeValue"] == site.member


def test_nothing_is_lost_while_findings_cannot_be_imported(site: Deployed) -> None:
    def fail(times: int) -> set[str]:
        """What the log says of that account and Region while its message is tried so often."""
        site.evaluate("NON_COMPLIANT", "Move it.")
        errors = set()
        for _ in range(times):
            for done in site.forward():
                lines = [json.loads(line) for line in done.log_lines]
                of_member = [line for line in lines if line.get("account") == site.member]
                errors |= {line["error"] for line in of_member if line["message"] == "findings not imported"}
                assert all(line["region"] == REGION for line in of_member)
        return errors

    site.client("securityhub").disable_security_hub()
    (error,) = fail(6)
    assert "Security Hub is off there" in error
    assert (site.queued("forwarder-Queue"), site.queued("DeadLetters")) == (0, 1)

    site.client("securityhub").enable_security_hub()
    site.evaluate("COMPLIANT", "All is well.")
    site.forward()
    site.client("iam").delete_role_policy(RoleName="BackupConfigRulesFindingsRole", PolicyName="findings")
    (error,) = fail(1)
    assert "The findings role needs securityhub:BatchImportFindings." in error
    assert site.queued("forwarder-Queue") == 1

    site.client("iam").delete_role(RoleName="BackupConfigRulesFindingsRole")
    (done,) = site.forward()
    assert "Deploy finding-events.yaml there, with the account of this function" in "".join(done.log_lines)

    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("python/nothing.py", "")
    functions = site.client("lambda", site.central)
    layer = functions.publish_layer_version(LayerName="broken", Content={"ZipFile": empty.getvalue()})
    functions.update_function_configuration(
        FunctionName="backup-config-rules-forward-findings", Layers=[layer["LayerVersionArn"]]
    )
    (done,) = site.forward()
    assert "backup_rules" in str(done.error)
    assert site.queued("forwarder-Queue") == 1
    assert site.queued("alerts-Queue") == 2, "alerts have a queue of their own"
