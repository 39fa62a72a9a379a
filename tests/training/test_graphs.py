"""The captured search, on CUDA graphs of pretence: it finds what a plain search finds."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from moat.threats import PGD, RT, Flow, Integrated, StAdv, joint_search
from moat.training import InPrecision, fabric_for, graphs
from moat.training.graphs import MOST_GRAPHS, CapturedSearch
from moat.training.ledger import Ledger
from moat.transfers import send

FABRIC = fabric_for("cpu", "32-true")
STEPS = {"steps": 2, "start": "noise"}
TOGETHER = [
    PGD(epsilon=0.2, step_size=0.05, steps=3, start="uniform"),
    Flow(epsilon=0.3, step_size=0.05, **STEPS),
    RT(epsilon=0.3, step_size=0.05, steps=1),
]
ALONE = [
    PGD(epsilon=0.2, step_size=0.05, norm="l2", **STEPS),
    PGD(epsilon=2.0, step_size=0.5, norm="l1", **STEPS),
    PGD(epsilon=0.2, search="apgd", loss="targeted-dlr", **STEPS),
    StAdv(step_size=0.02, steps=2),
    Integrated(flow_epsilon=0.3, flow_step_size=0.05, rt_epsilon=0.3, rt_step_size=0.05, **STEPS),
]


class Graph:
    """Stands for torch.cuda.CUDAGraph: what runs on the CPU is noted, and done again."""

    def __init__(self):
        self.calls = []

    @torch.no_grad()
    def replay(self):
        for function, args, kwargs, made in self.calls:
            again = tree_leaves(function(*args, **kwargs))
            for old, new in zip(tree_leaves(made), again, strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class Recorder(TorchDispatchMode):
    def __init__(self, graph):
        super().__init__()
        self.graph = graph

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        noted = tree_map_only(torch.Tensor, torch.Tensor.detach, (args, kwargs or {}, made))
        self.graph.calls.append((function, *noted))  # its own view: the replay has no gradients
        return made


@contextmanager
def record(graph, **_):
    with Recorder(graph):
        yield


@pytest.fixture
def gpu(monkeypatch):
    """Pretend that the CPU is a GPU; return how the host was told to mind its waits."""
    modes = ["default"]
    monkeypatch.setattr(graphs, "_on_gpu", lambda x: True)
    for name, stand_in in {
        "CUDAGraph": Graph,
        "graph": record,
        "graph_pool_handle": lambda: (0, 0),
        "synchronize": lambda: None,
        "get_sync_debug_mode": lambda: modes[-1],
        "set_sync_debug_mode": modes.append,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return modes


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)).double()


def batch(size, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(size, 1, 8, 8, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 5, (size,), generator=generator)


def found(search, model, threats, x, y, *, seed=0, reach=1.0):
    generator = torch.Generator().manual_seed(seed)
    traces = search(model, threats, x, y, generator=generator, pass_size=100, reach=reach)
    return [part for trace in traces for part in (trace.images, *trace.w)]


def require_equal(one, other):
    for left, right in zip(one, other, strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("threats", [TOGETHER, *([one] for one in ALONE)], ids=str)
def test_a_replayed_search_finds_what_a_plain_one_finds_of_the_weights_of_its_step(gpu, threats):
    model, search = network(), CapturedSearch()
    for number in range(4):
        x, y = batch(6, number)
        own = found(search, model, threats, x, y, seed=number)
        require_equal(own, found(joint_search, model, threats, x, y, seed=number))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
    assert (search.captures, search.refusal, search.limit) == (1, "", "")
    assert gpu == ["default", "error", "default"]


def test_what_a_replay_returns_is_not_written_over_by_the_next(gpu):
    model, search = network(), CapturedSearch()
    for number in range(2):
        found(search, model, TOGETHER, *batch(6, number))
    first = found(search, model, TOGETHER, *batch(6, 2))
    kept = [part.clone() for part in first]
    found(search, model, TOGETHER, *batch(6, 3))
    require_equal(first, kept)


def test_a_replay_counts_the_passes_of_a_search_and_a_capture_none(gpu):
    counted, plain = (InPrecision(network(), FABRIC, Ledger()) for _ in range(2))
    search, spent = CapturedSearch(), []
    for number in range(4):
        x, y = batch(6, number)
        found(search, counted, TOGETHER, x, y, seed=number)
        found(joint_search, plain, TOGETHER, x, y, seed=number)
        assert counted.ledger == plain.ledger
        spent.append(counted.ledger.forwards)
    assert search.captures == 1
    assert spent == [(number + 1) * spent[0] for number in range(4)]
    assert counted.ledger.backwards > 0


def test_batches_of_ever_other_sizes_are_not_captured_without_end(gpu):
    model, search = network(), CapturedSearch()
    for _ in range(2):
        for size in range(1, MOST_GRAPHS + 5):
            x, y = batch(size, size)
            own = found(search, model, TOGETHER[:1], x, y)
            require_equal(own, found(joint_search, model, TOGETHER[:1], x, y))
    assert search.captures == len(search._graphs) == MOST_GRAPHS
    assert search.limit == f"beyond {MOST_GRAPHS} shapes of batches the search is not captured"
    x, y = batch(3, 3)  # what is captured is replayed still
    require_equal(
        found(search, model, TOGETHER[:1], x, y), found(joint_search, model, TOGETHER[:1], x, y)
    )


def test_a_batch_that_is_seen_once_is_not_captured(gpu):
    model, search = network(), CapturedSearch()
    for size in range(1, 30):
        found(search, model, TOGETHER[:1], *batch(size, size))
    assert (search.captures, search.limit, gpu) == (0, "", ["default"])


def test_threats_that_grow_are_searched_as_they_are(gpu):
    model, search = network(), CapturedSearch()
    for step in range(1, 4):
        x, y = batch(4, step)
        own = found(search, model, TOGETHER, x, y, reach=step / 4)
        require_equal(own, found(joint_search, model, TOGETHER, x, y, reach=step / 4))
    assert search.captures == 0


class _Drawing(nn.Module):
    """A network that draws, also when it is attacked."""

    def __init__(self):
        super().__init__()
        self.body = network()

    def forward(self, x):
        return self.body(x + 0.1 * torch.randn_like(x))


def test_a_rehearsal_takes_no_draw_of_the_networks(gpu, monkeypatch):
    """It is the capture that fails here, and what was drawn for it is drawn again."""

    @contextmanager
    def no_capture(graph, **_):
        raise RuntimeError("operation not permitted when stream is capturing\nat line 7")
        yield

    model = _Drawing()

    def four(search):
        torch.manual_seed(7)
        return [part for n in range(4) for part in found(search, model, TOGETHER, *batch(6, n))]

    plain = four(joint_search)
    monkeypatch.setattr(torch.cuda, "graph", no_capture)
    search = CapturedSearch()
    require_equal(four(search), plain)
    assert search.refusal == "RuntimeError: operation not permitted when stream is capturing"
    assert search.captures == 0
    assert gpu == ["default", "error", "default"]  # rehearsed once, and not again


def test_a_search_that_fails_after_others_were_captured_leaves_these_as_they_are(gpu):
    model, search = network(), CapturedSearch()
    for _ in range(2):
        found(search, model, TOGETHER, *batch(6, 0))
    refusing = _Reading()
    for number in range(3):
        x, y = batch(6, number)
        require_equal(
            found(search, refusing, TOGETHER, x, y),
            found(joint_search, refusing, TOGETHER, x, y),
        )
    assert search.refusal == "RuntimeError: called a synchronizing CUDA operation"
    assert search.captures == 1
    assert search._graphs


class _Reading(nn.Module):
    """A network that asks for a value, which torch refuses while it minds the host's waits."""

    def __init__(self):
        super().__init__()
        self.body = network()

    def forward(self, x):
        if torch.cuda.get_sync_debug_mode() == "error":
            raise RuntimeError("called a synchronizing CUDA operation")
        return self.body(x)


