"""An evaluation of what lies in memory: images and labels of any kind, threats of any kind."""

import jaxtyping
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import moat
from moat.data import Data, Split
from moat.errors import MoatError
from moat.evaluation import Protocol
from moat.threats import PGD, RT

PGD_2 = PGD(epsilon=0.1, step_size=0.05, steps=2)
TABLE = {
    **{"type": "pgd", "epsilon": "0.2/2", "step_size": 0.05, "steps": 2},
    "evaluate": {"at_steps": (1, 2)},
}
RT_1 = RT(epsilon=0.1, step_size=0.1, steps=1)
BYTES = torch.randint(0, 256, (20, 1, 8, 8), generator=torch.Generator().manual_seed(1)).byte()
X, Y = BYTES.float() / 255, torch.arange(20) % 4
SPLIT = Split(BYTES, Y, torch.arange(20))


@pytest.fixture(autouse=True)
def as_in_production():
    """Without the suite's own checks of shapes, which would refuse first."""
    jaxtyping.config.update("jaxtyping_disable", True)


@pytest.fixture
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4))


class Pairs(Dataset):
    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        return X[index], int(Y[index])


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        [X, Y],
        (X.numpy(), Y.numpy()),
        (X.double(), Y.int()),
        (BYTES, Y),
        (BYTES.numpy(), Y.tolist()),
        SPLIT,
        Split(X, Y, torch.arange(20)),
        Data(SPLIT, SPLIT, tuple("abcd")),
        TensorDataset(X, Y),
        Pairs(),
        DataLoader(TensorDataset(X, Y), batch_size=7),
        DataLoader(Pairs(), batch_size=7),
        [(X[:5], Y[:5]), (X[5:], Y[5:])],
    ],
    ids=lambda data: type(data).__name__,
)
def test_images_and_labels_of_any_kind_give_the_same_evaluation(model, data):
    expected = moat.evaluate(model, SPLIT, Protocol({"pgd": PGD_2}))
    found = moat.evaluate(model, data, [PGD_2])
    assert (found.outcomes.values == expected.outcomes.values).all()
    assert found.found.losses == pytest.approx(expected.found.losses, nan_ok=True)
    assert found.accuracy == expected.accuracy


def test_floats_between_the_bytes_are_evaluated_as_they_are(model):
    between = (X + 1 / 512).clamp(0, 1)
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(between), Y, reduction="none")
    found = moat.evaluate(model, (between, Y), [PGD_2])
    assert found.found.losses[:, 0] == pytest.approx(loss.numpy(), rel=1e-5)


@pytest.mark.parametrize(
    ("protocol", "names"),
    [
        (PGD_2, ["pgd"]),
        ([PGD_2, RT_1], ["pgd", "rt"]),
        ([PGD_2, PGD_2, RT_1, PGD_2], ["pgd", "pgd-2", "rt", "pgd-3"]),
        ({"noise": PGD_2}, ["noise"]),
        ({"threats": PGD_2}, ["threats"]),
        ({"threats": {"noise": PGD_2}}, ["noise"]),
        ({"threats": [PGD_2, RT_1], "evaluation": {"falls": "any"}}, ["pgd", "rt"]),
        ({"threats": {"noise": PGD_2}, "falls": "any", "restarts": {"noise": 1}}, ["noise"]),
        ({"threats": {"noise": {**TABLE, "evaluate": {}}, "unused": {"type": "rt"}}}, ["noise"]),
        ({"threats": {"noise": {**TABLE, "evaluate": {}}}, "data": "mnist"}, ["noise"]),
        (Protocol({"noise": PGD_2}), ["noise"]),
        ([], []),
    ],
)
def test_threats_of_any_kind_are_a_protocol(model, protocol, names):
    found = moat.evaluate(model, (X, Y), protocol)
    assert list(found.accuracy) == ["natural", *names, "union"]
    assert [row["threat"] for row in found.rows()] == ["natural", *names]
    shares = [row["accuracy"] for row in found.rows()]
    assert shares == pytest.approx(100 * (found.outcomes.values == 1).mean(0))


