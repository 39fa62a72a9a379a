import pytest

import moat
from moat.errors import RunFolderError
from moat.study import evaluate_under
from moat.study.places import require_within


def test_a_run_lies_below_its_results(tmp_path):
    require_within(tmp_path / "study@strong/plain/seed-0", tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    require_within(tmp_path / "link/plain/seed-0", tmp_path)
    require_within(tmp_path / "link/plain/seed-0", tmp_path / "link")


@pytest.mark.parametrize("name", ["..", "x" * 256, "a\nb", "-x"])
def test_a_part_of_its_folder_is_a_name(tmp_path, name):
    with pytest.raises(RunFolderError, match="cannot be a folder of results: it "):
        require_within(tmp_path / name / "plain", tmp_path)


def test_no_link_leads_outside(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/study@strong").symlink_to(tmp_path)
    with pytest.raises(RunFolderError) as refused:
        require_within(tmp_path / "results/study@strong/plain", tmp_path / "results")
    assert refused.value.message == f"a link there leads outside: to {str(tmp_path / 'plain')!r}."


@pytest.mark.parametrize(
    "call",
    [
        lambda recipe, **keys: moat.train(recipe, **keys),
        lambda recipe, **keys: moat.evaluate_model("tiny-cnn", recipe, **keys),
        lambda recipe, **keys: evaluate_under(recipe, [], **keys),
    ],
    ids=["train", "evaluate_model", "evaluate_under"],
)
def test_a_misspelt_keyword_is_refused_with_those_that_there_are(call, tmp_path):
    with pytest.raises(TypeError) as refused:
        call(tmp_path / "no.toml", resulst="elsewhere")
    assert "has no argument 'resulst'. Did you mean 'results'?" in str(refused.value)
    assert str(refused.value).endswith("results, device, overwrite, listener.")
