"""Readings as files: JSON, compressed where the name ends in `.gz`. Only the person who made one may read it."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from backup_rules.arns import Place
from backup_rules_cli.errors import CommandError
from backup_rules_cli.readings.reading import Answered, PlaceRead, Question, Reading, Refusal, from_json

FORMAT, VERSION = "a reading of backup-rules", 1


def save(reading: Reading, path: Path) -> None:
    """Write the reading.

    Raises:
        CommandError: the file cannot be written.
    """
    text = json.dumps(_document(reading), ensure_ascii=False, separators=(",", ":")) + "\n"
    data = text.encode("utf-8", "surrogatepass")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)  # a file that was there already may have been anyone's
            file.write(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    except OSError as error:
        raise CommandError(f"The reading {path} cannot be written: {error.strerror}.") from None


def load(path: Path) -> Reading:
    """What `save` wrote.

    Raises:
        CommandError: it cannot be read, is none, or is of a later version.
    """
    foreign = f"{path} is no reading: backup-rules evaluate --save writes one."
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "surrogatepass")
        document = json.loads(text)
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError, RecursionError):
        raise CommandError(foreign) from None
    except OSError as error:
        raise CommandError(f"The reading {path} cannot be read: {error.strerror}.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CommandError(foreign)
    if document.get("version") != VERSION:
        raise CommandError(
            f"The reading {path} is of version {document.get('version')!r}; this backup-rules knows {VERSION}. Take the"
            " backup-rules that wrote it, or a later one."
        )
    try:
        return _reading(document)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise CommandError(f"The reading {path} is damaged ({said[:120]}). Evaluate again with --save.") from None


def _document(reading: Reading) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "read_at": reading.read_at.isoformat(),
        "source": reading.source,
        "account_names": reading.names,
        "failures": reading.failures,
        "places": [
            {
                "partition": each.place.partition,
                "account": each.place.account,
                "region": each.place.region,
                "answers": [_answer(asked, answered) for asked, answered in sorted(each.answers.items(), key=_first)],
            }
            for each in reading.places
        ],
    }


def _first(item: tuple[Question, Answered]) -> Question:
    return item[0]


def _answer(asked: Question, answered: Answered) -> dict[str, Any]:
    service, operation, parameters = asked
    refusal = answered.refusal
    refused = {"kind": refusal.kind, "code": refusal.code, "message": refusal.message} if refusal else None
    return {
        "service": service,
        "operation": operation,
        "parameters": json.loads(parameters),
        "pages": answered.pages,
        "whole": answered.whole,
        **({"refusal": refused} if refused else {}),
    }


def _reading(document: Mapping[str, Any]) -> Reading:
    moment = datetime.fromisoformat(document["read_at"])
    if moment.tzinfo is None:
        raise ValueError("read_at has no time zone")
    names = {str(key): str(value) for key, value in document["account_names"].items()}
    failures = [(str(account), str(region), str(why)) for account, region, why in document["failures"]]
    places = [_place(each) for each in document["places"]]
    return Reading(moment, str(document["source"]), names, places, failures)


def _place(document: Mapping[str, Any]) -> PlaceRead:
    where = Place(str(document["partition"]), str(document["account"]), str(document["region"]))
    return PlaceRead(where, dict(map(_answered, document["answers"])))


def _answered(document: Mapping[str, Any]) -> tuple[Question, Answered]:
    asked = json.dumps(document["parameters"], sort_keys=True, ensure_ascii=False)
    if not isinstance(document["pages"], list) or not isinstance(document["parameters"], dict):
        raise TypeError("pages are no list, or parameters no object")
    from_json(document["pages"])  # what it holds can be read
    refused = document.get("refusal")
    refusal = Refusal(str(refused["kind"]), str(refused["code"]), str(refused["message"])) if refused else None
    whole = document["whole"] is True
    if whole and not document["pages"]:
        raise ValueError("an answer without a page")
    return (str(document["service"]), str(document["operation"]), asked), Answered(document["pages"], refusal, whole)
