import csv
import io

import numpy as np
import pytest
from rich.console import Console

from moat.errors import FrontError
from moat.report import compare_protocols, write_against
from moat.report.protocols.sheets import (
    against_csv,
    against_markdown,
    against_notes,
    against_table,
    flattery,
)
from moat.runs import RunFolder

ENSEMBLES = {
    "threats": {
        "ce": {"type": "pgd", "at_steps": [50]},
        "dlr": {"type": "pgd", "at_steps": [50]},
        "rt": {"type": "rt", "at_steps": [50]},
    },
    "ensembles": {"pgd": ["ce", "dlr"]},
    "summed": ["pgd", "rt"],
    "falls": "any",
}
WEAK = {
    "threats": {
        "pgd": {"type": "pgd", "at_steps": [2, 4]},
        "flow": {"type": "flow", "at_steps": [2]},
        "rt": {"type": "rt", "at_steps": [2]},
    },
    "summed": ["pgd", "rt"],
}


@pytest.fixture
def sides(tmp_path, write):
    """Two folders with two runs each, under a weak and a strong protocol."""
    weak, strong = tmp_path / "weak", tmp_path / "strong"
    common = {"protocol": WEAK, "protocol_hash": "w" * 16}
    write(weak / "a", "a", 90, (60, 50, 70), **common)
    write(weak / "b", "b", 95, (80, 40, 30), **common)
    common = {"protocol": ENSEMBLES, "protocol_hash": "s" * 16, "study": "digits@strong"}
    write(strong / "a", "a", 90, (50, 45, 30), **common)
    write(strong / "b", "b", 95, (75, 70, 29), **common)
    return weak, strong


def turn_around(run):
    """Store a run's examples from the last to the first."""
    arrays, about = RunFolder(run).load_evaluation()
    RunFolder(run).save_evaluation(
        arrays | {name: arrays[name][::-1] for name in ("outcomes", "ids")}, about.as_table()
    )


def renumber(run, ids):
    """Store a run's outcomes under other ids."""
    arrays, about = RunFolder(run).load_evaluation()
    arrays["ids"] = np.array(ids)
    RunFolder(run).save_evaluation(arrays, about.as_table())


def test_what_both_name_is_compared_at_the_largest_strength(sides):
    comparison = compare_protocols(*sides)
    assert comparison.columns == ("pgd", "rt", "sum", "union")
    a, b = comparison.pairs
    assert (a.label, a.natural) == ("a", 90)
    assert a.here == pytest.approx({"pgd": 60, "rt": 70, "sum": 130, "union": 50})
    assert a.there == pytest.approx({"pgd": 45, "rt": 30, "sum": 75, "union": 30})
    assert b.drop("rt") == pytest.approx(1)


def test_the_headline_names_the_largest_drop_and_the_mean(sides):
    weak, strong = sides
    assert flattery(compare_protocols(weak, strong)) == (
        f"{weak} overstates accuracy against {strong} by up to 40.0 points (a, rt), and by 16.5 on "
        "average over runs and threats."
    )
    assert (
        flattery(compare_protocols(strong, weak))
        == f"No accuracy is lower under {weak} than under {strong}."
    )


def test_seeds_are_averaged_and_each_is_matched_with_its_own(tmp_path, write):
    for seed, (weak, strong) in enumerate([(60, 40), (80, 50)]):
        numbers = {"seed": seed, "protocol": WEAK}
        write(tmp_path / "w" / str(seed), "a", 90, (weak, 90, 90), **numbers)
        write(tmp_path / "s" / str(1 - seed), "a", 90, (strong, 90, 90), **numbers)
    (pair,) = compare_protocols(tmp_path / "w", tmp_path / "s").pairs
    assert (pair.seeds, pair.here["pgd"], pair.there["pgd"]) == pytest.approx((2, 70, 45))


def test_what_one_side_has_alone_is_named(sides, write):
    weak, strong = sides
    write(weak / "c", "c", 90, (1, 1, 1), protocol=WEAK, protocol_hash="w" * 16)
    notes = against_notes(compare_protocols(weak, strong))
    assert f"Only under {weak}: flow." in notes
    assert not [note for note in notes if note.startswith(f"Only under {strong}")]  # members count
    assert f"Runs on one side only: {weak / 'c'}." in notes
    assert f"{strong}: Sanity gate of 2 runs, 2 checks: 2 pass." in notes


