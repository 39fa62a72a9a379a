"""The memory of a run, estimated before it begins, and the free memory of the machine."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from moat.data import Data, DataSet
from moat.data.mapped_images import ImageRows
from moat.evaluation.batch import BATCH
from moat.evaluation.room import room_for
from moat.losses import cross_entropy
from moat.passes import default_pass_size
from moat.recipe import RunPlan
from moat.runs import CACHE
from moat.study.one_run import initial_model
from moat.study.runner import RunnerSettings
from moat.threats import LiveBytes, attacked

PROCESS = 400 << 20
"""Bytes of its own of a process that trains next to nothing (measured on Linux: 386 MiB).

The code of the libraries, 340 MiB more, is shared by all.
"""
CONTEXT = 600 << 20
"""Bytes of a GPU that a process takes for its context."""
COPIES = 5
"""Of the weights: themselves, gradients, the optimizer's two moments, the best epoch's."""


def memory_per_job(plans: Sequence[RunPlan], setting: RunnerSettings, device: torch.device) -> int:
    """Return the bytes of the largest of some runs, 0 if none can be estimated.

    It counts the process, the data set, copies of the weights, and the larger of a training step
    and the evaluation; memory that an allocator keeps in addition is not counted. One run of each
    network and data set is measured, by one image's forward and backward.
    """
    loaded: dict[DataSet, Data] = {}
    seen: dict[str, int] = {}
    for plan in plans:
        kind = repr((plan.dataset, plan.model, plan.training, plan.threats, plan.protocol))
        if kind in seen:
            continue
        seen[kind] = 0
        with suppress(Exception):  # the run itself says what is wrong
            if plan.dataset not in loaded:
                loaded = {plan.dataset: plan.dataset.load(setting.results / CACHE)}
            seen[kind] = _bytes_of(plan, loaded[plan.dataset], device)
    return max(seen.values(), default=0)


def _bytes_of(plan: RunPlan, data: Data, device: torch.device) -> int:
    with torch.random.fork_rng(devices=[]):
        network = initial_model(plan, data, pretrained=False)
    x = torch.rand(1, *data.shape, generator=torch.Generator().manual_seed(0))
    with LiveBytes() as counted, attacked(network):
        x.requires_grad_()
        torch.autograd.grad(cross_entropy(network(x), torch.zeros(1, dtype=torch.int64)).sum(), x)
    image, pass_size = int(counted.most), plan.training.pass_size
    examples = min(BATCH, plan.protocol.examples or BATCH, len(data.test))
    room = room_for(
        plan.protocol,
        (examples, *data.shape),
        device,
        image=image,
        pass_size=pass_size,
        classes=len(data.classes),
    )
    objectives = (1 + len(plan.threats)) * plan.training.batch_size
    step = image * min(pass_size or default_pass_size(device), objectives)
    weights: int = sum(one.nbytes for one in network.state_dict().values())
    images = sum(_held(split.images) for split in (data.train, data.test))
    base = PROCESS if device.type == "cpu" else CONTEXT
    return base + images + COPIES * weights + max(step, room.needed(plan.protocol))


def _held(images: Tensor | ImageRows) -> int:
    """Return the bytes of images that are held; rows of an array are read as they are needed."""
    return images.nbytes if isinstance(images, Tensor) else 0


def free_memory(device: torch.device) -> int | None:
    """Return the free bytes of the device of the runs, None if the system does not report them."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = []
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        told = dict(line.split(":", 1) for line in lines)
        free.append(int(told["MemAvailable"].split()[0]) << 10)
    with suppress(OSError, ValueError):  # a container's limit
        limit, used = (
            int(Path("/sys/fs/cgroup", name).read_text("ascii"))
            for name in ("memory.max", "memory.current")
        )
        free.append(max(0, limit - used))
    with suppress(AttributeError, OSError, ValueError):
        if not free:
            free.append(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(free) if free else None
