"""The documents, their role and the pack as they are committed: up to date, valid, and no wider than they must be."""

from __future__ import annotations

import ast
import json
import re
import sys
from typing import Any

import botocore.session
import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from policy_sentry.querying.actions import get_action_data

from aws_simulator.deployment.cloudformation.templates import parse
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.main import main
from backup_rules_cli.templates.conformance_pack import at_defaults
from backup_rules_cli.templates.remediation import remediation_templates
from backup_rules_cli.templates.remediation.documents import Remediation, inlined, remediations
from backup_rules_cli.templates.remediation.pack import Deployment, pack_text
from tests.cloudformation.rendering import as_list, committed, of_type, render, texts

PACK = "conformance-pack-with-remediation.yaml"
DOCUMENTS = "remediation-documents.yaml"
ROLE = "remediation-role.yaml"
STACK_SETS = "remediation.yaml"
GENERATED = remediation_templates(rule_folders())
PACKED = at_defaults(rule_folders())
FUNCTIONS = "arn:aws:lambda:eu-west-1:444455556666:function:backup-config-rules-"

EVERY_TEMPLATE = pytest.mark.parametrize("name", [PACK, DOCUMENTS, ROLE, STACK_SETS])
EVERY_DOCUMENT = pytest.mark.parametrize("document", remediations(), ids=lambda each: each.name)


def contents() -> dict[str, dict[str, Any]]:
    """The documents in the committed template, by name."""
    found = of_type(render(committed(DOCUMENTS), {}), "AWS::SSM::Document")
    return {properties["Name"]: properties["Content"] for properties in found.values()}


# --- The templates --------------------------------------------------------------------------------------------------


@EVERY_TEMPLATE
def test_cfn_lint_finds_nothing_in_any_partition(name: str) -> None:
    config = ManualArgs(regions=["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"])
    assert [f"{each.rule.id} {each.message}" for each in lint(GENERATED[name], config=config)] == []


@EVERY_TEMPLATE
def test_it_keeps_to_the_limits(name: str) -> None:
    text = GENERATED[name]
    assert len(text.encode()) <= 51_200
    assert text.isascii()
    assert len(committed(name)["Parameters"]) <= 60


def test_the_stack_sets_bring_the_committed_role_once_and_the_documents_to_each_region() -> None:
    given = {"TargetIds": "r-ab12", "DocumentsTemplateUrl": "https://bucket.s3.eu-west-1.amazonaws.com/documents.yaml"}
    home = of_type(render(committed(STACK_SETS), given), "AWS::CloudFormation::StackSet")
    elsewhere = of_type(render(committed(STACK_SETS), given | {"CreateRole": "false"}), "AWS::CloudFormation::StackSet")
    assert home["RoleStackSet"]["TemplateBody"] == GENERATED[ROLE]
    assert home["DocumentsStackSet"]["TemplateURL"] == given["DocumentsTemplateUrl"]
    assert set(elsewhere) == {"DocumentsStackSet"}
    for each in home.values():
        declared = committed(ROLE if "TemplateBody" in each else DOCUMENTS)["Parameters"]
        assert {parameter["ParameterKey"] for parameter in each["Parameters"]} <= set(declared)


def test_without_its_rule_a_remediation_is_left_out() -> None:
    rest = [rule for rule in PACKED if rule.folder.name != "BACKUP_TAG_WHITESPACE"]
    left = set(parse(pack_text(rest, Deployment()))["Resources"])
    assert set(committed(PACK)["Resources"]) - left == {"TagWhitespace", "TagWhitespaceRemediation"}


