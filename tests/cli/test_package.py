"""`make package`: the same sources give the same bytes, and nothing ships but what AWS Lambda needs."""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

from aws_simulator.deployment.lambda_runtime.packages import runtime_folder
from backup_rules_cli import bytecode, catalogue
from backup_rules_cli import package as module
from backup_rules_cli.bytecode import python_of
from backup_rules_cli.catalogue import ROOT, rule_folders
from backup_rules_cli.main import main
from backup_rules_cli.package import Package, PackageError, content_hash, package, zipped

RDKLIB = version("rdklib")
RUNTIME = "python3.13"
TAG = "cpython-313"
has_runtime = pytest.mark.skipif(python_of(RUNTIME) is None, reason=f"this machine has no {RUNTIME}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return package(tmp_path_factory.mktemp("built") / "package")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources elsewhere, which is packed from now on; its files were made in another order, now."""
    copy = tmp_path / "elsewhere"
    sources = [path for folder in ("rules", "layer", "functions") for path in (ROOT / folder).rglob("*")]
    for path in sorted([*sources, ROOT / "requirements.lock"], reverse=True):
        target = copy / path.relative_to(ROOT)
        if path.is_file() and "__pycache__" not in path.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o600)
            os.utime(target, (1_000_000_000, 1_000_000_000))
    monkeypatch.setattr(module, "ROOT", copy)
    monkeypatch.setattr(catalogue, "RULES", copy / "rules")
    return copy


def content_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def bytes_of(made: Package) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in made.files.items()}


# --- Reproducible ----------------------------------------------------------------------------------------------------


def test_the_same_sources_give_the_same_bytes_anywhere(made: Package, tree: Path, tmp_path: Path) -> None:
    again = package(tmp_path / "again")
    assert bytes_of(again) == bytes_of(made)
    assert again.hash == made.hash
    assert (tmp_path / "again" / "manifest.json").read_bytes() == made.files["layer.zip"].with_name(
        "manifest.json"
    ).read_bytes()


@pytest.mark.parametrize(
    "path", ["layer/backup_rules/selections/near_misses.py", "rules/BACKUP_TAG_CASE/BACKUP_TAG_CASE.py"]
)
def test_a_changed_source_changes_the_hash(made: Package, tree: Path, tmp_path: Path, path: str) -> None:
    with (tree / path).open("a", encoding="utf-8") as source:
        source.write("# one more line\n")
    assert package(tmp_path / "again").hash != made.hash


def test_what_tools_leave_behind_does_not_ship(made: Package, tree: Path, tmp_path: Path) -> None:
    for path in (
        "layer/backup_rules/selections/__pycache__/near_misses.cpython-313.pyc",
        "layer/backup_rules/selections/.near_misses.py.swp",
    ):
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_bytes(b"left behind")
    (tree / "rules" / "BACKUP_TAG_CASE" / "notes.txt").write_text("left behind", encoding="utf-8")
    assert package(tmp_path / "again").hash == made.hash


def test_zips_hold_no_time_no_owner_and_no_folder(made: Package) -> None:
    for path in made.files.values():
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
        assert not [entry for entry in entries if entry.is_dir() or entry.extra]


def incompressible(size: int) -> bytes:
    """A Python comment of so many bytes, that hardly gets smaller when packed."""
    return b"# " + base64.b85encode(random.Random(1).randbytes(size))  # noqa: S311 - only hard to compress


def test_the_hash_is_over_names_and_contents_and_not_over_compressed_bytes(made: Package) -> None:
    assert made.hash == content_hash({name: content_of(path) for name, path in made.files.items()})
    one = {"a.zip": {"a.py": b"1", "b.py": b"2"}}
    assert content_hash(one) == content_hash({"a.zip": {"b.py": b"2", "a.py": b"1"}})
    others = [
        {"b.zip": one["a.zip"]},
        {"a.zip": {"a.py": b"2", "b.py": b"1"}},
        {"a.zip": {"a.py": b"1"}, "b.zip": {"b.py": b"2"}},
        {"a.zip": {"a.py": b"12", "b.py": b""}},
    ]
    assert len({content_hash(each) for each in [one, *others]}) == 5
    compiled = {"a.zip": one["a.zip"] | {"a.pyc": b"1"}}
    assert content_hash(compiled) == content_hash({"a.zip": one["a.zip"] | {"a.pyc": b"2"}}) != content_hash(one)


# --- Contents --------------------------------------------------------------------------------------------------------


