"""What a search takes of memory an example, measured on one."""

import torch

from moat.threats import PGD, RT, Flow, LiveBytes, RTGrid, SearchedThreat, example_bytes
from moat.threats.climb import Climb

IMAGE = 4 * 3 * 16 * 16


def bytes_of(threat, counts=1):
    return example_bytes(threat, (3, 16, 16), counts)


def test_live_bytes_are_those_of_tensors_that_are_still_needed():
    with LiveBytes() as counted:
        first = torch.zeros(1000)
        second = first + 1
        del first
        third = second[:500].view(5, 100)  # shares memory
        _ = second * 2
    assert counted.live == counted.most == 8000
    del second, _
    assert counted.live == 4000
    del third
    assert counted.live == 0


def test_what_autograd_keeps_is_counted():
    weight = torch.ones(100, requires_grad=True)
    with LiveBytes() as counted:
        loss = (weight * 2).sin().sum()
        kept = counted.live
        loss.backward()
    assert kept >= 400


def test_a_search_that_remembers_more_takes_more():
    sign = PGD(epsilon=0.1, step_size=0.1)
    momentum = PGD(epsilon=0.1, search="apgd")
    assert 6 * IMAGE < bytes_of(sign) < bytes_of(momentum) < 30 * IMAGE


def test_each_reported_count_takes_its_images_and_parameters():
    sign = PGD(epsilon=0.1, step_size=0.1)
    added = bytes_of(sign, 5) - bytes_of(sign, 3)
    assert 2 * 2 * IMAGE <= added <= 2 * 2.5 * IMAGE


def test_six_numbers_an_image_take_less_than_a_flow():
    assert bytes_of(RT(epsilon=0.1, search="apgd")) < bytes_of(Flow(epsilon=0.1, search="apgd"))


def test_members_that_are_drawn_beforehand_are_counted():
    few, many = RTGrid(worst_of=1), RTGrid(worst_of=41)
    assert bytes_of(many) - bytes_of(few) > 40 * 6 * 4


def test_a_threat_without_a_hash_is_measured_too():
    class Bare(SearchedThreat):
        __hash__ = None
        steps = 2

        def climb(self, x, y, *, at_steps=(), generator=None, reach=1.0, rank=1):
            start = (torch.zeros_like(x),)
            return Climb(x, y, start, lambda x, w: x + w[0], lambda x: (), "margin", at_steps)

    class Still(Bare):
        def climb(self, x, y, **keys):
            whole = super().climb(x, y, **keys)
            return RTGrid(worst_of=2).climb(whole.x, whole.y, at_steps=whole.at_steps)

    assert bytes_of(Still()) > IMAGE
