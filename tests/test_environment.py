import os
import subprocess
import sys

import pytest

from moat.environment import without


def test_what_is_hidden_comes_back_also_after_an_error(monkeypatch):
    for name in ("LT_DEVICES", "RANK", "KEPT"):
        monkeypatch.setenv(name, "1")
    seen = []

    def failing() -> None:
        with without(["RANK", "ABSENT"], prefix="LT_"):
            seen.extend({"LT_DEVICES", "RANK", "KEPT"} & set(os.environ))
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert seen == ["KEPT"]
    assert [os.environ[name] for name in ("LT_DEVICES", "RANK", "KEPT")] == ["1"] * 3


@pytest.mark.parametrize("backend", ["Qt4Agg", "module://nowhere", "agg"])
def test_pictures_are_drawn_whatever_window_the_environment_names(backend):
    script = (
        "import os, moat.report\n"
        "from matplotlib.figure import Figure\n"
        "from moat.report.style import render\n"
        "print(len(render(Figure(), 'png')) > 0, os.environ['MPLBACKEND'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "MPLBACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"True {backend}\n", done.stderr
