"""The required packages, and those that some functions need."""

import platform
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module, metadata
from pathlib import Path

from moat.doctor.finding import Finding, Health, told
from moat.other_moats import DISTRIBUTION

_AREA = "packages"
PYTHON = ">=3.11"
EXTRAS = ("tensorboard", "autoattack", "pandas")
"""The extras of a user, as pyproject.toml calls them."""
_MODULES = {"pillow": "PIL"}
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def packages() -> Iterator[Finding]:
    """Yield Python, each required package, and each that an extra asks for."""
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    fits = SpecifierSet(PYTHON).contains(version, prereleases=True)
    text = f"{version} ({sys.executable})"
    mend = "" if fits else f"moat needs Python {PYTHON}: make another environment"
    yield Finding(_AREA, "python", Health.ok if fits else Health.fault, text, mend)
    found = requirements()
    if not found:
        text = "neither pyproject.toml nor the metadata states moat's requirements"
        yield Finding(_AREA, DISTRIBUTION, Health.warning, text, "install moat-robust")
    for extra, listed in found.items():
        for text in listed:
            yield from _package(text, extra)


def requirements() -> Mapping[str, Sequence[str]]:
    """Return the requirements by extra, "" for those of moat itself.

    A checkout's pyproject.toml says them, else the metadata of the installed distribution.
    """
    with suppress(OSError, KeyError, ValueError):
        project = tomllib.loads(_PROJECT.read_text("utf-8"))["project"]
        if project["name"] == DISTRIBUTION:
            extras = project["optional-dependencies"]
            return {"": project["dependencies"], **{extra: extras[extra] for extra in EXTRAS}}
    try:
        listed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    wanted = {extra: (f"extra == '{extra}'", f'extra == "{extra}"') for extra in EXTRAS}
    plain = [text for text in listed if "extra ==" not in text]
    return {"": plain} | {
        extra: [text for text in listed if any(mark in text for mark in marks)]
        for extra, marks in wanted.items()
    }


def _package(text: str, extra: str) -> Iterator[Finding]:
    """Yield what is found of a package: its version, and whether it can be imported."""
    from packaging.requirements import Requirement

    wanted = Requirement(text)
    if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
        return
    bad = Health.warning if extra else Health.fault
    needs = f"needs {wanted.specifier}" if wanted.specifier else "any version"
    needs += f", for {extra}" if extra else ""
    install = f"pip install '{wanted.name}{wanted.specifier}'"
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        state = Health.absent if extra else Health.fault
        yield Finding(_AREA, wanted.name, state, f"not installed; {needs}", install)
        return
    found = f"{version}; {needs}"
    if not wanted.specifier.contains(version, prereleases=True):
        yield Finding(_AREA, wanted.name, bad, f"{found}: too old", install)
        return
    try:
        import_module(_MODULES.get(wanted.name, wanted.name.replace("-", "_")))
    except (Exception, SystemExit) as error:
        text = f"{found}, cannot be imported: {told(error)}"
        yield Finding(_AREA, wanted.name, bad, text, _reinstall(wanted.name))
    else:
        yield Finding(_AREA, wanted.name, Health.ok, found)


def _reinstall(name: str) -> str:
    if name in ("torch", "torchvision"):
        return "reinstall torch and torchvision together, of one build: https://pytorch.org"
    return f"pip install --force-reinstall {name}"
