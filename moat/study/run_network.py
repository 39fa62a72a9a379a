"""The network of a run: its saved state is complete, before and after training."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from moat.data import Data
from moat.local_imports import Modules, dotted_name, imports_of, module_files, search_path
from moat.models import Model, PythonModel, built, load_into
from moat.models.unsaved_state import unsaved_state
from moat.study.layout import best_layout
from moat.study.network import awake, few_images
from moat.study.whole_state import as_loaded, draws_apart, require_alike, require_whole_state
from moat.threats import home_of


def require_saved_whole(network: nn.Module, model: Model, data: Data) -> None:
    """Raise ModelError with the cause if a model's saved state is not all of its network.

    The check precedes training and uses further networks. The second of them comes from code
    imported again, as in another process.
    """

    def build() -> nn.Module:
        return built(model, data.shape, len(data.classes))

    def rebuild() -> nn.Module:
        try:
            with imported_anew(model):
                return build()
        except Exception:  # code that runs only once
            return build()

    if (x := few_images(data.train, data, torch.device("cpu"))) is not None:
        require_whole_state(network, build, x, rebuild=rebuild, prepare=awake)


def require_same_when_loaded(network: nn.Module, model: Model, data: Data) -> None:
    """Raise ModelError unless a trained network, loaded from its weights, gives the same logits."""
    device = home_of(network)
    if (x := few_images(data.train, data, device)) is None:
        return
    with draws_apart():
        loaded = built(model, data.shape, len(data.classes))
        load_into(loaded, as_loaded(network))
        require_alike(network, best_layout(model, loaded, data.shape).to(device), x)


def require_no_chance(
    model: Model, network: nn.Module, shape: tuple[int, int, int], classes: int
) -> None:
    """Raise ModelError if a network with loaded weights still depends on chance.

    A network of moat or a plug-in without state outside the state dict is not checked.
    """
    if not (isinstance(model, PythonModel) or unsaved_state(network)):
        return
    with draws_apart():
        other = built(model, shape, classes)
        load_into(other, as_loaded(network))
        x = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
        require_alike(network, other, x)


@contextmanager
def imported_anew(model: Model) -> Iterator[None]:
    """Run the local modules of the user's callable once more, apart from those imported before."""
    places = local_modules(model)
    names = {dotted_name(place).removesuffix(".__init__") for place in places}
    held = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(held)


def local_modules(model: Model) -> Modules:
    """Return the user's modules that a callable's model is made of: its own, and what it imports.

    There are none for another model, and for the code that a run keeps.
    """
    if not isinstance(model, PythonModel) or model.code is not None:
        return {}
    name, folders = model.reference.split(":")[1], search_path()
    files = module_files(name, folders)
    for place, file in list(files.items()):
        files |= imports_of(file, folders, dotted_name(place))
    return files
