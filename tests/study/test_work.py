"""The passes of all parts of a run."""

import pytest

from moat.study import plan
from moat.study.step_cost import spent_per_example
from moat.study.work import DESCENT, work_of


def test_work_counts_training_validation_evaluation_and_gate(recipe):
    whole = recipe()
    (one,) = plan(whole, only=("pgd-at",))
    (held,) = plan(whole, only=("pgd-at",), overrides=("data.validation=0.1", "training.epochs=3"))
    data = one.dataset.load()
    work, more = work_of(one, data), work_of(held, data)
    trained = len(one.share.of(data.train)[0])
    search, descent = spent_per_example(one, classes=len(data.classes))
    each = search.passes + DESCENT * descent.passes
    assert work.training == one.training.epochs * trained * each
    assert work.validation == 0
    judged = min(one.protocol.examples or len(data.test), len(data.test))
    each = 1 / 3 + sum(map(one.protocol.cost, one.protocol.threats))
    assert work.evaluation == pytest.approx(judged * each)
    assert work.gate > 0
    assert more.validation > 0
    assert more.evaluation > work.evaluation
    assert more.parts == 2 * work.parts
