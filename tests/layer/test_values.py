"""A quickly made dataclass is in nothing but speed unlike the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import ClassVar

import pytest

from backup_rules.values import dataclass


@dataclass(frozen=True, slots=True)
class Quick:
    """What it holds."""

    name: str
    days: int = 1
    others: tuple[str, ...] = ()

    @property
    def shout(self) -> str:
        return self.name.upper()

    @classmethod
    def of(cls, name: str) -> Quick:
        return cls(name)


@dataclass(frozen=True, slots=True)
class Alike:
    name: str
    days: int = 1
    others: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Original:
    """What it holds."""

    name: str
    days: int = 1
    others: tuple[str, ...] = ()


def test_it_is_made_and_printed_as_the_original() -> None:
    for given, named in ((("a",), {}), (("a", 2), {}), ((), {"name": "a", "others": ("b",)})):
        quick, original = Quick(*given, **named), Original(*given, **named)  # type: ignore[arg-type]
        assert repr(quick) == repr(original).replace("Original", "Quick")
        assert dataclasses.astuple(quick) == dataclasses.astuple(original)
        assert hash(quick) == hash(original)
    assert inspect.signature(Quick) == inspect.signature(Original)
    assert Quick.of("a").shout == "A"
    assert Quick.__doc__ == Original.__doc__
    for wrong in ((), ("a", 1, (), "more")):
        with pytest.raises(TypeError, match="__init__"):
            Quick(*wrong)


def test_it_compares_as_the_original() -> None:
    assert Quick("a") == Quick("a", 1)
    assert Quick("a") != Quick("a", 2)
    others: tuple[object, ...] = (Alike("a"), Original("a"), ("a", 1, ()))
    assert all(Quick("a") != other for other in others)
    assert len({Quick("a"), Quick("a", 1), Quick("b"), Alike("a")}) == 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(Quick("a", others=[]))  # type: ignore[arg-type]


def test_it_is_frozen_and_has_no_room_for_more() -> None:
    quick = Quick("a")
    for name in ("name", "more"):
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(quick, name, "b")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'name'"):
        del quick.name
    assert not hasattr(quick, "__dict__")


def test_the_standard_library_knows_its_fields() -> None:
    quick = Quick("a", 2)
    assert dataclasses.is_dataclass(Quick)
    assert [each.name for each in dataclasses.fields(Quick)] == ["name", "days", "others"]
    assert dataclasses.replace(quick, days=3) == Quick("a", 3)
    assert dataclasses.asdict(quick) == {"name": "a", "days": 2, "others": ()}
    assert pickle.loads(pickle.dumps(quick)) == copy.copy(quick) == copy.deepcopy(quick) == quick  # noqa: S301
    match quick:
        case Quick(name, days):
            assert (name, days) == ("a", 2)


def test_what_is_not_plain_is_left_to_the_standard_library() -> None:
    @dataclass(frozen=True, slots=True)
    class Inherits(Quick):
        more: int = 0

    @dataclass(frozen=True, slots=True)
    class Counts:
        of_class: ClassVar[int] = 3
        list_of: list[int] = dataclasses.field(default_factory=list)

    @dataclass
    class Open:
        name: str

    assert Inherits("a", more=2) == Inherits("a", 1, (), 2)
    assert Counts() == Counts([])
    assert Counts.of_class == 3
    opened = Open("a")
    opened.name = "b"
    assert opened == Open("b")
