import pytest
from hypothesis import given
from hypothesis import strategies as st

from moat.evaluation import Protocol
from moat.outcomes import Column
from moat.recipe.plan import described_protocol
from moat.records import ProtocolRecord, ThreatRecord
from moat.threats import PGD, Flow, Integrated, RTGrid

COUNTS = st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True).map(sorted)
RADII = st.lists(st.floats(0.01, 0.5), min_size=1, max_size=4, unique=True).map(sorted)


@st.composite
def protocols(draw) -> Protocol:
    """Draw a protocol with threats of every kind: counts, radii, restarts, and no search at all."""
    return Protocol(
        {
            "pgd": PGD(epsilon=0.3, step_size=0.1, start="uniform"),
            "flow": Flow(epsilon=0.3, step_size=0.1),
            "grid": RTGrid(worst_of=3),
            "integrated": Integrated(flow_epsilon=0.3, rt_epsilon=0.1, search="apgd"),
        },
        at_steps={"pgd": tuple(draw(COUNTS))},
        at_epsilon={"flow": tuple(draw(RADII))},
        restarts={"pgd": draw(st.integers(1, 3)), "grid": draw(st.integers(1, 3))},
        ensembles=draw(st.sampled_from([{}, {"both": ("pgd", "flow")}])),
        falls=draw(st.sampled_from(["last", "any"])),
    )


@given(protocol=protocols())
def test_a_stored_protocol_has_the_strengths_that_were_searched(protocol):
    record = ProtocolRecord.model_validate(described_protocol(protocol))
    assert record.scored == [*protocol.threats, *protocol.ensembles]
    assert (record.summed, record.falls) == (protocol.scored(), protocol.falls)
    for label, threat in record.threats.items():
        columns = tuple(
            Column(label, strength, restart, threat.by)
            for restart in range(threat.restarts)
            for strength in threat.strengths
        )
        assert columns == protocol.columns_of(label)


CLIMBED = {"type": "pgd", "search": "sign", "step_size": 0.01, "epsilon": 0.3}


@pytest.mark.parametrize(
    ("table", "unit", "marked", "written", "text"),
    [
        ({**CLIMBED, "at_steps": [10, 40]}, "iterations of the search", "40", "40 steps",
         "pgd ε 0.3 step 0.01 at 10, 40 steps"),
        ({**CLIMBED, "at_steps": [1]}, "iterations of the search", "1", "1 step",
         "pgd ε 0.3 step 0.01 at 1 step"),
        ({**CLIMBED, "at_epsilon": [0.1, 0.3], "steps": 7}, "radius ε", "ε 0.3", "ε 0.3",
         "pgd ε 0.3 step 0.01 scaled to ε 0.1, 0.3 with 7 steps"),
        ({**CLIMBED, "search": "apgd", "at_steps": [5], "restarts": 2}, "iterations of the search",
         "5", "5 steps", "pgd ε 0.3 by apgd at 5 steps with 2 restarts"),
        ({"type": "rt-grid", "at_steps": [1]}, "", "1", "1 step", "pgd (rt-grid)"),
        ({}, "", "1", "1 step", "pgd"),
        ({"epsilon": 1}, "", "1", "1 step", "pgd ε 1"),
    ],
)  # fmt: skip
def test_a_threat_says_its_strengths_with_their_unit(table, unit, marked, written, text):
    threat = ThreatRecord.model_validate(table)
    largest = threat.strengths[-1]
    assert (threat.unit, threat.marked(f"{largest:g}"), threat.written(largest)) == (
        unit,
        marked,
        written,
    )
    assert threat.has_one_strength == (unit == "")
    assert threat.text("pgd") == text


def test_iterations_may_be_called_so():
    assert ThreatRecord(at_steps=(2, 10)).written(10, "iteration") == "10 iterations"


@pytest.mark.parametrize(
    ("table", "radii"),
    [
        ({"epsilon": 0.3}, {"": 0.3}),
        ({"epsilon": 0.3, "at_epsilon": [0.1, 0.5]}, {"": 0.5}),
        ({"flow_epsilon": 0.3, "matrix_epsilon": 0.1}, {"flow": 0.3, "matrix": 0.1}),
        ({"degrees": 30}, {}),
    ],
)
def test_the_radius_of_each_ball_is_its_largest(table, radii):
    assert ThreatRecord.model_validate(table).radii == radii


def test_an_ensemble_is_its_members_together():
    threats = {"ce": {"type": "pgd"}, "dlr": {"type": "pgd"}, "rt": {"type": "rt"}}
    protocol = ProtocolRecord.model_validate(
        {"threats": threats, "ensembles": {"strong": ["ce", "dlr"]}, "summed": ["strong", "rt"]}
    )
    assert protocol.texts == ["ce (pgd)", "dlr (pgd)", "rt", "strong: ce and dlr together"]
    assert (protocol.members("strong"), protocol.members("rt")) == (("ce", "dlr"), ("rt",))
