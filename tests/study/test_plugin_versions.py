from importlib import metadata
from types import SimpleNamespace

import pytest

from moat import scalarizers, threats
from moat.offers import Offer
from moat.records import ModelRecord
from moat.study.plugin_versions import evaluation_plugins, training_plugins

PHOTOMETRIC = {"threats": {"light": {"type": "photometric"}, "noise": {"type": "pgd"}}}
PROTOCOL = {"threats": {"light": {"type": "photometric"}}, "summed": ["light"]}
MODEL = ModelRecord.model_validate(
    {
        **{"study": "s", "variant": "v", "sweep": {}, "seed": 0, "label": "v"},
        **{"trains": {}, "data": {}, "shape": [1, 8, 8], "classes": 10},
        "plugins": {"models: net": "nets 1.0"},
    }
)


@pytest.fixture(autouse=True)
def asked_for():
    threats.registry.get("photometric")


def test_a_package_is_told_with_its_version_and_moats_own_names_are_not():
    version = metadata.version("moat-robust-photometric")
    expected = {"threats: photometric": f"moat-robust-photometric {version}"}
    trains = {"model": {"type": "tiny-cnn"}, "scalarizer": {"type": "mgda"}, **PHOTOMETRIC}
    assert training_plugins(trains, {"type": "digits"}) == expected
    assert evaluation_plugins(PHOTOMETRIC) == expected


@pytest.mark.parametrize("trains", [{}, {"model": None, "threats": [], "scalarizer": "mgda"}])
def test_a_record_without_types_names_no_package(trains):
    assert training_plugins(trains, {}) == {}


def test_what_a_package_needs_beside_moat_is_told_with_its_version(monkeypatch):
    requires = ["moat-robust", "torch>=2", "hypothesis[cli]>=6", "tox; extra == 'dev'", "no-such"]
    dist = SimpleNamespace(name="hues", version="1.0", requires=requires)
    offer = Offer(SimpleNamespace(name="hues:*", value="hues:all", dist=dist))
    monkeypatch.setattr(scalarizers.registry, "offer_of", lambda name: offer)
    found = training_plugins({"scalarizer": {"type": "hues:red"}}, {})
    needed = f"hypothesis {metadata.version('hypothesis')}"
    assert found == {"scalarizers: hues:red": f"hues 1.0, {needed}"}


def test_a_run_that_is_judged_again_has_the_packages_of_its_new_evaluation():
    judged = {"protocol_hash": "0" * 16, "protocol": PROTOCOL, "scores": {}, "files": {}}
    first = MODEL.judged(plugins={"threats: photometric": "light 1.0"}, **judged)
    assert first.evaluation_plugins == {"threats: photometric": "light 1.0"}
    assert first.plugins == MODEL.plugins == {"models: net": "nets 1.0"}
    again = first.model.judged(plugins={"threats: photometric": "light 2.0"}, **judged)
    assert again.evaluation_plugins == {"threats: photometric": "light 2.0"}
    without = first.model.judged(plugins={}, **judged)
    assert "evaluation_plugins" not in without.as_table()
    assert first.elsewhere(**MODEL.as_table()).plugins == MODEL.plugins
