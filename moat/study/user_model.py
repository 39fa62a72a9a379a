"""A foreign model, evaluated beside moat's own runs: no recipe, no training."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import torch
from torch import nn

from moat import allocator
from moat.data import Data
from moat.digests import digest_of_file, short_hash
from moat.errors import InputError
from moat.events import DataNote
from moat.models import Model, PythonModel
from moat.models.network_digest import digest_of_network
from moat.models.saved_state import saved_state
from moat.models.unsaved_state import digest_of_weights
from moat.models.weights import digest_of_state
from moat.names import MOST_BYTES, why_no_name
from moat.own_files import is_taken
from moat.precision import plain_torch
from moat.printable import is_portable
from moat.public import public_at_once
from moat.recipe import ReadProtocol, named_model, read_protocol
from moat.recipe.paths import expanded
from moat.recipe.plan import described
from moat.runs import CACHE, RunFolder, kept_command
from moat.short_text import cut_short
from moat.storage import Record
from moat.study.failures import said_of
from moat.study.judge import Judged
from moat.study.model_record import machine_of, model_record
from moat.study.network import few_images
from moat.study.own_folder import judge_apart
from moat.study.places import PlaceKeys, place_of
from moat.study.run_network import local_modules
from moat.study.subjects import Subject
from moat.study.user_network import network_of
from moat.study.whole_state import answers
from moat.threats import bare, home_of
from moat.training import device_for


@public_at_once
@plain_torch()
def evaluate_model(
    model: str | nn.Module,
    protocol: Path | str,
    *,
    checkpoint: Path | str | None = None,
    arguments: Sequence[str] = (),
    name: str | None = None,
    overrides: Sequence[str] = (),
    **place: Unpack[PlaceKeys],
) -> Judged:
    """Evaluate any model under a protocol's file, for fronts and reports beside moat's runs.

    `model` is python:module:callable, torchvision:<name> or a registered name, with `arguments` as
    `key=value`, and with the weights of `checkpoint` (.pth, .pt or .safetensors) or its own. Or it
    is a network, which is evaluated as it is, on its device, and needs a `name`. `overrides` are
    `key=value` of the protocol's file. The folder is <results>/<protocol>/<name>/seed-0. An
    existing evaluation is kept, and another model's is refused, unless `overwrite`.

    `place` are the keywords `results` (default "results"), `device` ("auto"), `overwrite` and
    `listener`. Raises MoatError.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> few = ["evaluation.examples=20"]
        >>> with TemporaryDirectory() as results:
        ...     judged = evaluate_model(
        ...         network, "protocols/digits", name="linear", overrides=few, results=results
        ...     )
        >>> sorted(judged.scores["scores"])
        ['flow', 'integrated', 'pgd', 'rt']
    """
    at = place_of(place)
    judged_by = read_protocol(protocol, overrides)
    asked = asked_model(model, arguments, checkpoint, name)
    results = at.results or Path("results")
    allocator.take("keep")
    target = device_for(at.device)
    with said_of(judged_by.source.where("data")):
        data = judged_by.dataset.load(results / CACHE)
    at.listener(DataNote(text=data.note))
    network = asked.network(data, target)
    words = [*_options("--arg", arguments), *_options("--set", overrides)]
    words += ["--protocol", str(protocol), "--results", str(results)]
    record = model_record(
        _own(asked, judged_by, network),
        data,
        judged_by.test_data,
        machine_of(target),
        command=kept_command([*asked.command, *words], results) if asked.made else None,
    )
    folder = RunFolder(results / judged_by.name / asked.label / "seed-0")
    with said_of(f"model {asked.called}"):
        return judge_apart(
            folder,
            record,
            lambda: Subject(folder, network, record),
            data,
            judged_by,
            at,
            mend="Give this one another --name, name another --results folder",
        )


@dataclass(frozen=True)
class AskedModel:
    """A requested model that moat did not train."""

    called: str
    label: str
    made: Model | None  # None where the network itself was given
    given: nn.Module | None
    checkpoint: Path | None

    def network(self, data: Data, device: torch.device) -> nn.Module:
        """Return the network with its weights."""
        if self.made:
            return network_of(self.made, self.called, data, self.checkpoint, device)
        network = bare(self.given)
        x = few_images(data.test, data, home_of(network))
        if x is not None:
            with suppress(Exception):  # what it caches in its first forward is there from now on
                answers(network, x[:2])
        return network

    def identity(self, network: nn.Module) -> str:
        """Return the digest of everything beside the weights that gives the network its answers.

        It covers callable, arguments, checkpoint, settings of the modules, and the user's code.
        """
        code = local_modules(self.made) if self.made else {}
        said = {
            "model": described(self.made) if self.made else self.called,
            "network": digest_of_network(network),
            "checkpoint": digest_of_file(self.checkpoint) if self.checkpoint else None,
            "code": {place: digest_of_file(file) for place, file in code.items()},
        }
        return short_hash(said)

    @property
    def command(self) -> list[str]:
        """The first words of its command."""
        file = ["--checkpoint", str(self.checkpoint)] if self.checkpoint else []
        return ["moat", "evaluate", "--model", self.called, *file, "--name", self.label]


def asked_model(
    model: str | nn.Module,
    arguments: Sequence[str],
    checkpoint: Path | str | None,
    name: str | None,
) -> AskedModel:
    """Return the model for a name or a network; raise MoatError for an invalid one."""
    file = expanded(str(checkpoint), "--checkpoint") if checkpoint is not None else None
    if isinstance(model, str):
        made = named_model(model, arguments)
        parts = [model.rpartition(":")[2], *([file.stem] if file else [])]
        usual = re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(parts)).lstrip("._-") or "model"
        return AskedModel(model, _folder_name(usual if name is None else name), made, None, file)
    if file or arguments:
        raise InputError("a network object takes neither a checkpoint nor arguments.")
    if not name:
        raise InputError(
            "a network object needs a name for the folder of its results.",
            where="name",
            hint='Give it one: moat.evaluate_model(network, protocol, name="mine").',
        )
    return AskedModel(type(model).__qualname__, _folder_name(name), None, model, None)


def _folder_name(name: str) -> str:
    if not _NAME.fullmatch(name) or why_no_name(name):
        raise InputError(
            f"a name starts with a letter or a digit and goes on with these or with '.', '-' and "
            f"'_', {MOST_BYTES} at most, because it becomes a folder; not {cut_short(name)!r}.",
            where="--name",
        )
    if is_taken(name):
        raise InputError(
            f"{name!r} cannot be a folder: moat uses that name for its own output.",
            where="--name",
            hint="Give it another name.",
        )
    if not is_portable(name):
        raise InputError(
            f"{name!r} cannot be the name of a folder on every system.",
            where="--name",
            hint="Give it another name: Windows reserves this one.",
        )
    return name


def _own(asked: AskedModel, judged_by: ReadProtocol, network: nn.Module) -> Record:
    """Return the names of the model, and what made it."""
    return {
        "study": judged_by.name,
        "variant": asked.label,
        "sweep": {},
        "seed": 0,
        "label": asked.label,
        "foreign": True,
        "trains": {
            "model": described(asked.made) if asked.made else _given(asked, network),
            "checkpoint": digest_of_file(asked.checkpoint) if asked.checkpoint else None,
        },
        "weights": _weights(asked, network),
    }


def _weights(asked: AskedModel, network: nn.Module) -> str:
    """Return the digest of a network's weights; of the user's code, with all that lies beside."""
    if asked.made is None or isinstance(asked.made, PythonModel):
        return digest_of_weights(network)
    return digest_of_state(saved_state(network))


def _given(asked: AskedModel, network: nn.Module) -> Record:
    """Return what identifies a network that was handed over as it is."""
    return {"type": asked.called, "network": digest_of_network(network)}


def _options(option: str, texts: Sequence[str]) -> list[str]:
    return [word for text in texts for word in (option, text)]


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
