"""The arguments of an evaluation beside its network, checked at the door."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from moat.data import DEVICE_MEMORY, Data
from moat.errors import DefinitionError
from moat.evaluation.in_memory import protocol_of_threats, split_of
from moat.evaluation.protocol import Protocol
from moat.evaluation.protocol_fields import is_memory
from moat.public import public
from moat.threats import Threat, bare
from moat.threats.arguments import in_words, require_pass_size
from moat.threats.cautions import warn_of_wide_radii
from moat.threats.table import ONE, require_threat

Judge = TypeVar("Judge", bound=Callable[..., Any])


def guarded_evaluation(evaluate: Judge) -> Judge:
    """Return an evaluation before which its arguments are looked at."""

    @public
    @wraps(evaluate)
    def behind(model: Any, data: Any, protocol: Any, **more: Any) -> Any:
        protocol = protocol_of_threats(protocol)
        require_kinds(protocol, more.get("pass_size"))
        if not is_memory(memory := more.get("memory", DEVICE_MEMORY)):
            raise DefinitionError(
                f"the memory is {memory!r:.80}, not a number of GiB above 0.",
                hint=f"Leave it out for the default, {DEVICE_MEMORY:g} GiB of images.",
            )
        bare(model)  # before the data are read
        known = split_of(data)
        images = (known.test if isinstance(known, Data) else known).images
        warn_of_wide_radii(protocol.threats, images.shape[1:], protocol.largest_reach())
        return evaluate(model, known, protocol, **more)

    return cast(Judge, behind)


def require_kinds(protocol: Any, pass_size: Any) -> None:
    """Raise DefinitionError with the mend for what nothing can be evaluated by."""
    if not isinstance(protocol, Protocol):
        raise DefinitionError(
            f"the protocol is {in_words(protocol)}, not a Protocol.",
            hint='Pass threats, [PGD(...)] or {"pgd": PGD(...)}, or Protocol({"pgd": PGD(...)}).',
        )
    for name, threat in protocol.threats.items():
        tables = ""
        if isinstance(threat, Mapping):
            tables = ' moat.evaluate reads the tables of a recipe: {"threats": {"pgd": {...}}}.'
        listed = not isinstance(threat, Threat | type) and name.startswith("threat")
        require_threat(ONE if listed else f"the threat {name!r}", threat, tables)
    require_pass_size(pass_size)
