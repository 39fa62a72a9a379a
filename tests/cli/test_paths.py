"""Paths that the system cannot look up, in every command: one error, exit code 2, no traceback."""

from pathlib import Path

import pytest

IMPOSSIBLE = ["x" * 300, "demo/" + "x" * 300, "a/" * 2100, "circle/x", "file/x", "a\0b"]
SMALL = Path(__file__).parents[1] / "small.toml"
RUN = "demo/max-at/seed-0"
COMMANDS = [
    *(
        ["front", "PATH"],
        ["front", "demo", "--against", "PATH"],
        ["front", "demo", "--out", "PATH"],
    ),
    *(["plot", "PATH"], ["plot", "demo", "--recipe", "PATH"]),
    ["plot", "demo", "--kind", "radar", "--out", "PATH"],
    *(["score", "PATH"], ["watch", "PATH", "--once"]),
    *(["compare", "PATH", RUN], ["compare", RUN, "PATH"], ["compare", RUN, RUN, "--out", "PATH"]),
    *(["report", "PATH"], ["report", "demo", "--against", "PATH"]),
    *(["report", "demo", "--recipe", "PATH"], ["report", "demo", "--out", "PATH"]),
    ["report", "demo", "--html", "PATH/x.html"],
    ["report", "demo", "--html", "page.html", "--rival", "PATH"],
    *(["bundle", "PATH", "out.zip"], ["bundle", "demo", "PATH/x.zip"]),
    ["bundle", "demo", "PATH/x.zip", "--overwrite"],
    *(["train", "PATH"], ["train", SMALL, "--results", "PATH"]),
    ["train", SMALL, "--results", "PATH", "--dry-run"],
    *(["evaluate", "PATH"], ["evaluate", RUN, "--protocol", "PATH"]),
    ["evaluate", RUN, "--protocol", SMALL, "--results", "PATH"],
    ["evaluate", "--model", "tiny-cnn", "--protocol", SMALL, "--checkpoint", "PATH"],
    ["evaluate", "--model", "tiny-cnn", "--protocol", SMALL, "--results", "PATH"],
]


@pytest.fixture
def demo(golden, tmp_path) -> None:
    (tmp_path / "demo").symlink_to(golden / "demo")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").write_text("mine", "utf-8")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(map(str, command))[:60])
def test_every_command_refuses_them(moat, demo, tmp_path, command):
    for path in IMPOSSIBLE:
        answer = moat(*(str(word).replace("PATH", path) for word in command))
        assert answer.code == 2, (path, answer)
        assert answer.err.strip()
        assert "\0" not in answer.err
    assert {path.name for path in tmp_path.iterdir()} <= {"demo", "circle", "file", "page.html"}