@pytest.mark.parametrize("protocol", [[], {}, {"threats": {}}])
def test_without_threats_nothing_claims_a_union(model, protocol):
    found = moat.evaluate(model, (X, Y), protocol)
    scores = found.scores()
    assert found.accuracy == {"natural": scores["natural"], "union": None}
    assert (scores["union"], scores["total"]) == (None, None)


def test_tables_of_a_recipe_count_as_its_file_does(model):
    tables = {"threats": {"noise": TABLE}, "evaluation": {"examples": 8}}
    found = moat.evaluate(model, (X, Y), tables)
    assert found.protocol == Protocol({"noise": PGD_2}, at_steps={"noise": (1, 2)}, examples=8)
    assert len(found.ids) == 8
    assert len(moat.evaluate(model, (X, Y), tables, examples=4).ids) == 4


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_protocol_is_read_from_its_file_and_its_data_are_not(model, tmp_path, kind):
    file = tmp_path / "mine.toml"
    file.write_text(
        'data = { type = "mnist", root = "/nowhere" }\n'
        "[threats.pgd]\nepsilon = 0.1\nstep_size = 0.05\nevaluate = { at_steps = [1, 2] }\n"
    )
    found = moat.evaluate(model, (X, Y), kind(file), examples=8)
    assert [row["strength"] for row in found.rows()][1:] == [1, 2]
    assert len(found.ids) == 8


def test_so_many_examples_are_taken_of_every_class_alike(model):
    found = moat.evaluate(model, (X, Y), [PGD_2], examples=8)
    assert np.bincount(Y[found.ids]).tolist() == [2, 2, 2, 2]


class Pictures(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return object(), 0


@pytest.mark.parametrize(
    ("data", "protocol", "text"),
    [
        (None, [PGD_2], "the data are None, not images with labels"),
        ("digits", [PGD_2], "Pass (images, labels), a DataLoader"),
        (X, [PGD_2], "Tensor of float32 and shape (20, 1, 8, 8), not images with"),
        ({"x": X}, [PGD_2], "not images with labels"),
        ([], [PGD_2], "the data contain no batch"),
        ((X[:0], Y[:0]), [PGD_2], "the data contain no image"),
        ([(X, Y, Y)], [PGD_2], "batch 1 is not a pair of images and labels"),
        ([(X, Y, Y)], [PGD_2], "Yield (images, labels): ((b[0], b[1]) for b in loader)."),
        (TensorDataset(X, Y, Y), [PGD_2], "((b[0], b[1]) for b in loader)"),
        ([{"image": X}], [PGD_2], "((b['image'], b['label']) for b in loader)"),
        ([(X, Y), (X[..., :4], Y)], [PGD_2], "the images of the batches cannot be joined"),
        (Pictures(), [PGD_2], "transform=torchvision.transforms.ToTensor()"),
        ((X, Y), None, "the protocol is of type NoneType, not a Protocol"),
        ((X, Y), 3, "the protocol is 3, not a Protocol"),
        ((X, Y), [PGD], "the threat 'pgd' is the class PGD, not a threat"),
        ((X, Y), ["pgd"], "one of the threats is the text 'pgd', not a threat"),
        ((X, Y), {"pgd": "pgd"}, "the threat 'pgd' is the text 'pgd', not a threat"),
        ((X, Y), {"natural": PGD_2}, "no threat can have the label 'natural'"),
        ((X, Y), "nowhere.toml", "this recipe does not exist"),
        ((X, Y), {"pgd": TABLE}, 'moat.evaluate reads the tables of a recipe: {"threats": {"p'),
        ((X, Y), {"threats": {"pgd": PGD_2}, "evaluation": {3: 4}}, "no argument '3'"),
        ((X, Y), {"threats": {"pgd": PGD_2}, "exampels": 3}, "Did you mean 'examples'?"),
        ((X, Y), {"threats": {"pgd": {"epsilon": 1}}}, "the protocol, threats: the protocol eval"),
        ((X, Y), {"threats": {"pgd": {**TABLE, "eps": 1}}}, "the protocol, threats.pgd.eps: unkn"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_the_mend(model, data, protocol, text):
    with pytest.raises(MoatError) as caught:
        moat.evaluate(model, data, protocol)
    assert text in str(caught.value)
    assert isinstance(caught.value, ValueError | TypeError)
