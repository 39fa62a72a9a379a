"""What a worker does with its orders; in this process, over a pipe."""

import signal
import sys
from contextlib import suppress
from multiprocessing import Pipe
from threading import Thread

import pytest
import torch

from moat.errors import RunFolderError
from moat.events import NamedRunEvent, RunEnd, RunFailure, RunHold
from moat.recipe import plan_runs, read
from moat.runs import RunFolder
from moat.study import worker
from moat.study.runner import RunnerSettings
from moat.study.worker import Answer, Order, Ready, Refusal, WorkerTask


@pytest.fixture
def told(recipe, results, monkeypatch):
    """Give a worker orders; return what it says."""
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)

    def work(*orders, path=None):
        source = read(path or recipe())
        here, there = Pipe()
        for order in (*orders, None):
            here.send(order)
        words = []

        def listen():
            with suppress(EOFError, OSError):  # it has said all
                while True:
                    words.append(here.recv())

        listening = Thread(target=listen)
        listening.start()
        task = WorkerTask(source, (), (), RunnerSettings(results, "cpu", overwrite=False))
        worker._work(there, task)
        there.close()
        listening.join()
        return words

    return work


def order(path, number):
    plan = plan_runs(read(path))[number]
    return Order(number, plan.train_hash, plan.protocol_hash)


def test_a_worker_does_the_run_of_its_order_and_says_how_it_ended(told, recipe, results):
    words = told(order(recipe(), 0))
    assert (words[0], words[-1]) == (Ready(), Answer(ended=True))
    (end,) = (word for word in words if isinstance(word, RunEnd))
    assert end.run == results / "study/plain/seed-0"
    assert RunFolder(end.run).is_done


def test_a_run_that_is_held_is_answered_as_such(told, recipe, results):
    with RunFolder(results / "study/plain/seed-0").locked():
        words = told(order(recipe(), 0))
    assert words[-1] == Answer(ended=False)
    assert [type(word) for word in words if isinstance(word, NamedRunEvent)][-1] is RunHold


def test_what_changed_on_the_disk_since_the_study_began_is_not_trained(told, recipe, results):
    words = told(Order(0, "another", "another"))
    (failure,) = (word for word in words if isinstance(word, RunFailure))
    assert type(failure.error) is RunFolderError
    assert str(failure.error) == (
        f"{recipe()}: files of the recipe changed since the study began.\n"
        "  Nothing was overwritten. Run the same command again."
    )
    assert words[-1] == Answer(ended=True)


def test_what_cannot_be_planned_is_refused(told, recipe):
    (word,) = told(path=recipe('"two-moment"', '"two-moments"'))
    assert isinstance(word, Refusal)
    assert word.error["kind"] == "RecipeError"
    assert "two-moments" in word.error["message"]


def test_a_worker_that_is_told_to_stop_stops_as_at_ctrl_c():
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(KeyboardInterrupt):
            worker._stop(signal.SIGTERM, None)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_nobody_dies_with_a_parent_that_is_none():
    worker._die_with_parent(die=sys.exit)  # the tests' process was started by no pool
