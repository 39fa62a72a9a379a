"""moat: train classifiers that withstand several kinds of attack, and see the cost of each choice.

The names below are handed out when first asked for, so that `import moat` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from moat.version import __version__

if TYPE_CHECKING:
    from moat import analysis as analysis
    from moat import evaluation as evaluation
    from moat import events as events
    from moat import fronts as fronts
    from moat import geometry as geometry
    from moat import objectives as objectives
    from moat import scalarizers as scalarizers
    from moat import testing as testing
    from moat import threats as threats
    from moat.bundles import bundle
    from moat.errors import MoatError
    from moat.errors import MoatWarning as MoatWarning
    from moat.frames import results
    from moat.study import evaluate, evaluate_model, load, race, train

_FUNCTIONS = {
    **dict.fromkeys(("evaluate", "evaluate_model", "load", "race", "train"), "moat.study"),
    "bundle": "moat.bundles",
    "results": "moat.frames",
    "MoatError": "moat.errors",
    "MoatWarning": "moat.errors",
}
_MODULES = (
    *("analysis", "data", "evaluation", "events", "fronts", "geometry", "models", "objectives"),
    *("scalarizers", "testing", "threats", "training"),
)

__all__ = [
    "MoatError",
    "__version__",
    "bundle",
    "evaluate",
    "evaluate_model",
    "load",
    "race",
    "results",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(import_module(_FUNCTIONS[name]), name)
    if name in _MODULES:
        return import_module(f"moat.{name}")
    raise AttributeError(f"module 'moat' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_FUNCTIONS, *_MODULES])