def test_a_run_that_was_trained_anew_in_between_is_named(sides, write):
    weak, strong = sides
    write(weak.parent / "w" / "a", "a", 90, (60, 50, 70), protocol=WEAK)
    write(weak.parent / "s" / "a", "a", 88, (50, 45, 30), protocol=ENSEMBLES)
    (note,) = [
        n
        for n in against_notes(compare_protocols(weak.parent / "w", weak.parent / "s"))
        if "machine" in n
    ]
    assert note.startswith(f"Natural accuracy differs in {weak.parent / 's' / 'a'}: another ")
    assert compare_protocols(weak, strong).changed == ()


def test_examples_in_another_order_are_the_same_examples(sides):
    weak, strong = sides
    turn_around(strong / "a")
    comparison = compare_protocols(weak, strong)
    assert comparison.changed == ()
    assert comparison.pairs[0].there["rt"] == pytest.approx(30)


def test_numbers_are_of_the_examples_that_both_evaluated(sides, write):
    weak, _ = sides
    common = {"protocol": ENSEMBLES, "protocol_hash": "f" * 16, "examples": 300}
    write(weak.parent / "few" / "a", "a", 90, (50, 45, 30), **common)  # the first 270 are right
    for one, other in ((weak, weak.parent / "few"), (weak.parent / "few", weak)):
        comparison = compare_protocols(one, other)
        assert comparison.examples == 300
        (pair,) = comparison.pairs
        sides = (pair.here, pair.there) if one == weak else (pair.there, pair.here)
        assert [side["rt"] for side in sides] == pytest.approx([100, 30])  # 700 of 1,000 held
        assert [side["union"] for side in sides] == pytest.approx([100, 30])
        counts = "1,000 and 300" if one == weak else "300 and 1,000"
        said = f"the accuracy in %, on the 300 test examples that both evaluated, of {counts}, at"
        assert said in against_notes(comparison)[0]
        assert said in against_markdown(comparison)
        lines = list(csv.DictReader(io.StringIO(against_csv(comparison))))
        assert {line["examples"] for line in lines} == {"300"}


def test_one_example_in_common_is_enough_where_a_side_has_no_other(sides, write):
    weak, _ = sides
    write(weak.parent / "one" / "a", "a", 100, (100, 100, 0), protocol=ENSEMBLES, examples=1)
    comparison = compare_protocols(weak, weak.parent / "one")
    assert (comparison.examples, comparison.evaluated) == (1, (1000, 1))


def test_radii_that_differ_are_named_and_equal_ones_are_not(tmp_path, write):
    threats = {
        "pgd": {"type": "pgd", "epsilon": 0.1, "at_steps": [2]},
        "flow": {"type": "flow", "epsilon": 0.3, "at_steps": [2]},
        "rt": {"type": "rt", "epsilon": 0.3, "at_epsilon": [0.1, 0.2]},
        "integrated": {
            "type": "integrated",
            "flow_epsilon": 0.3,
            "rt_epsilon": 0.3,
            "at_steps": [2],
        },
    }
    strong = {
        "pgd": threats["pgd"] | {"at_steps": [50]},
        "ce": threats["flow"] | {"epsilon": 0.065},
        "dlr": threats["flow"] | {"epsilon": 0.065},
        "rt": threats["rt"] | {"epsilon": 0.2, "at_steps": [2]},
        "integrated": threats["integrated"] | {"rt_epsilon": 0.1},
    }
    del strong["rt"]["at_epsilon"]
    of = {"summed": ["pgd"]}
    write(tmp_path / "w", "a", 90, (1, 1, 1, 1), protocol={"threats": threats, **of})
    of["ensembles"] = {"flow": ["ce", "dlr"]}
    write(tmp_path / "s", "a", 90, (1, 1, 1, 1, 1), protocol={"threats": strong, **of})
    notes = against_notes(compare_protocols(tmp_path / "w", tmp_path / "s"))
    (note,) = [note for note in notes if note.startswith("Radii differ")]
    assert note.startswith(
        "Radii differ: flow ε 0.3 and ε 0.065; integrated flow ε 0.3, rt ε 0.3 and flow ε 0.3, rt "
        "ε 0.1. The difference then reflects"
    )
    alike = compare_protocols(tmp_path / "w", tmp_path / "w")
    assert not [note for note in against_notes(alike) if note.startswith("Radii differ")]


