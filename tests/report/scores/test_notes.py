from moat.records import Published
from moat.report import make_scoreboards
from moat.report.scores.notes import board_notes

SCORES = (30, 30, 30, 30)


def notes(results, *arguments):
    (board,) = make_scoreboards(results, *arguments).boards
    return board_notes(board)


def test_scores_baseline_and_protocol_are_always_said(study):
    first, second, gate, last = notes(study)
    assert first.startswith("natural: accuracy on the unmodified images. A threat's score is the")
    assert "in % of 1,000 test examples; total: the sum over pgd, flow, rt" in first
    assert second.startswith("universal: the gain over the natural run of the same seed")
    assert gate == "Sanity gate of 14 runs, 14 checks: 14 pass."
    assert last == (
        "Protocol 0123456789abcdef: pgd ε 0.1 at 2, 4 steps; flow ε 0.3 at 2, 4 steps; rt ε 0.3 at "
        "2, 4 steps; integrated at 4 steps. Scores summed over pgd, flow, rt; 1,000 test examples."
    )


def test_an_absent_baseline_and_a_seed_without_one_are_said(tmp_path, write):
    write(tmp_path / "a", "max-at", 90, SCORES)
    absent = "A universal score needs a natural run in this group."
    assert notes(tmp_path)[1] == absent
    write(tmp_path / "b", "natural", 90, SCORES, seed=3)
    alone = "No natural run has seed 0, so the mean of all natural runs is their reference."
    assert alone in notes(tmp_path)


def test_the_number_of_seeds_is_said_where_there_are_several(tmp_path, write):
    for seed in range(3):
        write(tmp_path / f"m{seed}", "max-at", 90, SCORES, seed=seed)
    write(tmp_path / "n", "natural", 90, SCORES)
    assert any(
        note.startswith("Mean over 3 seeds; [low, high]: its 95 % interval over test examples and")
        for note in notes(tmp_path)
    )


def test_what_became_of_an_r_out_of_reach_is_said_with_the_variants(tmp_path, write):
    for name, share, rule in [
        ("pareto", 0.5, "clamp"),
        ("relative", 0.0, "clamp"),
        ("kept", 0.5, "keep-last"),
        ("literal", 0.5, "as-cvxopt"),
    ]:
        write(tmp_path / name, name, 90, SCORES, clamped=share, infeasible=rule)
    write(tmp_path / "p2", "pareto", 90, SCORES, r=2.0, clamped=0.5)
    (note,) = [note for note in notes(tmp_path) if note.startswith("r out of reach")]
    assert note == (
        "r out of reach: the share of training steps, in %, in which no weights reach r. There "
        "the weights did not change (kept); cvxopt's last iterate was used, which is off the "
        "simplex (literal); the nearest reachable r was used (pareto)."
    )


def test_an_r_that_was_always_within_reach_needs_no_rule(tmp_path, write):
    write(tmp_path / "a", "relative", 90, SCORES, clamped=0.0)
    (note,) = [note for note in notes(tmp_path) if note.startswith("r out of reach")]
    assert note.endswith("in which no weights reach r.")


def test_a_constant_guess_is_explained(tmp_path, write):
    write(tmp_path / "a", "max-at", 15, SCORES, classes=10)
    assert (
        "constant guess: a natural accuracy of at most 15.0 %, where always answering with one "
        "class is right for 10.0 % of 10 equally frequent classes. Such a run did not learn; its "
        "other scores mean nothing." in notes(tmp_path)
    )


def test_the_source_is_named_and_what_it_has_beyond_these_runs(study):
    runs = {"max-at": {"pgd": 65.2, "stadv": 3.0}, "trades": {"pgd": 1.0}, "a|b": {"worst": 1.0}}
    found = notes(study, Published(source="the paper, Table 1 (100 epochs)", runs=runs))
    assert found[2:5] == [
        "published: the paper, Table 1 (100 epochs); difference: ours less theirs, in points. "
        "Published figures come from other code, with the protocol and budget of their source.",
        "published, not among these runs: trades, a|b.",
        "published, but not a score of this protocol: stadv, worst.",
    ]


def test_a_table_that_names_no_run_at_all_is_not_quoted(study):
    found = notes(study, Published(source="the paper", runs={"trades": {"pgd": 1.0}}))
    assert not any(note.startswith("published: ") for note in found)
    assert "published, not among these runs: trades." in found


def test_recipes_that_disagree_are_said(tmp_path, write):
    for name, figure in (("natural", 29.4), ("max-at", 31.0)):
        table = {"source": f"the paper, {figure}", "runs": {name: {"pgd": figure}}}
        write(tmp_path / name, name, 98, SCORES, published=table)
    found = notes(tmp_path)
    assert any(note.startswith("published: the paper, 29.4; the paper, 31.0;") for note in found)
    assert any("state different published figures" in note for note in found)
