"""A network conditioned on a preference: FiLM modulates its channels."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from moat.errors import InputError, ModelError
from moat.models.channel_layers import ChannelLayer, channel_layers
from moat.models.copies import copy_of
from moat.preferences import simplex_row
from moat.public import public
from moat.transfers import send
from moat.types import Images, Logits, Weights


@public
class FiLM(nn.Module):
    """A network whose channels are scaled and shifted by an encoding of a preference.

    y becomes (1 + γ(p)) · y + β(p), channel by channel, behind every norm layer; behind every
    convolution where there is no norm layer, and behind every linear layer but the last where there
    is no convolution, either. γ and β are the output of a small network of the preference p, the
    weights of the objectives. They start at 0, so that a new conditioned network equals its
    network to the bit.

    The modulation is made in the weights and biases of these layers, so `plain` is exact: a network
    of the original kind, for one preference, without the encoder. A layer without a bias is scaled
    and not shifted.

    `network` is any module with a norm, convolution or linear layer; it is held, not copied.
    `objectives` are the names, "natural" first. `hidden` is the width of the encoder. Raises
    ModelError for a network without such a layer, for one whose norms have no weights and so cancel
    the modulation before them, for one compiled by torch.jit, and for a lazy one before its first
    batch; InputError for fewer than two objectives, equal ones, or a `hidden` below 1.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
        >>> conditioned = FiLM(network, ["natural", "pgd", "rt"])
        >>> conditioned.prefer({"natural": 0.5, "pgd": 0.5})
        >>> x = torch.rand(2, 1, 8, 8)
        >>> plain = conditioned.plain({"natural": 0.5, "pgd": 0.5})
        >>> torch.equal(plain(x), conditioned(x)), type(plain).__name__
        (True, 'Sequential')

    Source: Perez et al., FiLM: Visual Reasoning with a General Conditioning Layer, 2018; Navon et
    al., Learning the Pareto Front with Hypernetworks, 2021 (one network for a front).
    """

    preference: Tensor

    def __init__(self, network: nn.Module, objectives: Sequence[str], hidden: int = 32) -> None:
        super().__init__()
        _require_arguments(objectives, hidden)
        self.network = network
        self.objectives = tuple(objectives)
        self.layers: tuple[ChannelLayer, ...] = channel_layers(network)
        size, count = sum(layer.channels for layer in self.layers), len(self.objectives)
        like = self.layers[0].weight(network)
        last = nn.Linear(hidden, 2 * size)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.encoder = nn.Sequential(nn.Linear(count, hidden), nn.SiLU(), last).to(like)
        self.register_buffer("preference", like.new_full((count,), 1 / count))

    def prefer(self, preference: Mapping[str, float] | Weights) -> None:
        """Compute at a preference from now on: weights by name, or (objectives,) in their order.

        No tensor's value is read, so the values of a row are not checked. Raises InputError for
        invalid weights by name, and for a row of another length.
        """
        if isinstance(preference, Mapping):
            row = simplex_row(preference, self.objectives)
        else:
            row = torch.as_tensor(preference)
        if row.shape != self.preference.shape:
            raise InputError(
                f"a preference is a row of {len(self.objectives)} weights, those of "
                f"{', '.join(self.objectives)}; this one has the shape {tuple(row.shape)}.",
                where="preference",
                hint='Give the weights by name, as in {"natural": 0.5, ...}: others are 0.',
            )
        with torch.no_grad():
            self.preference.copy_(send(row.to(self.preference.dtype), self.preference.device))

    def forward(self, x: Images) -> Logits:
        """Return the logits at the preference."""
        # Shared weights are not modulated. For a module with two names, torch would restore the
        # modulated ones.
        own = self._modulated()
        logits: Logits = functional_call(self.network, own, (x,), tie_weights=False)
        return logits

    def plain(self, preference: Mapping[str, float] | Weights) -> nn.Module:
        """Return a network of the original kind for one preference, as a copy.

        The modulation is in its weights. The preference of the conditioned network stays.
        """
        before = self.preference.clone()
        self.prefer(preference)
        with torch.no_grad():
            found = {name: value.clone() for name, value in self._modulated().items()}
        self.preference.copy_(before)
        network = copy_of(self.network)
        if network is None:
            raise ModelError(
                "the network cannot be copied, which a plain one beside it needs.",
                hint="Build it of modules that copy.deepcopy copies, with parameters as leaves.",
            )
        with torch.no_grad():
            for name, value in found.items():
                network.get_parameter(name).copy_(value)
        return network

    def _modulated(self) -> dict[str, Tensor]:
        """Return the weights and biases of the modulated layers, by their names in the network."""
        with torch.autocast(self.preference.device.type, enabled=False):
            scales, shifts = self.encoder(self.preference).chunk(2)
            sizes = [layer.channels for layer in self.layers]
            found: dict[str, Tensor] = {}
            parts = zip(self.layers, scales.split(sizes), shifts.split(sizes), strict=True)
            for layer, scale, shift in parts:
                found |= layer.modulated(self.network, 1 + scale, shift)
        return found


def _require_arguments(objectives: Sequence[str], hidden: int) -> None:
    names = [objectives] if isinstance(objectives, str) else list(objectives)
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"a network is conditioned on two or more objectives of different names, not {names}.",
            where="objectives",
            hint='Write them as in ["natural", "pgd"].',
        )
    if hidden < 1:
        raise InputError(f"the encoder has a width of 1 or more, not {hidden}.", where="hidden")
