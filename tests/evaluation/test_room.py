"""An evaluation keeps to its memory, and neither memory nor passes change an outcome."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from moat.data import Data, Split
from moat.errors import MoatError, ModelError
from moat.evaluation import Protocol, evaluate, make_gallery
from moat.evaluation.protocol import Attempt
from moat.evaluation.room import GIB, Room, gib, room_for
from moat.threats import (
    PGD,
    RT,
    Flow,
    Integrated,
    LiveBytes,
    RTGrid,
    StAdv,
    Threat,
)


class Exact(nn.Module):
    """Logits that are the same for an image in a pass of any size, to the bit."""

    def __init__(self):
        super().__init__()
        drawn = torch.randn(4, 64, generator=torch.Generator().manual_seed(0), dtype=torch.double)
        self.weight = nn.Parameter(drawn)

    def forward(self, x):
        pixels = (x.flatten(1).double() - 0.5)[:, None]
        return (pixels * self.weight).sum(-1)


class OwnDraws(PGD):
    """Draw past the generator of the batch."""

    def _start(self, x, balls, generator):
        return (0.1 * torch.rand(x.shape, generator=generator),)


class OwnWay(Threat):
    """Add noise."""

    def perturb(self, model, x, y, *, generator=None):
        return (x + 0.5 * torch.rand(x.shape, generator=generator)).clamp(0, 1)


THREATS = {
    "pgd": PGD(epsilon=0.2, step_size=0.05, steps=3),
    "l2": PGD(epsilon=0.8, step_size=0.2, norm="l2", steps=3, start="uniform"),
    "l1": PGD(epsilon=4.0, step_size=1.0, norm="l1", steps=2, start="uniform"),
    "kl": PGD(epsilon=0.15, step_size=0.03, steps=2, loss="kl", start="noise"),
    "apgd": PGD(epsilon=0.15, steps=5, search="apgd", loss="targeted-dlr", start="uniform"),
    "flow": Flow(epsilon=0.3, step_size=0.1, steps=2, start="noise"),
    "draws": RT(epsilon=0.3, search="random", steps=4),
    "integrated": Integrated(
        flow_epsilon=0.3, flow_step_size=0.1, rt_epsilon=0.3, rt_step_size=0.1, steps=2
    ),
    "stadv": StAdv(step_size=0.1, steps=2),
    "grid": RTGrid(rotations=2, translations=2),
    "worst": RTGrid(worst_of=3),
    "own-draws": OwnDraws(epsilon=0.2, step_size=0.05, steps=3, start="uniform"),
    "own-way": OwnWay(),
}
RESTARTS = {"l2": 3, "apgd": 3, "flow": 2, "draws": 2, "worst": 2, "own-draws": 2, "own-way": 2}


@pytest.fixture(scope="module")
def split():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (24, 1, 8, 8), generator=generator, dtype=torch.uint8)
    labels = Exact()(images / 255).argmax(1)
    labels[::9] = (labels[::9] + 1) % 4
    return Split(images, labels, torch.arange(24))


def protocol(memory=None, **keys):
    counts = {"pgd": (1, 3)}
    return Protocol(THREATS, counts, restarts=RESTARTS, memory=memory, **keys)


FALLS = [{}, {"falls": "any"}, {"falls": "any", "union_only": True}]


@pytest.mark.parametrize("falls", FALLS, ids=["last", "any", "union_only"])
@pytest.mark.parametrize(("share", "pass_size"), [(0.3, 7), (0, 1000)])
def test_no_bound_and_no_pass_size_changes_a_byte(split, monkeypatch, falls, share, pass_size):
    monkeypatch.setattr("moat.evaluation.evaluator.BATCH", 16)
    expected = evaluate(Exact(), split, protocol(**falls)).arrays()
    least, most = _least_memory(), _most_memory()
    memory = least + share * (most - least)
    found = evaluate(Exact(), split, protocol(memory, **falls), pass_size=pass_size).arrays()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
        assert found[name].tobytes() == values.tobytes()


def test_a_gallery_shows_the_same_in_any_memory(split):
    data = Data(split, split, ("a", "b", "c", "d"))
    expected = make_gallery(Exact(), data, protocol()).arrays()
    found = make_gallery(Exact(), data, protocol(_least_memory())).arrays()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def _room(memory=None, image=100_000):
    return room_for(protocol(memory), (16, 1, 8, 8), torch.device("cpu"), image=image)


def _least_memory():
    room = _room()
    return (room.batch + max(room.searches.values()) + room.image) / GIB * 1.5


def _most_memory():
    room = _room()
    return (room.batch + 16 * 3 * (max(room.searches.values()) + room.image)) / GIB


def test_what_is_said_to_be_needed_keeps_to_the_bound():
    least = _least_memory()
    for memory in (least, 2 * least, 10 * least, 4.0):
        room = _room(memory)
        assert room.needed(protocol()) <= memory * GIB
    assert _room(4.0).needed(protocol()) < 1.1 * _most_memory() * GIB


@pytest.mark.parametrize("label", ["pgd", "apgd", "draws"])
def test_the_tensors_of_an_evaluation_keep_to_what_is_said(split, label):
    small = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4))
    for memory in (None, 0.0007):
        told = []
        one = Protocol({label: THREATS[label]}, restarts={label: 2} if label != "pgd" else {})
        with LiveBytes() as counted:
            evaluate(small, split, replace(one, memory=memory), progress=told.append)
        needed = told[-1].memory
        assert counted.most <= 1.05 * needed + 40_000  # the look at the model, and its 24 images
        assert memory is None or needed <= memory * GIB


def attempts(count):
    return [Attempt(restart, None, ()) for restart in range(count)]


@pytest.mark.parametrize(
    ("limit", "groups"),
    [
        (1000, [(6, 4)]),
        (14, [(6, 2), (6, 2)]),
        (6, [(6, 1)] * 4),
        (4, [(3, 1), (3, 1)] * 4),
        (1, [(1, 1)] * 24),
    ],
)
def test_restarts_go_in_groups_and_then_examples(limit, groups):
    room = Room(limit=limit, batch=0, image=0, pass_size=8, searches={"pgd": 1}, examples=6)
    found = list(room.together("pgd", np.arange(6), attempts(4)))
    assert [(len(one.rows), len(one.attempts)) for one in found] == groups
    searched = {(int(r), a.restart) for one in found for r in one.rows for a in one.attempts}
    assert len(searched) == 24


def test_a_pass_takes_half_of_the_memory_at_most():
    assert _room(1.0, image=GIB // 100).pass_size == 49
    assert _room(1.0, image=GIB // 1000).pass_size == 128


def test_one_example_that_does_not_fit_is_refused_with_the_mend(split):
    with pytest.raises(MoatError) as raised:
        evaluate(Exact(), split, protocol(1e-6))
    assert str(raised.value).startswith(
        "evaluation.memory is 1 MiB, and one example of 'pgd' with one restart takes 1 MiB: 1 MiB "
        "for its search, 1 MiB for its pass through the network, 1 MiB for the images of a batch."
    )
    said = re.search(r"Set evaluation.memory = (\S+) \(GiB\) or more", str(raised.value))
    with pytest.raises(MoatError, match="'pgd' with one restart"):
        evaluate(Exact(), split, protocol(float(said[1]) / 2))
    evaluate(Exact(), split, Protocol({"pgd": THREATS["pgd"]}, memory=float(said[1])))


@pytest.mark.parametrize("memory", [0, -1.0, float("inf"), float("nan")])
def test_a_memory_that_is_none_is_refused(memory):
    with pytest.raises(MoatError, match="memory of an evaluation is a number of GiB above 0"):
        Protocol({}, memory=memory)


def test_protocols_that_differ_in_memory_alone_are_equal():
    assert protocol(1.0) == protocol(2.0)


def test_a_gpu_s_share_is_taken_of_its_memory(monkeypatch):
    class Card:
        total_memory = 80 * GIB

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Card)
    room = room_for(protocol(), (16, 1, 8, 8), torch.device("cuda"), image=1000)
    assert room.limit == 60 * GIB
    assert room.pass_size > 1_000_000


def test_sizes_are_said_in_gib_or_mib():
    assert [gib(n) for n in (1, 2**20, 2**27, 2**30, 25 * 2**28)] == [
        *("1 MiB", "1 MiB", "0.1 GiB", "1.0 GiB"),
        "6.2 GiB",
    ]


class Small(Exact):
    """On a device that has memory for so many images a pass, and so many only."""

    def __init__(self, most, error=torch.OutOfMemoryError):
        super().__init__()
        self.most, self.error, self.passes = most, error, []

    def forward(self, x):
        if len(x) > self.most:
            raise self.error("DefaultCPUAllocator: can't allocate memory")
        self.passes.append(len(x))
        return super().forward(x)


@pytest.mark.parametrize(
    ("most", "error"),
    [(1, MemoryError), (5, torch.OutOfMemoryError), (5, RuntimeError)],
)
def test_a_pass_that_does_not_fit_is_halved_until_it_does(split, most, error):
    small, told = Small(most, error), []
    threats = {label: THREATS[label] for label in ("pgd", "apgd", "kl")}
    some = Protocol(threats, {"pgd": (1, 3)}, restarts={"apgd": 3})
    found = evaluate(small, split, some, progress=told.append).arrays()
    expected = evaluate(Exact(), split, some).arrays()
    for name, values in expected.items():
        assert found[name].tobytes() == values.tobytes(), name
    assert most // 2 < told[-1].pass_size <= most
    assert max(small.passes) > most // 2


def test_a_device_without_memory_for_one_image_says_so(split):
    with pytest.raises(ModelError, match="too little memory for a pass of one image: Default"):
        evaluate(Small(0), split, protocol())


def test_another_error_of_a_network_passes_as_it_is(split):
    class Broken(Exact):
        calls = 0

        def forward(self, x):
            self.calls += 1
            if self.calls > 5:
                raise RuntimeError("broken")
            return super().forward(x)

    with pytest.raises(RuntimeError, match="broken"):
        evaluate(Broken(), split, protocol())
