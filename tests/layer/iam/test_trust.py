"""Who may assume a role, judged from trust policies as people write them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from backup_rules.arns import Place
from backup_rules.iam.trust import RoleArn, TrustProblemKind, parse_role_arn, trust, what_it_is

HERE = Place("aws", "111122223333", "eu-west-1")
CHINA = Place("aws-cn", "111122223333", "cn-north-1")
OTHER_ACCOUNT = "444455556666"

BACKUP = {"Service": "backup.amazonaws.com"}


def statement(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": BACKUP, "Action": "sts:AssumeRole"} | parts


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def conditioned(operator: str, key: str, value: Any, **parts: Any) -> dict[str, Any]:
    return policy(statement(Condition={operator: {key: value}}, **parts))


ALLOWED: dict[str, dict[str, Any]] = {
    "as AWS Backup's guide writes it": policy(statement(Sid="")),
    "a single statement, no list": {"Version": "2012-10-17", "Statement": statement()},
    "one of several services": policy(statement(Principal={"Service": ["ec2.amazonaws.com", "backup.amazonaws.com"]})),
    "a service beside an account": policy(
        statement(Principal={"AWS": "arn:aws:iam::444455556666:root", "Service": "backup.amazonaws.com"})
    ),
    "everybody": policy(statement(Principal="*")),
    "everybody, as an AWS principal": policy(statement(Principal={"AWS": "*"})),
    "everybody but somebody else": policy(
        {"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"}
    ),
    "several actions": policy(statement(Action=["sts:TagSession", "sts:AssumeRole"])),
    "sts:*": policy(statement(Action="sts:*")),
    "sts:Assume*": policy(statement(Action="sts:Assume*")),
    "sts:AssumeR?le": policy(statement(Action="sts:AssumeR?le")),
    "any action": policy(statement(Action="*")),
    "lower case": policy(statement(Action="STS:assumerole")),
    "not another action": policy({"Effect": "Allow", "Principal": BACKUP, "NotAction": "sts:TagSession"}),
    "the second of two statements": policy(statement(Principal={"Service": "ec2.amazonaws.com"}), statement()),
    "a Deny for another principal": policy(
        statement(), statement(Effect="Deny", Principal={"AWS": "arn:aws:iam::444455556666:root"})
    ),
    "a Deny for all but AWS Backup": policy(
        statement(), {"Effect": "Deny", "NotPrincipal": BACKUP, "Action": "sts:AssumeRole"}
    ),
    "a Deny of another action": policy(statement(), statement(Effect="Deny", Action="sts:TagSession")),
    "a Deny whose condition is about other accounts": policy(
        statement(),
        statement(Effect="Deny", Principal="*", Condition={"StringNotEquals": {"aws:SourceAccount": HERE.account}}),
    ),
    "a Deny without multi-factor authentication, which only people have": policy(
        statement(),
        statement(Effect="Deny", Principal="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
    ),
    "an Allow that never holds beside one that does": policy(
        statement(Condition={"StringEquals": {"sts:ExternalId": "secret"}}), statement()
    ),
}


@pytest.mark.parametrize("document", ALLOWED.values(), ids=ALLOWED)
def test_allowed(document: dict[str, Any]) -> None:
    found = trust(document, HERE)
    assert found.allowed
    assert found.undecided == ()


HOLDING: dict[str, tuple[str, str, Any]] = {
    "this account": ("StringEquals", "aws:SourceAccount", "111122223333"),
    "a list with this account": ("StringEquals", "aws:SourceAccount", [OTHER_ACCOUNT, "111122223333"]),
    "an account as a number": ("StringEquals", "aws:SourceAccount", 111122223333),
    "an account by wildcard": ("StringLike", "aws:SourceAccount", "1111*"),
    "key in another case": ("StringEquals", "AWS:SOURCEACCOUNT", "111122223333"),
    "not another account": ("StringNotEquals", "aws:SourceAccount", OTHER_ACCOUNT),
    "not like another account": ("StringNotLike", "aws:SourceAccount", "4444*"),
    "if exists": ("StringEqualsIfExists", "aws:SourceAccount", "111122223333"),
    "any value": ("ForAnyValue:StringEquals", "aws:SourceAccount", ["111122223333"]),
    "all values": ("ForAllValues:StringEquals", "aws:SourceAccount", ["111122223333"]),
    "source ARN of this account": ("ArnLike", "aws:SourceArn", "arn:aws:backup:*:111122223333:*"),
    "ArnEquals with wildcards": ("ArnEquals", "aws:SourceArn", "arn:aws:backup:eu-west-1:111122223333:*"),
    "source ARN with StringLike": ("StringLike", "aws:SourceArn", "arn:aws:backup:*:111122223333:*"),
    "any source ARN": ("StringLike", "aws:SourceArn", "*"),
    "any source ARN of AWS Backup": ("StringLike", "aws:SourceArn", "arn:aws:backup:*"),
    "not the ARNs of another account": ("ArnNotLike", "aws:SourceArn", "arn:aws:backup:*:444455556666:*"),
    "source account present": ("Null", "aws:SourceAccount", "false"),
    "no external id": ("Null", "sts:ExternalId", True),
    "external id if exists": ("StringEqualsIfExists", "sts:ExternalId", "secret"),
    "not that external id": ("StringNotEquals", "sts:ExternalId", "secret"),
    "all of no organization paths": ("ForAllValues:StringLike", "aws:PrincipalOrgPaths", "o-1/*"),
    "AWS services only": ("Bool", "aws:PrincipalIsAWSService", "true"),
    "AWS Backup by name": ("StringEquals", "aws:PrincipalServiceName", "backup.amazonaws.com"),
    "encrypted": ("Bool", "aws:SecureTransport", True),
}


@pytest.mark.parametrize(("operator", "key", "value"), HOLDING.values(), ids=HOLDING)
def test_a_condition_that_holds(operator: str, key: str, value: Any) -> None:
    found = trust(conditioned(operator, key, value), HERE)
    assert found.allowed
    assert found.undecided == ()
    denied = trust(policy(statement(), *conditioned(operator, key, value, Effect="Deny")["Statement"]), HERE)
    assert denied.problem is not None
    assert denied.problem.kind is TrustProblemKind.DENIED


EXCLUDING: dict[str, tuple[str, str, Any, str, str]] = {
    "another account": (
        "StringEquals",
        "aws:SourceAccount",
        OTHER_ACCOUNT,
        'aws:SourceAccount = "444455556666"',
        "excludes this account",
    ),
    "several other accounts": (
        "StringEquals",
        "aws:SourceAccount",
        [OTHER_ACCOUNT, "777788889999"],
        'aws:SourceAccount = "444455556666" or "777788889999"',
        "excludes this account",
    ),
    "not this account": (
        "StringNotEquals",
        "aws:SourceAccount",
        "111122223333",
        'aws:SourceAccount StringNotEquals "111122223333"',
        "excludes this account",
    ),
    "an account with a blank": (
        "StringEquals",
        "aws:SourceAccount",
        "111122223333 ",
        'aws:SourceAccount = "111122223333 "',
        "excludes this account",
    ),
    "source ARN of another account": (
        "ArnLike",
        "aws:SourceArn",
        "arn:aws:backup:*:444455556666:*",
        'aws:SourceArn = "arn:aws:backup:*:444455556666:*"',
        "excludes this account",
    ),
    "source ARN of another Region": (
        "ArnLike",
        "aws:SourceArn",
        "arn:aws:backup:us-east-1:111122223333:*",
        'aws:SourceArn = "arn:aws:backup:us-east-1:111122223333:*"',
        "excludes AWS Backup in this Region",
    ),
    "a star that StringEquals takes literally": (
        "StringEquals",
        "aws:SourceArn",
        "arn:aws:backup:*:111122223333:*",
        'aws:SourceArn = "arn:aws:backup:*:111122223333:*"',
        "excludes AWS Backup in this Region",
    ),
    "the beginning of a source ARN": (
        "StringLike",
        "aws:SourceArn",
        "arn:aws:backup",
        'aws:SourceArn = "arn:aws:backup"',
        "excludes this account",
    ),
    "external id": (
        "StringEquals",
        "sts:ExternalId",
        "secret",
        'sts:ExternalId = "secret"',
        "never holds, as AWS Backup sends no such key",
    ),
    "multi-factor authentication": (
        "Bool",
        "aws:MultiFactorAuthPresent",
        "true",
        'aws:MultiFactorAuthPresent Bool "true"',
        "never holds, as AWS Backup sends no such key",
    ),
    "a principal's organization": (
        "StringEquals",
        "aws:PrincipalOrgID",
        "o-exampleorgid",
        'aws:PrincipalOrgID = "o-exampleorgid"',
        "never holds, as AWS Backup sends no such key",
    ),
    "any of no tags": (
        "ForAnyValue:StringNotEquals",
        "aws:TagKeys",
        "team",
        'aws:TagKeys ForAnyValue:StringNotEquals "team"',
        "never holds, as AWS Backup sends no such key",
    ),
    "another service": (
        "StringEquals",
        "aws:PrincipalServiceName",
        "ec2.amazonaws.com",
        'aws:PrincipalServiceName = "ec2.amazonaws.com"',
        "never holds for AWS Backup",
    ),
}


@pytest.mark.parametrize(("operator", "key", "value", "shown", "why"), EXCLUDING.values(), ids=EXCLUDING)
def test_a_condition_that_excludes_this_account(operator: str, key: str, value: Any, shown: str, why: str) -> None:
    problem = trust(conditioned(operator, key, value), HERE).problem
    assert problem is not None
    assert problem.kind is TrustProblemKind.EXCLUDED
    assert problem.message == f"trusts backup.amazonaws.com only where {shown}: its condition {why}"
    assert trust(policy(statement(), *conditioned(operator, key, value, Effect="Deny")["Statement"]), HERE).allowed


UNDECIDED: dict[str, tuple[str, str, Any, str]] = {
    "an organization": ("StringEquals", "aws:SourceOrgID", "o-1", 'aws:SourceOrgID = "o-1"'),
    "an address": ("IpAddress", "aws:SourceIp", "10.0.0.0/8", 'aws:SourceIp IpAddress "10.0.0.0/8"'),
    "not an address": ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", 'aws:SourceIp NotIpAddress "10.0.0.0/8"'),
    "a date": ("DateLessThan", "aws:CurrentTime", "2030-01-01", 'aws:CurrentTime DateLessThan "2030-01-01"'),
    "an unknown key": ("StringEquals", "backup:Shape", "round", 'backup:Shape = "round"'),
    "an unknown operator": ("StringResembles", "aws:SourceAccount", "1", 'aws:SourceAccount StringResembles "1"'),
    "a variable": ("StringEquals", "aws:SourceAccount", "${aws:X}", 'aws:SourceAccount = "${aws:X}"'),
    "whether an unknown key is there": ("Null", "aws:SourceIp", "true", 'aws:SourceIp Null "true"'),
    "one kind of source ARN": (
        "ArnLike",
        "aws:SourceArn",
        "arn:aws:backup:*:111122223333:backup-plan:*",
        'aws:SourceArn = "arn:aws:backup:*:111122223333:backup-plan:*"',
    ),
    "not one kind of source ARN": (
        "ArnNotLike",
        "aws:SourceArn",
        "arn:aws:backup:*:111122223333:backup-plan:*",
        'aws:SourceArn ArnNotLike "arn:aws:backup:*:111122223333:backup-plan:*"',
    ),
}


@pytest.mark.parametrize(("operator", "key", "value", "shown"), UNDECIDED.values(), ids=UNDECIDED)
def test_a_condition_that_no_policy_can_decide(operator: str, key: str, value: Any, shown: str) -> None:
    found = trust(conditioned(operator, key, value), HERE)
    assert found.allowed
    assert found.undecided == (shown,)
    beside_a_deny = trust(policy(statement(), *conditioned(operator, key, value, Effect="Deny")["Statement"]), HERE)
    assert beside_a_deny.allowed
    assert beside_a_deny.undecided == (shown,)


@pytest.mark.parametrize("operator", ["StringEquals", "StringEqualsIgnoreCase"])
def test_a_whole_source_arn_of_this_place_is_undecided_and_another_accounts_is_not(operator: str) -> None:
    plan = "arn:aws:backup:eu-west-1:{}:backup-plan:1eb3b5e7"
    here = trust(conditioned(operator, "aws:SourceArn", plan.format(HERE.account)), HERE)
    assert (here.problem, len(here.undecided)) == (None, 1)
    elsewhere = trust(conditioned(operator, "aws:SourceArn", plan.format(OTHER_ACCOUNT)), HERE)
    assert elsewhere.problem is not None
    starred = trust(conditioned(operator, "aws:SourceArn", f"arn:aws:backup:*:{HERE.account}:*"), HERE)
    assert starred.problem is not None


def test_an_undecided_deny_without_any_allow() -> None:
    undecided = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    found = trust(policy(statement(Effect="Deny", Condition=undecided)), HERE)
    assert found.problem is not None
    assert found.problem.kind is TrustProblemKind.NOT_TRUSTED


def test_effect_counts_in_any_letter_case() -> None:
    assert trust(policy(statement(Effect="allow")), HERE).allowed
    assert not trust(policy(statement(), statement(Effect="deny")), HERE).allowed


def test_an_undecided_allow_beside_a_sure_one_is_not_worth_a_word() -> None:
    document = policy(statement(), statement(Condition={"StringEquals": {"aws:SourceOrgID": "o-1"}}))
    assert trust(document, HERE).undecided == ()


def test_all_conditions_of_a_statement_must_hold() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": HERE.account}, "Bool": {"aws:SecureTransport": "false"}}
    problem = trust(policy(statement(Condition=condition)), HERE).problem
    assert problem is not None
    assert problem.kind is TrustProblemKind.EXCLUDED
    assert "aws:SecureTransport" in problem.message


UNTRUSTED: dict[str, tuple[dict[str, Any], str]] = {
    "no statement": (policy(), "does not trust backup.amazonaws.com"),
    "another service": (
        policy(statement(Principal={"Service": "ec2.amazonaws.com"})),
        "does not trust backup.amazonaws.com",
    ),
    "another case": (
        policy(statement(Principal={"Service": "Backup.amazonaws.com"})),
        "does not trust backup.amazonaws.com",
    ),
    "accounts only": (
        policy(statement(Principal={"AWS": "arn:aws:iam::111122223333:root"})),
        "does not trust backup.amazonaws.com",
    ),
    "the service's name as an account": (
        policy(statement(Principal={"AWS": "backup.amazonaws.com"})),
        "does not trust backup.amazonaws.com",
    ),
    "everybody but AWS Backup": (
        policy({"Effect": "Allow", "NotPrincipal": BACKUP, "Action": "sts:AssumeRole"}),
        "does not trust backup.amazonaws.com",
    ),
    "another action": (
        policy(statement(Action=["sts:TagSession", "sts:AssumeRoleWithSAML"])),
        "names backup.amazonaws.com in its trust policy, but does not allow it sts:AssumeRole",
    ),
    "all but that action": (
        policy({"Effect": "Allow", "Principal": BACKUP, "NotAction": "sts:Assume*"}),
        "names backup.amazonaws.com in its trust policy, but does not allow it sts:AssumeRole",
    ),
    "China's principal outside China": (
        policy(statement(Principal={"Service": "backup.amazonaws.com.cn"})),
        "does not trust backup.amazonaws.com",
    ),
}


@pytest.mark.parametrize(("document", "message"), UNTRUSTED.values(), ids=UNTRUSTED)
def test_not_trusted(document: dict[str, Any], message: str) -> None:
    problem = trust(document, HERE).problem
    assert problem is not None
    assert (problem.kind, problem.message) == (TrustProblemKind.NOT_TRUSTED, message)


@pytest.mark.parametrize(
    "deny",
    [
        statement(Effect="Deny"),
        statement(Effect="Deny", Principal="*", Action="*"),
        {"Effect": "Deny", "NotPrincipal": {"Service": "ec2.amazonaws.com"}, "NotAction": "sts:TagSession"},
    ],
    ids=["AWS Backup", "everybody", "everybody but EC2"],
)
def test_an_explicit_deny_wins(deny: dict[str, Any]) -> None:
    for document in (policy(statement(), deny), policy(deny, statement())):
        problem = trust(document, HERE).problem
        assert problem is not None
        assert problem.kind is TrustProblemKind.DENIED
        assert problem.message == "denies backup.amazonaws.com sts:AssumeRole in its trust policy"


@pytest.mark.parametrize("principal", ["backup.amazonaws.com.cn", "backup.amazonaws.com"])
def test_in_china_both_principals_count(principal: str) -> None:
    assert trust(policy(statement(Principal={"Service": principal})), CHINA).allowed


@pytest.mark.parametrize("encode", [json.dumps, lambda body: quote(json.dumps(body))], ids=["JSON", "URL-encoded"])
def test_a_policy_as_text(encode: Any) -> None:
    assert trust(encode(policy(statement())), HERE).allowed
    assert not trust(encode(policy(statement(Effect="Deny"))), HERE).allowed


MALFORMED: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "the trust policy is not JSON"),
    "no object": ("[]", "the trust policy is [], not an object"),
    "no statement": ({}, "the trust policy has no Statement"),
    "a statement that is none": ({"Statement": ["Allow"]}, "Statement 1 of the trust policy is 'Allow', not an object"),
    "an unknown effect": (
        policy(statement(), statement(Effect="permit")),
        'Statement 2 of the trust policy has Effect \'permit\'; allowed are "Allow" and "Deny"',
    ),
    "no principal": (
        policy({"Effect": "Allow", "Action": "sts:AssumeRole"}),
        "Statement 1 of the trust policy must have either Principal or NotPrincipal",
    ),
    "both actions": (
        policy(statement(NotAction="sts:TagSession")),
        "Statement 1 of the trust policy must have either Action or NotAction",
    ),
    "a principal that is a name": (
        policy(statement(Principal="backup.amazonaws.com")),
        "Statement 1 of the trust policy: Principal is 'backup.amazonaws.com'; allowed are \"*\" and an object",
    ),
    "an action that is an object": (
        policy(statement(Action={})),
        "Statement 1 of the trust policy: Action is {}, not a string",
    ),
    "a condition that is a list": (
        policy(statement(Condition=[])),
        "Statement 1 of the trust policy: Condition is [], not an object",
    ),
    "an operator without keys": (
        policy(statement(Condition={"StringEquals": "x"})),
        "Statement 1 of the trust policy: StringEquals is 'x', not an object",
    ),
    "a value that is an object": (
        policy(statement(Condition={"StringEquals": {"aws:SourceAccount": {}}})),
        "Statement 1 of the trust policy: aws:SourceAccount is {}, not a string",
    ),
}


@pytest.mark.parametrize(("document", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_policy_says_what_is_wrong(document: Any, message: str) -> None:
    with pytest.raises(ValueError, match="trust policy") as error:
        trust(document, HERE)
    assert message in str(error.value)


def test_many_stars_take_no_exponential_time() -> None:
    assert trust(conditioned("StringLike", "aws:SourceAccount", "*1" * 5_000), HERE).problem is not None


ROLES = {
    "arn:aws:iam::111122223333:role/backup": RoleArn("aws", "111122223333", "/", "backup"),
    "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole": RoleArn(
        "aws", "111122223333", "/service-role/", "AWSBackupDefaultServiceRole"
    ),
    "arn:aws-cn:iam::444455556666:role/a/b/c": RoleArn("aws-cn", "444455556666", "/a/b/", "c"),
    "arn:aws:iam::000000000001:role/backup": RoleArn("aws", "000000000001", "/", "backup"),
    "arn:aws:iam::999999999999:role/backup": RoleArn("aws", "999999999999", "/", "backup"),
    "arn:aws-us-gov:iam::111122223333:role/x+y=z,1.2@3-4_5": RoleArn(
        "aws-us-gov", "111122223333", "/", "x+y=z,1.2@3-4_5"
    ),
}


@pytest.mark.parametrize(("text", "role"), ROLES.items())
def test_role_arns(text: str, role: RoleArn) -> None:
    assert parse_role_arn(text) == role
    assert str(role) == text
    assert role.is_in(HERE) is (role.account == HERE.account and role.partition == "aws")


NO_ROLES = {
    "AWSBackupDefaultServiceRole": "a bare name, not an ARN",
    "service-role/AWSBackupDefaultServiceRole": "a bare name, not an ARN",
    "": "not an ARN",
    "arn:aws:iam": "not an ARN",
    "arn:aws:iam::111122223333:user/backup": "the ARN of a user",
    "arn:aws:iam::aws:policy/ReadOnlyAccess": "the ARN of a policy",
    "arn:aws:iam::111122223333:instance-profile/x": "the ARN of an instance profile",
    "arn:aws:sts::111122223333:assumed-role/backup/session": "the ARN of a session of a role",
    "arn:aws:iam::111122223333:role": "not the ARN of a role",
    "arn:aws:iam::111122223333:role/": "not the ARN of a role",
    "arn:aws:iam::111122223333:role/path/": "not the ARN of a role",
    "arn:aws:iam::111122223333:roles/backup": "not the ARN of a role",
    "arn:aws:iam::1234:role/backup": "not the ARN of a role",
    "arn:aws:iam:eu-west-1:111122223333:role/backup": "not the ARN of a role",
    "arn:aws:iam::111122223333:role/back up": "not the ARN of a role",
    "arn:aws:s3:::bucket": "not the ARN of a role",
    "arn:aws:backup::111122223333:role/backup": "not the ARN of a role",
    "arn:aws:sts::111122223333:role/backup": "not the ARN of a role",
}


@pytest.mark.parametrize(("text", "said"), NO_ROLES.items())
def test_what_is_no_role_arn(text: str, said: str) -> None:
    assert parse_role_arn(text) is None
    assert what_it_is(text) == said
