"""Brightness and contrast: a photometric threat for moat."""

from moat_photometric.photometric import Photometric

__all__ = ["Photometric"]
