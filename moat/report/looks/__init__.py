"""How each name looks, the same on every picture and on the page."""

from moat.report.looks.names import Looks, looks_of
from moat.report.looks.palette import Look

__all__ = ["Look", "Looks", "looks_of"]
