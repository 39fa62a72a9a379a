"""Annotated types in words, and a check of a value against one."""

import reprlib
from collections.abc import Callable, Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin


def fits(value: Any, hint: Any) -> bool:
    """Say whether a value is of an annotated type; where the type says nothing, it is.

    A list stands for any sequence, a whole number for a float; a text is not a sequence.

    Example:
        >>> fits([1, 2], tuple[int, ...]), fits("ab", list[str]), fits(True, int)
        (True, False, False)
    """
    hint, arguments = _bare(hint), get_args(_bare(hint))
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is Literal:
        return any(value is one or (type(value) is type(one) and value == one) for one in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            fits(k, arguments[0]) and fits(v, arguments[1]) for k, v in value.items()
        )
    if origin is Callable or hint is Callable:
        return callable(value)
    if isinstance(origin, type) and issubclass(origin, Iterable) and origin.__module__ in _PLAIN:
        element = arguments[0] if arguments else Any
        listed = isinstance(value, list | tuple)
        is_one = hasattr(value, "__iter__") and not isinstance(value, str | bytes | Mapping)
        return is_one and (not listed or all(fits(one, element) for one in value))
    return _is_instance(value, NoneType if hint is None else hint)


_PLAIN = ("builtins", "collections.abc")


def type_in_words(hint: Any) -> str:
    """Return what is said of a type.

    Example:
        >>> type_in_words(int | None), type_in_words(list[str]), type_in_words(Literal["a", "b"])
        ('a whole number or None', 'a list, each entry a text', "'a' or 'b'")
        >>> type_in_words(list[int] | None)
        'None or a list, each entry a whole number'
    """
    hint, arguments = _bare(hint), get_args(_bare(hint))
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        words = dict.fromkeys(type_in_words(one) for one in arguments)
        return " or ".join(sorted(words, key=lambda one: ", each " in one))  # the long one last
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is Callable or hint is Callable:
        return "a function"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        kinds = zip(("name", "value"), map(type_in_words, arguments), strict=True)
        return ", ".join(["a table", *(f"each {part} {kind}" for part, kind in kinds if kind)])
    if isinstance(origin, type) and issubclass(origin, Iterable):
        element = type_in_words(arguments[0]) if arguments else ""
        return f"a list, each entry {element}" if element else "a list"
    if shape := getattr(hint, "dim_str", ""):  # jaxtyping
        kind = hint.__name__.partition("[")[0].lower()
        return f"a tensor ({', '.join(shape.split())}) of {kind}s"
    name = getattr(hint, "__name__", str(hint))
    return _WORDS.get(name, f"a {name}")


_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "NoneType": "None",
    "Path": "a path",
    "Tensor": "a tensor",
    "Module": "a network (torch.nn.Module)",
    "Generator": "a torch.Generator",
    "device": "a torch.device",
    "Any": "",
}


def value_in_words(value: Any) -> str:
    """Return a plain value as Python writes it, what is long cut short; of others their type.

    Example:
        >>> value_in_words("a"), value_in_words(int), value_in_words({1, 2}.__len__)
        ("'a'", 'the class int', 'of type method-wrapper')
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, _SHOWN):
        return reprlib.repr(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and hasattr(value, "dtype"):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{type(value).__name__} of {kind} and shape {tuple(shape)}"
    return f"of type {type(value).__name__}"


_SHOWN = (bool, int, float, str, bytes, list, tuple, dict, set, NoneType)


def _bare(hint: Any) -> Any:
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    return _bare(hint.__value__) if hasattr(hint, "__value__") else hint


def _is_instance(value: Any, hint: Any) -> bool:
    if hint is Any or isinstance(hint, TypeVar) or not isinstance(hint, type):
        return True
    if hint in (int, float) and isinstance(value, bool):
        return False
    try:
        return isinstance(value, (int, float) if hint is float else hint)
    except TypeError:  # a protocol that is not checked at run time
        return True
