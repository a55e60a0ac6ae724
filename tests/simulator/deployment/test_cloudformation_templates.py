"""Templates, without any stack: what is read, refused and evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from aws_simulator.core.operations import AwsError
from aws_simulator.deployment.cloudformation.templates import (
    Evaluation,
    Surroundings,
    creation_order,
    parameter_values,
    parse,
    references,
)

VALUES = {"AWS::Region": "eu-west-1", "Name": "nightly", "Empty": "", "Zones": ["a", "b"], "Number": "30"}
CONDITIONS = """
Conditions:
  Named: !Not [!Equals [!Ref Name, '']]
  Blank: !Equals [!Ref Empty, '']
  Both: !And [!Condition Named, !Condition Blank]
  Neither: !Not [!Or [!Condition Named, !Condition Blank]]
"""
MAPPINGS = "Mappings: {Sizes: {eu-west-1: {memory: 256}}}"


def evaluated(expression: str) -> Any:
    template = parse(f"Resources: {{A: {{Type: T, Properties: {{X: {expression}}}}}}}\n{CONDITIONS}\n{MAPPINGS}")
    surroundings = Surroundings(
        VALUES,
        reference=lambda name: f"id-of-{name}",
        attribute=lambda name, attribute: f"{attribute}-of-{name}",
        exported=lambda name: f"value-of-{name}",
    )
    properties = Evaluation(template, surroundings).value(template["Resources"]["A"]["Properties"])
    return properties.get("X", "(left out)")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("!Ref Name", "nightly"),
        ("!Ref Queue", "id-of-Queue"),
        ("!Ref AWS::NoValue", "(left out)"),
        ("!GetAtt Queue.Arn", "Arn-of-Queue"),
        ("!GetAtt Stack.Outputs.Bucket", "Outputs.Bucket-of-Stack"),
        ("!If [Named, 'yes', 'no']", "yes"),
        ("!If [Neither, 'yes', !Ref 'AWS::NoValue']", "(left out)"),
        ("!If [Both, 1, 2]", 1),
        ("[a, !If [Neither, b, !Ref 'AWS::NoValue'], c]", ["a", "c"]),
        ("!Join ['-', [a, !Ref Name, 3, true]]", "a-nightly-3-true"),
        ("!Join [',', !Ref Zones]", "a,b"),
        ("!Split ['-', 'a-b']", ["a", "b"]),
        ("!Select [1, !Ref Zones]", "b"),
        ("!Sub '${Name} ${Queue.Arn} ${!Literal} ${AWS::Region}'", "nightly Arn-of-Queue ${Literal} eu-west-1"),
        ("!Sub ['${Own}/${Name}', {Own: !Ref Number}]", "30/nightly"),
        ("!FindInMap [Sizes, !Ref 'AWS::Region', memory]", 256),
        ("!ImportValue shared", "value-of-shared"),
        ("!Base64 abc", "YWJj"),
        ("{'Fn::ToJsonString': {a: !Ref Name}}", '{"a": "nightly"}'),
        ("{Version: 2012-10-17}", {"Version": "2012-10-17"}),
    ],
)
def test_a_function_gives(expression: str, expected: Any) -> None:
    assert evaluated(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("!Select [7, !Ref Zones]", "nonexistent value at index 7"),
        ("!FindInMap [Sizes, mars, memory]", "Unable to get mapping"),
        ("!If [Unknown, 1, 2]", "Unresolved condition dependency Unknown"),
        ("{'Fn::Invented': 1}", "Unrecognized intrinsic function Fn::Invented"),
    ],
)
def test_a_function_that_cannot_be_evaluated_is_refused(expression: str, message: str) -> None:
    with pytest.raises(AwsError, match=message):
        evaluated(expression)


@pytest.mark.parametrize(
    ("declared", "given", "expected"),
    [
        ("{Type: String, Default: 5}", {}, "5"),
        ("{Type: String, Default: true}", {}, "true"),
        ("{Type: String}", {"P": "x"}, "x"),
        ("{Type: CommaDelimitedList, Default: 'a, b'}", {}, ["a", "b"]),
        ("{Type: CommaDelimitedList, Default: ''}", {}, [""]),
        ("{Type: Number, Default: 30}", {"P": "7"}, "7"),
    ],
)
def test_a_parameter_is(declared: str, given: dict[str, str], expected: Any) -> None:
    template = parse(f"Resources: {{A: {{Type: T}}}}\nParameters: {{P: {declared}}}")
    assert parameter_values(template, given) == {"P": expected}


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        ("{Type: String}", {}, r"Parameters: \[P\] must have values"),
        ("{Type: String, Default: x}", {"Q": "1"}, r"Parameters: \[Q\] do not exist in the template"),
        ("{Type: String, AllowedValues: [a, b]}", {"P": "c"}, "Parameter 'P' must be one of AllowedValues"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", {"P": "A1"}, "must match pattern"),
        ("{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower}", {"P": "A"}, "constraint: lower"),
        ("{Type: CommaDelimitedList, AllowedPattern: '[0-9]+'}", {"P": "1,x"}, "must match pattern"),
        ("{Type: String, MinLength: 2}", {"P": "a"}, "at least 2 characters"),
        ("{Type: String, MaxLength: 2}", {"P": "abc"}, "at most 2 characters"),
        ("{Type: Number, MinValue: 1}", {"P": "0"}, "not less than 1"),
        ("{Type: Number, MaxValue: 9}", {"P": "10"}, "not greater than 9"),
        ("{Type: Number}", {"P": "many"}, "must be a number"),
    ],
)
def test_a_parameter_is_refused(declared: str, given: dict[str, str], message: str) -> None:
    template = parse(f"Resources: {{A: {{Type: T}}}}\nParameters: {{P: {declared}}}")
    with pytest.raises(AwsError, match=message):
        parameter_values(template, given)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: {", "not well-formed"),
        ("- a", "unsupported structure"),
        ("Outputs: {}", "At least one Resources member"),
        ("Resources: {A: {Type: T}}\nResource: {}", r"Invalid template property or properties \[Resource\]"),
    ],
)
def test_a_text_that_is_no_template_is_refused(text: str, message: str) -> None:
    with pytest.raises(AwsError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ("{A: {Type: T, Properties: {X: !Ref B}}}", r"Unresolved resource dependencies \[B\]"),
        ("{A: {Type: T, DependsOn: B}}", r"Unresolved resource dependencies \[B\]"),
        ("{A: {Type: T, DependsOn: B}, B: {Type: T, Properties: {X: !Sub '${A}'}}}", "Circular dependency"),
        ("{A: {Type: T, Condition: Missing}}", "Unresolved condition dependency Missing"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(resources: str, message: str) -> None:
    with pytest.raises(AwsError, match=message):
        creation_order(parse(f"Resources: {resources}"))


def test_resources_come_after_what_they_need() -> None:
    template = parse("""
    Resources:
      Last: {Type: T, Properties: {X: !GetAtt Middle.Arn}}
      Middle: {Type: T, DependsOn: First}
      First: {Type: T}
    """)
    assert creation_order(template) == ["First", "Middle", "Last"]


def test_names_that_sub_is_given_are_no_references() -> None:
    template = parse("Resources: {A: {Type: T, Properties: {X: !Sub ['${Own} ${B.Arn} ${!C}', {Own: !Ref D}]}}}")
    assert sorted(references(template["Resources"])) == ["B", "D"]
