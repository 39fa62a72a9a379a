import json

import pytest

from moat.doctor import Finding, Health

STATES = {Health.ok: 0, Health.absent: 0, Health.warning: 0, Health.fault: 1}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("form", ["table", "markdown", "csv", "latex", "json"])
def test_only_a_fault_is_an_exit_code_and_every_form_says_it(moat, monkeypatch, state, form):
    found = [Finding("folders", "results", state, "what was found", "what mends it")]
    monkeypatch.setattr("moat.doctor.diagnose", lambda results: found)
    answer = moat("doctor", "--format", form)
    assert (answer.code, answer.err) == (STATES[state], "")
    for word in ("results", state, "what was found", "what mends it"):
        assert word in answer.out
    if form == "json":
        assert [*json.loads(answer.out)[0]] == ["area", "subject", "state", "found", "mend"]


def test_the_folder_of_the_results_is_named_by_an_option(moat, tmp_path):
    (tmp_path / "file").write_text("")
    answer = moat("doctor", "--results", "file/x", "--format", "csv")
    assert answer.code == 1
    assert f"folders,results,fault,{tmp_path / 'file'} is not a folder" in answer.out
