"""The command that made an evaluation, kept as seen from its results folder."""

import os
from pathlib import Path

import pytest

from moat.records import ModelRecord
from moat.runs import RunFolder, command_again, judged_run, kept_command, results_of, seen_from

WORDS = ["moat", "evaluate", "results/study/plain/seed-0", "--protocol", "recipes/strong.toml"]
WORDS += ["--set", "data.root=/data/x", "--set", "evaluation.seed=1", "--set", "model.weights=V1"]
WORDS += ["--results", "results"]
MODEL = ["moat", "evaluate", "--model", "python:nets:Net", "--checkpoint", "nets/net.pt"]
MODEL += ["--arg", "weights=nets/a.pth", "--arg", "weights=DEFAULT", "--arg", "name=a/b"]
MODEL += ["--name", "net", "--results", "results", "--allow-code"]


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


def judged(golden: Path, of: str | None) -> ModelRecord:
    """Return the record of a model that was judged in a study of its own."""
    record = RunFolder(golden / "demo/max-at/seed-0").read_record().model
    return record.model_copy(update={"study": "study@strong", "of": of})


@pytest.mark.parametrize("words", [WORDS, MODEL])
@pytest.mark.parametrize("spelt", [Path, Path.absolute])
def test_its_paths_are_kept_as_seen_from_there_and_shown_as_seen_from_here(
    home, words, spelt, tmp_path, monkeypatch
):
    kept = kept_command(words, spelt(Path("results")))
    assert str(tmp_path) not in " ".join(kept)
    assert [one for one, two in zip(kept, words, strict=True) if one == two]
    monkeypatch.chdir(tmp_path)
    run = Path("home/results/study@strong/plain/seed-0")
    again = command_again(kept, "study@strong", run)
    for before, now in zip(words, again, strict=True):
        key, equals, path = before.rpartition("=")
        if now != before:
            assert now.startswith(f"{key}{equals}")
            assert os.path.realpath(now[len(key + equals) :]) == str(home / path)
    assert "--name" not in words or again[again.index("--name") + 1] == "net"


def test_an_older_record_names_its_own_machine(home, golden):
    old = [word if "/" not in word else str(home / word) for word in WORDS[:5]]
    run = home / "results/study@strong/plain/seed-0"
    assert command_again(old, "study@strong", run) == old
    assert judged_run(judged(golden, of=old[2]), run) == Path(old[2])


@pytest.mark.parametrize("command", [None, [], ["rm", "-rf"], ["moat", "train"], ["moat", 1], "x"])
def test_what_is_no_command_of_moats_is_none(command):
    assert command_again(command, "s", Path("r/s/a")) is None


def test_the_run_that_was_judged_is_found_beside(home, golden):
    record = judged(golden, of="study/plain/seed-0")
    assert judged_run(record, Path("r/study@strong/plain/seed-0")) == Path("r/study/plain/seed-0")
    assert judged_run(judged(golden, of=None), Path("r/study/plain/seed-0")) is None


def test_a_results_folder_is_the_one_above_the_study(home):
    assert results_of(Path("r/study/x/seed-0"), "study") == Path("r")
    assert results_of(Path("study/x/seed-0"), "study") == Path()
    Path("study/x").mkdir(parents=True)
    os.chdir("study/x")
    assert results_of(Path("seed-0"), "study") == home
    assert results_of(Path("seed-0"), "other") is None


def test_a_path_is_seen_from_a_folder_links_followed(home):
    (home / "deep/er").mkdir(parents=True)
    (home / "link").symlink_to("deep/er")
    assert seen_from("data", Path("link")) == "../../data"
