"""One smooth map of colours an image: the threat of ReColorAdv for moat."""

from moat_recolor.recolor import Recolor

__all__ = ["Recolor"]
