"""The attacks of torchattacks as threats: moat's promises to every threat, and their own."""

import json
import pickle
import random
from importlib import metadata

import moat_torchattacks
import numpy as np
import pytest
import torch
import torchattacks
from torchattacks.attack import Attack

import moat
from moat.errors import FieldError, InputError, ModelError, UnknownNameError
from moat.testing import check_threat, examples, smooth_model
from moat.threats import registry

CHEAP = {
    **dict.fromkeys(("steps", "num_iter_set", "noise_batch_size", "restarts"), 2),
    **{"max_iterations": 10, "binary_search_steps": 1, "n_queries": 3, "nb_sample": 4},
    **{"popsize": 4, "version": "rand", "gamma": 0.02},
}
NAMES = sorted(cls.name for cls in moat_torchattacks.threats())
EACH_KIND = ("GN", "PGD", "CW", "APGDT", "DeepFool", "OnePixel", "Pixle", "Square", "TIFGSM")
"""Noise, a random start, Adam, targets, an own stop, NumPy's and Python's draws, own seeds."""


def made(name: str, **keys):
    cls = registry.get(name)
    return cls(**{key: v for key, v in CHEAP.items() if key in cls.__dataclass_fields__} | keys)


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", EACH_KIND)
def test_each_kind_keeps_the_promises_of_every_threat(name):
    check_threat(made(f"torchattacks:{name}"))


@pytest.mark.parametrize("name", NAMES)
def test_each_returns_images_in_the_box_for_a_double_and_a_single_model(name):
    threat = made(name)
    shape = (threat.needs_channels or 1, 8, 8)
    for dtype in (torch.float64, torch.float32):
        x, y = examples(shape, count=2)
        images = threat.perturb(smooth_model(shape).to(dtype), x.to(dtype), y, generator=seeded())
        assert (images.shape, images.dtype) == (x.shape, dtype)
        assert 0 <= images.min() <= images.max() <= 1


def test_every_attack_of_torchattacks_but_two_has_a_name():
    every = {name: one for name, one in vars(torchattacks).items() if isinstance(one, type)}
    known = {name for name, one in every.items() if issubclass(one, Attack) and one is not Attack}
    assert {f"torchattacks:{name}" for name in known - {"LGV", "MultiAttack"}} == set(NAMES)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("FGSM", {"eps": 0.1}),
        ("PGD", {"eps": 0.1, "alpha": 0.02, "steps": 4, "random_start": False}),
        ("MIFGSM", {"eps": 0.1, "alpha": 0.02, "steps": 4, "decay": 0.5}),
        ("CW", {"c": 1, "kappa": 0, "steps": 5, "lr": 0.01}),
        ("DeepFool", {"steps": 5, "overshoot": 0.02}),
    ],
)
def test_the_images_are_those_of_torchattacks(name, keys):
    x, y = (part.float() if part.is_floating_point() else part for part in examples((3, 8, 8)))
    model = smooth_model((3, 8, 8)).float().eval()
    expected = getattr(torchattacks, name)(model, **keys)(x, y)
    found = registry.get(f"torchattacks:{name}")(**keys).perturb(model, x, y)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_the_number_of_classes_is_the_models(monkeypatch):
    seen = []
    own = torchattacks.APGDT.__init__

    def init(self, model, *, n_classes, **keys):
        seen.append(n_classes)
        own(self, model, n_classes=n_classes, **keys)

    threat = made("torchattacks:APGDT")
    monkeypatch.setattr(torchattacks.APGDT, "__init__", init)
    x, y = examples(classes=4)
    threat.perturb(smooth_model(classes=4), x, y)
    assert seen == [4]


