import csv
import io
from statistics import fmean

import pytest

from moat.records import Published
from moat.report import make_scoreboards
from moat.report.scores.rows import scores_csv

NUMBERS = ("ours", "low", "high", "published", "difference")


def lines(results, *arguments):
    (board,) = make_scoreboards(results, *arguments).boards
    return list(csv.DictReader(io.StringIO(scores_csv(board), newline="")))


def line(found, label, score):
    (one,) = [one for one in found if (one["label"], one["score"]) == (label, score)]
    return one


def test_there_is_one_line_for_each_score_of_each_run(study):
    found = lines(study)
    assert len(found) == 14 * 8
    assert len({(one["study"], one["label"], one["score"]) for one in found}) == len(found)
    assert list(found[0]) == [
        *("study", "label", "score", "ours", "low", "high", "interval_over"),
        *("difference_from", "paired_difference", "paired_difference_error", "seeds"),
        *("published", "difference", "source"),
        *("examples", "constant_guesses", "protocol_hash", "folders"),
    ]
    natural = line(found, "natural", "pgd")
    assert (natural["study"], natural["examples"], natural["protocol_hash"]) == (
        *("digits_pareto", "1000", "0123456789abcdef"),
    )
    assert natural["folders"] == "natural/plain/seed-0"
    assert [natural[name] for name in ("seeds", "published", "difference", "source")] == [
        *("1", "", "", "")
    ]
    assert float(natural["low"]) < 29.4 < float(natural["high"])
    assert natural["interval_over"] == "examples"


def test_what_is_read_back_is_what_can_be_recomputed_at_full_precision(tmp_path, write):
    natural, robust = (10.3, 20.1, 30.7), (50.2, 54.9, 61.4)
    for seed in range(3):
        write(tmp_path / f"n{seed}", "natural", 98, (natural[seed], 0, 0, 0), seed=seed)
        write(tmp_path / f"m{seed}", "max-at", 9, (robust[seed], 0, 0, 0), seed=seed, classes=10)
    found = lines(
        tmp_path, Published(source="the paper", runs={"max-at": {"pgd": 65.16, "universal": 30.0}})
    )
    pgd, universal = line(found, "max-at", "pgd"), line(found, "max-at", "universal")
    assert float(pgd["ours"]) == pytest.approx(fmean(robust), abs=1e-12)
    assert float(pgd["low"]) < min(robust) < max(robust) < float(pgd["high"])
    assert pgd["interval_over"] == "examples and seeds"
    assert float(pgd["difference"]) == float(pgd["ours"]) - float(pgd["published"])
    assert (pgd["published"], pgd["source"], pgd["seeds"]) == ("65.16", "the paper", "3")
    assert pgd["constant_guesses"] == "3"
    gains = [b - a for a, b in zip(natural, robust, strict=True)]
    assert float(universal["ours"]) == pytest.approx(fmean(gains), abs=1e-12)
    assert float(universal["difference"]) == pytest.approx(fmean(gains) - 30, abs=1e-12)
    assert line(found, "max-at", "flow")["source"] == ""


def test_what_is_absent_is_empty(tmp_path, write):
    write(tmp_path / "m", "max-at", 90, (50, 40, 30, 20))
    found = line(
        lines(tmp_path, Published(source="the paper", runs={"max-at": {"universal": 30.0}})),
        *("max-at", "universal"),
    )
    assert [found[name] for name in NUMBERS] == ["", "", "", "30.0", ""]


def test_quotes_and_commas_in_a_label_come_back(tmp_path, write):
    label = 'a "b", c|d e'
    write(tmp_path / "m", label, 90, (50, 40, 30, 20))
    assert {one["label"] for one in lines(tmp_path)} == {label}


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1+1", "@sum"])
def test_no_label_is_a_formula_of_a_spreadsheet(tmp_path, write, label):
    run = write(tmp_path / "m", "max-at", 90, (50, 40, 30, 20))
    run.write_record(run.read_record().replace(label=label))
    assert {one["label"] for one in lines(tmp_path)} == {f"'{label}"}