def test_the_pack_is_the_ordinary_one_with_remediation_by_hand() -> None:
    given = {"FunctionArnPrefix": FUNCTIONS}
    resources, ordinary = render(committed(PACK), given), render(committed("conformance-pack.yaml"), given)
    assert of_type(resources, "AWS::Config::ConfigRule") == of_type(ordinary, "AWS::Config::ConfigRule")
    added = {key: each for key, each in resources.items() if key not in ordinary}
    assert {each["Type"] for each in added.values()} == {"AWS::Config::RemediationConfiguration"}
    assert {each["Properties"]["ConfigRuleName"] for each in added.values()} == {
        "backup-service-opt-in",
        "backup-tag-whitespace",
        "backup-policy-vault-exists",
        "backup-role-permissions",
    }
    for key, each in added.items():
        assert f"{each['DependsOn']}Remediation" == key
        properties = each["Properties"]
        assert properties["Automatic"] is False
        assert properties["TargetType"] == "SSM_DOCUMENT"
        assert properties["TargetId"] in contents()
        assert properties["ConfigRuleName"] == ordinary[each["DependsOn"]]["Properties"]["ConfigRuleName"]
    assert committed("conformance-pack.yaml")["Parameters"] == committed(PACK)["Parameters"]


def test_a_remediation_takes_no_intrinsic_function() -> None:
    """AWS Config refuses them in ConfigRuleName and for the role of the automation."""
    for each in of_type(committed(PACK)["Resources"], "AWS::Config::RemediationConfiguration").values():
        assert not any(text == "Ref" or text.startswith("Fn::") for text in texts(each))
        (role,) = each["Parameters"]["AutomationAssumeRole"]["StaticValue"]["Values"]
        assert role == "arn:aws:iam::111122223333:role/BackupConfigRulesRemediationRole"


