"""The folder of an analysis: kept parts belong to one analysis alone."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.records import AnalysisSubject
from moat.study.analyses.folder import complete_analysis
from moat.study.analyses.inputs import AnalysisRequest, analysis_inputs

NAMES = st.sampled_from("abc")
MODELS = st.lists(st.tuples(NAMES, st.sampled_from("01")), min_size=1, max_size=3)
SETTINGS = st.fixed_dictionaries(
    {"threats": st.permutations(["pgd", "rt"]), "noise": st.sampled_from([0.1, 0.2])}
)
ANALYSES = st.tuples(
    st.sampled_from(["transfer", "skewness"]),
    MODELS.filter(lambda models: len({name for name, _ in models}) == len(models)),
    st.sampled_from(["hash", "other"]),
    SETTINGS,
)


def place_of_parts(kind, models, protocol_hash, settings, tmp_path):
    """Return the folder of the parts of an analysis that makes none."""
    subjects = tuple(AnalysisSubject(name, identity={"weights": w}) for name, w in models)
    inputs = SimpleNamespace(subjects=subjects, stated=SimpleNamespace(protocol_hash=protocol_hash))
    made = SimpleNamespace(with_subjects=lambda *_, **__: None)
    _, parts = complete_analysis(kind, inputs, settings, tmp_path, print, lambda *_: made)
    return parts.path


@given(one=ANALYSES, other=ANALYSES)
def test_only_the_same_analysis_takes_up_the_parts_of_another(one, other, tmp_path):
    first, second = (place_of_parts(k, m, p, s, tmp_path) for k, m, p, s in (one, other))
    assert (first == second) == (one == other)


def test_another_order_of_the_models_is_another_analysis(tmp_path):
    models = [("a", "0"), ("b", "0"), ("c", "1")]
    places = {
        place_of_parts("transfer", order, "hash", {}, tmp_path)
        for order in (models, models[::-1], models[1:] + models[:1])
    }
    assert len(places) == 3


CODE = """\
import torch
from {helper} import SCALE

class Net(torch.nn.Sequential):
    def forward(self, x):
        return SCALE * super().forward(x)

def make(times=1):
    torch.manual_seed(0)
    net = Net(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    net.register_forward_hook(lambda module, args, out: out * times)
    return net
"""


@pytest.fixture
def identity(tmp_path, monkeypatch, recipe):
    """Return the identity of a model of local code, as an analysis has it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    stem = f"net_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{stem}_helper.py").write_text("SCALE = 1\n", "utf-8")
    (tmp_path / f"{stem}.py").write_text(CODE.format(helper=f"{stem}_helper"), "utf-8")
    protocol = recipe()

    def found(*arguments, checkpoint=None):
        request = AnalysisRequest(
            model=f"python:{stem}:make",
            arguments=arguments,
            checkpoint=checkpoint,
            name="mine",
            protocol=protocol,
            device="cpu",
        )
        return dict(analysis_inputs(request).subjects[0].identity)

    return found


def test_arguments_and_code_are_of_the_identity_of_a_foreign_model(identity, tmp_path):
    first = identity()
    assert identity() == first
    others = [identity("times=2")]
    stem = next(tmp_path.glob("net_*_helper.py")).stem.removesuffix("_helper")
    for name in (f"{stem}_helper.py", f"{stem}.py"):
        file = tmp_path / name
        file.write_text(file.read_text("utf-8") + "# edited\n", "utf-8")
        others.append(identity())
    torch.save({"1.weight": torch.zeros(10, 64), "1.bias": torch.zeros(10)}, "w.pt")
    others.append(identity(checkpoint=tmp_path / "w.pt"))
    assert len({str(one) for one in [first, *others]}) == 5
    assert all(one["data"] == first["data"] for one in others)
