"""`backup-rules package`: what AWS Lambda runs, as zips: one per rule, one layer, one per folder of `functions/`.

Rules and layer hold bytecode as well, where this machine has a Python of the runtime's version. The functions beside
the rules do not, as nobody waits for them.

The same sources give the same bytes, wherever and whenever they are packed (by the same zlib, and with bytecode of the
same Python). The name that a deployment gives to a package is its hash, over the names of all files and the contents of
all but bytecode, which follows from the sources: it does not depend on how they were compressed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path

from backup_rules_cli.bytecode import FUNCTION_MOUNT, LAYER_MOUNT, SUFFIX, bytecode, python_of
from backup_rules_cli.catalogue import rule_folders
from backup_rules_cli.errors import CommandError
from backup_rules_cli.resources import IN_CHECKOUT, ROOT
from backup_rules_cli.templates.compliance_events import RUNTIME

DEFAULT_DESTINATION = Path("build", "package")
MANIFEST = "manifest.json"
LAYER = "layer.zip"

SHARED = "backup_rules"
THIRD_PARTIES = ("rdklib", "tzdata")
"""Distributions of which the layer ships the package of the same name. boto3 comes with the Lambda runtime."""

FUNCTION_LIMIT, LAYER_LIMIT = 20 * 1024, 1024 * 1024
"""Bytes of a zip. These are the project's own limits, far below Lambda's: a cold start pays for each byte."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold."""
_REGULAR_FILE, _UNIX = 0o100644, 3

Contents = Mapping[str, bytes]
"""What a zip holds: the content by name."""


class PackageError(CommandError):
    """The package cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Package:
    """A package as it lies on disk."""

    hash: str
    """16 hexadecimal digits of a SHA-256 over the names of all files in all zips, and what is in them but bytecode."""
    files: Mapping[str, Path]
    """The zips by their names relative to the package: `layer.zip`, `backup-tag-case.zip`, `functions/….zip`."""
    without_bytecode: frozenset[str] = frozenset()
    """The runtimes for which this machine has no Python that could make bytecode."""


def package(destination: Path = DEFAULT_DESTINATION) -> Package:
    """Pack everything into the folder `destination`, which is replaced as a whole or, on a failure, left as it is.

    Raises:
        PackageError: when a zip is too large, a module cannot be compiled, a distribution is not the pinned one, or
            `destination` holds something that is no package.
    """
    contents = {
        **{f"{name}.zip": files for name, files in _rules().items()},
        LAYER: _layer(),
        **{f"functions/{name}.zip": files for name, files in _functions().items()},
    }
    zips = {name: zipped(contents[name]) for name in sorted(contents)}
    for name, content in zips.items():
        limit = limit_of(name)
        if len(content) > limit:
            raise PackageError(f"{name} has {len(content):,} bytes; at most {limit:,} are allowed.")
    digest = content_hash(contents)
    _replace(destination, {**zips, MANIFEST: _manifest(digest, zips)})
    without = frozenset(each for each in _runtimes() if python_of(each) is None)
    return Package(digest, {name: destination / name for name in zips}, without)


def limit_of(name: str) -> int:
    """How many bytes a zip may have."""
    return LAYER_LIMIT if name == LAYER else FUNCTION_LIMIT


def zipped(contents: Contents) -> bytes:
    """A zip that depends on names and contents only: sorted, without folders, with fixed times and modes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _REGULAR_FILE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, contents[name], compresslevel=9)
    return buffer.getvalue()


def content_hash(contents: Mapping[str, Contents]) -> str:
    """The first 16 hexadecimal digits of a SHA-256 over the names of all zips and files, and what is in the files.

    Of bytecode only that it is there: another patch of the same Python may make other bytes of the same source.
    """
    whole = hashlib.sha256()
    for archive in sorted(contents):
        for name in sorted(contents[archive]):
            content = "" if name.endswith(SUFFIX) else hashlib.sha256(contents[archive][name]).hexdigest()
            whole.update(json.dumps([archive, name, content]).encode())
    return whole.hexdigest()[:16]


def _runtimes() -> tuple[str, ...]:
    """All runtimes that load the layer."""
    return tuple(sorted({RUNTIME, *(folder.runtime for folder in rule_folders())}))


def _bytecode(sources: Contents, runtime: str, mount: str) -> dict[str, bytes]:
    """What the runtime would compile of these files.

    Raises:
        PackageError: a module cannot be compiled.
    """
    try:
        return bytecode(sources, runtime, mount)
    except ValueError as error:
        raise PackageError(f"{runtime} cannot compile what is to be packed: {error}") from error


