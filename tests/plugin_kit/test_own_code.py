"""Whatever the candidate's own code raises, a check answers with a sentence."""

import pytest

from moat.errors import MoatError
from moat.plugin_kit.candidate import candidate_of
from moat.plugin_kit.trials import trial_of

HEAD = """
from moat.data import DataSet, dataset
from moat.models import Model, model
from moat.scalarizers import LaggedScalarizer, scalarizer
from moat.threats import Threat, threat
"""
CLASSES = {
    "threat": "@threat('own-bad')\nclass Bad(Threat):\n"
    "    def perturb(self, *a, **k): return a[1]\n",
    "scalarizer": "@scalarizer('own-bad')\nclass Bad(LaggedScalarizer):\n"
    "    def weights(self, names): return None\n",
    "model": "@model('own-bad')\nclass Bad(Model):\n    def build(self, s, c): return 1\n",
    "dataset": "@dataset('own-bad')\nclass Bad(DataSet):\n    def load(self): return 1\n",
}


def written(folder, kind, method):
    file = folder / "bad.py"
    file.write_text(f"{HEAD}\n{CLASSES[kind]}    {method}\n")
    return str(file)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("def __post_init__(self): 1 / 0", "'own-bad' cannot be made: ZeroDivisionError: division"),
        ("def __post_init__(self): raise SystemExit(3)", r"cannot be made: SystemExit\(3\)"),
        ("typical = 3", "cannot be made: TypeError: "),
    ],
)
def test_an_object_that_cannot_be_made_is_an_error_in_a_sentence(kind, method, said, tmp_path):
    with pytest.raises(MoatError, match=said):
        candidate_of(written(tmp_path, kind, method))


@pytest.mark.parametrize("kind", ["threat", "model", "dataset"])
def test_state_in_a_frozen_object_is_told_with_its_mend(kind, tmp_path):
    bad = written(tmp_path, kind, "def __post_init__(self): self._n = 0")
    said = r"FrozenInstanceError: cannot assign to field '_n'\.\n  It is frozen and keeps nothing"
    with pytest.raises(MoatError, match=said):
        candidate_of(bad)


@pytest.mark.parametrize("kind", ["threat", "scalarizer", "model"])
def test_a_method_that_fails_is_a_broken_promise(kind, tmp_path):
    method = {"threat": "perturb", "scalarizer": "weights", "model": "build"}[kind]
    bad = candidate_of(written(tmp_path, kind, f"def {method}(self, *a, **k): 1 / 0"))
    found = [one.breach for one in trial_of(bad).verdicts() if one.breach]
    assert "ZeroDivisionError" in found[0]


@pytest.mark.parametrize("kind", CLASSES)
def test_a_repr_that_fails_in_mid_check_is_an_error_in_a_sentence(kind, tmp_path):
    bad = candidate_of(written(tmp_path, kind, "def __repr__(self): raise KeyError('x')"))
    with pytest.raises(MoatError, match="cannot be checked: KeyError: 'x'"):
        list(trial_of(bad).verdicts())