def test_each_rule_ships_as_its_module_alone_and_its_bytecode(made: Package) -> None:
    for folder in rule_folders():
        source = (folder.path / f"{folder.name}.py").read_bytes()
        shipped = content_of(made.files[f"{folder.config_rule_name}.zip"])
        compiled = {f"__pycache__/{folder.name}.{TAG}.pyc"} if python_of(RUNTIME) else set()
        assert shipped.keys() == {f"{folder.name}.py"} | compiled
        assert shipped[f"{folder.name}.py"] == source
    others = {name for name in made.files if "/" not in name} - {
        f"{each.config_rule_name}.zip" for each in rule_folders()
    }
    assert others == {"layer.zip"}


def imported(content: bytes) -> set[str]:
    """The packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_nothing_that_ships_imports_what_a_persons_machine_has(made: Package) -> None:
    """Neither the layer nor a function knows the commands: what they learn costs no cold start."""
    theirs = {"backup_rules_cli", "aws_simulator", "demo_organization", "moto", "click", "rich", "yaml"}
    modules = 0
    for path in made.files.values():
        with zipfile.ZipFile(path) as archive:
            for name in (each for each in archive.namelist() if each.endswith(".py")):
                modules += 1
                assert not imported(archive.read(name)) & theirs, name
    assert modules > 100


IMPORT_COMPILED = """
import ast, importlib.machinery, importlib.util, sys
from pathlib import Path
layer, *rules = map(Path, sys.argv[1:])
def refuse(self, data, path, **options):
    raise AssertionError(f"{path} is compiled")
importlib.machinery.SourceFileLoader.source_to_code = refuse
modules = [*layer.rglob("*.py"), *(rule / f"{rule.name}.py" for rule in rules)]
for path in modules:
    importlib.machinery.SourceFileLoader("any", str(path)).get_code("any")
