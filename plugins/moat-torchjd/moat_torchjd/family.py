"""The rules of the installed TorchJD that need the Gramian alone, each as a scalarizer."""

from collections.abc import Mapping
from functools import cache
from inspect import Parameter as Stated
from typing import Any, ClassVar

import torchjd.aggregation
from torchjd.aggregation import GramianWeightedAggregator

from moat.scalarizers import Scalarizer, scalarizer
from moat_torchjd.fields import parameters_of
from moat_torchjd.scalarizer import TorchJDScalarizer

BY_NUMBER = ("Constant", "Mean", "Random", "Sum")
"""Rules that read no more of the gradients than how many there are."""
BY_ORDER = ("Constant", "GradVac", "Krum", "PCGrad", "Random")
"""Rules that draw, or go by the order of the gradients."""


def scalarizers() -> list[type[Scalarizer]]:
    """Every rule of the installed TorchJD that needs the Gramian of the gradients alone."""
    return list(by_name().values())


@cache
def by_name() -> Mapping[str, type[Scalarizer]]:
    """Return the scalarizers by the names of TorchJD's aggregators."""
    found = {}
    for name in sorted(torchjd.aggregation.__all__):
        aggregator: Any = getattr(torchjd.aggregation, name)
        if isinstance(aggregator, type) and _fits(name, aggregator):
            parameters = parameters_of(aggregator)
            if parameters is not None:
                found[name] = _declared(name, aggregator, tuple(parameters))
    return found


def _fits(name: str, aggregator: type[Any]) -> bool:
    is_one = issubclass(aggregator, GramianWeightedAggregator)
    return name in BY_NUMBER or (is_one and aggregator is not GramianWeightedAggregator)


def _declared(name: str, aggregator: type[Any], parameters: tuple[Any, ...]) -> type[Scalarizer]:
    """Declare a scalarizer whose fields are the parameters of the aggregator."""
    stated = {one.field: one.default for one in parameters if one.default is not Stated.empty}
    annotations = {one.field: one.annotation for one in parameters}
    members = {
        "__doc__": f"{name} of TorchJD, from the Gramian of the gradients.\n\n"
        f"Its fields are those of `torchjd.aggregation.{name}`, which names the source.",
        "__module__": "moat_torchjd",  # where `__getattr__` finds it, as for another process
        "__annotations__": {
            **annotations,
            "aggregator": ClassVar[type[Any]],
            "parameters": ClassVar[tuple[Any, ...]],
        },
        "aggregator": aggregator,
        "parameters": parameters,
        "permutes": name not in BY_ORDER,
        **stated,
    }
    return scalarizer(f"torchjd:{name}")(type(name, (TorchJDScalarizer,), members))
