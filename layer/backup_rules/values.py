"""`dataclass` as the standard library has it, made in a third of the time: else it is most of a cold start.

Of a plain frozen dataclass with slots only `__init__` is compiled at once, `__eq__` and `__hash__` when first called.
What the standard library knows of the fields, for `replace` and the like, it is asked for when somebody wants it.
Whatever is not plain (other options, a field with settings, a base class) is left to it; type checkers see the same.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - for those who import it from here
else:

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:
        """As `dataclasses.dataclass`."""
        if cls is None and options == {"frozen": True, "slots": True}:
            return _made
        return dataclasses.dataclass(cls, **options)


_BY_HAND = frozenset({"__init__", "__post_init__", "__eq__", "__hash__", "__repr__", "__slots__", "__setattr__"})
_COMPARED = "if other.__class__ is not self.__class__:\n  return NotImplemented\n return ({its}) == ({others})"


def _made(cls: type) -> type:
    """The class with slots, and with the methods of a frozen dataclass."""
    names = tuple(cls.__annotations__)
    if not _is_plain(cls, names):
        return dataclasses.dataclass(frozen=True, slots=True)(cls)
    defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    left_out = {*names, "__dict__", "__weakref__"}
    body = {name: value for name, value in cls.__dict__.items() if name not in left_out}
    made = type(cls.__name__, (), {**body, **_SHARED, "__slots__": names, "__match_args__": names})
    made.__qualname__ = cls.__qualname__
    its, others = ("".join(f"{whose}.{name}," for name in names) for whose in ("self", "other"))
    methods: dict[str, Any] = {
        "__init__": _init(made, cls, names, defaults),
        "__eq__": _when_called(made, "__eq__", "self, other", _COMPARED.format(its=its, others=others)),
        "__hash__": _when_called(made, "__hash__", "self", f"return hash(({its}))"),
        "__dataclass_fields__": _OfOriginal(cls, "__dataclass_fields__"),
        "__dataclass_params__": _OfOriginal(cls, "__dataclass_params__"),
    }
    for name, method in methods.items():
        setattr(made, name, method)
    return made


def _is_plain(cls: type, names: tuple[str, ...]) -> bool:
    own = cls.__dict__
    return (
        bool(names)
        and cls.__bases__ == (object,)
        and own.keys().isdisjoint(_BY_HAND)
        and not any(isinstance(own.get(name), dataclasses.Field) for name in names)
        and not any("ClassVar" in str(each) for each in cls.__annotations__.values())
    )


def _compiled(made: type, name: str, given: str, body: str, known: Mapping[str, object]) -> Callable[..., Any]:
    """A method of that name. Its names are those of the fields, which are code already, and of `known`."""
    found: dict[str, Any] = {}
    exec(f"def {name}({given}):\n {body}", dict(known), found)  # noqa: S102 - as the standard library does
    method: Callable[..., Any] = found[name]
    method.__qualname__ = f"{made.__qualname__}.{name}"
    return method


def _init(made: type, cls: type, names: tuple[str, ...], defaults: Mapping[str, object]) -> Callable[..., Any]:
    given = ", ".join(f"{name}=default_{name}" if name in defaults else name for name in names)
    body = ";".join(f"set_{name}(self, {name})" for name in names)
    setters = {f"set_{name}": getattr(made, name).__set__ for name in names}
    method = _compiled(
        made, "__init__", f"self, {given}", body, setters | {f"default_{k}": v for k, v in defaults.items()}
    )
    method.__annotations__ = {**cls.__annotations__, "return": None}
    method.__module__ = cls.__module__
    return method


def _when_called(made: type, name: str, given: str, body: str) -> Callable[..., Any]:
    """A method that is compiled by its first call, and then takes its own place."""

    def first(*arguments: object) -> Any:
        method = _compiled(made, name, given, body, {})
        setattr(made, name, method)
        return method(*arguments)

    return first


class _OfOriginal:
    """A fact that the standard library notes about a dataclass: of the original class, made a dataclass when asked."""

    def __init__(self, cls: type, fact: str) -> None:
        self._cls, self._fact = cls, fact

    def __get__(self, _: object, made: type) -> Any:
        if self._fact not in self._cls.__dict__:
            dataclasses.dataclass(frozen=True)(self._cls)
        value = getattr(self._cls, self._fact)
        setattr(made, self._fact, value)
        return value


def _repr(self: Any) -> str:
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
    return f"{self.__class__.__qualname__}({values})"


def _refuse_to_set(_: object, name: str, value: object) -> None:  # noqa: ARG001 - Python gives it
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, name) for name in self.__slots__]


def _restore(self: Any, state: list[object]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        object.__setattr__(self, name, value)


_SHARED = {
    "__repr__": _repr,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _state,
    "__setstate__": _restore,
}
