import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.analysis import SmoothGrad, frequency, saliency_maps
from moat.analysis.frequency import Signal, saliency_signal
from moat.analysis.spectra import Rings, by_ring, frequencies, power_spectra
from moat.evaluation import Protocol
from moat.threats import Threat


class Added(Threat):
    """A fixed change of every image."""

    def __init__(self, change):
        self.change = change

    def perturb(self, model, x, y, *, generator=None):
        return x + self.change


def wave(height, width, down, across, channels=1):
    """A cosine of so many periods down and across, with an amplitude of 0.1."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    angle = 2 * math.pi * (down * rows / height + across * columns / width)
    return 0.1 * torch.cos(angle).expand(1, channels, height, width)


@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    channels=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_power_adds_up_to_the_squared_norm_and_rings_to_the_power(height, width, channels, seed):
    signals = torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(seed))
    power = power_spectra(signals)
    norm = signals.double().square().sum((1, 2, 3))
    torch.testing.assert_close(power.sum((1, 2)), norm)
    rings = Rings.of(height, width)
    torch.testing.assert_close(by_ring(power, rings).sum(1), norm)
    assert (
        power[..., height // 2, width // 2]
        .sub(signals.double().sum((2, 3)).square().sum(1) / (height * width))
        .abs()
        .max()
        < 1e-9
    )


@pytest.mark.parametrize("size", [(8, 8), (8, 12)])
@pytest.mark.parametrize(("down", "across"), [(0, 1), (2, 0), (1, 3), (4, 4)])
def test_a_wave_has_all_of_its_power_at_its_own_frequency(network, size, down, across):
    height, width = size
    x = torch.full((6, 1, height, width), 0.5)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(height * width, 10))
    stated = Protocol({"wave": Added(wave(height, width, down, across))})
    found = frequency({"net": net}, (x, torch.zeros(6).long()), stated)
    radius = math.hypot(down / height, across / width)
    assert found["centroid"][0, 1] == pytest.approx(radius, abs=1e-5)
    peaks = np.argwhere(found["share"][0, 1] > 1)
    v, h = found["vertical"], found["horizontal"]
    assert {(abs(v[a]) * height, abs(h[b]) * width) for a, b in peaks} == {(down, across)}
    assert found["share"][0, 1].sum() == pytest.approx(100)
    nearest = int(np.abs(found["frequency"] - radius).argmin())
    assert found["ring_share"][0, 1, nearest] == pytest.approx(100, abs=1e-3)
    norm = float(wave(height, width, down, across).double().square().sum())
    assert found["power"][0, 1].sum() == pytest.approx(norm, rel=1e-4)
    assert found["centroid_low"][0, 1] <= found["centroid"][0, 1] <= found["centroid_high"][0, 1]


def test_white_noise_has_equal_power_everywhere(network):
    x = torch.full((400, 1, 8, 8), 0.5)
    noise = 0.01 * torch.randn(400, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    stated = Protocol({"noise": Added(noise)})
    found = frequency({"net": network(0)}, (x, torch.zeros(400).long()), stated)
    np.testing.assert_allclose(found["share"][0, 1], 100 / 64, rtol=0.25)
    flat = np.bincount(Rings.of(8, 8).ring.ravel()) * 100 / 64
    low, high = found["ring_share_low"][0, 1], found["ring_share_high"][0, 1]
    assert ((low <= flat) & (flat <= high)).mean() >= 0.8
    np.testing.assert_allclose(found["ring_density"][0, 1], 1, rtol=0.25)


def test_images_without_a_change_have_no_share_and_are_counted(network):
    x = torch.full((6, 1, 8, 8), 0.5)
    change = wave(8, 8, 1, 0).repeat(6, 1, 1, 1)
    change[:4] = 0
    further = {"still": Signal(lambda batch, x, y: torch.zeros_like(x))}
    found = frequency(
        {"net": network(0)},
        (x, torch.zeros(6).long()),
        Protocol({"some": Added(change)}),
        signals=further,
    )
    assert found.coordinates("signal") == ["natural", "some", "still"]
    assert found["moved"].tolist() == [[0, 2, 0]]
    assert found["centroid"][0, 1] == pytest.approx(1 / 8, abs=1e-5)
    assert found["share"][0, 1].sum() == pytest.approx(100)
    assert np.isnan(found["centroid"][0, [0, 2]]).all()
    assert [one.text for one in found.findings] == ["mean frequency of some on net"]


def test_frequencies_are_those_of_a_shifted_transform():
    for size in range(1, 9):
        middle = frequencies(size)
        assert middle[size // 2] == 0
        assert (np.diff(middle) > 0).all()


def test_the_saliency_of_a_linear_model_has_the_spectrum_of_its_weight_rows():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    with torch.no_grad():
        for row in range(10):
            net[1].weight[row] = wave(8, 8, 0, 1 + row % 3).flatten()
    x, y = torch.rand(6, 1, 8, 8), torch.arange(6)
    done = []
    found = frequency(
        {"net": net},
        (x, y),
        Protocol({"still": Added(0.0)}),
        signals={"saliency": saliency_signal(SmoothGrad(copies=4))},
        progress=lambda passes, of: done.append((passes, of)),
    )
    assert found["centroid"][0, 2] == pytest.approx((1 + 2 + 3) / 3 / 8, abs=1e-5)
    assert done[-1][0] == pytest.approx(done[-1][1])
    maps = saliency_maps(net, x, y, settings=SmoothGrad(copies=4))
    norm = power_spectra(maps).mean(0).sum()
    assert found["power"][0, 2].sum() == pytest.approx(float(norm))
