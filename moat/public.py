"""The public callables: a wrong argument is refused with the nearest name and the mend."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature
from typing import Any, TypeVar, Unpack, cast, get_args, get_origin, get_type_hints

from moat.annotations import fits, type_in_words, value_in_words
from moat.errors import ArgumentError, MoatError, did_you_mean, is_out_of_memory

Public = TypeVar("Public", bound=Callable[..., Any])


def public(called: Public) -> Public:
    """Return a function or class that refuses wrong arguments with an ArgumentError.

    Arguments are looked at where the call fails, so that a call which succeeds costs nothing more.
    An error that no argument explains passes as it is, and so does each of moat's own, and of
    memory.
    """
    if isinstance(called, type):
        made: Any = called
        made.__init__ = _explained(made.__init__)
        return called
    return cast(Public, _explained(called))


def public_at_once(called: Public) -> Public:
    """Return a function that looks at its arguments before it begins: for one that takes long."""

    @wraps(called)
    def behind(*arguments: Any, **values: Any) -> Any:
        require_call(called, arguments, values)
        return called(*arguments, **values)

    return cast(Public, behind)


def require_call(
    function: Callable[..., Any], arguments: tuple[Any, ...], values: dict[str, Any]
) -> None:
    """Raise ArgumentError for the first argument that a function cannot take.

    That is one that is unknown, missing, given twice, or not of the annotated type.
    """
    name = _name_of(function, arguments[:1])
    signature, hints = inspect.signature(function), _hints(function)
    known, more = _keywords(signature, hints)
    if not more and (unknown := [key for key in values if key not in known]):
        within = _fields_within(unknown, known)
        nearest = "" if within else did_you_mean(unknown[0], known)
        raise ArgumentError(
            f"{name} has no argument {unknown[0]!r}.{nearest}",
            hint=f"{within}Its arguments: {', '.join(known) or 'none'}.",
        )
    try:
        bound = signature.bind(*arguments, **values)
    except TypeError as error:
        said = _left_out(signature, arguments, known) or _as_said(error)
        raise ArgumentError(
            f"{name}: {said}.", hint=f"Write {_written(name, signature, known)}."
        ) from error
    for key, value in _given(signature, bound.arguments):
        hint = known.get(key, Any)
        if fits(value, hint):
            continue
        element = next((one for one in get_args(hint) if fits([value], hint)), None)
        mend = f"Write {key}=[{value!r:.80}]." if element is not None else ""
        raise ArgumentError(
            f"{name}: {key} should be {type_in_words(hint)}, not {value_in_words(value)}.",
            hint=mend,
        )


def _name_of(function: Callable[..., Any], of: tuple[Any, ...]) -> str:
    """Return what is called, a method by the class of the object that it is called of."""
    owner, _, name = function.__qualname__.rpartition(".")
    if not owner or not of:
        return name
    kind = type(of[0]).__name__
    return {"__init__": kind, "__call__": f"{kind}(...)"}.get(name, f"{kind}.{name}")


def _explained(function: Any) -> Any:
    @wraps(function)
    def behind(*arguments: Any, **values: Any) -> Any:
        try:
            return function(*arguments, **values)
        except MoatError:
            raise
        except Exception as error:
            if is_out_of_memory(error):  # of images that a door may have taken as NumPy's
                raise
            try:
                require_call(function, arguments, values)
            except ArgumentError as refused:
                raise refused from error
            raise

    return behind


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(inspect.unwrap(function), include_extras=True)
    except (NameError, TypeError):  # of a name that is imported for the type checker alone
        return {}


def _keywords(signature: Signature, hints: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the arguments with their types, and whether any other keyword is taken as well."""
    known: dict[str, Any] = {}
    more = False
    for parameter in signature.parameters.values():
        hint = hints.get(parameter.name, Any)
        if parameter.kind is Parameter.VAR_KEYWORD:
            if get_origin(hint) is Unpack:
                known |= get_type_hints(get_args(hint)[0])
            else:
                more = True
        elif parameter.name != "self":
            known[parameter.name] = hint
    return known, more


def _fields_within(unknown: list[str], known: dict[str, Any]) -> str:
    """Return how the fields of an argument's dataclass are given, "" where none is unknown here."""
    for key, hint in known.items():
        for kind in (hint, *get_args(hint)):
            own = [one.name for one in fields(kind) if one.init] if _is_dataclass(kind) else []
            if unknown[0] in own:
                given = ", ".join(f"{one}=..." for one in unknown if one in own)
                path = f"{kind.__module__.rpartition('.')[0]}.{kind.__name__}"
                mend = f"Write {key}={path}({given}).\n"
                return f"{mend}{getattr(kind, 'given_also', '')}"
    return ""


def _is_dataclass(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


def _given(signature: Signature, arguments: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each argument by its name, those of `*values` and `**values` one by one."""
    for name, value in arguments.items():
        match signature.parameters[name].kind:
            case Parameter.VAR_POSITIONAL:
                yield from ((name, one) for one in value)
            case Parameter.VAR_KEYWORD:
                yield from value.items()
            case _:
                yield name, value


def _left_out(signature: Signature, arguments: tuple[Any, ...], known: dict[str, Any]) -> str:
    """Return which argument was left out between others, as their types tell; "" of none.

    Python names the last: where (x, y) are handed over in place of (model, x, y), it is `y`.
    """
    places = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in signature.parameters.values() if p.kind in places]
    for place, (name, value) in enumerate(zip(names, arguments, strict=False)):
        if name not in known or fits(value, known[name]):
            continue
        moved = zip(names[place + 1 :], arguments[place:], strict=False)
        fit = len(names) > len(arguments) and all(fits(v, known.get(n, Any)) for n, v in moved)
        return f"it needs the argument {name!r}" if fit else ""
    return ""


def _as_said(error: TypeError) -> str:
    """Return what `Signature.bind` says, as a sentence's end."""
    said = str(error)
    for begun, word in (("missing a required", "it needs the"), ("too many", "it has too many")):
        said = said.replace(begun, word, 1) if said.startswith(begun) else said
    return said.replace("argument: ", "argument ").replace("keyword-only ", "")


def _written(name: str, signature: Signature, known: dict[str, Any]) -> str:
    """Return a call with the names of its arguments."""
    kinds = {p.name: p for p in signature.parameters.values() if p.name != "self"}
    parts = [
        f"{key}={_default_in_words(kinds[key].default)}"
        if key in kinds and kinds[key].default is not Parameter.empty
        else key
        for key in known
    ]
    return f"{name}({', '.join(parts)})"


def _default_in_words(value: Any) -> str:
    """Return a default as it is written; `...` for what has no short text."""
    text = getattr(value, "__name__", "") or repr(value)
    return "..." if len(text) > 20 or text.startswith("<") else text
