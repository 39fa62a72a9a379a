"""An optimizer takes its step or is refused by name, and sparse gradients move as dense ones."""

import pytest
import torch
from torch import nn

from moat.errors import ModelError, TrainingError
from moat.scalarizers import MGDA, Average
from moat.training.faults import require_finite_gradients, taken_alone
from moat.training.guard import require_parameters
from moat.training.moving import move

OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1),
    "adam": lambda parameters: torch.optim.Adam(parameters, 0.1),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 0.1),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, 0.1),
}


def moved(make, *, sparse):
    torch.manual_seed(0)
    table = nn.Embedding(6, 3, sparse=sparse)
    optimizer = make(table.parameters())
    for rows in ([1, 4], [4, 5]):
        optimizer.zero_grad()
        table(torch.tensor(rows)).square().sum().backward()
        assert table.weight.grad.is_sparse is sparse
        with taken_alone():
            require_finite_gradients(table)
        move(table, optimizer)
    return table.weight.detach()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_sparse_gradient_moves_a_table_as_a_dense_one(name):
    make = OPTIMIZERS[name]
    torch.testing.assert_close(moved(make, sparse=True), moved(make, sparse=False))


def test_an_optimizer_of_sparse_gradients_gets_them_sparse():
    before = moved(lambda parameters: torch.optim.SGD(parameters, 1e-12), sparse=True)
    after = moved(lambda parameters: torch.optim.SparseAdam(list(parameters), 0.1), sparse=True)
    assert (before != after).any(1).tolist() == [False, True, False, False, True, True]


def test_a_sparse_gradient_that_is_not_finite_is_told():
    table = nn.Embedding(6, 3, sparse=True)
    (table(torch.tensor([2])) * float("inf")).sum().backward()
    with taken_alone(), pytest.raises(TrainingError, match="gradient of the parameter weight is"):
        require_finite_gradients(table)


class Asking(torch.optim.SGD):
    def step(self, closure):
        return super().step(closure)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda parameters: Asking(parameters, 0.1), "the optimizer Asking cannot take the step ("),
        (lambda p: torch.optim.SparseAdam(list(p)), "the optimizer SparseAdam cannot take the st"),
    ],
)
def test_what_an_optimizer_refuses_is_told_by_its_name(make, text):
    network = nn.Linear(2, 2)
    optimizer = make(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    with pytest.raises(TrainingError) as refused:
        move(network, optimizer)
    assert refused.value.message.startswith(text)
    assert "such as SGD or AdamW" in refused.value.hint


def test_out_of_memory_is_no_fault_of_the_optimizer():
    class Full(torch.optim.SGD):
        def step(self, closure=None):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    network = nn.Linear(2, 2)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        move(network, Full(network.parameters(), 0.1))


@pytest.mark.parametrize("scalarizer", [Average(), MGDA()], ids=repr)
@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr"])
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
def test_a_sparse_parameter_is_refused(scalarizer, layout):
    network = nn.Linear(2, 2)
    values = torch.eye(2).to_sparse(layout=getattr(torch, layout))
    network.table = nn.Parameter(values)
    with pytest.raises(ModelError) as refused:
        require_parameters(network, scalarizer)
    assert refused.value.message == (
        f"the parameter table is of layout torch.{layout}, which a step cannot move."
    )
    assert "to_sparse" in refused.value.hint
