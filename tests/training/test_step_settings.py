"""How a step is taken: every setting has a default, and is looked at where it is written."""

import copy

import jaxtyping
import pytest
import torch

from moat.errors import DefinitionError
from moat.passes import default_pass_size
from moat.scalarizers import Max
from moat.training import StepSettings, train_step


@pytest.fixture
def unchecked():
    """Leave the types to the settings themselves, as in production."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"pass_size": 0}, "a pass holds at least one example, not 0."),
        ({"pass_size": True}, "a pass holds at least one example, not True."),
        ({"generator": 3}, "the generator is 3, not a torch.Generator."),
        ({"reach": 0}, "reach is a share of the threats' radius, above 0 and at most 1, not 0."),
        ({"reach": 1.5}, "above 0 and at most 1, not 1.5."),
        ({"reach": float("nan")}, "above 0 and at most 1, not nan."),
        ({"reach": "half"}, "above 0 and at most 1, not 'half'."),
        ({"search": "fast"}, "search is 'fast', not a function."),
        ({"observe": 3}, "observe is 3, not a function."),
    ],
)
def test_a_value_that_no_step_can_be_taken_with_is_refused_where_it_is_written(settings, text):
    with pytest.raises(DefinitionError) as caught:
        StepSettings(**settings)
    assert text in str(caught.value)
    assert caught.value.hint


def test_a_pass_is_as_large_as_suits_the_device_unless_it_is_given():
    cpu = torch.device("cpu")
    assert StepSettings().passes_on(cpu) == default_pass_size(cpu)
    assert StepSettings(pass_size=7).passes_on(cpu) == 7


def test_without_settings_a_step_is_that_with_the_defaults(network, threats, images):
    def moved(*settings):
        own = copy.deepcopy(network)
        optimizer = torch.optim.SGD(own.parameters(), lr=0.1)
        train_step(own, optimizer, threats, Max(), *images, *settings)
        return torch.cat([parameter.detach().flatten() for parameter in own.parameters()])

    assert torch.equal(moved(), moved(StepSettings()))
    assert not torch.equal(moved(), moved(StepSettings(reach=0.1)))


def test_settings_of_another_kind_are_refused(network, threats, images):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    with pytest.raises(DefinitionError) as caught:
        train_step(network, optimizer, threats, Max(), *images, {"pass_size": 4})
    assert str(caught.value) == (
        "the settings of a step are of type dict, not StepSettings.\n"
        "  Pass moat.training.StepSettings(pass_size=512), or leave them out."
    )
