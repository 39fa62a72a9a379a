"""The attacks of the installed torchattacks, each as a threat whose fields are its keys."""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar

import torchattacks
from pydantic import Field
from torchattacks.attack import Attack

from moat.threats import Threat, threat
from moat_torchattacks.attack import FROM_THE_SEARCH, AttackThreat

OF_THREE_CHANNELS = ("PIFGSM", "PIFGSMPP", "TIFGSM")
"""Attacks that smooth gradients by a kernel made for three channels."""
REAL = ("c", "kappa", "lam", "nsig", "scale")
"""Parameters whose default happens to be whole, as the `c = 1` of CW."""


def threats() -> list[type[Threat]]:
    """Every attack of the installed torchattacks, for evaluation."""
    return list(by_name().values())


@cache
def by_name() -> Mapping[str, type[Threat]]:
    """Return the threats by the names of torchattacks' attacks."""
    found = {}
    for name, attack in sorted(vars(torchattacks).items()):
        if isinstance(attack, type) and issubclass(attack, Attack) and attack is not Attack:
            parameters = list(inspect.signature(attack.__init__).parameters.values())[1:]
            if parameters and parameters[0].name == "model" and _are_plain(parameters[1:]):
                found[name] = _declared(name, attack, parameters[1:])
    return found


def _are_plain(parameters: list[inspect.Parameter]) -> bool:
    """Say whether each can be left out or stated in a recipe: not so LGV's training data."""
    return all(
        one.default is None or isinstance(one.default, bool | int | float | str | tuple)
        for one in parameters
    )


def _declared(name: str, attack: type[Attack], parameters: list[inspect.Parameter]) -> type[Threat]:
    own = [one for one in parameters if one.name not in FROM_THE_SEARCH]
    members = {
        "__doc__": f"{name} of torchattacks, for evaluation.\n\n"
        f"Its fields are the parameters of `torchattacks.{name}`, which names the source.",
        "__module__": "moat_torchattacks",  # where `__getattr__` finds it, as for another process
        "__annotations__": {
            **{one.name: _annotation(one) for one in own},
            "attack": ClassVar[type[Any]],
        },
        **{one.name: one.default for one in own},
        "attack": attack,
        "needs_channels": 3 if name in OF_THREE_CHANNELS else None,
    }
    return threat(f"torchattacks:{name}")(type(name, (AttackThreat,), members))


def _annotation(parameter: inspect.Parameter) -> Any:
    """Return the type of a field, which torchattacks states by its default alone."""
    match parameter.default:
        case None:
            return float | str | None
        case int() if parameter.name in REAL:
            return float
        case tuple():
            return Annotated[tuple[int | float, ...], Field(strict=False)]
    return type(parameter.default)
