"""The options of several instruments of `moat analyze`: examples, noise, seed."""

from typing import Annotated

import typer

from moat.cli.options import listed, whole_number
from moat.errors import AnalysisError

ExamplesOption = Annotated[
    int | None,
    typer.Option(metavar="COUNT", min=1, help="How many test examples, every class by its share."),
]
IdsOption = Annotated[str | None, typer.Option(metavar="ID,...", help="Test examples by id.")]
SeedOption = Annotated[
    int, typer.Option(min=0, help="Seed of the choice of examples and of all draws.")
]
CopiesOption = Annotated[int, typer.Option(min=1, help="Noisy copies of an image.")]
NoiseOption = Annotated[float, typer.Option(help="Noise, as a share of an image's range.")]


def chosen_examples(ids: str | None, count: int | None) -> int | tuple[int, ...] | None:
    """Return the ids of the options, or else the count, None without either.

    Raises AnalysisError for both.

    Example:
        >>> chosen_examples("3,5", None), chosen_examples(None, 20), chosen_examples(None, None)
        ((3, 5), 20, None)
    """
    if ids is not None and count is not None:
        raise AnalysisError(
            "--ids names the test examples, so their count has no effect.",
            where="--examples",
            hint="Leave one of the two out.",
        )
    return tuple(whole_number(one) for one in listed(ids)) or count
