"""The arguments of a step beside its network and its batch: optimizer, threats, scalarizer."""

from collections.abc import Mapping
from typing import Any

import torch

from moat.errors import DefinitionError
from moat.names import NATURAL
from moat.scalarizers import Scalarizer
from moat.threats.arguments import in_words
from moat.threats.table import require_threat
from moat.training.step_settings import WITH_DEFAULTS, StepSettings


def require_arguments(
    optimizer: Any, threats: Any, scalarizer: Any, settings: Any = WITH_DEFAULTS
) -> None:
    """Raise DefinitionError with the mend for arguments that make no step."""
    if not isinstance(threats, Mapping):
        raise DefinitionError(
            f"threats are a table from names to threats, not {in_words(threats)}.",
            hint='Give each a name: {"pgd": PGD(...), "flow": Flow(...)}.',
        )
    for name, threat in threats.items():
        require_threat(f"the threat {name!r}", threat)
    if NATURAL in threats:
        raise DefinitionError(
            f"a threat cannot have the name {NATURAL!r}: that is the objective without a threat.",
            hint="Give it another name.",
        )
    if not isinstance(scalarizer, Scalarizer):
        raise DefinitionError(
            f"the scalarizer is {in_words(scalarizer)}, not a scalarizer.", hint=_MADE
        )
    if not all(hasattr(optimizer, name) for name in ("param_groups", "zero_grad", "step")):
        raise DefinitionError(
            f"the optimizer is {in_words(optimizer)}, not an optimizer of torch's.",
            hint="Create one with the network's parameters: torch.optim.SGD(model.parameters(), "
            "0.1).",
        )
    if isinstance(optimizer, torch.optim.LBFGS):
        raise DefinitionError(
            "the optimizer LBFGS needs the loss several times in a step, but a step measures it "
            "once.",
            hint="Use one that steps along a gradient, such as SGD or AdamW.",
        )
    if not isinstance(settings, StepSettings):
        raise DefinitionError(
            f"the settings of a step are {in_words(settings)}, not StepSettings.",
            hint="Pass moat.training.StepSettings(pass_size=512), or leave them out.",
        )


_MADE = "Create one from a class of moat.scalarizers, such as Max()."
