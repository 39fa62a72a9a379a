import pytest

from moat.errors import MoatError, RunFolderError
from moat.report import compare_runs


def refusal(paths, kind=MoatError):
    with pytest.raises(kind) as refused:
        compare_runs(paths)
    return str(refused.value)


def test_runs_stand_in_the_order_in_which_they_are_named(paths):
    assert compare_runs(paths).names == ("max-at", "mgda")
    assert compare_runs([str(path) for path in paths[::-1]]).names == ("mgda", "max-at")


def test_a_folder_with_one_run_below_it_stands_for_that_run(tmp_path, write):
    for name in "ab":
        write(tmp_path / name / "seed-0", name, 90, (60, 50, 40, 30))
    comparison = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert [run.point.where for run in comparison.runs] == [
        str(tmp_path / name / "seed-0") for name in "ab"
    ]


def test_runs_of_one_label_are_told_apart_by_seed_or_else_by_folder(tmp_path, write):
    for name, seed in (("a", 0), ("b", 1), ("c", 1)):
        write(tmp_path / name, "max-at", 90, (60, 50, 40, 30), seed=seed)
    names = compare_runs([tmp_path / name for name in "abc"]).names
    assert names[0] == "max-at seed 0"
    assert names[1:] == tuple(f"max-at seed 1 [{tmp_path / name}]" for name in "bc")


def test_one_run_is_refused(paths):
    assert refusal(paths[:1]) == (
        f"two runs or more can be compared; named: {paths[0]}.\n"
        "  moat compare RUN RUN...; `moat score RUN` shows the scores of one."
    )
    assert "named: none." in refusal([])


def test_the_same_run_twice_is_refused_however_it_is_written(tmp_path, paths):
    assert refusal([paths[0], paths[1], paths[0]]) == (
        f"{paths[0]}: this run is named twice.\n  Name another run for the comparison."
    )
    link = tmp_path / "link"
    link.symlink_to(paths[0])
    assert refusal([paths[0], link]).startswith(
        f"{link}: this run is named twice, the other time as {paths[0]}."
    )


def test_a_folder_with_several_runs_is_refused_with_their_names(study):
    one, several = study / "mgda" / "plain" / "seed-0", study / "pareto" / "r=0.2"
    assert refusal([one, study], RunFolderError).startswith(
        f"{study}: each argument is one run, but this folder contains 14.\n  Name one of them: "
        f"{study / 'average-at' / 'plain' / 'seed-0'}, "
    )
    assert len(compare_runs([one, several]).runs) == 2


def test_what_is_no_finished_run_is_refused_by_its_folder(tmp_path, pair):
    first = pair[0].path
    assert refusal([first, tmp_path / "nowhere"], RunFolderError).startswith(
        f"{tmp_path / 'nowhere'}: the folder does not exist.\n  Name a run's own"
    )


def test_a_run_that_has_begun_is_refused_with_how_it_goes_on(pair):
    first, other = pair
    (other.path / "run.json").unlink()
    other.write_recipe({"seeds": [0]})
    assert refusal([first.path, other.path], RunFolderError) == (
        f"{other.path}: the folder has no finished run (no run.json).\n"
        "  The run has begun: `moat train` with its study's recipe resumes it."
    )


def test_an_evaluation_that_was_cut_short_is_refused_by_its_folder(pair):
    first, other = pair
    path = other.path / "evaluation.npz"
    path.write_bytes(path.read_bytes()[:100])
    assert refusal([first.path, other.path]).startswith(f"{path}: the file is truncated or not")
    path.unlink()
    assert refusal([first.path, other.path]).startswith(
        f"{other.path}: the run is finished but its evaluation is missing."
    )