print(len(modules))
"""


@has_runtime
def test_the_runtime_compiles_nothing_of_layer_and_rules(made: Package, tmp_path: Path) -> None:
    folders = [tmp_path / "layer", *(tmp_path / each.name for each in rule_folders())]
    for folder, name in zip(folders, ("layer", *(each.config_rule_name for each in rule_folders())), strict=True):
        with zipfile.ZipFile(made.files[f"{name}.zip"]) as archive:
            archive.extractall(folder)
    command = [str(python_of(RUNTIME)), "-I", "-c", IMPORT_COMPILED, str(tmp_path / "layer" / "python")]
    command += map(str, folders[1:])
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={})  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 80
    (changed,) = (folder for folder in folders if folder.name == "BACKUP_TAG_CASE")
    (changed / "BACKUP_TAG_CASE.py").write_text("edited = True", encoding="utf-8")
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={})  # noqa: S603
    assert "BACKUP_TAG_CASE.py is compiled" in ended.stderr, "an edited function is not what its bytecode says"


def test_without_a_python_of_the_runtime_only_sources_ship_and_that_is_said(
    made: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for where in (module, bytecode):
        monkeypatch.setattr(where, "python_of", lambda _: None)
    assert main(["package", "--destination", str(tmp_path / "package")]) == 0
    assert f"This machine has no {RUNTIME}, so the zips hold no bytecode for it" in capsys.readouterr().out
    for name, path in made.files.items():
        sources = {file: content for file, content in content_of(path).items() if not file.endswith(".pyc")}
        assert content_of(tmp_path / "package" / name) == sources


def test_what_cannot_be_compiled_is_not_packed(tree: Path, tmp_path: Path) -> None:
    if python_of(RUNTIME) is None:
        pytest.skip(f"this machine has no {RUNTIME}")
    (tree / "rules" / "BACKUP_TAG_CASE" / "BACKUP_TAG_CASE.py").write_text("def broken(", encoding="utf-8")
    with pytest.raises(PackageError, match=r"(?s)python3.13 cannot compile what is to be packed: .*BACKUP_TAG_CASE.py"):
        package(tmp_path / "package")


def test_zips_are_below_their_limits(made: Package) -> None:
    """The commands to explain, to save and to report are in none of them."""
    sizes = {name: path.stat().st_size for name, path in made.files.items()}
    rules = {f"{folder.config_rule_name}.zip" for folder in rule_folders()}
    assert max(sizes[name] for name in rules) <= 10 * 1024
    assert sizes["layer.zip"] <= 928 * 1024


def test_the_layer_ships_the_shared_library_rdklib_tzdata_and_their_licences(made: Package) -> None:
    shipped = content_of(made.files["layer.zip"])
    shared = ROOT / "layer" / "backup_rules"
    own = {f"python/backup_rules/{path.relative_to(shared).as_posix()}" for path in shared.rglob("*.py")}
    third = {
        f"python/{file.as_posix()}"
        for name in ("rdklib", "tzdata")
        for file in distribution(name).files or ()
        if file.parts[0] == name and file.suffix != ".pyc"
    }
    licences = {
        f"python/rdklib-{RDKLIB}.dist-info/licenses/LICENSE",
        f"python/rdklib-{RDKLIB}.dist-info/licenses/NOTICE",
        f"python/tzdata-{version('tzdata')}.dist-info/licenses/LICENSE",
        f"python/tzdata-{version('tzdata')}.dist-info/licenses/licenses/LICENSE_APACHE",
    }
    bare = {name for name in shipped if not name.endswith(".pyc")}
    assert bare == own | third | licences
    modules = {name for name in bare if name.endswith(".py")}
    compiled = {
        "{0}/__pycache__/{2}".format(*name.removesuffix("py").rpartition("/")) + f"{TAG}.pyc" for name in modules
    }
    assert set(shipped) - bare == (compiled if python_of(RUNTIME) else set())
    assert (
        shipped["python/backup_rules/selections/near_misses.py"]
        == (shared / "selections" / "near_misses.py").read_bytes()
    )
    assert "python/tzdata/zoneinfo/Europe/Berlin" in shipped
    assert not [name for name in shipped if "test" in name or "boto" in name]


def test_each_function_ships_its_modules_and_what_it_can_say_about_the_rules(tree: Path, tmp_path: Path) -> None:
    folder = tree / "functions" / "example_function"
    folder.mkdir(parents=True)
    (folder / "example_function.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    (folder / "README.md").write_text("not shipped", encoding="utf-8")
    made = package(tmp_path / "package")
    shipped = content_of(made.files["functions/example_function.zip"])
    assert set(shipped) == {"example_function.py", "rules.json"}
    rules = json.loads(shipped["rules.json"])
    assert set(rules) == {each.config_rule_name for each in rule_folders()}
    (tag_case,) = rule_folders("BACKUP_TAG_CASE")
    assert rules["backup-tag-case"] == {
        "Name": "BACKUP_TAG_CASE",
        **{key: tag_case.about[key] for key in ("Title", "Severity", "Condition", "Remediation")},
    }


def test_a_package_without_functions_has_none(tree: Path, tmp_path: Path) -> None:
    shutil.rmtree(tree / "functions", ignore_errors=True)
    assert not [name for name in package(tmp_path / "package").files if name.startswith("functions/")]


def test_the_manifest_tells_hash_and_size_of_each_zip(made: Package) -> None:
    folder = made.files["layer.zip"].parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["hash"] == made.hash
    assert len(made.hash) == 16
    assert set(manifest["files"]) == set(made.files)
    assert {name: entry["bytes"] for name, entry in manifest["files"].items()} == {
        name: path.stat().st_size for name, path in made.files.items()
    }
    on_disk = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert on_disk == {*made.files, "manifest.json"}


IMPORT_ALL = """
import importlib, pkgutil, sys, zoneinfo
sys.path[:0] = sys.argv[1:3]
import backup_rules
for module in pkgutil.walk_packages(backup_rules.__path__, "backup_rules."):
    importlib.import_module(module.name)
zoneinfo.reset_tzpath(())
zoneinfo.ZoneInfo("Europe/Berlin")
sys.path[:0] = sys.argv[3:]
for path in sys.argv[3:]:
    rule = path.rpartition("/")[2]
    print(importlib.import_module(rule).lambda_handler.__module__)
