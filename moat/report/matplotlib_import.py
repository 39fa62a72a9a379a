"""matplotlib, imported for files alone, whatever window the environment names."""

import os
import sys
from contextlib import suppress

from moat.environment import without

if "matplotlib" not in sys.modules:
    with without(["MPLBACKEND"]):  # one that this matplotlib does not know would stop the import
        import matplotlib
    if wanted := os.environ.get("MPLBACKEND"):  # as in a notebook, whose own pictures need it
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = wanted
