"""A check that a user's network accepts the batches of training and evaluation."""

import torch
from torch import nn

from moat.data import Data
from moat.errors import ModelError
from moat.models import Model, PythonModel
from moat.models.copies import copy_of
from moat.passes import default_pass_size, is_out_of_memory
from moat.study.network import FEW, few_images
from moat.threats import attacked, home_of
from moat.threats.logits import UNFIT, cannot_be_run, require_logits
from moat.training import Training
from moat.training.guard import trial
from moat.training.measuring import passes_for
from moat.types import Images

_ODD = 3  # images: a search goes on with those that still stand, of any number


def is_foreign(model: Model) -> bool:
    """Say whether the code of a model belongs to a user or a plug-in."""
    return isinstance(model, PythonModel) or type(model).__module__.partition(".")[0] != "moat"


def check_batch_sizes(network: nn.Module, data: Data, training: Training, threats: int) -> None:
    """Raise ModelError with the mend unless the network accepts every batch size.

    In train mode these are the passes of a whole batch and of an epoch's last, smaller one; in eval
    mode any. Each is tried by a forward without a gradient. A pass beyond the device's memory is
    left to training, whose error names the setting to lower.
    """
    device = home_of(network)
    size = training.pass_size or default_pass_size(device)
    whole = min(training.batch_size, len(data.train))
    batches = {whole, len(data.train) % training.batch_size} - {0}
    passes = {
        sum(segment.stop - segment.start for segment in segments)
        for batch in batches
        for segments in passes_for(network, [batch] * (1 + threats), size)
    }
    if (x := few_images(data.train, data, device, whole)) is None:
        return
    few = min(FEW, len(x))  # which it ran on before
    for count in sorted(passes):
        _require_forward(network, _of(x, count), "train", few)
    for count in sorted({min(_ODD, whole), min(size, whole)}):
        _require_forward(network, _of(x, count), "eval", few)


def _of(x: Images, count: int) -> Images:
    """Return so many images, some of them repeated where there are too few."""
    return x[torch.arange(count, device=x.device) % len(x)]


def _require_forward(network: nn.Module, x: Images, mode: str, before: int) -> None:
    try:
        logits = _trained(network, x) if mode == "train" else _judged(network, x)
        require_logits(logits, x, rounded=True)
    except ModelError as error:
        raise ModelError(f"in {mode} mode, {error.message}", hint=error.hint) from error
    except UNFIT as error:
        if not is_out_of_memory(error):
            found = cannot_be_run(error, x, before)
            raise ModelError(f"in {mode} mode, {found.message}", hint=found.hint) from error


def _trained(network: nn.Module, x: Images) -> object:
    with trial(network, x) as tried, torch.no_grad():
        return tried(x)


def _judged(network: nn.Module, x: Images) -> object:
    copied = copy_of(network)
    judged = network if copied is None else copied
    with torch.random.fork_rng([x.device] if x.is_cuda else []), attacked(judged), torch.no_grad():
        return judged(x)
