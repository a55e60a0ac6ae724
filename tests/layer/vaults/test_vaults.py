"""What keeps a backup rule from its vaults, with AWS's own vault access policies among the cases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backup_rules.arns import Place
from backup_rules.plans.plans import BackupRule, CopyAction, Lifecycle
from backup_rules.vaults.access_policy import COPY_INTO_VAULT, START_BACKUP_JOB
from backup_rules.vaults.vaults import (
    KeyState,
    Vault,
    VaultFacts,
    VaultNameMatch,
    VaultProblemKind,
    VaultPurpose,
    VaultUse,
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


def denying(action: str) -> str:
    statement = {"Sid": "NoBackups", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


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


@pytest.mark.parametrize(
    ("kind", "as_target", "as_air_gapped", "as_copy"),
    [
        ("BACKUP_VAULT", [], [VaultProblemKind.WRONG_KIND], []),
        ("LOGICALLY_AIR_GAPPED_BACKUP_VAULT", [VaultProblemKind.WRONG_KIND], [], []),
        ("RESTORE_ACCESS_BACKUP_VAULT", [VaultProblemKind.WRONG_KIND], [VaultProblemKind.WRONG_KIND], []),
    ],
)
def test_each_kind_of_vault_has_its_use(
    kind: str,
    as_target: list[VaultProblemKind],
    as_air_gapped: list[VaultProblemKind],
    as_copy: list[VaultProblemKind],
) -> None:
    other, main = VaultFacts(vault("Other", type=kind)), VaultFacts(vault())
    assert [each for each, _ in kinds(rule(vault_name="Other"), other)] == as_target
    assert [each for each, _ in kinds(rule(air_gapped_vault_arn=arn("Other")), main, other)] == as_air_gapped
    assert [each for each, _ in kinds(rule(copy_actions=(CopyAction(arn("Other")),)), main, other)] == as_copy


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
    policy = denying(START_BACKUP_JOB)
    bad = VaultFacts(vault(state="FAILED", max_retention_days=1), KeyState.DISABLED, policy)
    assert [kind for kind, _ in kinds(rule(), bad)] == [
        VaultProblemKind.NOT_AVAILABLE,
        VaultProblemKind.KEY_UNUSABLE,
        VaultProblemKind.RETENTION_NOT_ADMITTED,
        VaultProblemKind.ACCESS_DENIED,
    ]


# Access policies


def test_a_target_needs_both_actions_and_a_copys_vault_only_its_own() -> None:
    policy = denying(START_BACKUP_JOB)
    copied = rule(copy_actions=(CopyAction(arn("Second")),))
    target, second = VaultFacts(vault()), VaultFacts(vault("Second"), access_policy=policy)
    assert kinds(copied, target, second) == []
    (problem,) = vault_problems(rule(), PLACE, facts(VaultFacts(vault(), access_policy=policy)))
    assert problem.finding == (
        'Backup rule daily backs up to vault "Prod", whose access policy denies backup:StartBackupJob (NoBackups).'
    )
    no_copies = denying(COPY_INTO_VAULT)
    assert kinds(rule(), VaultFacts(vault(), access_policy=no_copies)) == [(VaultProblemKind.ACCESS_DENIED, "Prod")]
    second = VaultFacts(vault("Second"), access_policy=no_copies)
    assert kinds(copied, target, second) == [(VaultProblemKind.ACCESS_DENIED, "Second")]


@pytest.mark.parametrize(
    "other",
    [
        arn("Prod", account="000000000000"),
        arn("Prod", account="999999999999"),
        arn("Prod", region="af-south-1"),
        arn("Prod").replace(":backup:", ":athena:"),
        arn("Prod").replace("backup-vault:", "recovery-point:"),
    ],
)
def test_a_vault_of_elsewhere_is_none_of_here(other: str) -> None:
    assert vault_name_in(other, PLACE) is None
    assert vault_name_in(arn("Prod"), PLACE) == "Prod"


@pytest.mark.parametrize(("minimum", "admitted"), [(34, True), (35, True), (36, False)])
def test_a_continuous_backup_is_kept_for_35_days_at_most(minimum: int, admitted: bool) -> None:
    problem = retention_problem(vault(min_retention_days=minimum), Lifecycle(), continuous=True)
    assert (problem is None) is admitted
