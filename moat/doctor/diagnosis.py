"""The areas of `moat doctor`, one after another."""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from moat.doctor.backends import backends
from moat.doctor.devices import devices
from moat.doctor.finding import Finding, safe
from moat.doctor.folders import folders
from moat.doctor.installation import installation
from moat.doctor.packages import packages
from moat.doctor.plugins import plugins


def diagnose(results: Path) -> list[Finding]:
    """Check everything that moat needs; a trial file is written and deleted."""
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "moat": installation,
        "packages": packages,
        "devices": devices,
        "back ends": backends,
        "plug-ins": plugins,
        "folders": partial(folders, results),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # packages warn when they are imported
        return [finding for area, look in looks.items() for finding in safe(area, look)]
