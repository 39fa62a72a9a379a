"""Arguments of other libraries' attacks that are not fields of a threat, each with its mend."""

from collections.abc import Mapping
from types import MappingProxyType

_RESTARTS = (
    'An evaluation repeats a search: Protocol({"pgd": threat}, restarts={"pgd": 5}), with '
    'start = "uniform".'
)
_TARGETED = 'A targeted search climbs a targeted loss: loss = "targeted-margin".'
_BOX = "Images lie in [0, 1], and every search keeps them there."
_GENERATOR = "Random numbers come from `generator`, an argument of each search."

FOREIGN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("clip_min", "clip_max", "clip_values", "bounds", "min_val"), _BOX),
        **dict.fromkeys(("seed", "rng", "random_seed"), _GENERATOR),
    }
)
"""Of any threat."""
FOREIGN_TO_ASCENT: Mapping[str, str] = MappingProxyType(
    {
        **FOREIGN_WORDS,
        **dict.fromkeys(
            ("restarts", "n_restarts", "num_restarts", "nb_restarts", "num_random_init"), _RESTARTS
        ),
        **dict.fromkeys(("targeted", "target", "is_targeted", "n_target_classes"), _TARGETED),
    }
)
"""Of a threat that is searched by ascent, with a start and a loss."""
