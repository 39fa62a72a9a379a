"""The outcome matrix from stored arrays, which are not trusted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moat.outcomes.columns import STEPS, Column
from moat.outcomes.matrix import NOT_SEARCHED, WITHSTOOD, Outcomes
from moat.public import public


@public
def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Outcomes:
    """Return the outcomes from the arrays of `Outcomes.to_arrays`; ValueError if they are broken.

    For an evaluation older than restarts, radii, losses and ensembles, four arrays are enough.
    """
    for name in _NEEDED:
        if name not in arrays:
            raise ValueError(f"it has no array {name!r}")
    outcomes, ids = arrays["outcomes"], arrays["ids"]
    if outcomes.dtype != np.int8 or ids.dtype != np.int64:
        raise ValueError(f"outcomes are of type {outcomes.dtype} and ids of {ids.dtype}")
    if not ids.size:
        raise ValueError("it contains no example")
    if outcomes.size and not NOT_SEARCHED <= outcomes.min() <= outcomes.max() <= WITHSTOOD:
        raise ValueError("an outcome is not 1, 0 or -1")
    losses = arrays.get("losses")
    if losses is not None and losses.dtype != np.float32:
        raise ValueError(f"losses are of type {losses.dtype}")
    threats, strengths = (_list(arrays, name) for name in ("threats", "strengths"))
    restarts = _list(arrays, "restarts", [0] * len(threats))
    by = _list(arrays, "by", [STEPS] * len(threats))
    columns = tuple(
        Column(threat, float(strength), restart, measured)
        for threat, strength, restart, measured in zip(
            threats, strengths, restarts, by, strict=True
        )
    )
    ensembles: dict[str, tuple[str, ...]] = {}
    pairs = zip(_list(arrays, "ensembles", []), _list(arrays, "members", []), strict=True)
    for ensemble, member in pairs:
        ensembles[ensemble] = (*ensembles.get(ensemble, ()), member)
    return Outcomes(outcomes, columns, ids, losses, ensembles)


def _list(arrays: Mapping[str, NDArray[Any]], name: str, absent: list[Any] | None = None) -> Any:
    """Return an array as a list, once its kind is looked at."""
    if absent is not None and name not in arrays:
        return absent
    array = arrays[name]
    if array.ndim != 1 or array.dtype.kind not in _KINDS[name]:
        raise ValueError(f"{name} are of type {array.dtype} and shape {array.shape}")
    return array.tolist()


_NEEDED = ("outcomes", "threats", "strengths", "ids")
_KINDS = {  # as numpy writes them: text, integers, floats
    **{"threats": "U", "by": "U", "ensembles": "U", "members": "U"},
    **{"strengths": "iuf", "restarts": "iu"},
}
