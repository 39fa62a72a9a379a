"""Common corruptions whose strength is searched: blur, fog and JPEG, as threats of moat."""

from moat_corruptions.blur import Blur
from moat_corruptions.fog import Fog
from moat_corruptions.jpeg import JPEG

__all__ = ["JPEG", "Blur", "Fog"]
