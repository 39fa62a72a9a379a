"""The kinds of several records."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from moat.names import why_no_name
from moat.parsing import LARGEST

Count = Annotated[int, Field(ge=0, le=LARGEST)]
Number = Annotated[float, Field(allow_inf_nan=False)]
NumberTable = dict[str, Number | None]
"""A number a name, None where there is none."""
Texts = Annotated[tuple[Annotated[str, Field(strict=True)], ...], Field(strict=False)]
"""A list of the file."""


def _a_name(text: str) -> str:
    if why := why_no_name(text):
        raise ValueError(f"should be a name, and {why}")
    return text


def _a_path_below(text: str) -> str:
    if why := next(filter(None, map(why_no_name, text.split("/"))), ""):
        raise ValueError(f"should be a path below its folder, and of a part of it {why}")
    return text


def _a_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("should be a line of text, without control characters")
    return text


def _a_value(value: Any) -> Any:
    if value is None:
        raise ValueError("should be left out, or have a value")
    return value


T = TypeVar("T")
OrAbsent = Annotated[T | None, BeforeValidator(_a_value)]
"""A key that may be missing, which is None here; null in the file is no such."""
Name = Annotated[str, AfterValidator(_a_name)]
"""A name that becomes a folder: see `moat.names`."""
PathBelow = Annotated[str, AfterValidator(_a_path_below)]
"""A folder, seen from the one above it: names, and slashes between them."""
Line = Annotated[str, AfterValidator(_a_line)]
"""A text for one line of a table."""
