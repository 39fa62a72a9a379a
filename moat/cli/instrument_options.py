"""The options of the instruments of `moat analyze`: examples, grids, noise."""

from typing import Annotated, TypeVar

import typer

from moat.errors import AnalysisError

Default = TypeVar("Default")

ExamplesOption = Annotated[
    str | None,
    typer.Option(
        metavar="COUNT|ID,...", help="How many test examples, or the ids of some with commas."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Seed of the choice of examples and of all draws.")]
CopiesOption = Annotated[int, typer.Option(help="Noisy copies of an image.")]
NoiseOption = Annotated[float, typer.Option(help="Noise, as a share of an image's range.")]


def examples_of(text: str | None, default: Default) -> Default | int | tuple[int, ...]:
    """Return a count of examples, or their ids where there is a comma; AnalysisError for others.

    Example:
        >>> examples_of("20", 4), examples_of("3,5", 4), examples_of("7,", 4), examples_of(None, 4)
        (20, (3, 5), (7,), 4)
    """
    if text is None:
        return default
    try:
        if "," not in text:
            return int(text)
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise AnalysisError(
            f"{text!r} is neither a count of test examples nor a list of their ids.",
            where="--examples",
            hint="Write a count, 20, or ids with commas: 3,5 (7, for one).",
        ) from None
