import pytest
import torch
from jaxtyping import TypeCheckError

from moat.losses import cross_entropy
from moat.names import NATURAL
from moat.objectives import LossMatrix


def test_the_shapes_in_annotations_are_checked_under_test():
    with pytest.raises(TypeCheckError, match="labels"):
        cross_entropy(torch.zeros(3, 10), torch.zeros(4, dtype=torch.int64))


def test_the_shapes_of_fields_are_checked_under_test():
    with pytest.raises(TypeCheckError, match="values"):
        LossMatrix(torch.zeros(3), (NATURAL, "pgd", "flow"))
