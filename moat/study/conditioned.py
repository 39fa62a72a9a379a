"""The conditioned network of a run: trained for all preferences, kept, and made plain for one."""

from pathlib import Path

from torch import nn

from moat.errors import ModelError, RunFolderError, StartError
from moat.models import FiLM, load_into
from moat.names import NATURAL
from moat.recipe import RunPlan
from moat.runs import RunFolder
from moat.scalarizers.random_preference import preference_at
from moat.study.start import start_place
from moat.training import seed_globally

MIDDLE = 0.5
"""The point of the line at which the held-out examples are evaluated in training."""


def conditioned_network(plan: RunPlan, network: nn.Module) -> FiLM:
    """Return the conditioned network of a run around its plain one, with a seeded encoder."""
    assert plan.conditioned is not None
    seed_globally(plan.seed, 0, "encoder")
    return FiLM(network, (NATURAL, *plan.threats), plan.conditioned.hidden)


def prefer_middle(plan: RunPlan, network: nn.Module) -> None:
    """Let a conditioned network compute in the middle of its line; another one has none."""
    if isinstance(network, FiLM):
        network.prefer(preference_at(MIDDLE, plan.scalarizer, network.objectives))


def keep_trained(plan: RunPlan, folder: RunFolder, network: nn.Module) -> nn.Module:
    """Keep a trained conditioned network, and return the plain one of the run's own point.

    Any other network is returned as it is.
    """
    if not isinstance(network, FiLM):
        return network
    folder.save_conditioned(network.state_dict(), plan.train_hash)
    return _plain(plan, network)


def plain_of_trunk(plan: RunPlan, run: Path, network: nn.Module) -> nn.Module:
    """Return the plain network of a run's point from the conditioned one that another run trained.

    Raises StartError if that is missing.
    """
    assert plan.start is not None
    assert plan.start.training is not None
    place = start_place(plan, run)
    conditioned = conditioned_network(plan, network)
    try:
        load_trained(conditioned, place, plan.start.training)
    except RunFolderError as error:
        raise StartError(error.message, error.where, error.hint) from error
    return _plain(plan, conditioned)


def load_trained(network: FiLM, place: Path, training: str) -> None:
    """Load the weights of the conditioned network that the run in a folder trained.

    Raises RunFolderError if they are missing or another training's.
    """
    weights = RunFolder(place).load_conditioned(training)
    if weights is None:
        parts = place.parts
        bundle = next((number for number, part in enumerate(parts) if part.endswith(".zip")), 0)
        raise RunFolderError(
            "the folder has no conditioned network (conditioned.safetensors).",
            where=str(Path(*parts[bundle:])),
            hint="Pack the folder of the variant, whose first point has the network: `moat bundle "
            "results/STUDY/VARIANT FILE.zip --weights`."
            if bundle
            else "Put the file back, or train that run again with --overwrite.",
        )
    try:
        load_into(network, weights)
    except ModelError as error:
        raise RunFolderError(
            f"the conditioned network does not fit the run: {error.message}.",
            where=str(place),
            hint="`moat train` with --overwrite trains that run again.",
        ) from error


def _plain(plan: RunPlan, network: FiLM) -> nn.Module:
    assert plan.conditioned is not None
    at = preference_at(plan.conditioned.at, plan.scalarizer, network.objectives)
    return network.plain(at)
