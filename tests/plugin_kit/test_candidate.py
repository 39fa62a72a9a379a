"""What `moat check` is asked for: names, files, classes, and fields that are typical of them."""

from importlib import metadata

import pytest

from moat.entries import Entry
from moat.errors import DefinitionError, MoatError, UnknownNameError
from moat.models import PythonModel, TinyCNN
from moat.offers import Offer
from moat.plugin_kit.candidate import candidate_of
from moat.plugin_kit.kinds import ExtensionKind
from moat.scalarizers import TwoMoment
from moat.threats import PGD

TWO = """
from dataclasses import dataclass

from pydantic import PositiveInt

from moat.scalarizers import LaggedScalarizer, scalarizer
from moat.models import Model, model
import torch


@scalarizer("even")
class Even(LaggedScalarizer):
    size: PositiveInt
    shares: dict[str, float]

    def weights(self, names):
        return torch.full((len(names),), 1 / len(names))


@model("even")
class EvenNet(Model):
    typical = {"width": 7}
    width: int

    def build(self, shape, classes):
        raise NotImplementedError


class Bare(LaggedScalarizer):
    def weights(self, names):
        return torch.full((len(names),), 1 / len(names))
"""


@pytest.fixture
def two(tmp_path):
    file = tmp_path / "two.py"
    file.write_text(TWO)
    return str(file)


def test_a_registered_name_is_made_with_what_is_typical_of_it():
    found = candidate_of("pgd")
    assert (found.kind, found.name, found.origin) == (ExtensionKind.threat, "pgd", "moat-robust")
    assert found.value == PGD(epsilon=0.15, step_size=0.02)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], TwoMoment(rho=0.5)),
        (["r=1.0"], TwoMoment(r=1.0)),
        (["window=3"], TwoMoment(rho=0.5, window=3)),
        (["rho=0.25", "solver=exact"], TwoMoment(rho=0.25, solver="exact")),
    ],
)
def test_what_is_typical_stands_back_behind_what_is_set(texts, expected):
    assert repr(candidate_of("two-moment", texts).value) == repr(expected)


def test_a_fraction_may_be_set_where_a_number_is_asked_for():
    assert candidate_of("pgd", ["epsilon=8/255", "step_size=2/255"]).value.epsilon == 8 / 255


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(MoatError, match="exactly one of r and rho is given, not both"):
        candidate_of("two-moment", ["r=1.0", "rho=0.5"])


def test_a_class_of_a_file_goes_by_its_name_in_code_and_in_recipes(two):
    with pytest.raises(DefinitionError, match="it declares Even, EvenNet"):
        candidate_of(two)
    net = candidate_of(f"{two}:EvenNet")
    assert (net.kind, net.value.width) == (ExtensionKind.model, 7)
    assert candidate_of(f"{two}:EvenNet", ["width=3"]).value.width == 3
    assert candidate_of(two, ["width=3"], ExtensionKind.model).value.width == 3
    even = candidate_of(f"{two}:even", ["size=3"], ExtensionKind.scalarizer)
    assert even.kind is ExtensionKind.scalarizer
    assert even.value.shares == dict.fromkeys(("natural", *(f"threat-{n}" for n in "123")), 0.25)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("{}:Even", "needs the field 'size', which has no default"),
        ("{}:Evn", r"has no class 'Evn'\. Did you mean 'Even'\?"),
        ("{}:Bare", "the class Bare is not declared"),
        ("moat.scalarizers:Nothing", "moat.scalarizers has no class 'Nothing'"),
    ],
)
def test_what_is_wrong_with_a_class_is_said(two, reference, said):
    with pytest.raises(MoatError, match=said):
        candidate_of(reference.format(two))


def test_a_file_that_does_not_run_is_refused(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("1 / 0\n")
    with pytest.raises(MoatError, match="failed: ZeroDivisionError"):
        candidate_of(str(file))
    file.with_name("empty.py").write_text("")
    with pytest.raises(DefinitionError, match="declares no threat, scalarizer, model or data set"):
        candidate_of(str(file.with_name("empty.py")))


def test_a_file_of_a_package_runs_as_its_module(tmp_path):
    package = tmp_path / "moat_even_kit"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "shares.py").write_text("WIDTH = 5\n")
    (package / "net.py").write_text(
        "from moat.models import Model, model\nfrom .shares import WIDTH\n\n\n"
        '@model("even-kit")\nclass Net(Model):\n    width: int = WIDTH\n\n'
        "    def build(self, shape, classes):\n        raise NotImplementedError\n"
    )
    assert candidate_of(str(package / "net.py")).value.width == 5


def test_a_class_of_a_module_is_found_by_its_path():
    assert candidate_of("moat.models.tiny_cnn:TinyCNN", ["width=4"]).value == TinyCNN(width=4)


@pytest.mark.parametrize("reference", ["python:torch.nn:Flatten", "torch.nn:Flatten"])
def test_a_network_is_called_as_recipes_call_it(reference):
    found = candidate_of(reference, ["start_dim=1"])
    assert found.kind is ExtensionKind.model
    assert found.value == PythonModel("python:torch.nn:Flatten", {"start_dim": 1}) or (
        found.value.reference == "python:torch.nn.modules.flatten:Flatten"
    )


def test_torchvisions_networks_are_models():
    assert candidate_of("torchvision:resnet50").kind is ExtensionKind.model


def test_a_name_of_two_kinds_asks_which(monkeypatch):
    threats = ExtensionKind.threat.registry
    entry = threats._entries["pgd"]
    monkeypatch.setitem(ExtensionKind.scalarizer.registry._entries, "pgd", entry)
    with pytest.raises(DefinitionError, match="'pgd' is the name of a threat and of a scalarizer"):
        candidate_of("pgd")
    assert candidate_of("pgd", kind=ExtensionKind.threat).value.name == "pgd"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'two-momnt'\. Did you mean 'two-moment'\?"):
        candidate_of("two-momnt")


@pytest.mark.parametrize(
    ("reference", "near"),
    [("kitfam:mean", "kitfam:Mean"), ("kitfam:Meen", "kitfam:Mean"), ("kitfam:*", "kitfam:")],
)
def test_an_unknown_name_of_a_family_is_answered_as_a_recipe_answers_it(
    reference, near, monkeypatch
):
    registry = ExtensionKind.scalarizer.registry
    point = metadata.EntryPoint("kitfam:*", "kitfam:all", registry.group)
    offer = Offer(point)
    mean = Entry("kitfam:Mean", "kitfam", TwoMoment)
    monkeypatch.setattr(registry, "_offers", (offer,))
    monkeypatch.setattr(registry, "_loaded", {offer: [mean]})
    monkeypatch.setitem(registry._entries, mean.name, mean)
    with pytest.raises(UnknownNameError, match=rf"Did you mean '{near}") as caught:
        candidate_of(reference)
    assert "kitfam:*'" not in str(caught.value).partition("Did you mean")[2]
    with pytest.raises(UnknownNameError) as asked:
        registry.get(reference)
    assert str(caught.value) == str(asked.value)
