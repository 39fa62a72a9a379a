"""A small study to change and to break."""

from collections.abc import Callable
from pathlib import Path

import pytest

SMALL = Path(__file__).parents[1] / "small.toml"
Write = Callable[..., Path]


@pytest.fixture
def recipe(tmp_path) -> Write:
    """Write the small study with one piece of its text replaced and more added; return its file."""

    def write(old: str = "", new: str = "", *, more: str = "", name: str = "study.toml") -> Path:
        text = SMALL.read_text("utf-8")
        assert old in text
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new, 1) + more, "utf-8")
        return path

    return write
