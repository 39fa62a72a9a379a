"""A user's own files in the folders of a run: never deleted, never taken for moat's."""

from contextlib import suppress
from pathlib import Path

import pytest

from moat.events import Event, Note, Overwrite
from moat.runs import RunFolder

RUN = Path("study", "plain", "seed-0")
USERS = ("code/exp/analysis.py", "code/mine.py", "code/notes.txt", "tensorboard/mine.csv",
         "tensorboard/events.out.tfevents.1700000000.desk.1.0")  # fmt: skip
NETWORK = """
from torch import nn

def make():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
"""


@pytest.fixture
def with_code(tmp_path, monkeypatch, recipe) -> Path:
    """A short recipe of a model of the user's own."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"net_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(NETWORK, "utf-8")
    path = recipe('"tiny-cnn"\nwidth = 4', f'"python:{name}:make"')
    text = path.read_text("utf-8").replace("= 40", "= 6").replace("epochs = 1", "epochs = 2")
    path.write_text(text, "utf-8")
    return path


def lay(run: Path, places=USERS) -> dict[Path, bytes]:
    """Write a user's files; return their contents."""
    laid = {run / place: f"mine: {place}".encode() for place in places}
    for path, content in laid.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return laid


def untouched(laid: dict[Path, bytes]) -> bool:
    return all(path.read_bytes() == content for path, content in laid.items())


@pytest.mark.parametrize("state", ["killed", "without record", "finished", "judged otherwise"])
@pytest.mark.parametrize("kind", ["moat's model", "python:"])
def test_training_that_goes_on_deletes_no_file_of_a_user(
    recipe, with_code, results, train, watch, state, kind
):
    path = with_code
    if kind != "python:":
        path = recipe("epochs = 1", "epochs = 2", name="other/study.toml")
        path.write_text(path.read_text("utf-8").replace("= 40", "= 6"), "utf-8")
    with suppress(watch.Killed):
        train(path, only=("plain",), listener=watch(dies_at=8 if state == "killed" else 0))
    run = results / RUN
    if state == "without record":
        (run / "run.json").unlink()
    if state == "judged otherwise":
        path.write_text(path.read_text("utf-8").replace("= 6", "= 5"), "utf-8")
    laid = lay(run)
    result = train(path, only=("plain",))
    assert not result.failed, result.failed
    assert untouched(laid)
    folder = RunFolder(run)
    own = {name for name in folder.read_record().files if name.startswith("code/")}
    assert own == {f"code/{place}" for place in folder.read_code()}
    assert own.isdisjoint(USERS)
    assert len(own) == (kind == "python:")


def test_overwriting_keeps_a_users_files_and_names_them(with_code, results, train):
    assert not train(with_code, only=("plain",)).failed
    laid, heard = lay(results / RUN), list[Event]()
    own = results / RUN / "tensorboard/events.out.tfevents.1.desk.7.0.moat"
    own.write_bytes(b"")
    with_code.write_text(with_code.read_text("utf-8").replace("lr = 0.5", "lr = 0.4"), "utf-8")
    again = train(with_code, only=("plain",), overwrite=True, listener=heard.append)
    assert not again.failed, again.failed
    assert untouched(laid)
    assert not own.exists()
    said = next(e.what for e in heard if isinstance(e, Overwrite) and "model.safetensors" in e.what)
    written, _, kept = said.partition("; not moat's, kept as it is: ")
    assert written.endswith("tensorboard, code")
    assert sorted(kept.split(", ")) == sorted(USERS)


def test_a_users_file_in_the_place_of_code_is_moved_aside_in_a_line(with_code, results, train):
    assert not train(with_code, only=("plain",)).failed
    run, heard = results / RUN, list[Event]()
    (place,) = RunFolder(run).read_code()
    laid = lay(run, [f"code/{place}"])
    again = train(with_code, only=("plain",), overwrite=True, listener=heard.append)
    assert not again.failed, again.failed
    (path, content) = next(iter(laid.items()))
    assert path.with_name(f"{path.name}.kept").read_bytes() == content
    assert path.read_text("utf-8") == NETWORK
    (said,) = (event.text for event in heard if isinstance(event, Note) and "moved" in event.text)
    assert said == f"moved out of the way of moat's own: {path} (kept as {path.name}.kept)"
