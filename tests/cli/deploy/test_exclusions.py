"""`deploy --exclusions`: what a pack can be told of a file of known findings, and what is told to be left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.deploy.site import CENTRAL, HOME, Site, deploying

RULES_WITH_RESOURCES = 4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch, deploying(tmp_path_factory.mktemp("site"), patch) as found:
        yield found


def plan(site: Site, path: Path, capsys: Any, *entries: str, settings: str = "") -> str:
    """What `deploy --plan` shows, on one line."""
    listed = "".join(f"  - {{{entry}, reason: they know}}\n" for entry in entries)
    path.write_text(f"exclusions:\n{listed}", encoding="utf-8")
    assert site.run("deploy", "--plan", "--exclusions", str(path), settings=settings) in {0, 1}
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("plan: sandbox-*", "Plans that no rule reports: sandbox-*"),
        ("rule: BACKUP_TAG_CASE, resource: customers-eu", "ExcludedResources=customers-eu"),
        ("rule: BACKUP_TAG_*, resource: vol-0abc", "ExcludedResources=vol-0abc"),
    ],
)
def test_what_a_pack_can_be_told(site: Site, tmp_path: Path, capsys: Any, entry: str, says: str) -> None:
    told = plan(site, tmp_path / "known.yaml", capsys, entry)
    assert says in told
    assert "Reported all the same" not in told


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("plan: sandbox, expires: 2999-01-31", "a deployed pack knows no last day"),
        ("plan: sandbox, expires: 2001-01-31", "it has expired on 2001-01-31"),
        ("plan: sandbox, account: '111122223333'", "a pack has the same parameters in all accounts and Regions"),
        ("resource: vol-0abc, region: eu-west-1", "a pack has the same parameters in all accounts and Regions"),
        ("plan: sandbox, rule: BACKUP_TAG_CASE", "ExcludedPlans is the same for all rules"),
        ("plan: sandbox, resource: vol-0abc", "a pack excludes a plan or a resource"),
        ("rule: BACKUP_TAG_CASE", "turn it off"),
        ("rule: BACKUP_VAULT_USABLE, resource: vol-0abc", "no rule of the pack that it names has ExcludedResources"),
        ("plan: 'a,b'", "a parameter takes no comma"),
    ],
)
def test_what_it_cannot_be_told(site: Site, tmp_path: Path, capsys: Any, entry: str, why: str) -> None:
    """It is reported all the same: nothing is kept quiet that the file does not name."""
    told = plan(site, tmp_path / "known.yaml", capsys, entry)
    assert "Reported all the same, though the exclusions name it: " in told
    assert why in told
    assert "Plans that no rule reports" not in told
    assert "ExcludedResources=" not in told


def test_a_resource_of_all_rules_is_excluded_from_those_that_can(site: Site, tmp_path: Path, capsys: Any) -> None:
    told = plan(site, tmp_path / "known.yaml", capsys, "resource: vol-0abc")
    assert told.count("ExcludedResources=vol-0abc") == RULES_WITH_RESOURCES
    assert "only, as no other rule has ExcludedResources." in told


def test_they_are_added_to_the_settings(site: Site, tmp_path: Path, capsys: Any) -> None:
    settings = (
        "excluded_plans: [old]\nrules:\n  BACKUP_TAG_CASE:\n    parameters: {ExcludedResources: 'first, second'}\n"
    )
    entries = ("plan: new", "rule: BACKUP_TAG_CASE, resource: second", "rule: BACKUP_TAG_CASE, resource: third")
    told = plan(site, tmp_path / "known.yaml", capsys, *entries, settings=settings)
    assert "Plans that no rule reports: old, new" in told
    assert "ExcludedResources=first,second,third" in told


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("exclusions: [{plan: a}]", "Exclusion 1 needs a reason"),
        (
            "exclusions:\n" + "".join(f"  - {{plan: {'plan-' * 10}{n}, reason: x}}\n" for n in range(9)),
            "--exclusions: ExcludedPlans would have 467 characters; it must have at most 320.",
        ),
    ],
)
def test_a_file_that_is_refused(site: Site, tmp_path: Path, capsys: Any, content: str, says: str) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(content, encoding="utf-8")
    assert site.run("deploy", "--plan", "--exclusions", str(path)) == 2
    assert says in capsys.readouterr().err


def test_the_deployed_pack_has_them(site: Site, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "known.yaml"
    path.write_text("exclusions:\n  - {plan: sandbox-*, reason: sandboxes}\n", encoding="utf-8")
    assert site.run("deploy-single-account", "--exclusions", str(path)) == 0
    capsys.readouterr()
    (stack,) = (
        each
        for each in site.client(CENTRAL, "cloudformation", HOME).describe_stacks()["Stacks"]
        if any(parameter["ParameterKey"] == "ExcludedPlans" for parameter in each.get("Parameters", []))
    )
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert given["ExcludedPlans"] == "sandbox-*"
