"""Values: what ``dataclass(slots=True)``, ``frozen`` or not, makes, in a tenth of the time.

That one compiles up to six functions for each class, half a millisecond to one and a half; a
command loads forty such classes, which was as much as Python takes to start. Here one is compiled,
the initializer, when the first value is made, which most of a command's classes are never asked
for; the others are shared. To type checkers, ``fields``, ``replace`` and ``asdict`` these are
dataclasses like any other. Their ``repr`` is one line that tells a value from others.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import cache
from reprlib import Repr
from typing import Any, TypeVar, dataclass_transform

WIDTH = 120
"""Characters that ``repr`` gives, at most."""

_Class = TypeVar("_Class")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[_Class]) -> type[_Class]:
    """Make a class a frozen, slotted dataclass that is compared and hashed by its fields."""
    return _make(cls, {**_SHARED, **_OF_FROZEN})


@dataclass_transform(field_specifiers=(field,))
def mutable(cls: type[_Class]) -> type[_Class]:
    """Make a class a slotted dataclass whose fields may be set; it is compared by them."""
    return _make(cls, _SHARED)


def _make(cls: type[_Class], methods: dict[str, Any]) -> type[_Class]:
    cls.__doc__ = cls.__doc__ or cls.__name__  # else its signature is sought, which takes long
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for name, method in {**methods, "__init__": _put_off_initializer(made)}.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made


def _put_off_initializer(cls: type[Any]) -> Any:
    """Make an ``__init__`` that has the real one compiled and put in its place."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        cls.__init__ = _compile_initializer(cls)
        cls.__init__(self, *args, **kwargs)

    return __init__


class _Signature:
    """What ``inspect.signature`` asks a class for: the parameters of the real initializer."""

    def __get__(self, _: object, cls: type[Any]) -> Any:
        from inspect import signature

        made = signature(_compile_initializer(cls))
        return made.replace(parameters=[*made.parameters.values()][1:])


def _compile_initializer(cls: type[Any]) -> Any:
    """Compile ``__init__``: it sets the slots directly, for the class refuses assignments."""
    known: dict[str, Any] = {}
    parameters: list[str] = []
    body = [" pass"]
    for each in fields(cls):
        name = each.name
        known[f"set_{name}"] = getattr(cls, name).__set__
        default, value = _default(each, known)
        if each.init:
            parameters.append(f"{name}={default}" if default else name)
        elif not value:
            continue  # `__post_init__` sets it
        body.append(f" set_{name}(self, {value or name})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    exec(f"def __init__(self, {', '.join(parameters)}):\n{chr(10).join(body)}", known)
    made = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {each.name: each.type for each in fields(cls) if each.init}
    return made


def _default(each: Field[Any], known: dict[str, Any]) -> tuple[str, str]:
    """Give the default of a parameter and what its slot is set to, as source; both may be empty."""
    name = each.name
    if each.default_factory is not MISSING:
        known |= {f"make_{name}": each.default_factory, "MISSING": MISSING}
        made = f"make_{name}()"
        return "MISSING", f"{made} if {name} is MISSING else {name}" if each.init else made
    if each.default is not MISSING:
        known[f"default_{name}"] = each.default
        return f"default_{name}", "" if each.init else f"default_{name}"
    return "", ""


@cache
def _compared(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls) if each.compare)


def _values(self: Any) -> tuple[Any, ...]:
    cls: Any = type(self)
    return tuple([getattr(self, name) for name in _compared(cls)])


def _equal(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self is other or _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse_setting(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


_TEXTS = Repr()
_TEXTS.maxstring = _TEXTS.maxother = 40


def _one_line(self: Any) -> str:
    """Render a value by what is known in it, field by field as far as ``WIDTH`` goes.

    Longer texts are cut, of what holds several only the number is given, what is None or empty is
    left out.
    """
    text, end = f"{type(self).__name__}(", ")"
    for each in fields(self):
        value = getattr(self, each.name)
        if not each.repr or value is None or value in ("", b"", (), [], {}):
            continue
        known = f"{', ' * (not text.endswith('('))}{each.name}={_short(value)}"
        if len(text) + len(known) > WIDTH - len(", …)"):
            end = ", …)"
            break
        text += known
    return text + end


def _short(value: object) -> str:
    if isinstance(value, tuple | list | dict | set | frozenset):
        return f"<{len(value)}>"
    if hasattr(type(value), "__dataclass_fields__"):
        return f"{type(value).__name__}(…)"
    return _TEXTS.repr(value)


_SHARED = {
    "__eq__": _equal,
    "__hash__": None,
    "__repr__": _one_line,
    "__signature__": _Signature(),
}
_OF_FROZEN = {
    "__hash__": _hash,
    "__setattr__": _refuse_setting,
    "__delattr__": _refuse_deleting,
    "__getstate__": _state,
    "__setstate__": _restore,
}
