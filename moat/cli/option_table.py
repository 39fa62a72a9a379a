"""Commands with many options: one table, with a field for each option."""

import dataclasses
from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar, get_type_hints

Options = TypeVar("Options")


def of_table(command: Callable[[Options], None]) -> Callable[..., None]:
    """Return a command for typer with an option for each field of the dataclass that it takes.

    The fields are annotated and have defaults as the parameters of any command have.
    """
    (name,) = signature(command).parameters
    table: Any = get_type_hints(command)[name]
    hints = get_type_hints(table, include_extras=True)

    @wraps(command)
    def called(**given: Any) -> None:
        command(table(**given))

    called.__annotations__ = {**hints, "return": None}
    parameters = [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is dataclasses.MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(table)
    ]
    called.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
    return called
