"""The demands of a piece of work on a device, counted on the CPU: operations, and host waits."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from moat.public import public

ASKING = {"_local_scalar_dense", "nonzero", "equal", "is_nonzero", "masked_select", "unique"}


class Counted(TorchDispatchMode):
    """A counter of operations, which names those that would make the host wait for a GPU.

    Example:
        >>> with Counted() as found:
        ...     _ = (torch.ones(3) + 1).tolist()
        ...     _ = torch.ones(3).sum().item()
        >>> found.asked
        ['_local_scalar_dense']
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0
        self.asked: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = function.overloadpacket.__name__
        masks = name in ("index", "index_put", "index_put_") and any(
            part is not None and part.dtype == torch.bool for part in args[1]
        )
        self.operations += 1
        if name in ASKING or masks:
            self.asked.append(name)
        return function(*args, **(kwargs or {}))


@public
def counted(run: Callable[[], object]) -> Counted:
    """Run once, and return the counts.

    Example:
        >>> counted(lambda: torch.zeros(3).sum().item()).asked
        ['_local_scalar_dense']
    """
    found = Counted()
    with found:
        run()
    return found