"""


def test_the_layer_and_each_rule_import_in_a_bare_interpreter(made: Package, tmp_path: Path) -> None:
    with zipfile.ZipFile(made.files["layer.zip"]) as layer:
        layer.extractall(tmp_path / "layer")
    for folder in rule_folders():
        with zipfile.ZipFile(made.files[f"{folder.config_rule_name}.zip"]) as rule:
            rule.extractall(tmp_path / folder.name)
    path: list[Path] = [tmp_path / "layer" / "python", runtime_folder(tmp_path / "runtime")]
    command: list[str | Path] = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        IMPORT_ALL,
        *path,
        *(tmp_path / each.name for each in rule_folders()),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=tmp_path)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [each.name for each in rule_folders()]


# --- Refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "size", "message"),
    [
        ("rules/BACKUP_TAG_CASE/BACKUP_TAG_CASE.py", 25_000, "backup-tag-case.zip has .* at most 20,480 are allowed"),
        ("layer/backup_rules/selections/near_misses.py", 800_000, "layer.zip has .* at most 1,048,576 are allowed"),
    ],
    ids=["a rule", "the layer"],
)
def test_a_zip_that_is_too_large_is_refused(tree: Path, tmp_path: Path, path: str, size: int, message: str) -> None:
    (tree / path).write_bytes(incompressible(size))
    destination = tmp_path / "package"
    with pytest.raises(PackageError, match=message):
        package(destination)
    assert not destination.exists()


def test_a_version_that_is_not_the_pinned_one_is_refused(tree: Path, tmp_path: Path) -> None:
    lock = tree / "requirements.lock"
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text.replace(f"rdklib=={RDKLIB}", "rdklib==0.0.1"), encoding="utf-8")
    with pytest.raises(PackageError, match=re.escape(f"rdklib {RDKLIB} is installed, but requirements.lock has 0.0.1")):
        package(tmp_path / "package")
    lock.write_text(text.replace(f"rdklib=={RDKLIB}", "rdklib-too==0.0.1"), encoding="utf-8")
    with pytest.raises(PackageError, match="has no version of rdklib"):
        package(tmp_path / "package")


@pytest.mark.parametrize("change", ["a changed file", "not installed"])
def test_a_library_that_is_not_as_published_is_refused(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    if change == "not installed":
        monkeypatch.setattr(module, "THIRD_PARTIES", ("rdklib", "a-distribution"))
        monkeypatch.setattr(module, "_locked", {"rdklib": RDKLIB, "a-distribution": "1.0"}.__getitem__)
        expected = "a-distribution 1.0 is not installed"
    else:
        installed = Path(str(distribution("rdklib").locate_file("")))
        for name in ("rdklib", f"rdklib-{RDKLIB}.dist-info"):
            shutil.copytree(installed / name, tmp_path / "site" / name)
        (tmp_path / "site" / "rdklib" / "errors.py").write_text("# changed\n", encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path / "site")
        expected = f"rdklib/errors.py is not as rdklib {RDKLIB} was published"
    with pytest.raises(PackageError, match=expected):
        package(tmp_path / "package")


def test_a_failure_leaves_the_last_package_as_it_was(tree: Path, tmp_path: Path) -> None:
    destination = tmp_path / "build" / "package"
    before = bytes_of(package(destination))
    (tree / "rules" / "BACKUP_TAG_CASE" / "BACKUP_TAG_CASE.py").write_bytes(incompressible(25_000))
    with pytest.raises(PackageError):
        package(destination)
    assert {
        path.relative_to(destination).as_posix(): path.read_bytes() for path in destination.rglob("*.zip")
    } == before
    assert [path.name for path in destination.parent.iterdir()] == ["package"]


def test_a_new_package_takes_the_place_of_the_last_one_whole(tree: Path, tmp_path: Path) -> None:
    destination = tmp_path / "build" / "package"
    package(destination)
    shutil.rmtree(tree / "rules" / "BACKUP_TAG_CASE")
    package(destination)
    assert not (destination / "backup-tag-case.zip").exists()
    assert [path.name for path in destination.parent.iterdir()] == ["package"]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert main(["package", "--destination", str(tmp_path)]) == 2
    assert "holds something that is no package" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_command_prints_sizes_limits_and_the_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    destination = tmp_path / "package"
    assert main(["package", "--destination", str(destination)]) == 0
    lines = capsys.readouterr().out.splitlines()
    manifest = json.loads((destination / "manifest.json").read_text(encoding="utf-8"))
    assert f"hash {manifest['hash']}" in lines
    sizes = {line.split()[0]: line.split()[1:] for line in lines if ".zip" in line}
    assert sizes["layer.zip"] == [f"{manifest['files']['layer.zip']['bytes']:,}", "1,048,576"]
    assert sizes["backup-tag-case.zip"][1] == "20,480"
    assert set(sizes) == set(manifest["files"])


def test_zipped_reads_back(tmp_path: Path) -> None:
    given = {"b/c.py": b"c", "a.py": b"a" * 1000}
    with zipfile.ZipFile(io.BytesIO(zipped(given))) as archive:
        assert archive.namelist() == ["a.py", "b/c.py"]
        assert {name: archive.read(name) for name in archive.namelist()} == given
