import errno
import logging
import os

import pytest
from lightning_fabric.loggers.tensorboard import TensorBoardLogger

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from torch.utils.tensorboard import SummaryWriter

from moat.errors import MissingPackageError
from moat.events import Listener, LogEntry, RunEnd, RunFailure, RunStart, each
from moat.runs import RunFolder
from moat.study import TensorBoard, plan, tensorboard
from moat.study.events import named
from moat.study.tensorboard import scalars_of

TEXT = {  # of the small study: three epochs of six steps, and something held out
    "[0.5, 1.0]": "[0.5]",
    "epochs = 1": "epochs = 3",
    "[model]": "validation = 0.1\n[model]",
    "log_every = 2": "log_every = 1",
}


@pytest.fixture
def once(recipe, train):
    """Train one run of two threats, with event files and another listener."""

    def run(*others: Listener, curves: bool = True, text: dict | None = None, **keys) -> RunFolder:
        path = recipe()
        whole = path.read_text("utf-8")
        for old, new in {**TEXT, **(text or {})}.items():
            assert old in whole
            whole = whole.replace(old, new)
        path.write_text(whole, "utf-8")
        board = [TensorBoard()] if curves else []
        result = train(path, only=("pareto",), listener=each(*board, *others), **keys)
        for listener in board:
            listener.close()
        (folder,) = (*result.done, *result.skipped, *result.failed)
        return RunFolder(folder)

    return run


