"""The oddities of a recipe, as lines below a table."""

from collections.abc import Iterator, Sequence

from moat.oddities import Oddity


def second_look(oddities: Sequence[Oddity]) -> Iterator[str]:
    """Yield a heading, and of each oddity where it stands, what it is, and the mend."""
    if oddities:
        yield f"\nWorth a second look ({len(oddities)}):"
    for one in oddities:
        yield f"  {one.where}: {one.what}" if one.where else f"  {one.what}"
        if one.mend:
            yield f"    {one.mend}"
