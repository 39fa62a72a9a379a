"""The search as one CUDA graph, since launches, not arithmetic, bound a small network on a GPU.

The search is nearly the whole of a step, and its shape never changes. So it is recorded once and
replayed; the descent, a few per cent of the passes, is queued while the search still runs.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from moat.randomness import draws_undone
from moat.threats import Climb, GradientThreat, SearchedThreat, Spent, Trace, ascend, joint_search
from moat.training.ledger import Ledger, counted_apart
from moat.transfers import host_data_refused
from moat.types import Images, Labels

MOST_GRAPHS = 16
"""Graphs that a run keeps: each holds its own inputs and outputs on the device."""
_Run = Callable[[Sequence[Climb]], list[Trace]]


class CapturedSearch:
    """A joint search that replays a CUDA graph for every batch of a shape that it has seen.

    The first batch of a shape is searched as usual, which also warms up the libraries; the second
    is captured. Weights are read in place, so each replay uses those of its own step. A search that
    cannot be captured (draws between iterates, a network that reads its own values, a CPU) runs as
    usual, and `refusal` gives the reason. So does a new shape beyond the maximum number of shapes,
    of which `limit` tells.
    """

    def __init__(self) -> None:
        self.refusal = ""
        self.limit = ""
        self.captures = 0
        self._seen: set[_Key] = set()
        self._graphs: dict[_Key, _Graph] = {}
        self._pool: Any = None  # one memory pool: the graphs never overlap

    def __call__(
        self,
        model: nn.Module,
        threats: Sequence[SearchedThreat],
        x: Images,
        y: Labels,
        *,
        generator: torch.Generator | None,
        pass_size: int,
        reach: float,
    ) -> list[Trace]:
        """Return each threat's last iterate."""
        if not _on_gpu(x) or reach != 1 or not threats or not len(x):
            return joint_search(
                model, threats, x, y, generator=generator, pass_size=pass_size, reach=reach
            )
        climbs = [threat.climb(x, y, generator=generator) for threat in threats]

        def run(own: Sequence[Climb]) -> list[Trace]:
            found = ascend(model, own, pass_size, measure=False)
            return [traces.popitem()[1] for traces in found]

        key = (id(model), tuple(map(id, threats)), tuple(x.shape), x.dtype, x.device, pass_size)
        if key not in self._graphs and self._is_due(key, threats):
            try:
                with host_data_refused(), counted_apart(model):
                    _rehearse(run, climbs, x.device)
                    self._graphs[key] = self._capture(run, climbs, (model, *threats))
            except Exception as error:  # whatever the network or a threat does that none can record
                self.refusal = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
                _recover()
        if (graph := self._graphs.get(key)) is None:
            return run(climbs)
        if isinstance(ledger := getattr(model, "ledger", None), Ledger):
            ledger.add(graph.spent)
        return graph.replay(climbs)

    def _is_due(self, key: "_Key", threats: Sequence[SearchedThreat]) -> bool:
        """Say whether a shape is to be captured: at second sight, if there is room."""
        if not self.refusal and (odd := [t for t in threats if not _climbs_as_all(t)]):
            self.refusal = f"{type(odd[0]).__name__} has a climb of its own"
        if self.refusal:
            return False
        if len(self._graphs) >= MOST_GRAPHS:
            self.limit = f"beyond {MOST_GRAPHS} shapes of batches the search is not captured"
            return False
        if key in self._seen:
            return True
        self._seen.add(key)
        return False

    def _capture(
        self, run: _Run, climbs: Sequence[Climb], owners: tuple[nn.Module, *tuple[object, ...]]
    ) -> "_Graph":
        """Record the search on copies of its inputs."""
        x, y = climbs[0].x.clone(), climbs[0].y.clone()
        static = [
            replace(climb, x=x, y=y, start=tuple(block.clone() for block in climb.start))
            for climb in climbs
        ]
        graph = torch.cuda.CUDAGraph()
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        # Other threads, such as a reader of images, may call CUDA meanwhile.
        with (
            counted_apart(owners[0]) as seen,
            torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"),
        ):
            traces = run(static)
        self.captures += 1
        return _Graph(graph, static, traces, owners, seen.spent)


def _climbs_as_all(threat: SearchedThreat) -> bool:
    """Say whether all that a batch changes of a search is its images, labels and start."""
    return type(threat).climb is GradientThreat.climb


def _on_gpu(x: Images) -> bool:
    return x.device.type == "cuda"


def _rehearse(run: _Run, climbs: Sequence[Climb], device: torch.device) -> None:
    """Search once more, and raise RuntimeError where the host would wait.

    A capture fails there as well, but leaves the device's generators and allocator in disorder.
    What a network draws is drawn again by the search that counts.
    """
    before = torch.cuda.get_sync_debug_mode()
    with draws_undone(device):
        torch.cuda.set_sync_debug_mode("error")
        try:
            run(climbs)
        finally:
            torch.cuda.set_sync_debug_mode(before)


def _recover() -> None:
    """Put right what a failed capture leaves: a generator that believes it is captured still."""
    with suppress(RuntimeError):
        torch.cuda.synchronize()
        with torch.cuda.graph(torch.cuda.CUDAGraph()):
            torch.zeros((), device="cuda")


_Key = tuple[int, tuple[int, ...], tuple[int, ...], torch.dtype, torch.device, int]


@runtime_checkable
class _Recorded(Protocol):
    """The part of torch.cuda.CUDAGraph that is used here."""

    def replay(self) -> None: ...


@dataclass(frozen=True, eq=False)
class _Graph:
    """A recorded search, with all that it reads and writes, kept where it lies."""

    graph: _Recorded
    climbs: list[Climb]
    traces: list[Trace]
    owners: tuple[object, ...]  # network and threats
    spent: Spent  # of examples, by each replay

    def replay(self, climbs: Sequence[Climb]) -> list[Trace]:
        """Search from these starts, and return copies: the next replay overwrites its output."""
        torch._foreach_copy_(_inputs(self.climbs), _inputs(climbs))
        self.graph.replay()
        return [
            Trace(trace.images.clone(), tuple(block.clone() for block in trace.w))
            for trace in self.traces
        ]


def _inputs(climbs: Sequence[Climb]) -> list[Tensor]:
    starts = [block for climb in climbs for block in climb.start]
    return [climbs[0].x, climbs[0].y, *starts]
