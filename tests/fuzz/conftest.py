"""Counts of what the fuzz came to, told at its end where it was asked for."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from moat.errors import MoatError

CASES = int(os.environ.get("MOAT_SOAK") or 0)
SECONDS = float(os.environ.get("MOAT_SOAK_SECONDS") or "inf")


class Tally:
    """How often something gave a result, and how often an error of moat's, by its class."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.began = time.monotonic()

    def end_in_time(self) -> None:
        """Skip what is left once the time is over that MOAT_SOAK_SECONDS allows a file."""
        if time.monotonic() - self.began > SECONDS:
            pytest.skip("the time is over")

    def result_or_refusal(self, call: Callable[[], object]) -> object | None:
        """Return what a call returns, None where it is refused; anything else fails the test."""
        try:
            made = call()
        except MoatError as error:
            str(error).encode()  # it can be printed
            self.counts[type(error).__name__] += 1
            return None
        self.counts["result"] += 1
        return made


@pytest.fixture(scope="module")
def tally(request, pytestconfig) -> Iterator[Tally]:
    made = Tally()
    yield made
    if CASES:
        told = ", ".join(f"{count:,} {name}" for name, count in made.counts.most_common())
        capture = pytestconfig.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{request.module.__name__}: {made.counts.total():,} calls: {told}")