def test_draws_between_iterates_are_refused_and_searched_as_they_are(gpu, monkeypatch):
    drawing = [PGD(epsilon=0.2, search="random", steps=3)]
    monkeypatch.setattr("moat.geometry.draws.send", _as_to_a_gpu)
    model, search = network(), CapturedSearch()
    for number in range(3):
        x, y = batch(5, number)
        own = found(search, model, drawing, x, y, seed=number)
        require_equal(own, found(joint_search, model, drawing, x, y, seed=number))
    assert search.refusal == "RuntimeError: host data enters the search"


def _as_to_a_gpu(tensor, device):
    send(torch.zeros(()), torch.device("meta"))
    return tensor


class Drifting(PGD):
    """A threat that draws more for a batch than its start."""

    def climb(self, x, y, **more):
        climb = super().climb(x, y, **more)
        drift = 0.1 * torch.rand_like(x)
        return replace(climb, apply=lambda x, w: climb.apply(x, w) + drift[: len(x)])


def test_what_else_a_batch_draws_is_not_replayed_from_another(gpu):
    model, search = network(), CapturedSearch()
    threats = [Drifting(epsilon=0.2, step_size=0.05, steps=2)]
    for number in range(3):
        x, y = batch(5, number)
        torch.manual_seed(number)
        own = found(search, model, threats, x, y)
        torch.manual_seed(number)
        require_equal(own, found(joint_search, model, threats, x, y))
    assert (search.captures, search.refusal) == (0, "Drifting has a climb of its own")
