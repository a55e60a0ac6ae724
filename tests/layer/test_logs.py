"""Log lines: one JSON object each, whole, also when several threads write at once."""

from __future__ import annotations

import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from backup_rules.logs import log


class _Writes(io.StringIO):
    """Standard output that keeps what each write gave it: between two writes another thread may write."""

    def __init__(self) -> None:
        super().__init__()
        self.each: list[str] = []

    def write(self, text: str) -> int:
        self.each.append(text)
        return super().write(text)


def test_a_line_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    written = _Writes()
    monkeypatch.setattr(sys, "stdout", written)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: log("INFO", "evaluation put", number=number), range(200)))
    assert sorted(json.loads(line)["number"] for line in written.each) == list(range(200))
    assert all(line.endswith("}\n") for line in written.each)


def test_what_json_does_not_know_is_written_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    log("ERROR", "évaluation", of={"a"})
    assert json.loads(capsys.readouterr().out) == {"level": "ERROR", "message": "évaluation", "of": "{'a'}"}
