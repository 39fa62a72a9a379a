"""Threats by name: a table as it is; a list or a single threat by the names of the types."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from moat.errors import DefinitionError
from moat.names import NATURAL
from moat.public import public
from moat.threats.arguments import in_words
from moat.threats.base import Threat

ONE = "one of the threats"
"""The name of an entry of a list, which has no label."""


@public
def threat_table(threats: Any) -> dict[str, Threat]:
    """Return threats by name; the second of a type in a list is `pgd-2`.

    Raises DefinitionError for anything that is not a threat.

    Example:
        >>> from moat.threats import PGD, Flow
        >>> pgd = PGD(epsilon=0.1, step_size=0.02, steps=5)
        >>> flow = Flow(epsilon=0.3, step_size=0.05, steps=5)
        >>> list(threat_table(pgd)), list(threat_table([pgd, flow, pgd]))
        (['pgd'], ['pgd', 'flow', 'pgd-2'])
    """
    if isinstance(threats, Mapping):
        table = dict(threats)
    else:
        several = threats if isinstance(threats, list | tuple) else [threats]
        what = ONE if several is threats else "`threats`"
        for one in several:
            require_threat(what, one)
        table = dict(zip(type_labels(several), several, strict=True))
    for name, threat in table.items():
        if not isinstance(name, str) or name == NATURAL:
            raise DefinitionError(
                f"a threat cannot be called {name!r}."
                + (" That is the objective without a threat." if name == NATURAL else ""),
                hint='Give it another name: {"pgd": PGD(...)}.',
            )
        require_threat(f"the threat {name!r}", threat)
    return table


@public
def type_labels(threats: Sequence[Any]) -> list[str]:
    """Return a label for each threat: the name of its type, numbered from the second one on.

    Example:
        >>> from moat.threats import RTGrid
        >>> type_labels([RTGrid(), RTGrid()])
        ['rt-grid', 'rt-grid-2']
    """
    seen: Counter[str] = Counter()
    labels = []
    for threat in threats:
        name = str(getattr(threat, "name", "threat"))
        seen[name] += 1
        labels.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return labels


def require_threat(what: str, threat: Any, more: str = "") -> None:
    """Raise DefinitionError for what is not a threat; `more` is added to the mend."""
    if not isinstance(threat, Threat):
        words = f"the text {threat!r:.80}" if isinstance(threat, str) else in_words(threat)
        raise DefinitionError(
            f"{what} is {words}, not a threat.",
            hint="Create one from a class of moat.threats: PGD(epsilon=8 / 255, step_size=2 / 255, "
            f"steps=10).{more}",
        )