def test_the_pack_is_rendered_for_an_organization(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--management-account", "999988887777", "--partition", "aws-cn", "--rule-name-prefix", "b-"]
    assert main(["remediation-pack", *arguments, "--role-name", "Mender", "--document-prefix", "Acme-"]) == 0
    pack = capsys.readouterr().out
    assert pack == pack_text(PACKED, Deployment("999988887777", "aws-cn", "Mender", "Acme-", "b-"))
    assert pack.count("arn:aws-cn:iam::999988887777:role/Mender") == 4
    assert "TargetId: Acme-TurnOnResourceTypes" in pack
    assert "ConfigRuleName: b-backup-tag-case" in pack
    assert "111122223333" not in pack


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"management_account": "1234"}, "The management account is '1234'; allowed: 12 digits."),
        ({"partition": "aws-moon"}, "The partition is 'aws-moon'"),
        ({"role_name": "a/b"}, "The role name is 'a/b'"),
        ({"document_prefix": "AWS-x"}, "The document prefix is 'AWS-x'"),
        ({"rule_name_prefix": "UPPER"}, "The rule name prefix is 'UPPER'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_could_not_be_deployed_is_refused(given: dict[str, str], refusal: str) -> None:
    with pytest.raises(ValueError, match=re.escape(refusal)):
        Deployment(**given)


# --- The documents --------------------------------------------------------------------------------------------------

TOP = {"schemaVersion", "description", "assumeRole", "parameters", "mainSteps", "outputs"}
PARAMETER = {"type", "description", "default", "allowedValues", "allowedPattern"}
STEP = {"name", "action", "description", "timeoutSeconds", "onFailure", "isEnd", "inputs", "outputs"}
SCRIPT_STEP = {"Runtime", "Handler", "InputPayload", "Script"}
VARIABLES = {"global:ACCOUNT_ID", "global:REGION"}


@EVERY_DOCUMENT
def test_it_is_a_document_of_the_schema(document: Remediation) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html"""
    content = contents()[f"BackupConfigRules-{document.name}"]
    assert content == document.content, "by default, the names of the pack's rules begin with nothing"
    assert set(content) == TOP
    assert content["schemaVersion"] == "0.3"
    assert content["assumeRole"] == "{{ AutomationAssumeRole }}"
    assert len(json.dumps(content)) <= 64_000
    for name, parameter in content["parameters"].items():
        assert set(parameter) <= PARAMETER
        assert parameter["type"] in {"String", "StringList"}
        assert re.match(r"\((Required|Optional)\) ", parameter["description"]), name
        assert ("(Optional)" in parameter["description"]) == ("default" in parameter), name
        assert "allowedPattern" in parameter or "allowedValues" in parameter, name
    (step,) = content["mainSteps"]
    assert set(step) == STEP
    assert set(step["inputs"]) == SCRIPT_STEP
    assert step["timeoutSeconds"] <= 600
    assert content["outputs"] == [f"{step['name']}.{name}" for name in [each["Name"] for each in reordered(step)]]
    used = set(re.findall(r"\{\{ ([\w:]+) \}\}", json.dumps(step["inputs"]["InputPayload"])))
    assert used | {"AutomationAssumeRole"} == set(content["parameters"]) | (used & VARIABLES)


def reordered(step: dict[str, Any]) -> list[dict[str, Any]]:
    """The outputs of the step, the summary first, as the document shows them."""
    return sorted(step["outputs"], key=lambda each: each["Name"] != "Summary")


@EVERY_DOCUMENT
def test_its_script_stands_alone(document: Remediation) -> None:
    """It imports what the runtime of Systems Manager has, and uses no name that is not in it."""
    (step,) = document.content["mainSteps"]
    tree = ast.parse(step["inputs"]["Script"])
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names) | {"boto3", "botocore"}
    assert any(isinstance(node, ast.FunctionDef) and node.name == step["inputs"]["Handler"] for node in tree.body)
    assert len(step["inputs"]["Script"]) <= 100_000


@EVERY_DOCUMENT
def test_its_name_and_parameters_fit_the_api(document: Remediation) -> None:
    model = botocore.session.get_session().get_service_model("ssm")
    name = f"BackupConfigRules-{document.name}"
    assert re.fullmatch(model.shape_for("DocumentName").metadata["pattern"].strip("^$"), name)
    assert not re.match("(?i:aws|amazon|amzn)", name)
    longest = model.shape_for("AutomationParameterKey").metadata["max"]
    assert all(len(key) <= longest for key in document.content["parameters"])


@EVERY_DOCUMENT
def test_it_says_what_it_changes_and_has_a_page(document: Remediation) -> None:
    assert re.search(r"\*\*.+\*\*", document.content["description"])
    assert "refuses" in document.content["description"]
    page = (document.path / "README.md").read_text(encoding="utf-8")
    assert document.rule in page
    assert all(f"`{name}`" in page for name in document.content["parameters"])


def test_a_script_with_double_braces_is_refused(tmp_path: Any) -> None:
    (tmp_path / "document.yaml").write_text(
        "mainSteps: [{action: 'aws:executeScript', inputs: {Script: script.py}}]", encoding="utf-8"
    )
    (tmp_path / "script.py").write_text('print(f"{{}}")\n', encoding="utf-8")
    with pytest.raises(ValueError, match="double braces"):
        _ = Remediation(tmp_path).content


def test_only_what_is_used_of_the_shared_module_is_inlined() -> None:
    script = inlined('"""A script."""\n\nfrom remediation.shared import ids_of_selection\n\nRULE = "x"\n')
    assert "def ids_of_selection" in script
    assert "class RefusedError" in script
    assert "def annotations" not in script
    assert "boto3" not in script
    assert inlined("RULE = 1\n") == "RULE = 1\n"


# --- The role -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-west-1"])
def test_the_role_is_for_automations_of_its_own_account(region: str) -> None:
    partition = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}.get(region, "aws")
    resources = render(committed(ROLE), {}, region=region)
    (role,) = of_type(resources, "AWS::IAM::Role").values()
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "ssm.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": "444455556666"},
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:ssm:*:444455556666:automation-execution/*"},
        },
    }
    arns = [each for each in texts(resources) if each.startswith("arn:")]
    assert all(arn.startswith(f"arn:{partition}:") for arn in arns)


def test_no_statement_is_for_every_resource_where_aws_knows_resources() -> None:
    for document in remediations():
        for statement in document.statements:
            for action in as_list(statement["Action"]):
                service, verb = action.split(":")
                rows = get_action_data(service, verb)[service]
                scopable = all(row["resource_arn_format"] != "*" for row in rows)
                # For these AWS lists a resource, and none beside it, which is for condition keys.
                scopable |= action in {"backup:CreateBackupVault", "iam:AttachRolePolicy", "iam:PassRole"}
                scopable |= service == "kms"
                assert ("*" not in as_list(statement["Resource"])) == scopable, action
