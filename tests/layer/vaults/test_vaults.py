"""What keeps a backup rule from its vaults, with AWS's own vault access policies among the cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from backup_rules.arns import Place
from backup_rules.plans.plans import BackupRule, CopyAction, Lifecycle
from backup_rules.vaults.vaults import (
    COPY_INTO_VAULT,
    START_BACKUP_JOB,
    Denial,
    KeyState,
    Vault,
    VaultFacts,
    VaultNameMatch,
    VaultProblemKind,
    VaultPurpose,
    VaultUse,
    denials,
    match_vault_name,
    retention_problem,
    vault_name_in,
    vault_problems,
    vault_uses,
)

PLACE = Place("aws", "111122223333", "eu-west-1")
BOTH = (START_BACKUP_JOB, COPY_INTO_VAULT)
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def arn(name: str, account: str = "111122223333", region: str = "eu-west-1") -> str:
    return f"arn:aws:backup:{region}:{account}:backup-vault:{name}"


def vault(name: str = "Prod", **changes: Any) -> Vault:
    return Vault(name, arn(name), **changes)


def facts(*vaults: VaultFacts) -> dict[str, VaultFacts]:
    return {each.vault.name: each for each in vaults}


def rule(**changes: Any) -> BackupRule:
    return BackupRule(**({"id": "r-1", "name": "daily", "vault_name": "Prod"} | changes))


def kinds(rule: BackupRule, *vaults: VaultFacts) -> list[tuple[VaultProblemKind, str]]:
    return [(problem.kind, problem.vault_name) for problem in vault_problems(rule, PLACE, facts(*vaults))]


# Names


@pytest.mark.parametrize(
    ("name", "existing", "match"),
    [
        pytest.param("Prod", ["Prod", "prod"], VaultNameMatch(exact=True), id="exact wins"),
        pytest.param(
            "PROD", ["prod", "Prod", "dev"], VaultNameMatch(exact=False, other_case=("Prod", "prod")), id="case"
        ),
        pytest.param("Prod", ["Production"], VaultNameMatch(exact=False), id="missing"),
        pytest.param("Prod", [], VaultNameMatch(exact=False), id="no vaults"),
        pytest.param("Prod ", ["Prod"], VaultNameMatch(exact=False), id="trailing blank"),
    ],
)
def test_match_vault_name(name: str, existing: list[str], match: VaultNameMatch) -> None:
    assert match_vault_name(name, existing) == match
    assert match.missing == (not match.exact and not match.other_case)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (arn("Prod"), "Prod"),
        (arn("aws/efs/automatic-backup-vault"), "aws/efs/automatic-backup-vault"),
        (arn("Prod", account="444455556666"), None),
        (arn("Prod", region="eu-west-2"), None),
        ("arn:aws:backup:eu-west-1:111122223333:backup-plan:Prod", None),
        ("arn:aws:s3:eu-west-1:111122223333:backup-vault:Prod", None),
        ("Prod", None),
        ("", None),
    ],
)
def test_vault_name_in(text: str, name: str | None) -> None:
    assert vault_name_in(text, PLACE) == name


def test_uses_are_the_target_and_what_lies_in_this_account_and_region() -> None:
    keep, copied = Lifecycle(35), Lifecycle(365)
    used = rule(
        lifecycle=keep,
        air_gapped_vault_arn=arn("Gap"),
        copy_actions=(
            CopyAction(arn("Second"), copied),
            CopyAction(arn("Far", region="us-east-1"), copied),
            CopyAction(arn("Theirs", account="444455556666"), copied),
        ),
    )
    assert vault_uses(used, PLACE) == (
        VaultUse("Prod", VaultPurpose.TARGET, keep),
        VaultUse("Gap", VaultPurpose.AIR_GAPPED, keep),
        VaultUse("Second", VaultPurpose.COPY, copied),
    )


# Existence, state, key


def test_a_sound_vault_has_no_problem() -> None:
    sound = VaultFacts(vault(encryption_key_arn=KEY), KeyState.ENABLED, json.dumps({"Statement": []}))
    assert vault_problems(rule(), PLACE, facts(sound)) == ()


def test_a_vault_without_key_or_state_has_no_problem() -> None:
    assert vault_problems(rule(), PLACE, facts(VaultFacts(vault(state=None)))) == ()


def test_a_missing_vault_is_named_with_its_region() -> None:
    (problem,) = vault_problems(rule(), PLACE, facts(VaultFacts(vault("Other"))))
    assert problem.kind is VaultProblemKind.MISSING
    assert problem.finding == 'Backup rule daily backs up to vault "Prod", which does not exist in eu-west-1.'
    assert problem.remedy == "Create it there, or name a vault that exists."


def test_the_default_vault_is_made_by_the_console() -> None:
    (problem,) = vault_problems(rule(vault_name="Default"), PLACE, {})
    assert "Open the AWS Backup console in that Region once" in problem.remedy


def test_a_vault_in_other_case_is_hinted_at() -> None:
    (problem,) = vault_problems(rule(vault_name="PROD"), PLACE, facts(VaultFacts(vault("prod"))))
    assert problem.kind is VaultProblemKind.OTHER_CASE
    assert problem.finding == (
        'Backup rule daily backs up to vault "PROD", but the vault is called "prod": vault names are case-sensitive.'
    )


@pytest.mark.parametrize("state", ["CREATING", "FAILED", "DELETING"])
def test_a_vault_that_is_not_available(state: str) -> None:
    (problem,) = vault_problems(rule(), PLACE, facts(VaultFacts(vault(state=state))))
    assert problem.kind is VaultProblemKind.NOT_AVAILABLE
    assert f"whose state is {state}, not AVAILABLE" in problem.finding


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (KeyState.ENABLED, None),
        (KeyState.UPDATING, None),
        (KeyState.DISABLED, "is disabled"),
        (KeyState.PENDING_DELETION, "is scheduled for deletion"),
        (KeyState.PENDING_REPLICA_DELETION, "is scheduled for deletion"),
        (KeyState.PENDING_IMPORT, "has no key material"),
        (KeyState.UNAVAILABLE, "is in a key store that is disconnected"),
        (KeyState.CREATING, "is still being created"),
        (KeyState.NOT_FOUND, "no longer exists"),
    ],
)
def test_key_states(state: KeyState, words: str | None) -> None:
    problems = vault_problems(rule(), PLACE, facts(VaultFacts(vault(encryption_key_arn=KEY), state)))
    if words is None:
        assert problems == ()
    else:
        assert [problem.kind for problem in problems] == [VaultProblemKind.KEY_UNUSABLE]
        assert f"whose KMS key 1234abcd-12ab-34cd-56ef-1234567890ab {words}." in problems[0].finding
        assert problems[0].remedy


def test_key_states_are_all_those_of_kms() -> None:
    import botocore.session  # noqa: PLC0415 - slow to import, and only this test needs it

    model = botocore.session.get_session().get_service_model("kms")
    known = set(model.shape_for("KeyState").enum)
    assert known == {state.value for state in KeyState} - {KeyState.NOT_FOUND.value}


# Retention


@pytest.mark.parametrize(
    ("low", "high", "days", "continuous", "problem"),
    [
        pytest.param(None, None, None, False, None, id="no lock, for ever"),
        pytest.param(7, 30, 7, False, None, id="exactly the minimum"),
        pytest.param(7, 30, 30, False, None, id="exactly the maximum"),
        pytest.param(7, 30, 6, False, "for 6 days, but the vault's lock admits 7 to 30 days", id="too short"),
        pytest.param(7, 30, 31, False, "for 31 days, but the vault's lock admits 7 to 30 days", id="too long"),
        pytest.param(7, None, 1, False, "for 1 day, but the vault's lock admits at least 7 days", id="minimum only"),
        pytest.param(None, 1, 2, False, "for 2 days, but the vault's lock admits at most 1 day", id="maximum only"),
        pytest.param(7, None, None, False, None, id="for ever is more than any minimum"),
        pytest.param(None, 30, None, False, "for ever, but the vault's lock admits at most 30 days", id="for ever"),
        pytest.param(7, 30, None, True, None, id="continuous without retention"),
        pytest.param(36, None, None, True, "at most 35 days (continuous backup)", id="continuous below the minimum"),
        pytest.param(7, 30, 35, True, "for 35 days", id="continuous with its own retention"),
    ],
)
def test_retention(low: int | None, high: int | None, days: int | None, continuous: bool, problem: str | None) -> None:
    locked = vault(locked=True, min_retention_days=low, max_retention_days=high)
    found = retention_problem(locked, Lifecycle(days), continuous=continuous)
    assert (found is None) == (problem is None)
    assert (problem or "") in (found or "")


def test_a_copy_is_held_to_the_lock_of_its_own_vault() -> None:
    copied = rule(lifecycle=Lifecycle(35), copy_actions=(CopyAction(arn("Second"), Lifecycle(10)),))
    target = VaultFacts(vault(min_retention_days=30))
    second = VaultFacts(vault("Second", min_retention_days=30))
    (problem,) = vault_problems(copied, PLACE, facts(target, second))
    assert (problem.kind, problem.purpose) == (VaultProblemKind.RETENTION_NOT_ADMITTED, VaultPurpose.COPY)
    assert problem.finding == (
        'Backup rule daily copies to vault "Second", '
        "and keeps backups for 10 days, but the vault's lock admits at least 30 days."
    )


def test_a_copy_without_a_retention_keeps_that_of_the_rule() -> None:
    second = VaultFacts(vault("Second", max_retention_days=30))
    copies = (CopyAction(arn("Second")),)
    for_ever = [(VaultProblemKind.RETENTION_NOT_ADMITTED, "Second")]
    assert kinds(rule(copy_actions=copies), VaultFacts(vault()), second) == for_ever
    assert kinds(rule(continuous=True, copy_actions=copies), VaultFacts(vault()), second) == []


def test_an_air_gapped_target_must_be_here() -> None:
    far = arn("Gap", region="us-east-1")
    assert kinds(rule(air_gapped_vault_arn=far), VaultFacts(vault())) == [(VaultProblemKind.ELSEWHERE, far)]
    assert kinds(rule(air_gapped_vault_arn=arn("Gap")), VaultFacts(vault())) == [(VaultProblemKind.MISSING, "Gap")]


def test_copies_elsewhere_are_not_looked_at() -> None:
    far = (CopyAction(arn("X", region="us-east-1")), CopyAction(arn("X", account="444455556666")))
    assert kinds(rule(copy_actions=far), VaultFacts(vault())) == []


def test_all_problems_of_a_vault_come_out() -> None:
    policy = json.dumps({"Statement": deny()})
    bad = VaultFacts(vault(state="FAILED", max_retention_days=1), KeyState.DISABLED, policy)
    assert [kind for kind, _ in kinds(rule(), bad)] == [
        VaultProblemKind.NOT_AVAILABLE,
        VaultProblemKind.KEY_UNUSABLE,
        VaultProblemKind.RETENTION_NOT_ADMITTED,
        VaultProblemKind.ACCESS_DENIED,
    ]


# Access policies


def deny(**changes: Any) -> dict[str, Any]:
    statement = {
        "Sid": "NoBackups",
        "Effect": "Deny",
        "Principal": "*",
        "Action": START_BACKUP_JOB,
        "Resource": "*",
    }
    return {key: value for key, value in (statement | changes).items() if value is not None}


def denied(*statements: dict[str, Any], place: Place = PLACE) -> list[str]:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    here = Vault("Prod", f"arn:{place.partition}:backup:{place.region}:{place.account}:backup-vault:Prod")
    return [denial.action for denial in denials(policy, here, place, BOTH)]


def samples_of_aws() -> Iterator[Any]:
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html, the policy that AWS
    puts on the automatic EFS vault, and https://repost.aws/knowledge-center/backup-resolve-access-denied-error
    """
    role = {"AWS": "arn:aws:iam::111122223333:role/MyRole"}
    recovery_points = [
        "backup:UpdateRecoveryPointLifecycle",
        "backup:DescribeRecoveryPoint",
        "backup:DeleteRecoveryPoint",
        "backup:GetRecoveryPointRestoreMetadata",
        "backup:StartRestoreJob",
    ]
    yield pytest.param(
        deny(Principal=role, Action=recovery_points, Resource=["arn:aws:ec2:*:*:snapshot/*"]), id="a resource type"
    )
    operations = ["backup:DescribeBackupVault", "backup:DeleteBackupVault", "backup:StartBackupJob"]
    yield pytest.param(deny(Principal=role, Action=operations, Resource=arn("Prod")), id="a vault, to one role")
    yield pytest.param(
        deny(
            Action="backup:DeleteRecoveryPoint",
            Condition={"StringNotEquals": {"aws:userId": ["AIDA1234567890EXAMPLE", "AROA1234567890EXAMPLE:*"]}},
        ),
        id="deletion, but to some user ids",
    )
    yield pytest.param(
        deny(
            Action="backup:DeleteRecoveryPoint",
            Condition={"ArnNotEquals": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:role/mys3role"]}},
        ),
        id="deletion, but to some ARNs",
    )
    yield pytest.param(
        deny(
            Principal={"AWS": "*"},
            Action=["backup:DeleteBackupVault", "backup:DeleteRecoveryPoint", "backup:StartCopyJob"],
        ),
        id="the automatic EFS vault",
    )
    yield pytest.param(
        deny(
            Effect="Allow",
            Action=COPY_INTO_VAULT,
            Condition={"StringEquals": {"aws:PrincipalOrgID": ["o-exampleorgid"]}},
        ),
        id="copies from the organization",
    )


@pytest.mark.parametrize("statement", list(samples_of_aws()))
def test_aws_own_sample_policies_are_no_problem(statement: dict[str, Any]) -> None:
    assert denied(statement) == []


@pytest.mark.parametrize(
    ("statement", "actions"),
    [
        pytest.param(deny(), [START_BACKUP_JOB], id="plain"),
        pytest.param(deny(Action=[COPY_INTO_VAULT]), [COPY_INTO_VAULT], id="copies"),
        pytest.param(deny(Effect="Allow"), [], id="allow"),
        pytest.param(deny(Action="backup:*"), list(BOTH), id="all of AWS Backup"),
        pytest.param(deny(Action="*"), list(BOTH), id="everything"),
        pytest.param(deny(Action="BACKUP:startbackupjob"), [START_BACKUP_JOB], id="action in other case"),
        pytest.param(deny(Action="backup:Start?ackupJob"), [START_BACKUP_JOB], id="question mark"),
        pytest.param(deny(Action="backup:StartBackupJo"), [], id="part of the action"),
        pytest.param(deny(Action="backup:[S]tartBackupJob"), [], id="brackets are literal"),
        pytest.param(deny(Action="backup:Start*"), [START_BACKUP_JOB], id="action with a star"),
        pytest.param(deny(Action=None, NotAction="backup:Describe*"), list(BOTH), id="NotAction"),
        pytest.param(deny(Action=None, NotAction=["backup:start*"]), [COPY_INTO_VAULT], id="NotAction exempts one"),
        pytest.param(deny(Resource=arn("Prod")), [START_BACKUP_JOB], id="this vault"),
        pytest.param(deny(Resource=arn("Pr*")), [START_BACKUP_JOB], id="vaults like this one"),
        pytest.param(
            deny(Resource=[arn("Dev"), "arn:aws:backup:*:*:backup-vault:*"]), [START_BACKUP_JOB], id="any vault"
        ),
        pytest.param(deny(Resource=arn("Dev")), [], id="another vault"),
        pytest.param(deny(Resource=arn("prod")), [], id="vault in other case"),
        pytest.param(deny(Resource="arn:aws:backup:*:*:recovery-point:*"), [], id="recovery points"),
        pytest.param(deny(Resource=None, NotResource=arn("Dev")), [START_BACKUP_JOB], id="NotResource another"),
        pytest.param(deny(Resource=None, NotResource=arn("Prod")), [], id="NotResource this vault"),
        pytest.param(deny(Principal={"AWS": "*"}), [START_BACKUP_JOB], id="AWS star"),
        pytest.param(deny(Principal={"AWS": ["444455556666", "*"]}), [START_BACKUP_JOB], id="a star in a list"),
        pytest.param(deny(Principal={"AWS": "111122223333"}), [START_BACKUP_JOB], id="this account"),
        pytest.param(deny(Principal={"AWS": "arn:aws:iam::111122223333:root"}), [START_BACKUP_JOB], id="its root"),
        pytest.param(deny(Principal={"AWS": "444455556666"}), [], id="another account"),
        pytest.param(deny(Principal={"AWS": "arn:aws:iam::111122223333:role/R"}), [], id="one role"),
        pytest.param(deny(Principal={"Service": "backup.amazonaws.com"}), [START_BACKUP_JOB], id="AWS Backup"),
        pytest.param(deny(Principal={"Service": "s3.amazonaws.com"}), [], id="another service"),
        pytest.param(
            deny(Principal=None, NotPrincipal={"AWS": "arn:aws:iam::444455556666:role/R"}),
            [START_BACKUP_JOB],
            id="all but another account's role",
        ),
        pytest.param(
            deny(Principal=None, NotPrincipal={"AWS": "444455556666"}), [START_BACKUP_JOB], id="all but an account"
        ),
        pytest.param(
            deny(Principal=None, NotPrincipal={"AWS": "arn:aws:iam::111122223333:role/R"}),
            [],
            id="all but one role here",
        ),
        pytest.param(
            deny(Principal=None, NotPrincipal={"AWS": "AROA1234567890EXAMPLE"}), [], id="all but an unknown id"
        ),
        pytest.param(deny(Principal=None, NotPrincipal="*"), [], id="all but everyone"),
        pytest.param(
            deny(Principal=None, NotPrincipal={"Service": "backup.amazonaws.com"}), [], id="all but AWS Backup"
        ),
        pytest.param(deny(Condition={}), [START_BACKUP_JOB], id="an empty condition"),
        pytest.param(
            deny(Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}),
            [],
            id="all but the organization",
        ),
        pytest.param(deny(Condition={"Bool": {"aws:SecureTransport": "false"}}), [], id="without TLS"),
        pytest.param(
            deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": ["444455556666"]}}),
            [START_BACKUP_JOB],
            id="all but another account's principals",
        ),
        pytest.param(
            deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}),
            [],
            id="all but this account's principals",
        ),
        pytest.param(
            deny(Condition={"StringLike": {"AWS:principalaccount": "1111*"}}),
            [START_BACKUP_JOB],
            id="this account's, by star",
        ),
        pytest.param(
            deny(
                Condition={
                    "StringEquals": {"aws:PrincipalAccount": "111122223333"},
                    "Bool": {"aws:SecureTransport": "false"},
                }
            ),
            [],
            id="one condition of two undecided",
        ),
        pytest.param(
            deny(Condition={"ForAnyValue:StringEquals": {"aws:PrincipalAccount": "111122223333"}}),
            [],
            id="an operator that is not looked into",
        ),
    ],
)
def test_denials(statement: dict[str, Any], actions: list[str]) -> None:
    assert denied(statement) == actions


