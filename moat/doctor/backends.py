"""The solvers of the quadratic program, and the compiler of networks."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec

from moat.doctor.finding import Finding, Health, told

_AREA = "back ends"
COMPILERS = ("c++", "g++", "clang++")


def backends() -> Iterator[Finding]:
    """Yield the solvers of the quadratic program and the compilers."""
    yield from _solvers()
    yield _compiler()


def _solvers() -> Iterator[Finding]:
    import torch

    from moat.geometry.simplex import known_solvers, minimize_quadratic

    program, answer = torch.diag(torch.tensor([1.0, 3.0]).double()), torch.tensor([0.75, 0.25])
    for name in known_solvers():
        subject = f"solver {name}"
        try:
            found = minimize_quadratic(program, solver=name)
        except Exception as error:
            state = Health.fault if name in ("auto", "exact") else Health.warning
            yield Finding(
                _AREA, subject, state, told(error), "set another in recipes: solver = 'exact'"
            )
            continue
        right = torch.allclose(found, answer.double(), atol=1e-6)
        text = "solves the quadratic program" if right else f"its answer is wrong: {found.tolist()}"
        mend = "" if right else "set another in recipes: solver = 'exact'"
        yield Finding(_AREA, subject, Health.ok if right else Health.warning, text, mend)


def _compiler() -> Finding:
    """Return the compiler that torch.compile needs: C++ on the CPU, triton on a GPU."""
    import torch

    without = "training.compile has no effect without it; "
    if torch.cuda.is_available():
        if find_spec("triton"):
            return Finding(_AREA, "torch.compile", Health.ok, "triton")
        return Finding(
            _AREA, "torch.compile", Health.absent, "no triton", f"{without}pip install triton"
        )
    asked = os.environ.get("CXX")
    place = next(filter(None, map(shutil.which, [asked] if asked else COMPILERS)), None)
    if place:
        return Finding(_AREA, "torch.compile", Health.ok, f"C++ compiler {place}")
    text = f"no C++ compiler {asked!r} (CXX)" if asked else "no C++ compiler"
    return Finding(
        _AREA, "torch.compile", Health.absent, text, f"{without}apt install g++, or its like"
    )
