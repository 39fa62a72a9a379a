"""What autocast would round is computed in its own type, and the caller's autocast comes back."""

import pytest
import torch

from moat.precision import without_autocast

ONE = torch.ones(2, 2)


def test_without_an_autocast_nothing_changes():
    with without_autocast() as as_before, as_before():
        assert (ONE @ ONE).dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_callers_autocast_is_off_and_can_be_had_back(dtype):
    with torch.autocast("cpu", dtype):
        with without_autocast() as as_before:
            assert (ONE @ ONE).dtype == torch.float32
            for _ in range(2):
                with as_before():
                    assert (ONE @ ONE).dtype == dtype
            assert (ONE @ ONE).dtype == torch.float32
        assert (ONE @ ONE).dtype == dtype
    assert (ONE @ ONE).dtype == torch.float32


def test_it_comes_back_after_an_exception():
    with torch.autocast("cpu", torch.bfloat16):
        with pytest.raises(KeyError), without_autocast() as as_before, as_before():
            raise KeyError
        assert torch.is_autocast_enabled("cpu")
    assert not torch.is_autocast_enabled("cpu")
