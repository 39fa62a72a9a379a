"""A generator of a batch gives an example the same numbers, whoever else is asked for."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.geometry import draws
from moat.geometry.balls import LinfBall
from moat.geometry.draws import BatchGenerator, draw, draw_seed, generator_like
from moat.geometry.l1_ball import L1Ball
from moat.geometry.l2_ball import L2Ball


@given(
    total=st.integers(1, 70),
    shape=st.sampled_from([(), (1,), (3,), (2, 3), (1, 3, 5)]),
    sampler=st.sampled_from([torch.rand, torch.randn]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    part=st.sampled_from([1, 64, 1 << 22]),
    data=st.data(),
)
def test_some_examples_get_what_they_get_among_all(total, shape, sampler, dtype, part, data):
    chosen = data.draw(st.sets(st.integers(0, total - 1), min_size=1))
    rows = np.array(sorted(chosen))
    plain = torch.Generator().manual_seed(3)
    own = BatchGenerator(3, rows, total)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draws, "PART", part)
        for _ in range(2):  # the second draw begins where the first one ended
            expected = sampler((total, *shape), generator=plain, dtype=dtype)[rows]
            assert torch.equal(draw(sampler, expected, own), expected)
    assert draw_seed(own) == draw_seed(plain)
    assert own.is_sound()


@pytest.mark.parametrize("ball", [LinfBall(0.3, 0.1), L2Ball(1.0, 0.1), L1Ball(2.0, 0.1)], ids=repr)
def test_some_examples_start_in_a_ball_where_they_do_among_all(ball):
    whole, rows = torch.zeros(40, 3, 7), np.array([1, 17, 39])
    expected = ball.sample(whole, torch.Generator().manual_seed(5))[rows]
    assert torch.equal(ball.sample(whole[rows], BatchGenerator(5, rows, 40)), expected)


def test_what_is_drawn_past_it_is_noticed():
    generator = BatchGenerator(0, np.array([1]), 4)
    draw(torch.rand, torch.zeros(1, 3), generator)
    assert generator.is_sound()
    torch.rand(1, 3, generator=generator)
    assert not generator.is_sound()


def test_a_draw_of_another_length_is_noticed():
    generator = BatchGenerator(0, np.array([1]), 4)
    assert draw(torch.rand, torch.zeros(7), generator).shape == (7,)
    assert not generator.is_sound()


def test_a_generator_like_another_is_for_the_same_examples():
    rows = np.array([2, 3])
    own = generator_like(BatchGenerator(0, rows, 9), 4)
    expected = torch.rand(9, 2, generator=generator_like(None, 4))[rows]
    assert torch.equal(draw(torch.rand, torch.zeros(2, 2), own), expected)
