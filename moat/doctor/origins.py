"""The recorded place of a distribution's code, and a check that Python imports it from there."""

import json
import os
import re
from importlib.metadata import Distribution
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit


def installed_how(found: Distribution) -> str:
    """Return how a distribution was installed: PEP 610's record says it."""
    try:
        url, editable = _record(found)
    except (ValueError, AttributeError):
        return "its direct_url.json cannot be read"
    return f"editable, {url}" if editable else url or "a wheel"


def folder_instead(found: Distribution, package: Path) -> str:
    """Return the folder that a package is imported from instead of its distribution's, "" of none.

    Of an editable installation that is its checkout, of another one the folder of its metadata.
    """
    try:
        url, editable = _record(found)
    except (ValueError, AttributeError):
        return ""
    home = Path(unquote(urlsplit(url).path)) if editable else Path(str(found.locate_file("")))
    inside = package.resolve().is_relative_to(home.resolve())
    return "" if inside else str(package.parent)


def package_of(module: str) -> Path | None:
    """Return the folder or the file of the outermost package of `module:attribute`."""
    try:
        spec = find_spec(re.split("[.:]", module)[0])
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)
    return file.parent if file.name == "__init__.py" else file


def mend_of_folder(folder: str) -> str:
    """Return what makes Python import the installed code, or installs the imported one."""
    listed = map(os.path.realpath, filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    where = "PYTHONPATH" if os.path.realpath(folder) in listed else "Python's path"
    return f"take {folder} out of {where}, or pip install -e {folder}"


def _record(found: Distribution) -> tuple[str, bool]:
    record = json.loads(found.read_text("direct_url.json") or "{}")
    return str(record.get("url", "")), bool(record.get("dir_info", {}).get("editable"))