def refuse(*args: object, **keys: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def curves_of(folder: RunFolder) -> dict[str, list[tuple[int, float]]]:
    """Return the points of every curve as TensorBoard reads them."""
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    events = EventAccumulator(str(folder.tensorboard), size_guidance={"scalars": 0})
    events.Reload()
    return {
        name: [(event.step, round(event.value, 4)) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def logged(folder: RunFolder, table: str, name: str) -> list[tuple[int, float]]:
    return [
        (record["step"], round(record[table][name], 4))
        for record in folder.read_log()
        if table in record and record[table][name] is not None
    ]


def hold_the_log(folder: RunFolder) -> None:
    """Assert that the curves are the log, point by point."""
    assert folder.event_files() == sorted(folder.tensorboard.iterdir())
    curves = curves_of(folder)
    for name in ("natural", "pgd", "flow"):
        for table in ("loss", "weight", "validation"):
            drawn, said = curves[f"{table}/{name}"], logged(folder, table, name)
            assert [step for step, _ in drawn] == [step for step, _ in said], (table, name)
            assert [v for _, v in drawn] == pytest.approx([v for _, v in said], abs=2e-4)
    steps = [record["step"] for record in folder.read_log() if "loss" in record]
    for name in ("lr", "images_per_second", "r_effective", "clamped"):
        assert [step for step, _ in curves[name]] == steps, name


def test_the_curves_are_the_log(once):
    folder = once()
    hold_the_log(folder)
    assert not {"step", "steps", "epoch", "score"} & set(curves_of(folder))


def test_the_scores_stand_at_the_last_step_beside_what_the_run_is(once):
    folder = once()
    scores, last = folder.read_record().scores, folder.read_log()[-1]["step"]
    named = {"natural": scores["natural"], **scores["scores"], "total": scores["total"]}
    named["union"] = scores["union"]
    curves = curves_of(folder)
    for name, score in named.items():
        assert curves[f"score/{name}"] == [(last, pytest.approx(score, abs=1e-3))], name
    events = EventAccumulator(str(folder.tensorboard))
    events.Reload()
    content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    about = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert about["variant"].string_value == "pareto"
    assert about["scalarizer.r"].number_value == 0.5
    assert about["seed"].number_value == 0


@pytest.mark.parametrize("dies_at", [1, 8, 18])
def test_a_run_that_goes_on_goes_on_in_the_same_curves(once, watch, dies_at):
    with pytest.raises(watch.Killed):
        once(watch(dies_at=dies_at))
    hold_the_log(once())


def test_steps_that_are_forgotten_are_not_drawn_though_none_is_logged_in_their_place(once, watch):
    with pytest.raises(watch.Killed):
        once(watch(dies_at=11))  # the checkpoint is of step 6
    folder = once(text={"log_every = 2": "log_every = 5"})  # which identifies no run
    assert [step for step, _ in curves_of(folder)["lr"]] == [1, 2, 3, 4, 5, 6, 10, 15]


def test_a_run_that_began_without_event_files_gets_all_of_its_curves(once, watch):
    with pytest.raises(watch.Killed):
        once(watch(dies_at=8), curves=False)
    hold_the_log(once())


def test_a_run_that_was_finished_before_gets_its_curves_from_its_log(once, snapshot):
    folder = once(curves=False)
    before = snapshot(folder.path)
    assert not folder.tensorboard.exists()
    once()
    hold_the_log(folder)
    assert "score/union" in curves_of(folder)
    drawn = snapshot(folder.path)
    assert before.items() <= drawn.items()
    once()
    assert snapshot(folder.path) == drawn


def test_a_run_that_is_only_evaluated_again_has_one_score(once):
    folder = once()
    (folder.path / "evaluation.npz").unlink()
    once()
    hold_the_log(folder)
    assert len(curves_of(folder)["score/union"]) == 1


def test_a_run_that_is_trained_again_begins_new_curves(once):
    folder = once()
    (folder.path / "model.safetensors").write_bytes(b"broken")
    before = list(folder.tensorboard.iterdir())
    once(overwrite=True)
    assert not any(path.exists() for path in before)
    hold_the_log(folder)


def test_event_files_change_nothing_else(once, tmp_path):
    plain = once(curves=False, results=tmp_path / "plain")
    drawn = once(results=tmp_path / "drawn")
    assert plain.path.relative_to(tmp_path / "plain") == drawn.path.relative_to(tmp_path / "drawn")
    for name in ("model.safetensors", "recipe.toml", "evaluation.npz"):
        assert (plain.path / name).read_bytes() == (drawn.path / name).read_bytes()
    records = [folder.read_record() for folder in (plain, drawn)]
    assert len({(record.train_hash, record.protocol_hash) for record in records}) == 1
    assert {path.name for path in drawn.path.iterdir()} - {
        path.name for path in plain.path.iterdir()
    } == {"tensorboard"}


def test_a_run_that_fails_keeps_its_curves(once):
    folder = once(text={"lr = 0.5": "lr = 1e30"})
    assert folder.read_failure()
    assert curves_of(folder)["loss/natural"][0][0] == 1


def test_a_folder_that_was_cleared_meanwhile_is_drawn_from_its_start(recipe, tmp_path):
    folder, board = RunFolder(tmp_path / "run"), TensorBoard()
    folder.path.mkdir()
    (run,) = plan(recipe(), only=("plain",))
    board(named(RunStart, run, folder.path))
    for again in (False, True):
        for step in (1, 2):
            record = {"step": step, "loss": {"natural": 1.0 / step}}
            folder.append_log(record)
            board(LogEntry(run=folder.path, record=record))
        if not again:
            folder.clear()
    board.close()
    assert curves_of(folder) == {"loss/natural": [(1, 1.0), (2, 0.5)]}


def test_a_disk_that_refuses_the_scores_stops_no_other_run(recipe, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tensorboard").write_text("no folder")
    board = TensorBoard()
    (run,) = plan(recipe(), only=("plain",))
    board(named(RunStart, run, tmp_path / "run"))
    scores = {"natural": 1.0, "scores": {}, "total": None, "union": 1.0}
    board(named(RunEnd, run, tmp_path / "run", scores=scores))
    board(named(RunFailure, run, tmp_path / "run", message="no"))


@pytest.mark.parametrize("when", ["first", "later"])
def test_a_disk_that_refuses_a_curve_fails_the_run_with_what_the_disk_said(once, monkeypatch, when):
    if when == "first":
        monkeypatch.setattr("os.makedirs", refuse)
    else:
        monkeypatch.setattr(SummaryWriter, "add_scalar", refuse)
    folder = once()
    failure = folder.read_failure()
    assert failure["message"] == "cannot write: the disk is full."
    assert failure["where"] == str(folder.tensorboard)


def test_another_error_is_passed_on_as_it_is(recipe, tmp_path, monkeypatch):
    def fail(*args: object, **keys: object) -> None:
        raise ValueError("no")

    board = TensorBoard()
    (run,) = plan(recipe(), only=("plain",))
    board(named(RunStart, run, tmp_path))
    monkeypatch.setattr(TensorBoardLogger, "log_metrics", fail)
    with pytest.raises(ValueError, match="no"):
        board(LogEntry(run=tmp_path, record={"step": 1, "lr": 0.1}))
    board.close()


def test_without_the_package_it_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError) as raised:
        TensorBoard()
    assert str(raised.value) == (
        "event files need the package tensorboard, which is not installed.\n"
        "  pip install tensorboard"
    )


def test_numbers_are_told_by_their_tables():
    record = {"step": 1, "loss": {"step": 2.0, "pgd": None}, "clamped": True, "note": "x"}
    assert scalars_of(record) == {"loss/step": 2.0, "clamped": 1.0}
