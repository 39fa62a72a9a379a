"""What a split holds: labels of any integer type, as int64."""

import pytest
import torch

from moat.data.base import as_labels
from moat.errors import DataError


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_integers_of_any_type_are_labels(dtype):
    labels = as_labels(torch.arange(5).to(dtype))
    assert labels.dtype == torch.long
    assert labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bool, torch.complex64])
def test_what_is_no_integer_is_refused(dtype):
    with pytest.raises(DataError) as refused:
        as_labels(torch.arange(5).to(dtype))
    assert refused.value.message == f"labels are integers, not {dtype}."
    assert refused.value.hint == "If they count the classes from 0, keep labels.long()."
