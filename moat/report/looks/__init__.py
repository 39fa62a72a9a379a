"""The look of each name, the same in every picture and on the page."""

from moat.report.looks.names import Looks, looks_of
from moat.report.looks.palette import Look

__all__ = ["Look", "Looks", "looks_of"]
