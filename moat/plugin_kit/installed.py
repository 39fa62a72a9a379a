"""Refusal of a new package that would replace an installed one."""

import re
from importlib import metadata
from importlib.util import find_spec

from moat.errors import DefinitionError


def require_not_installed(distribution: str, module: str, name: str) -> None:
    """Raise DefinitionError where a distribution or a module of that name is installed.

    Names of distributions are compared as installers do: case, hyphens, dots and underscores are
    one. A module may belong to a distribution of another name.
    """
    wanted = _plain(distribution)
    there = next((one for one in metadata.distributions() if _plain(_name(one)) == wanted), None)
    if there is not None:
        what = f"the distribution {there.name} {there.version} is installed"
    elif find_spec(module) is not None:
        what = f"a module {module} is installed"
    else:
        return
    raise DefinitionError(
        f"{what}, which the new package {distribution} with its module {module} would replace.",
        hint=f"Take another name, as my-{name}. To write this one anew, uninstall it first.",
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _name(distribution: metadata.Distribution) -> str:
    return distribution.metadata["Name"] or ""  # of a broken installation
