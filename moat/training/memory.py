"""A step beyond the device's memory: a smaller batch that fits is found and named."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from moat.errors import MoatError, TrainingError
from moat.losses import cross_entropy
from moat.passes import default_pass_size, is_out_of_memory
from moat.threats import bare, batch_of
from moat.threats.arrays import as_network_takes
from moat.training.guard import trial
from moat.training.measuring import has_batch_norm
from moat.types import Images, Labels


@contextmanager
def memory_explained(
    model: Any, x: Any, y: Any, pass_size: int | None, objectives: int, table: str = ""
) -> Iterator[None]:
    """Raise TrainingError with the pass or batch size that fits, for a step that does not.

    In a network with batch norm all adversarial images share one forward, which is never cut. The
    arguments may be anything that a step takes; `table` is the recipe's table of the sizes.
    """
    said = None
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        said = str(error)
        traceback.clear_frames(error.__traceback__)  # they hold what the step had computed
    if said is None:
        return
    network = bare(model)
    images, labels, _ = batch_of(as_network_takes(network, x), y)
    network.zero_grad(set_to_none=True)
    raise TrainingError(
        f"the device has too little memory for a step: {said}",
        hint=_mend(network, images, labels, pass_size, objectives, table),
    )


def _mend(
    network: nn.Module,
    x: Images,
    y: Labels,
    pass_size: int | None,
    objectives: int,
    table: str,
) -> str:
    """Return which size fits, as it is set."""
    if has_batch_norm(network):
        together = max(1, objectives - 1)  # the natural images have a forward of their own
        fits = largest_that_fits(network, x, y, len(x), together)
        mend = f"{table}batch_size = {fits}" if fits and fits > 1 else ""
        also = ", because its forwards are never cut (batch norm)"
    else:
        most = min(pass_size or default_pass_size(x.device), objectives * len(x))
        fits = largest_that_fits(network, x, y, most)
        mend, also = f"{table}pass_size = {fits}" if fits else "", ""
    if not mend:
        return "Not even the smallest pass fits: free memory of the device, or use a larger one."
    return f"Set {mend}: this many fit{also}."


def largest_that_fits(
    network: nn.Module, x: Images, y: Labels, most: int, together: int = 1
) -> int | None:
    """Return the first that fits of a half, a quarter and so on of `most`; None if even 1 does not.

    A pass has that many images times `together`, and goes forward and backward in train mode, to
    the parameters and the images. The network and the global random state stay unchanged.
    """
    size = most // 2
    while size:
        rows = torch.arange(size * together, device=x.device) % len(x)
        if x.is_cuda:
            torch.cuda.empty_cache()
        if _fits(network, x[rows], y[rows]):
            return size
        size //= 2
    return None


def _fits(network: nn.Module, x: Images, y: Labels) -> bool:
    try:
        with trial(network, x) as tried:
            loss = cross_entropy(tried(x.clone().requires_grad_()), y).mean()
            wanted = [parameter for parameter in tried.parameters() if parameter.requires_grad]
            torch.autograd.grad(loss, wanted, allow_unused=True)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return False
    except MoatError:
        raise
    except ValueError:  # batch norm has no variance of one image
        return False
    return True
