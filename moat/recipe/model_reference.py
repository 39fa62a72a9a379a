"""The reading of a model's type without the form of a reference, such as mynet.py:Net."""

import re
from difflib import get_close_matches

from moat.errors import RecipeError
from moat.models import registry
from moat.models.python import PYTHON_PREFIX
from moat.models.torchvision import TORCHVISION_PREFIX

FORM = (
    "A network of your own is written python:module:callable: python:mynet:Net is Net in mynet.py."
)
_PREFIX = re.compile(r"\s*python\s*:", re.IGNORECASE)
_MODULE = re.compile(r"[^\s:/\\.]+(\.[^\s:/\\.]+)*")


def require_reference(typed: str, where: str) -> None:
    """Raise RecipeError, with the right form, for a type that is almost a callable's reference.

    A registered name and torchvision:<name> pass.
    """
    own, meant = typed.startswith(PYTHON_PREFIX), meant_reference(typed)
    if (own and typed == meant) or (not own and (not meant or _is_registered(typed))):
        return
    near = f" Did you mean {meant!r}?" if meant else ""
    raise RecipeError(f"no model is called {typed!r}.{near}", where=where, hint=FORM)


def meant_reference(typed: str) -> str:
    """Return the reference meant by a path, a wrong prefix or a dot, "" if there is none.

    Example:
        >>> meant_reference("python:./nets/mine.py:make"), meant_reference("nets.mine.make")
        ('python:nets.mine:make', 'python:nets.mine:make')
    """
    prefix, colon, rest = (part.strip() for part in typed.partition(":"))
    if colon and get_close_matches(prefix.lower(), [TORCHVISION_PREFIX[:-1]], cutoff=0.8):
        return TORCHVISION_PREFIX + rest if prefix != TORCHVISION_PREFIX[:-1] else ""
    path, _, name = _PREFIX.sub("", typed).strip().strip(":").partition(":")
    module = _module_of(path.strip())
    if not name:
        module, _, name = module.rpartition(".")
    name = name.strip().removesuffix("()")
    sound = _MODULE.fullmatch(module) and name.isidentifier()
    return f"{PYTHON_PREFIX}{module}:{name}" if sound else ""


def _module_of(path: str) -> str:
    """Return a module by the path of its file from the current folder; others stay as they are."""
    if path.startswith(("/", "\\")):
        return path
    parts = re.split(r"[/\\]", re.sub(r"\.py(?=$|\.)", "", path))
    return ".".join(part for part in parts if part not in ("", "."))


def _is_registered(name: str) -> bool:
    return any(entry.name == name for entry in registry.entries())
