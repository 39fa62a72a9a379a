"""A path that is no results folder is told what it is, and which folder may be meant."""

from pathlib import Path

import pytest

from moat.errors import FrontError
from moat.runs import require_results


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("results/study/a/seed-0", "other"):
        Path(folder).mkdir(parents=True)
    run = "results/study/a/seed-0"
    for file in ("study.toml", "new.toml", "recipe.toml", "mine.txt", f"{run}/run.json"):
        Path(file).write_text("")
    Path(run, "recipe.toml").write_text("")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "study.toml",
            "study.toml: this is a recipe; a results folder is needed.\n"
            "  Its results lie in results/study: name that folder.",
        ),
        (
            "new.toml",
            "new.toml: this is a recipe; a results folder is needed.\n"
            "  `moat train new.toml` writes its results to results/new, or below",
        ),
        ("gone.toml", "gone.toml: this recipe does not exist; a results folder is needed."),
        ("study", "study: the folder does not exist. Did you mean 'results/study'?"),
        (
            "results/studie",
            "results/studie: the folder does not exist. Did you mean 'results/study'",
        ),
        ("ohter", "ohter: the folder does not exist. Did you mean 'other'?"),
        ("zzz", "zzz: the folder does not exist.\n  `moat train RECIPE` trains runs;"),
        ("mine.txt", "mine.txt: this is a file; a results folder is needed.\n  `moat train"),
        (
            "results/study/a/seed-0/run.json",
            "results/study/a/seed-0/run.json: this is a file; a results folder is needed.\n"
            "  Name its folder: results/study/a/seed-0",
        ),
        (
            "results/study/a/seed-0/recipe.toml",
            "results/study/a/seed-0/recipe.toml: this is a file; a results folder is needed.\n"
            "  Name its folder: results/study/a/seed-0",
        ),
        (
            "results/study/a/seed-0/model.pt",
            "results/study/a/seed-0/model.pt: the folder does not exist. Did you mean "
            "'results/study/a/seed-0'?",
        ),
        ("recipe.toml", "recipe.toml: this is a recipe; a results folder is needed."),
    ],
)
def test_what_a_path_is_and_what_is_meant(path, said):
    with pytest.raises(FrontError) as refused:
        require_results(Path(path), FrontError)
    assert str(refused.value).startswith(said)


def test_a_folder_is_taken():
    require_results(Path("results"), FrontError)
