"""`make simulate`, as a person uses it: started, read, and talked to with the profiles that it wrote."""

from __future__ import annotations

import email
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from email.policy import default
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from backup_rules_cli.catalogue import ROOT
from tests.pages import shell_blocks


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """What it prints until it is ready, and the file with the profiles."""
    profiles = tmp_path_factory.mktemp("simulate") / "profiles"
    mails = profiles.with_name("simulated-mails")
    mails.mkdir()
    for name in ("0001.eml", "mine.eml"):
        (mails / name).write_text("of an earlier simulation", encoding="utf-8")
    command = [sys.executable, "-m", "backup_rules_cli", "simulate", "--port", "0", "--profiles", str(profiles)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("AWS Config evaluates"):
                    break
            yield "".join(lines), profiles
            process.terminate()
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def test_each_account_has_a_profile(told: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    text, profiles = told
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profiles))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    assert f"export AWS_CONFIG_FILE={profiles}" in text
    found = {}
    for profile in ("payments-production", "security-backup-administration", "retail-china"):
        caller = boto3.Session(profile_name=profile).client("sts").get_caller_identity()
        found[profile] = (caller["Account"], caller["Arn"].split(":")[1])
        assert f"  {profile:<31} {caller['Account']}" in text
    assert found == {
        "payments-production": ("123456789012", "aws"),
        "security-backup-administration": ("444455556666", "aws"),
        "retail-china": ("222233334444", "aws-cn"),
    }


def test_mails_of_an_earlier_simulation_are_gone(told: tuple[str, Path]) -> None:
    assert [each.name for each in told[1].with_name("simulated-mails").iterdir()] == ["mine.eml"]


def test_the_organization_is_one_to_deploy_to(told: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems are planted, recorders run, and nothing of the pack is there yet."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(told[1]))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    session = boto3.Session(profile_name="payments-production")
    assert len(session.client("backup").list_backup_plans()["BackupPlansList"]) > 10
    (recorder,) = session.client("config").describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    assert recorder["recording"] is True
    roles = {role["RoleName"] for role in session.client("iam").list_roles()["Roles"]}
    assert "AWSBackupDefaultServiceRole" in roles
    assert "BackupConfigRulesMemberRole" not in roles
    assert session.client("config").describe_config_rules()["ConfigRules"] == []


def test_accounts_under_a_role_have_the_profiles_settings(told: tuple[str, Path]) -> None:
    """Such as its endpoint, or that it takes those of FIPS."""
    given = ["--profile", "management", "--accounts", "123456789012", "--role", "OrganizationAccountAccessRole"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "backup_rules_cli", "explain", "forgotten", *given, "--quiet"],
        env=environment | {"AWS_CONFIG_FILE": str(told[1]), "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "In         123456789012, eu-west-1" in done.stdout


def test_ctrl_c_waits_for_no_account(told: tuple[str, Path]) -> None:
    """However many are being read side by side."""
    given = [
        "--profile",
        "management",
        "--accounts",
        "all",
        "--role",
        "OrganizationAccountAccessRole",
        "--region",
        "all",
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    with subprocess.Popen(  # noqa: S603 - our own program
        [Path(sys.executable).with_name("backup-rules"), "evaluate", *given],
        env=environment | {"AWS_CONFIG_FILE": str(told[1]), "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - as in test_main.py
    ) as it:
        time.sleep(4)  # it asks each Region of each account whether there are plans
        assert it.poll() is None
        it.send_signal(signal.SIGINT)
        begun = time.monotonic()
        out, error = it.communicate(timeout=60)
    assert time.monotonic() - begun < 3
    assert (it.returncode, out) == (130, "")
    assert error.splitlines()[-1] == "backup-rules: interrupted."
    assert "Traceback" not in error


def test_the_keys_of_the_profiles_are_demanded_and_the_callers_alone_to_read(
    told: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told[1].stat().st_mode & 0o077 == 0
    monkeypatch.setenv("AWS_CONFIG_FILE", str(told[1]))
    session = boto3.Session(profile_name="payments-production")
    for key in ("simulated", "AKIAIOSFODNN7EXAMPLE"):
        stranger = session.client("sts", aws_access_key_id=key, aws_secret_access_key="simulated")
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            stranger.get_caller_identity()


def run(profiles: Path, *command: str) -> str:
    """What `backup-rules` says, with these profiles and nothing else that names an endpoint."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment |= {"AWS_CONFIG_FILE": str(profiles), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "backup_rules_cli", *command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return " ".join((done.stdout + done.stderr).split())


def test_an_assumed_role_stays_with_the_endpoint_of_its_profile(told: tuple[str, Path]) -> None:
    """Else a trial would go to the real AWS."""
    profile = ("--profile", "security-backup-administration", "--region", "eu-west-1")
    role = ("--accounts", "all", "--role", "Any", "--rules", "BACKUP_TAG_CASE")
    text = run(told[1], "evaluate", *profile, *role)
    assert "accounts: 4, account-Region pairs: 4" in text
    assert "amazonaws.com" not in text
    settings = told[1].with_name("deployer.yaml")
    arn = "arn:aws:iam::444455556666:role/SimulatedAdministrator"
    settings.write_text(
        f"regions: [eu-west-1]\nskip_accounts_without_recorder: true\ndeployer_role_arn: {arn}\n", encoding="utf-8"
    )
    text = run(told[1], "deploy", *profile, "--settings", str(settings), "--plan")
    assert "the whole organization: 3 accounts reached" in text


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux only.")
def test_the_page_brings_findings_mails_and_changed_verdicts_as_it_stands(told: tuple[str, Path]) -> None:
    """With the real AWS CLI; only the port and the folder are this test's own."""
    text, profiles = told
    page = "\n".join(shell_blocks(ROOT / "docs" / "simulating.md"))
    (url,) = re.findall(r"listens on (\S+)", text)
    command = page.replace("$PWD/build/", f"{profiles.parent}/").replace("build/", f"{profiles.parent}/")
    command = command.replace("simulated-profiles", profiles.name).replace("http://127.0.0.1:4599", url)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(  # noqa: S603 - the commands of our own page
        ["/bin/bash", "-euc", command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/444455556666/backup-config-rules-mails-Queue" in done.stdout
    assert "All is well: 4 accounts, 1 Region." in done.stdout
    assert "Plan nobody has no selection" in done.stdout
    assert "Plan forgotten has no selection" in done.stdout
    assert "Deleted." in done.stdout
    first = email.message_from_bytes((profiles.parent / "simulated-mails" / "0001.eml").read_bytes(), policy=default)
    assert first["To"] == "backups@example.com"
    assert re.fullmatch(r"Backup rules: \d+ new problems in 4 accounts", first["Subject"])
