"""The installed moat: its version, its command, and other projects' `moat`."""

import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from moat.doctor.finding import Finding, Health
from moat.doctor.origins import folder_instead, installed_how, mend_of_folder
from moat.other_moats import DISTRIBUTION, other_moats
from moat.version import __version__

_AREA = "moat"
PACKAGE = Path(__file__).parents[1]


def installation() -> Iterator[Finding]:
    """Yield what is found of module, distribution, command and other projects' moats."""
    yield Finding(_AREA, "module", Health.ok, f"{__version__} in {PACKAGE}")
    yield _distribution()
    yield _command()
    yield from _others()


def _distribution() -> Finding:
    try:
        found = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        text = "not installed: the module was found on the path"
        mend = "pip install -e . in the checkout, for the command moat and its plug-ins"
        return Finding(_AREA, DISTRIBUTION, Health.warning, text, mend)
    text = f"{found.version}, {installed_how(found)}"
    folder = folder_instead(found, PACKAGE)
    other = [f"is {__version__}"] * (found.version != __version__)
    other += [f"comes from {folder}"] * bool(folder)
    if not other:
        return Finding(_AREA, DISTRIBUTION, Health.ok, text)
    mend = f"install {DISTRIBUTION} again, from the source of this module"
    return Finding(
        _AREA,
        DISTRIBUTION,
        Health.warning,
        f"{text}; the module {' and '.join(other)}",
        mend_of_folder(folder) if folder else mend,
    )


def _command() -> Finding:
    """Return whose the command `moat` is that a shell would find."""
    mend = f"{sys.executable} -m moat_robust is the same command"
    place = shutil.which("moat")
    if place is None:
        own = Path(sys.executable).with_name("moat")
        state = Health.ok if own.is_file() else Health.warning
        text = f"{own}, not on PATH" if own.is_file() else "not on PATH"
        return Finding(_AREA, "command", state, text, f"activate the environment; {mend}")
    try:
        script = Path(place).read_bytes()
    except OSError as error:
        return Finding(_AREA, "command", Health.warning, f"{place}: {error.strerror}", mend)
    if b"from moat.cli" in script:
        text = f"{place} was installed under this project's former name"
        return Finding(_AREA, "command", Health.warning, text, f"install {DISTRIBUTION} again")
    if b"moat_robust" not in script:
        text = f"{place} is another project's"
        return Finding(
            _AREA, "command", Health.warning, text, f"install {DISTRIBUTION} again; {mend}"
        )
    if Path(place).parent.resolve() != Path(sys.executable).parent.resolve():
        text = f"{place} belongs to another environment than {sys.prefix}"
        return Finding(_AREA, "command", Health.warning, text, f"activate the environment; {mend}")
    return Finding(_AREA, "command", Health.ok, place)


def _others() -> Iterator[Finding]:
    others = other_moats()
    for other in others:
        mixed = not other.former and other.folder.resolve() == PACKAGE.parent.resolve()
        whose = "this project under its former name" if other.former else "another project's"
        text = f"{other.name} {other.version} in {other.folder}: {whose}"
        text += "; its files and moat's lie in one folder" if mixed else ""
        yield Finding(
            _AREA, "another moat", Health.fault if mixed else Health.warning, text, other.mend
        )
    if not others:
        yield Finding(_AREA, "another moat", Health.ok, "none")
