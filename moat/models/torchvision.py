"""torchvision's classifiers: resnet18 by its name, the others as torchvision:<name>."""

import re
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, PositiveFloat
from pydantic.dataclasses import dataclass as pydantic_dataclass
from torch import nn

from moat.digests import digest_of_file
from moat.errors import ModelError, UnknownNameError, did_you_mean, nearest_names
from moat.models.base import Model, model
from moat.models.normalise import Normalise
from moat.models.state_dicts import load_into
from moat.models.weights import DIGEST, StateDict, published, read_weights
from moat.names import names_file
from moat.paths import require_path
from moat.registry import as_dataclass

# torchvision itself is imported where it is used: that takes as long as importing torch.

TORCHVISION_PREFIX = "torchvision:"
NOT_CLASSIFIERS = ("googlenet", "inception_v3")
"""Networks that return more than logits in train mode."""

_Positive = PositiveFloat
_FROM_LIST = Field(strict=False)  # TOML has no tuples


@pydantic_dataclass(kw_only=True, frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Torchvision(Model):
    """A classifier of torchvision's, its last layer made for the study's classes.

    `weights` are the name of published ones or a file; they are loaded when a run begins. Their
    last layer is kept where it has as many classes as the study, and is drawn anew otherwise.
    """

    weights: str | None = None
    weights_digest: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    mean: Annotated[tuple[float, float, float], _FROM_LIST] = (0.485, 0.456, 0.406)  # ImageNet's
    std: Annotated[tuple[_Positive, _Positive, _Positive], _FROM_LIST] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        """Refuse the name of weights that nobody published."""
        if self.weights and not self._file:
            self._published()

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return the network, drawn anew; grey images are read as three equal channels."""
        from torchvision.models import get_model

        if shape[0] not in (1, 3):
            raise ModelError(
                f"the model {self.name!r} takes images of 3 channels, or of 1 that it repeats, not "
                f"of {shape[0]}.",
                hint='Use "preact-resnet18", or a network of your own (python:module:callable).',
            )
        network = get_model(self._network, weights=None, num_classes=classes)
        layers = OrderedDict(normalise=Normalise(self.mean, self.std), network=network)
        return nn.Sequential(layers)

    def initialise(self, network: nn.Module) -> None:
        """Load the weights into a network that was built.

        Raises ModelError where they cannot be had, or fit another architecture.
        """
        if self.weights is None:
            return
        inner = network.get_submodule("network")
        if self._file:
            state = read_weights(self._file, self.weights_digest)
        else:
            state = published(self._network, self.weights)
        state = {_OLD_DENSENET.sub(r"\1\2.", name): value for name, value in state.items()}
        try:
            load_into(inner, state | _fresh_head(inner, state))
        except ModelError as error:
            raise ModelError(
                f"the weights {self.weights!r} are not those of the network {self._network!r} that "
                f"the recipe asks for: {error.message}.",
                hint="Set model.type to the network of these weights, as in "
                "'torchvision:resnet50', or model.weights to others.",
            ) from error
        if broken := [n for n, v in inner.state_dict().items() if not v.isfinite().all()]:
            raise ModelError(
                f"the weights {self.weights!r} hold values that are not finite: {broken[0]}.",
                hint="Use others: these are not meant to be used whole.",
            )

    def identity(self) -> dict[str, Any]:
        """Return the fields, `weights` by what a file holds or by their published name."""
        values = super().identity()
        digest = values.pop(DIGEST)
        if path := self._file:
            digest = digest or (digest_of_file(path) if path.is_file() else None)
            values["weights"] = f"file {digest}" if digest else f"{path} (missing)"
        elif self.weights:
            values["weights"] = self._published()
        return values

    def digests(self) -> dict[str, str]:
        """Return what the weights file holds, unless that was said or the file is gone."""
        path = self._file
        known = path is None or self.weights_digest is not None or not path.is_file()
        return {} if path is None or known else {DIGEST: digest_of_file(path)}

    @property
    def _network(self) -> str:
        return self.name.removeprefix(TORCHVISION_PREFIX)

    @property
    def _file(self) -> Path | None:
        if not self.weights or not names_file(self.weights):
            return None
        return require_path(Path(self.weights), ModelError)

    def _published(self) -> str:
        """Return the name of published weights, "DEFAULT" said in full; ModelError for none."""
        from torchvision.models import get_model_weights

        known: Any = get_model_weights(self._network).__members__
        if self.weights not in known:
            raise ModelError(
                f"torchvision publishes no weights {self.weights!r} for {self._network!r}."
                f"{did_you_mean(str(self.weights), known)}",
                hint=f"known: {', '.join(known)}\nA local file ends in .pth, .pt or .safetensors.",
            )
        return str(known[self.weights].name)


@model("resnet18")
class ResNet18(Torchvision):
    """ResNet-18 from torchvision, with batch norm and optional pretrained weights.

    Example:
        >>> ResNet18(weights="IMAGENET1K_V1").weights  # read when a run begins
        'IMAGENET1K_V1'

    Source: He et al., Deep Residual Learning for Image Recognition, 2016.
    """

    bears_channels_last: ClassVar[bool] = True


@lru_cache
def torchvision_model(name: str) -> type[Torchvision]:
    """Return the model that torchvision:<network> names; raise MoatError with the nearest.

    Example:
        >>> torchvision_model("torchvision:resnet50")().weights is None
        True
    """
    from torchvision import models

    network = name.removeprefix(TORCHVISION_PREFIX)
    known = [one for one in models.list_models(module=models) if one not in NOT_CLASSIFIERS]
    if network in NOT_CLASSIFIERS:
        raise ModelError(
            f"torchvision's {network!r} returns more than logits in train mode.",
            hint=f"Use another, such as {_nearest(network, known)}.",
        )
    if network not in known:
        raise UnknownNameError(
            f"torchvision has no classifier {network!r}.{did_you_mean(network, known)}",
            hint=f"The nearest of its {len(known)}: {_nearest(network, known)}.\n"
            "All: torchvision.models.list_models()",
        )
    made: type[Torchvision] = as_dataclass(
        type(f"Torchvision_{network}", (Torchvision,), {"__module__": __name__}), name, frozen=True
    )
    return made


def _nearest(network: str, known: list[str]) -> str:
    return ", ".join(nearest_names(network, known) or known[:5])


def _fresh_head(network: nn.Module, state: StateDict) -> StateDict:
    """Return the last layer as it was drawn, where the weights' is for other classes or missing."""
    kinds = (nn.Linear, nn.Conv2d)
    last = [name for name, layer in network.named_modules() if isinstance(layer, kinds)][-1]
    drawn = {n: v for n, v in network.state_dict().items() if n.rpartition(".")[0] == last}
    other = {n for n, v in drawn.items() if n in state and len(state[n]) != len(v)}
    same_inputs = all(state[n].shape[1:] == drawn[n].shape[1:] for n in other)
    return drawn if (other and same_inputs) or not drawn.keys() & state.keys() else {}


_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")
"""Names in the published weights of densenets, from before names could hold no dot."""
