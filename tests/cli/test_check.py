"""`moat check`: a promise a line, its exit codes, and what it can be asked for."""

import json
from pathlib import Path

import pytest

from moat.scalarizers import Average
from moat.testing import MODEL_PROMISES, SCALARIZER_PROMISES, THREAT_PROMISES, ScalarizerCase
from moat.version import __version__

DARK = '''
from pydantic import PositiveFloat

from moat.geometry.balls import LinfBall
from moat.threats import GradientThreat, threat


@threat("dark")
class Dark(GradientThreat):
    """Darken the image as a whole."""

    epsilon: PositiveFloat
    step_size: PositiveFloat

    def identity(self, x):
        return (x.new_zeros(len(x), 1, 1, 1),)

    def apply(self, x, w):
        return (1 - w[0]) * x

    def balls(self, x):
        nothing = x.new_zeros(len(x), 1, 1, 1)
        return (LinfBall(self.epsilon, self.step_size, low=nothing, high=nothing + 1),)
'''


def lines(said: str, state: str) -> list[str]:
    return [line[10:] for line in said.splitlines() if line.startswith(f"{state} ")]


def test_each_promise_is_a_line(moat):
    done = moat("check", "average")
    assert done.code == 0
    first, *_, last = done.out.splitlines()
    assert first == "scalarizer average (moat-robust): Average(include_natural=False)"
    case = ScalarizerCase(Average())
    made = [promise.text for promise in SCALARIZER_PROMISES if promise.made_for(case)]
    assert lines(done.out, "kept") == made
    assert f"{len(made)} promise(s) kept, 0 broken" in last
    assert len(made) >= len(SCALARIZER_PROMISES) - 1  # all but `support`, which it does not declare


def test_a_threat_of_a_file_is_made_with_typical_numbers(moat, tmp_path):
    (tmp_path / "dark.py").write_text(DARK)
    done = moat("check", str(tmp_path / "dark.py"))
    assert done.code == 0, done.out
    assert "epsilon=0.15, step_size=0.02)" in done.out
    assert len(lines(done.out, "kept")) == len(THREAT_PROMISES)


def test_a_broken_promise_is_a_sentence_with_numbers_and_exit_code_1(moat, tmp_path):
    clamped = DARK.replace("(1 - w[0]) * x", "(x - w[0]).clamp(0, 1)")  # black is a dead end
    (tmp_path / "clamped.py").write_text(clamped)
    done = moat("check", f"{tmp_path / 'clamped.py'}:Dark", "--set", "epsilon=0.5")
    assert done.code == 1
    (first, *_) = lines(done.out, "broken")
    assert first.startswith("apply clamps: ")
    assert "pixels that it carries to 0 have no gradient, so a search stalls there." in first
    assert "broken.\n" in done.out


def test_a_promise_that_is_not_made_is_said_to_be_so(moat):
    done = moat("check", "two-moment", "--set", "r=1.0")
    assert done.code == 0
    assert lines(done.out, "not made") == [
        "no example has more objectives with a weight than `support`",
        "losses and gradients times a constant change no weight (`scale_invariant`)",
    ]


def test_the_same_as_json(moat):
    found = json.loads(moat("check", "max", "--format", "json").out)
    assert [row["promise"] for row in found] == [one.text for one in SCALARIZER_PROMISES]
    assert {row["state"] for row in found} == {"kept"}


def test_without_a_name_it_lists_what_can_be_checked(moat):
    found = json.loads(moat("check", "--format", "json").out)
    pgd = {"name": "pgd", "kind": "threat", "from": f"moat-robust {__version__}"}
    assert any(pgd.items() <= row.items() for row in found)
    assert {row["kind"] for row in found} == {"threat", "scalarizer", "model", "dataset"}
    only = json.loads(moat("check", "--kind", "dataset", "--format", "json").out)
    assert {row["kind"] for row in only} == {"dataset"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["flwo"], "is called 'flwo'. Did you mean 'flow'?"),
        (["average", "--kind", "threat"], "no threat is called 'average'."),
        (["max", "--set", "window=3"], "--set window=3, window: unknown key"),
        (["pgd", "--set", "epsilon=-1"], "epsilon: should be greater than 0"),
        (["pgd", "--set", "epsilon"], "write an override as key=value"),
        (["pgd", "--shape", "3,32"], "'3,32' is not channels, rows and columns"),
        (["pgd", "--shape", "3,0,32"], "is not channels, rows and columns"),
        (["small-cnn", "--shape", "1,8,8"], "refuses images of 1 x 8 x 8: the model 'small-cnn'"),
        (["image-folder"], "'image-folder' needs the field 'folder', which has no default."),
        (["nowhere.py"], "nowhere.py: the file does not exist."),
        (["nowhere:Net"], "the module 'nowhere' cannot be imported: ModuleNotFoundError"),
        (["torch.nn:Linaer"], "torch.nn has no class 'Linaer'. Did you mean 'Linear'?"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_exit_code_2(moat, words, said):
    done = moat("check", *words)
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())


def test_missing_data_are_an_error_with_the_mend(moat, tmp_path):
    done = moat("check", "mnist", "--set", f"root={tmp_path}")
    assert done.code == 2
    assert f"no readable MNIST in '{tmp_path}'" in done.err


def test_a_network_of_ones_own_is_checked_on_the_shapes_that_it_takes(moat, tmp_path, monkeypatch):
    (tmp_path / "nets.py").write_text(
        "from torch import nn\n\ndef grey(width=4):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, 10))\n"
    )
    monkeypatch.chdir(tmp_path)
    done = moat("check", "nets.py:grey", "--set", "width=3")
    assert done.code == 0, done.out
    assert f"{len(MODEL_PROMISES)} promise(s) kept, 0 broken." in done.out
    assert not Path("nets.pyc").exists()


def test_a_new_package_is_written_and_the_next_commands_are_said(moat, tmp_path):
    done = moat("new", "threat", "kit-fog")
    assert done.code == 0
    assert "wrote moat-kit-fog/moat_kit_fog/kit_fog.py\n" in done.out
    assert "Next: cd moat-kit-fog; moat check moat_kit_fog/kit_fog.py; " in done.out
    assert (tmp_path / "moat-kit-fog" / "pyproject.toml").is_file()
    again = moat("new", "threat", "kit-fog")
    assert (again.code, "moat-kit-fog: this is there already" in again.err) == (2, True)
    assert moat("new", "threat", "kit-fog", "--folder", "other").code == 0
    assert moat("new", "threat", "Kit").code == 2
    assert moat("new", "network", "kit").code == 2