def test_the_partitions_own_service_principal_counts() -> None:
    china = Place("aws-cn", "111122223333", "cn-north-1")
    statement = deny(Principal={"Service": "backup.amazonaws.com.cn"})
    assert denied(statement, place=china) == [START_BACKUP_JOB]
    assert denied(statement) == []


def test_the_denying_statement_is_named_by_sid_or_number() -> None:
    policy = {"Statement": [deny(Action="backup:Describe*"), deny(Sid=None), deny(Sid="Later", Action="backup:*")]}
    assert denials(json.dumps(policy), vault(), PLACE, BOTH) == (
        Denial(START_BACKUP_JOB, "statement 2"),
        Denial(COPY_INTO_VAULT, "Later"),
    )


def test_a_target_needs_both_actions_and_a_copys_vault_only_its_own() -> None:
    policy = json.dumps({"Statement": deny()})
    copied = rule(copy_actions=(CopyAction(arn("Second")),))
    target, second = VaultFacts(vault()), VaultFacts(vault("Second"), access_policy=policy)
    assert kinds(copied, target, second) == []
    (problem,) = vault_problems(rule(), PLACE, facts(VaultFacts(vault(), access_policy=policy)))
    assert problem.finding == (
        'Backup rule daily backs up to vault "Prod", whose access policy denies backup:StartBackupJob (NoBackups).'
    )
    no_copies = json.dumps({"Statement": deny(Action=COPY_INTO_VAULT)})
    assert kinds(rule(), VaultFacts(vault(), access_policy=no_copies)) == [(VaultProblemKind.ACCESS_DENIED, "Prod")]
    second = VaultFacts(vault("Second"), access_policy=no_copies)
    assert kinds(copied, target, second) == [(VaultProblemKind.ACCESS_DENIED, "Second")]


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        pytest.param("", "Expecting value", id="nothing"),
        pytest.param("{", "Expecting property name", id="cut off"),
        pytest.param("[]", "no object with a Statement", id="list"),
        pytest.param("{}", "no object with a Statement", id="no statement"),
        pytest.param('{"Statement": ["x"]}', "statement 1", id="statement is a string"),
        pytest.param(json.dumps({"Statement": deny(Effect="refuse")}), "Effect Allow or Deny", id="no effect"),
        pytest.param(json.dumps({"Statement": deny(Principal=None)}), "Principal or NotPrincipal", id="no principal"),
        pytest.param(json.dumps({"Statement": deny(Principal=5)}), "Principal is 5", id="principal is a number"),
        pytest.param(json.dumps({"Statement": deny(Action=None)}), "Action or NotAction", id="no action"),
        pytest.param(json.dumps({"Statement": deny(NotResource="*")}), "Resource or NotResource", id="both resources"),
        pytest.param(json.dumps({"Statement": deny(Action={"a": 1})}), "Action is", id="action is an object"),
        pytest.param(json.dumps({"Statement": deny(Condition=["x"])}), "Condition is", id="condition is a list"),
        pytest.param('{"Statement": ' + "[" * 100_000, "nested too deeply", id="100,000 brackets"),
    ],
)
def test_a_policy_that_is_none_is_an_error_that_names_the_vault(policy: str, what: str) -> None:
    with pytest.raises(ValueError, match="The access policy of vault Prod can't be read: ") as raised:
        denials(policy, vault(), PLACE, BOTH)
    assert what in str(raised.value)


def test_many_stars_take_no_time() -> None:
    pattern = "*a" * 5_000 + "b"
    assert denied(deny(Resource="arn:aws:backup:" + pattern)) == []
