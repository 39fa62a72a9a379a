"""From a run folder back to its trained model, by the model's table alone."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from moat.consent import consenting, current_consent, stored_in
from moat.errors import CodeError, InputError, MoatError, RunFolderError
from moat.models import Model, built
from moat.precision import plain_torch
from moat.public import public_at_once
from moat.recipe import read
from moat.recipe.model_of_run import described_model, model_of_run
from moat.records import RunRecord
from moat.runs import RunFolder, opened
from moat.study.failures import said_of
from moat.study.layout import best_layout
from moat.study.loading import OVERWRITE, finished_record, require_recipe, with_weights
from moat.study.recorded_preference import At, one_place, plain_of_record, require_conditioned
from moat.study.run_network import require_no_chance
from moat.threats import to_eval
from moat.training import device_for


@public_at_once
@plain_torch()
def load(
    run_folder: Path | str,
    device: torch.device | str = "cpu",
    *,
    at: float | None = None,
    preference: Mapping[str, float] | None = None,
    allow_code: bool = False,
) -> nn.Module:
    """Return the trained model of a finished run: eval mode, images in [0, 1] to logits.

    The run may lie in a bundle with weights. Loading reads only the model's table of its recipe, so
    it needs neither threats nor data. `allow_code` runs the user's own code that builds the model.

    A run of a conditioned network gives the network of its own point, or of another: `at` is a
    point of the line from natural (0) to robust training (1), `preference` the weight of each
    objective, as in {"natural": 0.3, "pgd": 0.7}. They sum to 1.

    Raises RunFolderError if the folder has no finished run, CodeError if the model needs code that
    was neither allowed nor run before, and InputError for an invalid preference, or one of a run
    without a conditioned network.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from moat import train
        >>> quick = ["training.epochs=1", "data.validation=0", "evaluation.examples=20"]
        >>> with TemporaryDirectory() as results:
        ...     study = train("digits_pareto", only=["natural"], overrides=quick, results=results)
        ...     network = load(study.done[0])
        >>> network(torch.rand(2, 1, 8, 8)).shape, network.training
        (torch.Size([2, 10]), False)
    """
    consent = current_consent()
    if allow_code and not consent.stored:
        with consenting(replace(consent, stored=True)):
            return load(run_folder, device, at=at, preference=preference)
    place = one_place(at, preference)
    target = _usable(device)
    folder = RunFolder(opened(run_folder, weights=True))
    return load_recorded(folder, finished_record(folder), target, at=place)


def _usable(device: torch.device | str) -> torch.device:
    """Return a device as torch knows it; InputError for one that is not here."""
    if device == "auto":
        return device_for("auto")
    try:
        torch.zeros(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(
            f"the model cannot be brought to the device {device!r:.80}: "
            f"{str(error).splitlines()[0]:.120}",
            hint='Write "cpu", "cuda", "cuda:1" or "auto".',
        ) from error
    return torch.device(device)


@plain_torch()
def load_recorded(
    folder: RunFolder,
    record: RunRecord,
    device: torch.device | str = "cpu",
    at: At | None = None,
) -> nn.Module:
    """Return the trained model of a finished run from its record; `at` needs a conditioned one."""
    if at is not None:
        require_conditioned(record, folder)
    model = _model(folder, record)
    with said_of(str(folder.path)):  # what it says may be no image or no count of classes
        network = built(model, record.shape, record.classes)
        if at is None:
            with_weights(network, folder, record)
        else:
            network = plain_of_record(network, folder, record, at)
        require_no_chance(model, network, record.shape, record.classes)
    network = best_layout(model, network, record.shape).to(device)
    to_eval(network)
    return network


def _model(folder: RunFolder, record: RunRecord) -> Model:
    """Return the model that a run's recipe names; RunFolderError where that is another by now."""
    require_recipe(folder)
    folder.read_code(record)
    trained = record.trains.get("model")
    own = isinstance(trained, dict) and "source" in trained
    try:
        with stored_in(folder.path):
            model = model_of_run(read(folder.recipe), own_code=own)
    except CodeError:
        raise
    except MoatError as error:
        hint = f"{error.hint}\n{OVERWRITE}".strip()
        raise RunFolderError(error.message, error.where, hint) from error
    if (now := described_model(model)) != trained:
        raise RunFolderError(
            f"the network differs from the trained one: {trained} then, {now} now.",
            where=str(folder.path),
            hint="Restore the code of the training.",
        )
    return model
