"""A protocol that is written in Python is held to its kinds as a recipe's is."""

import jaxtyping
import numpy as np
import pytest
import torch

from moat.data import Split
from moat.errors import DefinitionError, MoatError
from moat.evaluation import Protocol, evaluate
from moat.threats import PGD, RTGrid

NOISE = PGD(epsilon=0.1, step_size=0.05, steps=1)
THREATS = {"pgd": NOISE}


@pytest.fixture(autouse=True)
def as_users_have_it():
    """Turn off the checks of shapes and types, which are there under test alone."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


WRONG = [
    ({"examples": 1.5}, "examples of a protocol is a whole number of images, not 1.5."),
    ({"examples": True}, "examples of a protocol is a whole number"),
    ({"examples": "4"}, "examples of a protocol is a whole number"),
    ({"seed": "a"}, "seed of a protocol is a whole number from 0 on, not 'a'."),
    ({"seed": -1}, "seed of a protocol is a whole number from 0 on, not -1."),
    ({"seed": 2**63}, "seed of a protocol"),
    ({"seed": None}, "seed of a protocol"),
    ({"memory": "4"}, "memory of a protocol is a number of GiB above 0, not '4'."),
    ({"memory": True}, "memory of a protocol is a number of GiB above 0"),
    ({"memory": float("nan")}, "the memory of an evaluation is a number of GiB above 0, not nan"),
    ({"memory": -1}, "the memory of an evaluation is a number of GiB above 0, not -1"),
    ({"memory": 1e308}, "the memory of an evaluation is a number of GiB above 0"),
    ({"union_only": 1, "falls": "any"}, "union_only of a protocol is true or false, not 1."),
    ({"summed": "pgd"}, "summed of a protocol is a list of labels, not 'pgd'."),
    ({"summed": (1,)}, "summed of a protocol is a list of labels"),
    ({"ensembles": {"all": "pgd"}}, "ensembles of a protocol is a table"),
    ({"ensembles": ["pgd"]}, "ensembles of a protocol is a table"),
    ({"ensembles": {"a/b": ("pgd",)}}, "a threat or ensemble cannot have the label 'a/b': it has"),
    ({"at_steps": {"pgd": (1.5,)}}, "at_steps of a protocol is a table from labels to lists of w"),
    ({"at_steps": {"pgd": np.array([1, 2])}}, "at_steps of a protocol"),
    ({"at_steps": {"pgd": 3}}, "at_steps of a protocol"),
    ({"at_steps": {"pgd": (2**40,)}}, "at_steps of a protocol"),
    ({"at_epsilon": {"pgd": ("0.1",)}}, "at_epsilon of a protocol is a table from labels to list"),
    ({"at_epsilon": {"pgd": (1e39,)}}, "at_epsilon of a protocol"),
    ({"restarts": {"pgd": 1.5}}, "restarts of a protocol is a table from labels to whole numbers"),
    ({"restarts": {"pgd": 2**40}}, "restarts of a protocol"),
    ({"threats": [NOISE]}, "threats of a protocol is a table from labels to threats"),
    ({"threats": {"a/b": NOISE}}, "a threat or ensemble cannot have the label 'a/b': it has a pa"),
    ({"threats": {1: NOISE}}, "a threat or ensemble cannot have the label 1: it is not text."),
    ({"threats": {"": NOISE}}, "a threat or ensemble cannot have the label '': it has 0 bytes"),
    ({"threats": {"..": NOISE}}, "a threat or ensemble cannot have the label '..': it begins wit"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_a_field_of_another_kind_is_named(fields, message):
    with pytest.raises(MoatError) as refused:
        Protocol(**{"threats": THREATS, **fields})
    assert refused.value.message.startswith(message)
    assert len(refused.value.message) < 250


def test_numbers_of_numpy_are_numbers():
    protocol = Protocol(
        {"turns": RTGrid(worst_of=4), **THREATS},
        examples=np.int64(3),
        seed=np.int32(1),
        memory=np.float32(1),
        restarts={"turns": np.int8(2)},
        at_steps={"pgd": (np.int64(1), 2)},
        summed=["pgd"],
    )
    assert protocol.examples == 3


@pytest.mark.parametrize("memory", ["4", None, True, float("nan"), float("inf"), -1, 0, 1e308])
def test_the_memory_of_the_images_is_a_number_of_gib(memory):
    images = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    split = Split(images, torch.tensor([0, 1]), torch.arange(2))
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
    with pytest.raises(DefinitionError) as refused:
        evaluate(net, split, Protocol({}), memory=memory)
    assert refused.value.message == f"the memory is {memory!r}, not a number of GiB above 0."
    assert "Leave it out" in refused.value.hint