@pytest.mark.parametrize("name", ["PGD", "GN", "OnePixel", "Pixle", "APGD"])
def test_draws_come_from_the_generator_and_leave_every_global_one_alone(name):
    threat = made(f"torchattacks:{name}", **({"eps": 0.3} if name == "APGD" else {}))
    x, _ = examples()
    y = smooth_model().eval()(x).argmax(1)  # APGD leaves an example that is wrong before

    def searched(seed: int) -> torch.Tensor:
        states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
        images = threat.perturb(smooth_model(), x, y, generator=seeded(seed))
        assert torch.equal(torch.get_rng_state(), states[0])
        assert (np.random.get_state()[1] == states[1]).all()
        assert random.getstate() == states[2]
        return images

    assert torch.equal(searched(1), searched(1))
    assert not torch.equal(searched(1), searched(2))


def test_an_image_that_an_attack_spoils_is_returned_as_it_was(monkeypatch):
    def spoil(self, images, labels):
        images = images.clone()
        images[0, 0, 0, 0] = torch.nan
        return images + 2

    monkeypatch.setattr(torchattacks.FGSM, "forward", spoil)
    x, y = examples()
    images = made("torchattacks:FGSM").perturb(smooth_model(), x, y)
    assert torch.equal(images[0], x[0])
    assert (images[1:] == 1).all()


def test_what_fails_within_an_attack_is_told_with_its_name(monkeypatch):
    def fail(self, images, labels):
        raise RuntimeError("kernel too large")

    monkeypatch.setattr(torchattacks.FGSM, "forward", fail)
    with pytest.raises(ModelError, match=r"torchattacks:FGSM fails on this model or on images of "):
        made("torchattacks:FGSM").perturb(smooth_model(), *examples())


def test_a_number_of_channels_that_an_attack_cannot_take_is_refused_by_name():
    with pytest.raises(InputError, match="'torchattacks:TIFGSM' needs images of 3 channels"):
        made("torchattacks:TIFGSM").perturb(smooth_model(), *examples())


def test_wrong_keys_and_values_are_refused():
    with pytest.raises(FieldError, match=r"has no field 'epsilon'.*Did you mean 'eps'"):
        registry.get("torchattacks:PGD")(epsilon=0.1)
    with pytest.raises(FieldError, match=r"PGD\.steps should be"):
        registry.get("torchattacks:PGD")(steps="many")
    with pytest.raises(FieldError, match="torchattacks:AutoAttack: ") as raised:
        registry.get("torchattacks:AutoAttack")(version="best")
    assert raised.value.hint == (
        "torchattacks:AutoAttack takes the keys of torchattacks.AutoAttack."
    )
    with pytest.raises(UnknownNameError, match="Did you mean 'torchattacks:PGD'"):
        registry.get("torchattacks:PDG")


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_sent_to_another_process(name):
    assert pickle.loads(pickle.dumps(made(name))) == made(name)


def test_a_threat_is_an_attribute_of_the_package():
    assert moat_torchattacks.CW is registry.get("torchattacks:CW")
    with pytest.raises(AttributeError, match="no attack 'LGV' that a recipe can state"):
        _ = moat_torchattacks.LGV


def test_a_recipe_evaluates_with_an_attack(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "attacks.toml").write_text(
        'model = { type = "tiny-cnn", width = 4 }\noptimizer = { type = "sgd", lr = 0.1 }\n'
        'data = { type = "digits", train_examples = 64 }\nevaluation = { examples = 20 }\n'
        "training = { epochs = 1, batch_size = 64 }\n"
        '[threats.their-pgd]\ntype = "torchattacks:PGD"\neps = "8/255"\nsteps = 2\n'
        "evaluate = { restarts = 2 }\n"
        '[[variant]]\nname = "plain"\nscalarizer = "natural"\n'
    )
    assert not moat.train("attacks.toml", jobs=1).failed
    (record,) = tmp_path.rglob("run.json")
    told = json.loads(record.read_text())
    assert told["protocol"]["threats"]["their-pgd"]["type"] == "torchattacks:PGD"
    version = metadata.version("moat-robust-torchattacks")
    package = told["evaluation_plugins"]["threats: torchattacks:PGD"]
    assert package.startswith(f"moat-robust-torchattacks {version}, torchattacks ")
