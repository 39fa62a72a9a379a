"""Two palettes, of variants and of objectives: names to colours, markers and dashes.

A name looks alike on every picture. The names that most studies share have fixed looks; any other
name asks for the look that its digest picks and gives way to the names before it alone, so that
more names change no look. Every colour has a contrast of at least 3 to 1 against white and against
the dark page. Each name has a marker and dashes as well: nothing is lost in black and white.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from typing import Any

from moat.names import NATURAL
from moat.report.looks.shades import shaded

SOLID: Any = "-"
DASHES: Any = (
    SOLID,
    (0, (4, 1.5)),
    (0, (1, 1)),
    (0, (5, 1, 1, 1)),
    (0, (8, 1.5)),
    (0, (3, 1, 1, 1, 1, 1)),
)
"""As matplotlib has them: an offset, then lengths in line widths."""


MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">", "h", "d", "*")


@dataclass(frozen=True)
class Look:
    """A colour as a hexadecimal number, and a marker and dashes as matplotlib has them."""

    colour: str
    marker: str
    dash: Any = SOLID

    @property
    def line(self) -> dict[str, Any]:
        """The keywords of matplotlib for such a line."""
        return {"color": self.colour, "linestyle": self.dash, "marker": self.marker}

    def at(self, place: int, count: int) -> "Look":
        """Return the look of one of so many points of a sweep: light to dark, dashes of its own."""
        if count < 2:
            return self
        shade = shaded(self.colour, place / (count - 1))
        return replace(self, colour=shade, dash=DASHES[place % len(DASHES)])

    def of_strength(self, place: int, count: int) -> "Look":
        """Return the look of one of so many strengths: light to dark, the last with its marker."""
        if count < 2:
            return self
        marker = MARKERS[(MARKERS.index(self.marker) + count - 1 - place) % len(MARKERS)]
        return replace(self, colour=shaded(self.colour, place / (count - 1)), marker=marker)


@dataclass(frozen=True)
class Palette:
    """Fixed looks, and what other names choose from, which no fixed look has."""

    fixed: Mapping[str, Look]
    colours: tuple[str, ...]
    markers: tuple[str, ...]

    def looks_of(self, names: Iterable[str]) -> dict[str, Look]:
        """Return a look a name, in order; a name's look depends on those before it alone."""
        looks: dict[str, Look] = {}
        others: list[Look] = []
        for name in dict.fromkeys(names):
            if name not in self.fixed:
                others.append(self._free(name, others))
            looks[name] = self.fixed.get(name) or others[-1]
        return looks

    def _free(self, name: str, taken: list[Look]) -> Look:
        """Return the look nearest to a name's own whose colour or marker nobody has, if any is."""
        digest = int.from_bytes(sha256(name.encode()).digest()[:8])
        digest, first_colour = divmod(digest, len(self.colours))
        digest, first_marker = divmod(digest, len(self.markers))
        colours = _from(self.colours, first_colour)
        markers = _from(self.markers, first_marker)
        dashes = _from(DASHES, digest % len(DASHES))
        used = {(look.colour, look.marker) for look in taken}
        fresh_colours = [c for c in colours if c not in {look.colour for look in taken}] or colours
        fresh_markers = [m for m in markers if m not in {look.marker for look in taken}] or markers
        for pair in product(fresh_colours, fresh_markers):
            if pair not in used:
                return Look(*pair, dashes[0])
        whole = {(look.colour, look.marker, look.dash) for look in taken}
        every = product(dashes, markers, colours)
        free = (Look(c, m, d) for d, m, c in every if (c, m, d) not in whole)
        return next(free, Look(colours[0], markers[0], dashes[0]))


def _from(values: tuple[Any, ...], first: int) -> tuple[Any, ...]:
    return values[first:] + values[:first]


_NATURAL = Look("#6E6E6E", "o", DASHES[2])
VARIANTS = Palette(
    fixed={
        NATURAL: _NATURAL,
        "pgd-at": Look("#A87400", "s", DASHES[1]),
        "spatial-at": Look("#009E73", "^", DASHES[5]),
        "max-at": Look("#CC6699", "D", DASHES[3]),
        "average-at": Look("#D55E00", "v", DASHES[4]),
        "pareto": Look("#0072B2", "P", DASHES[0]),
        "mgda": Look("#7E5CC0", "X", DASHES[5]),
    },
    colours=("#1B8A9A", "#D1495B", "#7C8000", "#5466C9", "#9A5B3C", "#4F8A3B", "#A0509E"),
    markers=("p", "<", "h", ">", "d", "*"),
)
OBJECTIVES = Palette(
    fixed={
        NATURAL: _NATURAL,
        "flow": Look("#CC3311", "^", DASHES[0]),  # as the relationship has it: red, and rt blue
        "rt": Look("#0077BB", "D", DASHES[1]),
        "pgd": Look("#11803F", "s", DASHES[3]),
        "integrated": Look("#A0459A", "v", DASHES[4]),
    },
    colours=("#00879E", "#96552B", "#6470C4", "#8A7A00", "#B8507C", "#5E8A2E"),
    markers=("p", "<", "X", ">", "d", "P", "h", "*"),
)
