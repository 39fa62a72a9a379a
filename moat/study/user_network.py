"""From the name of a foreign model and a checkpoint to a network with its weights."""

from pathlib import Path

import torch
from torch import nn

from moat.data import Data
from moat.errors import ModelError
from moat.models import Model, PythonModel, built, load_into
from moat.models.saved_state import saved_state
from moat.models.weights import read_weights, wrapping
from moat.study.failures import said_of
from moat.study.network import few_images
from moat.study.run_network import imported_anew
from moat.study.whole_state import require_alike
from moat.threats import to_eval
from moat.training import seed_globally
from moat.training.finite import Finite

_SHOWN = 3


def network_of(
    model: Model, called: str, data: Data, checkpoint: Path | None, device: torch.device
) -> nn.Module:
    """Return the network with the checkpoint's weights, or its own, in float32 and eval mode.

    It is drawn from one seed, so that a callable that draws gives the same network again. Raises
    MoatError, also if one of moat's networks lacks weights, in whole or in part.
    """
    with said_of(f"model {called}"):
        network = _drawn(model, data, seed=0)
        if not checkpoint:
            model.initialise(network)
            if not isinstance(model, PythonModel):
                _require_weights(model, network, data)
    if checkpoint:
        with said_of(f"checkpoint {checkpoint}"):
            load_user_checkpoint(network, checkpoint)
            _require_the_whole(network, model, data)
    network = network.float().to(device)  # weights may have been kept in less than float32
    to_eval(network)
    return network


def load_user_checkpoint(network: nn.Module, file: Path) -> None:
    """Load a file's weights; prefixes that wrappers add to every name, on either side, are ignored.

    Raises ModelError with the keys that differ.
    """
    state = read_weights(file, hint="Its path is relative to the working folder.")
    prefix = wrapping(saved_state(network))
    finite = Finite(network)
    try:
        load_into(network, {prefix + name: value for name, value in state.items()})
    except ModelError as error:
        raise ModelError(
            f"its weights do not fit the model: {error.message}.",
            hint=error.hint or "Set --model and --arg to the network of these weights.",
        ) from error
    if name := finite.broken():
        raise ModelError(
            f"its weights are not finite: {name}.",
            hint="Its training diverged. Use an earlier checkpoint.",
        )


def _require_the_whole(network: nn.Module, model: Model, data: Data) -> None:
    """Raise ModelError where a checkpoint leaves a part of the network to chance."""
    with imported_anew(model):
        other = _drawn(model, data, seed=1)
    load_into(other, saved_state(network))
    if (x := few_images(data.test, data, torch.device("cpu"))) is not None:
        require_alike(network, other, x)


def _drawn(model: Model, data: Data, seed: int) -> nn.Module:
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        seed_globally(seed, 0, "initialisation")
        return built(model, data.shape, len(data.classes))


def _require_weights(model: Model, network: nn.Module, data: Data) -> None:
    """Raise ModelError where weights depend on the seed: then nobody trained them."""
    other = _drawn(model, data, seed=1)
    model.initialise(other)
    theirs = dict(other.named_parameters())
    drawn = [n for n, value in network.named_parameters() if not torch.equal(value, theirs[n])]
    if drawn:
        more = f" and {len(drawn) - _SHOWN} more" if len(drawn) > _SHOWN else ""
        raise ModelError(
            f"these weights are untrained: {', '.join(drawn[:_SHOWN])}{more}.",
            hint=f"Name a file of weights for the {len(data.classes)} classes of the data with "
            "--checkpoint.",
        )
