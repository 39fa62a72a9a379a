"""Threats by name: a table as it is, a list or a single threat by the names of their types."""

from collections.abc import Mapping
from typing import Any

from moat.errors import DefinitionError
from moat.names import NATURAL
from moat.public import public
from moat.threats.arguments import in_words
from moat.threats.base import Threat


@public
def threat_table(threats: Any) -> dict[str, Threat]:
    """Return threats by name; the second of a type in a list is called `pgd-2`.

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
        table = {}
        for one in several:
            _require_threat("a threat", one)
            count = 1 + sum(isinstance(other, type(one)) for other in table.values())
            table[one.name if count == 1 else f"{one.name}-{count}"] = one
    for name, threat in table.items():
        if not isinstance(name, str) or name == NATURAL:
            raise DefinitionError(
                f"a threat cannot be called {name!r}."
                + (" That is the objective without one." if name == NATURAL else ""),
                hint='Give it another name: {"pgd": PGD(...)}.',
            )
        _require_threat(f"the threat {name!r}", threat)
    return table


def _require_threat(what: str, threat: Any) -> None:
    if not isinstance(threat, Threat):
        raise DefinitionError(
            f"{what} is {in_words(threat)}, and not a threat.",
            hint="Make one of a class of moat.threats: PGD(epsilon=8 / 255, step_size=2 / 255, "
            "steps=10).",
        )