def _rules() -> dict[str, Contents]:
    folders = rule_folders()
    sources = {each: {f"{each.name}.py": (each.path / f"{each.name}.py").read_bytes()} for each in folders}
    compiled: dict[str, bytes] = {}
    for runtime in sorted({each.runtime for each in folders}):
        modules = [modules for each, modules in sources.items() if each.runtime == runtime]
        compiled |= _bytecode(dict(ChainMap(*modules)), runtime, FUNCTION_MOUNT)
    return {
        each.config_rule_name: {
            **modules,
            **{name: content for name, content in compiled.items() if Path(name).name.startswith(f"{each.name}.")},
        }
        for each, modules in sources.items()
    }


def _functions() -> dict[str, Contents]:
    about = _rules_for_readers()
    found: dict[str, Contents] = {}
    for folder in sorted((ROOT / "functions").glob("*/")):
        modules = {path.name: path.read_bytes() for path in sorted(folder.glob("*.py"))}
        if modules:
            found[folder.name] = {**modules, "rules.json": about}
    return found


def _rules_for_readers() -> bytes:
    """What a function can say about a rule, by the rule's name in AWS Config."""
    about = {
        folder.config_rule_name: {
            "Name": folder.name,
            **{key: folder.about[key] for key in ("Title", "Severity", "Condition", "Remediation")},
        }
        for folder in rule_folders()
    }
    return (json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _layer() -> Contents:
    shared = ROOT / "layer" / SHARED if IN_CHECKOUT else ROOT.parents[1] / SHARED
    own = {f"{path.relative_to(shared.parent).as_posix()}": path.read_bytes() for path in sorted(shared.rglob("*.py"))}
    files = own | {name: content for each in THIRD_PARTIES for name, content in _third_party(each).items()}
    sources = {f"python/{name}": content for name, content in files.items()}
    return dict(ChainMap(sources, *(_bytecode(sources, each, LAYER_MOUNT) for each in _runtimes())))


def _third_party(name: str) -> Contents:
    """The package of an installed distribution, as it was published, and its licences."""
    locked = _locked(name)
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        raise PackageError(f"{name} {locked or ''} is not installed. Run `make setup`.") from None
    if locked not in (None, installed.version):
        raise PackageError(
            f"{name} {installed.version} is installed, but requirements.lock has {locked}. Run `make setup`."
        )
    return {file.as_posix(): _published(installed, file) for file in installed.files or () if _ships(file, name)}


def _locked(name: str) -> str | None:
    """The version in the checkout's lock; an installed copy has none, and takes what it was installed with."""
    if not IN_CHECKOUT:
        return None
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(name)}==([^ ;\\]+)", lock, re.MULTILINE)
    if found is None:
        raise PackageError(f"requirements.lock has no version of {name}.")
    return found[1]


def _ships(file: PackagePath, name: str) -> bool:
    if file.parts[0] == name:
        return "__pycache__" not in file.parts
    return file.parts[0].endswith(".dist-info") and file.parts[1] == "licenses"


def _published(installed: Distribution, file: PackagePath) -> bytes:
    content = Path(str(installed.locate_file(file))).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    if file.hash is None or (file.hash.mode, file.hash.value) != ("sha256", digest):
        raise PackageError(
            f"{file} is not as {installed.name} {installed.version} was published. Run `make clean setup`."
        )
    return content


def _manifest(digest: str, zips: Contents) -> bytes:
    files = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in zips.items()
    }
    return (json.dumps({"hash": digest, "files": files}, indent=1) + "\n").encode()


def _replace(destination: Path, files: Contents) -> None:
    """Writes the files beside `destination`, and then puts them in its place."""
    if destination.exists() and not (destination / MANIFEST).is_file() and any(destination.iterdir()):
        raise PackageError(f"{destination} holds something that is no package. Name another destination, or empty it.")
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}-") as folder:
        made, old = Path(folder, "made"), Path(folder, "old")
        for name, content in files.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(content)
        if destination.exists():
            destination.rename(old)
        try:
            made.rename(destination)
        except OSError:
            if old.exists():
                old.rename(destination)
            raise


def as_table(made: Package) -> str:
    """The zips with their sizes and limits in bytes, and the hash."""
    width = max(map(len, made.files))
    rows = [f"{'file':{width}} {'bytes':>9} {'limit':>9}"]
    rows += [f"{name:{width}} {path.stat().st_size:>9,} {limit_of(name):>9,}" for name, path in made.files.items()]
    missing = [
        f"This machine has no {runtime}, so the zips hold no bytecode for it: a cold start takes some 60 ms longer."
        for runtime in sorted(made.without_bytecode)
    ]
    return "\n".join([*rows, f"hash {made.hash}", *missing])
