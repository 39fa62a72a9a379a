"""What a gradient threat declares: its steps, its radius, whether its restarts differ."""

import pytest
import torch
from pydantic import PositiveFloat

from moat.errors import FieldError, MoatError
from moat.evaluation import Protocol
from moat.geometry.balls import LinfBall
from moat.registry import as_dataclass
from moat.threats import PGD, AutoAttack, GradientThreat, Integrated, Repetition, RTGrid, StepSize

NUMBERS = {"epsilon": 0.1, "step_size": 0.1}


class Shade(GradientThreat):
    """Darken the image, by names of its own."""

    darkest: PositiveFloat = 0.4
    stride: StepSize = None
    my_step_size: float | None = None  # which is no step, whatever its name says

    @property
    def radius(self):
        return self.darkest

    def identity(self, x):
        return (x.new_zeros(len(x), 1, 1, 1),)

    def apply(self, x, w):
        return x + w[0]

    def balls(self, x):
        return (LinfBall(self.darkest, self.stride or self.darkest, low=-x.amin((1, 2, 3), True)),)


Shade = as_dataclass(Shade, "shade", frozen=True)


def test_a_step_is_what_is_declared_as_one_whatever_its_name():
    with pytest.raises(FieldError, match="stride is missing: sign steps have a fixed size"):
        Shade()
    assert Shade(stride=0.1).my_step_size is None
    assert Shade(search="apgd").stride is None


def test_a_protocol_replaces_the_radius_that_a_threat_declares():
    protocol = Protocol({"shade": Shade(stride=0.1)}, at_epsilon={"shade": (0.1, 0.2)})
    reaches = [protocol.reach("shade", attempt) for attempt in protocol.attempts("shade")]
    assert reaches == [0.25, 0.5]
    assert (
        Integrated(flow_epsilon=0.1, rt_epsilon=0.1, flow_step_size=0.1, rt_step_size=0.1).radius
        is None
    )  # it has two
    assert (PGD(**NUMBERS).radius, RTGrid().radius) == (0.1, None)


@pytest.mark.parametrize(
    ("threat", "differ"),
    [
        (PGD(**NUMBERS), False),
        (PGD(**NUMBERS, start="uniform"), True),
        (PGD(**NUMBERS, start="noise"), True),
        (PGD(**NUMBERS, search="apgd"), False),
        (PGD(**NUMBERS, search="random"), True),
        (PGD(**NUMBERS, loss="targeted-dlr"), True),
        (RTGrid(), False),
        (RTGrid(worst_of=3), True),
        (AutoAttack(epsilon=0.1), True),
    ],
    ids=repr,
)
def test_a_protocol_takes_restarts_where_the_threat_says_that_they_differ(threat, differ):
    assert threat.restarts_differ is differ
    if differ:
        assert Protocol({"one": threat}, restarts={"one": 2})
        return
    with pytest.raises(MoatError, match=f"the same search, {threat.repetition.how}") as caught:
        Protocol({"one": threat}, restarts={"one": 2})
    assert caught.value.hint == threat.repetition.mend


def test_a_threat_of_ones_own_says_in_its_words_why_restarts_are_the_same():
    class Still(Shade):
        @property
        def repetition(self):
            return Repetition("of one shade", "Leave restarts out.")

    still = Still(stride=0.1)
    with pytest.raises(MoatError, match="every restart of 'a' would be the same search, of one"):
        Protocol({"a": still}, restarts={"a": 2})
    x = torch.rand(2, 1, 4, 4)
    assert torch.equal(still.apply(x, still.identity(x)), x)
