"""The settings file: what it may say, what its defaults are, and how it is refused."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.deploy.settings import RuleSettings, Settings, SettingsError
from backup_rules_cli.deploy.settings_file import load, read

RULE = "BACKUP_RDS_WINDOW_CONFLICT"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_the_file_of_the_project_shows_the_defaults() -> None:
    rules = tuple(RuleSettings(folder, folder.frequency) for folder in rule_folders())

    assert load(ROOT / "rdk-config" / "deployment.yaml") == Settings(regions=("us-east-1",), rules=rules)


def test_each_setting_is_read() -> None:
    settings = read(
        f"""
        name: nightly-checks
        regions: [eu-west-1, us-east-1]
        targets: [ou-ab12-11111111]
        excluded_accounts: [000123456701, "222233334444"]
        skip_accounts_without_recorder: true
        deployer_role_arn: arn:aws:iam::444455556666:role/path/Deployer
        excluded_plans: [scratch-*]
        member_role_name: Reader
        function_role_name: Functions
        rule_name_prefix: dev-
        log_retention_days: 90
        log_kms_keys: {{eu-west-1: {KEY}}}
        alarm_topics: {{us-east-1: arn:aws:sns:us-east-1:111122223333:ops}}
        tracing: true
        reserved_concurrency: 20
        architecture: x86_64
        invoke_permission: [111122223333]
        check_organization_in_code: true
        aggregator: true
        queries: false
        remediation: true
        remediation_role_name: Mender
        remediation_document_prefix: Acme-
        security_hub: Forwarder
        security_hub_region: us-east-1
        alerts: true
        alert_email: backups@example.com
        alert_schedule: cron(0 6 * * ? *)
        rule_pages_url: https://git.example.com/pack
        findings_role_name: Findings
        forwarder_role_name: Forwarder
        tags: {{team: backup}}
        """
    )

    assert replace(settings, rules=()) == Settings(
        regions=("eu-west-1", "us-east-1"),
        rules=(),
        name="nightly-checks",
        targets=("ou-ab12-11111111",),
        excluded_accounts=("000123456701", "222233334444"),
        skip_accounts_without_recorder=True,
        deployer_role_arn="arn:aws:iam::444455556666:role/path/Deployer",
        excluded_plans=("scratch-*",),
        member_role_name="Reader",
        function_role_name="Functions",
        rule_name_prefix="dev-",
        log_retention_days=90,
        log_kms_keys={"eu-west-1": KEY},
        alarm_topics={"us-east-1": "arn:aws:sns:us-east-1:111122223333:ops"},
        tracing=True,
        reserved_concurrency=20,
        architecture="x86_64",
        invoke_permission="accounts",
        invoke_accounts=("111122223333",),
        check_organization_in_code=True,
        aggregator=True,
        queries=False,
        remediation=True,
        remediation_role_name="Mender",
        remediation_document_prefix="Acme-",
        security_hub="forwarder",
        security_hub_region="us-east-1",
        alerts=True,
        alert_email="backups@example.com",
        alert_schedule="cron(0 6 * * ? *)",
        rule_pages_url="https://git.example.com/pack",
        findings_role_name="Findings",
        forwarder_role_name="Forwarder",
        tags={"team": "backup"},
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("off", ("Off", {})),
        ("Off", ("Off", {})),
        ("on", ("TwentyFour_Hours", {})),
        ("", ("TwentyFour_Hours", {})),
        ("{frequency: Six_Hours}", ("Six_Hours", {})),
        ("{frequency: off}", ("Off", {})),
        ("{parameters: {BufferMinutes: 90}}", ("TwentyFour_Hours", {"BufferMinutes": "90"})),
        ("{parameters: {WholeStartWindow: true}}", ("TwentyFour_Hours", {"WholeStartWindow": "true"})),
    ],
)
def test_a_rule_runs_as_it_is_set(value: str, expected: tuple[str, dict[str, str]]) -> None:
    settings = read(f"regions: [eu-west-1]\nrules:\n  {RULE}: {value}\n")

    (rule,) = [each for each in settings.rules if each.folder.name == RULE]
    assert (rule.frequency, dict(rule.parameters)) == expected
    assert rule.is_on == (expected[0] != "Off")
    assert len(settings.rules) == len(rule_folders())


def test_a_window_is_a_text_and_no_number() -> None:
    text = "regions: [eu-west-1]\nrules: {BACKUP_WINDOW_CONFIGURED: {parameters: {AllowedWindow: 22:00-04:30}}}"

    (rule,) = [each for each in read(text).rules if each.parameters]

    assert rule.parameters == {"AllowedWindow": "22:00-04:30"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nmae: x", "Unknown key 'nmae'. Did you mean name? Allowed are name, regions, "),
        ("name: Backup", "name is 'Backup'; allowed is at most 34 lower-case letters"),
        (f"name: {'a' * 35}", "allowed is at most 34"),
        ("regions: eu-west-1", "regions is 'eu-west-1'; allowed is a list"),
        ("regions: [eu-west-9]", "regions is 'eu-west-9'; allowed is a Region of AWS"),
        ("regions: [eu-west-1, cn-north-1]", "allowed is Regions of one partition"),
        ("regions: []", "allowed is a list of one Region or more"),
        ("targets: [r-abcd]", "targets is 'r-abcd'; allowed is the id of an organizational unit"),
        ("targets: everyone", "targets is 'everyone'"),
        ("excluded_accounts: [12345]", "excluded_accounts is '12345'; allowed is an account id of 12 digits"),
        ("excluded_plans: ['a,b']", "excluded_plans is 'a,b'"),
        ("member_role_name: path/Role", "member_role_name is 'path/Role'; allowed is the name of an IAM role"),
        (f"function_role_name: {'F' * 46}", "of at most 45 characters"),
        ("rule_name_prefix: production", "rule_name_prefix is 'production'; allowed is at most 8"),
        ("log_retention_days: 31", "log_retention_days is '31'; allowed is one of 1, 3, 5"),
        ("log_kms_keys: {eu-west-1: my-key}", "log_kms_keys.eu-west-1 is 'my-key'; allowed is an ARN of KMS"),
        (f"log_kms_keys: {{eu-west-2: {KEY}}}", "Unknown key 'eu-west-2' under log_kms_keys. Did you mean eu-west-1?"),
        ("tracing: yes", "tracing is 'yes'; allowed is one of true, false"),
        ("reserved_concurrency: 0", "reserved_concurrency is '0'; allowed is a whole number from 1 to 9999"),
        ("architecture: arm", "architecture is 'arm'; allowed is one of arm64, x86_64"),
        ("invoke_permission: closed", "invoke_permission is 'closed'; allowed is open, organization, accounts"),
        ("invoke_permission: [1]", "invoke_permission is '1'"),
        ("check_organization_in_code: 1", "check_organization_in_code is '1'; allowed is one of true, false"),
        ("queries: some", "queries is 'some'; allowed is one of true, false"),
        ("remediation: automatic", "remediation is 'automatic'; allowed is one of true, false"),
        (
            "remediation_role_name: path/Role",
            "remediation_role_name is 'path/Role'; allowed is the name of",
        ),
        (
            "remediation_document_prefix: AWS-",
            "'AWS-'; allowed is 3 to 60 letters, digits, '.', '-' or '_'",
        ),
        ("security_hub: true", "security_hub is 'true'; allowed is one of false, built-in, forwarder"),
        ("security_hub_region: us-east-1", "security_hub_region is 'us-east-1'; allowed is blank or one of eu-west-1"),
        ("alert_email: backups", "alert_email is 'backups'; allowed is an e-mail address"),
        ("alert_schedule: hourly", "alert_schedule is 'hourly'; allowed is a schedule of EventBridge, such as rate("),
        ("rule_pages_url: git.example.com", "allowed is a URL that begins with https://"),
        ("tags: {aws:owner: me}", "tags is 'aws:owner'"),
        ("name: a\nname: b", "name stands twice"),
        ("rules: {BACKUP_TAG: off}", "Unknown key 'BACKUP_TAG' under rules. Did you mean BACKUP_TAG_CASE?"),
        (f"rules: {{{RULE}: sometimes}}", f"rules.{RULE} is 'sometimes'; allowed is one of on, off"),
        (f"rules: {{{RULE}: {{frequency: Daily}}}}", f"rules.{RULE}.frequency is 'Daily'; allowed is one of One_Hour"),
        (f"rules: {{{RULE}: {{parameter: {{}}}}}}", "Did you mean parameters?"),
        (f"rules: {{{RULE}: {{parameters: {{Buffer: 1}}}}}}", "Unknown key 'Buffer'"),
        (f"rules: {{{RULE}: {{parameters: {{ExecutionRoleName: R}}}}}}", "Unknown key 'ExecutionRoleName'"),
        (
            f"rules: {{{RULE}: {{parameters: {{BufferMinutes: soon}}}}}}",
            f"rules.{RULE}.parameters: Parameter BufferMinutes is 'soon'; allowed is a whole number from 0 to 1440.",
        ),
        (f"rules: {{{', '.join(f'{folder.name}: off' for folder in rule_folders())}}}", "Every rule is off"),
        ("[1, 2]", "the file is ['1', '2']; allowed is a mapping"),
        ("name: {", "This is not YAML"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(text: str, message: str) -> None:
    regions = () if "regions" in text or text.startswith("[") else ("eu-west-1",)

    with pytest.raises(SettingsError) as refused:
        read(text, regions)

    assert message in str(refused.value)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize("permission", ["organization", "accounts", "[111122223333]"])
def test_only_the_open_permission_is_there_in_china_and_govcloud(region: str, permission: str) -> None:
    with pytest.raises(SettingsError, match="allowed is open in China and GovCloud"):
        read(f"regions: [{region}]\ninvoke_permission: {permission}")

    assert read(f"regions: [{region}]").home == region


def test_the_command_line_replaces_the_regions() -> None:
    text = f"regions: [eu-west-1]\nlog_kms_keys: {{eu-west-1: {KEY}}}"

    assert read(text, ["us-east-1", "us-west-2"]).regions == ("us-east-1", "us-west-2")
    with pytest.raises(SettingsError, match="--region is 'us-east-9'"):
        read(text, ["us-east-9"])


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "second.yaml"
    path.write_text("name: X", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"second\.yaml: name is 'X'"):
        load(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "missing.yaml")


def test_the_file_of_the_project_names_every_setting() -> None:
    text = (ROOT / "rdk-config" / "deployment.yaml").read_text(encoding="utf-8")

    shown = set(re.findall(r"^(\w+):", text, re.MULTILINE))

    assert shown == {field.name for field in fields(Settings)} - {
        "invoke_accounts",  # a form of invoke_permission
        "not_excluded",  # of --exclusions
    }
