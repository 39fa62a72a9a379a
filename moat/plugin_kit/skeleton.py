"""A skeleton of a plug-in's package: it passes `moat check` and its own tests at once."""

import keyword
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from moat.catalogue import catalogue
from moat.errors import DefinitionError, ForeignFileError
from moat.names import NATURAL
from moat.plugin_kit.installed import require_not_installed
from moat.plugin_kit.stripes import stripes
from moat.storage import disk, encoded, make_folder, replace

GROUPS = {
    "threat": "threats",
    "scalarizer": "scalarizers",
    "model": "models",
    "dataset": "datasets",
}
"""The entry-point group of each kind, without its prefix."""
LONGEST_NAME = 40

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TEMPLATES = Path(__file__).parent / "templates"


def write_skeleton(kind: str, name: str, folder: Path | None = None) -> list[Path]:
    """Write a package with one threat, scalarizer, model or data set; return its files.

    `folder`, by default ./moat-NAME, must not exist. Raises DefinitionError for a name that cannot
    be one or is taken, and ForeignFileError for a folder that is there. The folder is whole or not
    there.
    """
    _require_name(kind, name)
    target = folder if folder is not None else Path(f"moat-{name}")
    if target.exists() or target.is_symlink():
        raise ForeignFileError(
            "this is there already, and nothing of it is replaced.",
            where=str(target),
            hint="Name another folder with --folder.",
        )
    contents = _contents(kind, name, target.name)
    part = target.with_name(f".{target.name}.moat.tmp")
    with disk(target):
        if part.exists():  # what a killed process left
            shutil.rmtree(part)
    for place, content in contents.items():
        make_folder((part / place).parent)
        replace(part / place, content)
    with disk(target):
        part.rename(target)
    return [target / place for place in contents]


def _require_name(kind: str, name: str) -> None:
    words = kind if kind != "dataset" else "data set"
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise DefinitionError(
            f"a {words} cannot be called {name!r}.",
            hint=f"A name starts with a letter and has at most {LONGEST_NAME} lower-case letters, "
            "digits and hyphens, a hyphen between two of the others, as in my-noise.",
        )
    if keyword.iskeyword(name) or name == NATURAL:
        raise DefinitionError(
            f"a {words} cannot be called {name!r}: that is "
            + ("the objective without a threat." if name == NATURAL else "a word of Python."),
            hint=f"Take another name, as my-{name}.",
        )
    for entry in catalogue(GROUPS[kind]):
        if entry.name == name:
            raise DefinitionError(
                f"{entry.origin} has a {words} called {name!r}.",
                hint=f"Take another name, as my-{name}.",
            )
    require_not_installed(f"moat-robust-{name}", _package_of(name), name)


def _package_of(name: str) -> str:
    return f"moat_{name.replace('-', '_')}"


def _contents(kind: str, name: str, folder: str) -> dict[str, bytes]:
    """Return what each file holds, by its place in the package's folder."""
    module = name.replace("-", "_")
    package = _package_of(name)
    values = {
        "kind": kind,
        "words": "data set" if kind == "dataset" else kind,
        "group": GROUPS[kind],
        "name": name,
        "folder": folder,
        "module": module,
        "package": package,
        "cls": _class_name(name),
    }
    contents = {
        "pyproject.toml": _filled("pyproject.toml", values),
        "README.md": _filled("README.md", values),
        f"{package}/__init__.py": _filled("init.py", values),
        f"{package}/{module}.py": _filled(f"{kind}/module.py", values),
        f"{package}/py.typed": b"",
        f"tests/test_{module}.py": _filled(f"{kind}/test.py", values),
        f"recipes/{name}.toml": _filled(f"{kind}/recipe.toml", values),
    }
    return contents | ({f"{package}/{module}.npz": stripes()} if kind == "dataset" else {})


def _class_name(name: str) -> str:
    """Return the name of the class, which is none that the skeleton imports.

    Example:
        >>> _class_name("my-noise"), _class_name("model")
        ('MyNoise', 'ModelPlugin')
    """
    camel = "".join(part.capitalize() for part in name.split("-"))
    taken = camel in _IMPORTED or keyword.iskeyword(camel)
    return f"{camel}Plugin" if taken else camel


def _filled(template: str, values: Mapping[str, str]) -> bytes:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # Python and TOML
    )
    return encoded(environment.get_template(f"{template}.jinja").render(values))


_IMPORTED = (
    *("Annotated", "Ball", "Data", "Field", "Images", "Model", "Normalise", "Path", "Split"),
    *("Tensor", "Transform"),
)
"""Names that a skeleton imports and that the class of one word would hide."""