def test_an_absent_score_is_a_dash_and_no_drop(sides, write):
    weak, _ = sides
    options = {"protocol": WEAK, "protocol_hash": "u" * 16, "union_only": True}
    write(weak.parent / "union" / "a", "a", 90, (50, 40, 30), **options)
    comparison = compare_protocols(weak, weak.parent / "union")
    (pair,) = comparison.pairs
    assert pair.there["rt"] is pair.there["sum"] is None
    assert "rt" not in {name for _, _, name in comparison.drops()}
    assert "70.0 → - (-)" in against_markdown(comparison)


def test_the_table_fits_a_terminal_and_says_both_numbers(sides):
    console = Console(file=io.StringIO(), width=80, record=True)
    console.print(against_table(compare_protocols(*sides)))
    text = console.export_text()
    assert "a 90.0 60.0 → 45.0 70.0 → 30.0 130.0 → 75.0 50.0 → 30.0 b" in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "overstates accuracy" in " ".join(text.split())


def test_the_files_hold_every_number(sides, tmp_path):
    comparison = compare_protocols(*sides)
    paths = write_against(comparison, tmp_path / "out")
    assert [path.name for path in paths] == ["against.md", "against.csv"]
    assert "| a | 90.0 | 60.0 → 45.0 (-15.0) |" in paths[0].read_text("utf-8")
    lines = list(csv.DictReader(io.StringIO(against_csv(comparison))))
    assert len(lines) == 2 * 4
    assert lines[1]["score"] == "rt"
    assert float(lines[1]["difference"]) == pytest.approx(-40)


class TestRefusals:
    def refusal(self, here, there) -> str:
        with pytest.raises(FrontError) as refused:
            compare_protocols(here, there)
        return str(refused.value)

    def test_another_test_set(self, sides, tmp_path, write):
        other = {"type": "digits", "size": 16, "digest": "x"}
        write(tmp_path / "data" / "a", "a", 90, (1, 1, 1), protocol=WEAK, data=other)
        message = self.refusal(sides[0], tmp_path / "data")
        assert "different test sets: digest is absent and x." in message
        assert "`moat evaluate RUN --protocol FILE` evaluates on the data of the file." in message

    @pytest.mark.parametrize(
        ("ids", "said"),
        [(range(1000, 2000), "none in common"), (range(997, 1997), "only 3 in common, too few to")],
    )
    def test_too_few_common_examples(self, sides, ids, said):
        weak, strong = sides
        for run in (strong / "a", strong / "b"):
            renumber(run, ids)
        message = self.refusal(weak, strong)
        start = f"{weak} and {strong} were evaluated on different test examples: of 1,000 each, "
        assert message.startswith(start + said)

    def test_no_run_in_common(self, sides, tmp_path, write):
        write(tmp_path / "other" / "z", "z", 90, (1, 1, 1), protocol=WEAK)
        message = self.refusal(sides[0], tmp_path / "other")
        assert message.startswith(f"no run below {sides[0]} was trained as one below")
        assert "`moat evaluate RUN --protocol FILE`" in message

    def test_no_threat_in_common(self, sides, tmp_path, write):
        only = {"threats": {"blur": {"type": "rt", "at_steps": [1]}}, "summed": ["blur"]}
        write(tmp_path / "other" / "a", "a", 90, (1,), protocol=only)
        message = self.refusal(sides[0], tmp_path / "other")
        alone = f"pgd, flow, rt below {sides[0]}, and blur"
        assert f"share no name of a threat or ensemble: {alone}" in message

    def test_several_protocols_in_one_folder(self, sides):
        message = self.refusal(sides[0].parent, sides[1])
        assert "the runs in this folder have 2 protocols or data sets." in message
