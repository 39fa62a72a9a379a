"""The scalarizer and threats that a step's state belongs to."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from moat.errors import DefinitionError
from moat.scalarizers import Scalarizer
from moat.threats import Threat

AS_BEFORE = (
    "Create the step like that of the state: with the same threats and scalarizer, and with a "
    "generator if that had one."
)


def step_identity(threats: Mapping[str, Threat], scalarizer: Scalarizer) -> dict[str, Any]:
    """Return the scalarizer's type and plain fields, and each threat's type by its label."""
    return {
        "scalarizer": {"type": _type_of(scalarizer), **_plain_fields(scalarizer)},
        "threats": {label: _type_of(threat) for label, threat in threats.items()},
    }


def require_identity(state: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Raise DefinitionError for a state of another scalarizer or of other threats.

    A state without an identity, from an older version, is taken; so is one without a field that the
    scalarizer has got since.
    """
    if not isinstance(of := state.get("of"), Mapping):
        return
    then, now = of["scalarizer"], own["scalarizer"]
    if then["type"] != now["type"]:
        _refuse(f"of the scalarizer {then['type']!r}", f"has {now['type']!r}")
    if others := [key for key in now if key in then and then[key] != now[key]]:
        _refuse(
            f"of the scalarizer {then['type']!r} with {_written(then, others)}",
            f"has {_written(now, others)}",
        )
    then, now = of["threats"], own["threats"]
    if list(then.items()) != list(now.items()):
        _refuse(f"of {_listed(then)}", f"has {_listed(now)}")


def _refuse(then: str, now: str) -> None:
    raise DefinitionError(
        f"the state does not fit this step: it is {then}, and the step {now}.", hint=AS_BEFORE
    )


def _type_of(made: Any) -> str:
    return str(getattr(made, "name", type(made).__name__))


def _plain_fields(made: Any) -> dict[str, Any]:
    """Return the fields that a checkpoint keeps as they are."""
    if not is_dataclass(made):
        return {}
    values = {one.name: _plain(getattr(made, one.name)) for one in fields(made)}
    return {name: value for name, value in values.items() if value is not _NOT_PLAIN}


_NOT_PLAIN = object()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        listed = [_plain(one) for one in value]
        return _NOT_PLAIN if _NOT_PLAIN in listed else listed
    if isinstance(value, Mapping):
        table = {str(key): _plain(one) for key, one in value.items()}
        return _NOT_PLAIN if _NOT_PLAIN in table.values() else table
    return _NOT_PLAIN


def _written(one: Mapping[str, Any], keys: list[str]) -> str:
    return ", ".join(f"{key} = {one[key]!r}" for key in keys)


def _listed(threats: Mapping[str, str]) -> str:
    """Return threats by label, with the type of each that is called otherwise."""
    named = [
        repr(label) if label == kind else f"{label!r} ({kind})" for label, kind in threats.items()
    ]
    return f"the threats {', '.join(named)}" if named else "no threats"
