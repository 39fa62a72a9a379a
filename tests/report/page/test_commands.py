import shlex

import pytest

from moat.report.page.commands import commands_of
from moat.report.page.sources import sources_of
from moat.report.points import read_points

SCORES = (10, 20, 30, 40)


@pytest.fixture
def commands(tmp_path):
    def found(where="run"):
        points, _ = read_points(tmp_path)
        (point,) = (point for point in points if point.where == where)
        return commands_of(point, sources_of(tmp_path / where), tmp_path)

    return found


def test_a_run_is_trained_again_from_its_own_recipe(commands, write, tmp_path):
    run = write(tmp_path / "run", "pareto", 90, SCORES, r=0.5, seed=4)
    run.write_recipe({"seeds": [4]})
    own, of_study, judged = commands()
    assert shlex.split(own.line) == ["moat", "train", str(run.recipe), "--results", "again"]
    assert of_study.line == "moat train digits_pareto.toml --only pareto --seed 4"
    assert of_study.note.endswith("Trains every value of the variant's sweep.")
    assert shlex.split(judged.line) == ["moat", "evaluate", str(run.path)]


def test_overrides_whose_words_are_not_kept_are_owned_up_to(commands, write, tmp_path):
    run = write(tmp_path / "run", "pareto", 90, SCORES, study="digits_pareto+59bf1419")
    run.write_recipe({"seeds": [0]})
    assert commands()[1].line == "moat train digits_pareto.toml --only pareto --seed 0 --set ..."
    assert "the command line is not recorded" in commands()[1].note


def test_without_a_recipe_a_run_can_only_be_judged_again(commands, write, tmp_path):
    write(tmp_path / "run", "pareto", 90, SCORES)
    assert [command.line.split()[1] for command in commands()] == ["evaluate"]


@pytest.mark.parametrize("more", [{"foreign": True}, {"of": "/runs/one"}])
def test_a_model_that_lies_elsewhere_is_judged_by_the_command_that_was_recorded(
    commands, write, tmp_path, more
):
    run = write(tmp_path / "run", "net", 90, SCORES)
    words = ["moat", "evaluate", "--model", "python:nets:net", "--name", "a net"]
    run.write_record(run.read_record().replace(**more, command=words))
    (command,) = commands()
    assert shlex.split(command.line) == [*words, "--overwrite"]


@pytest.mark.parametrize("command", [{}, {"command": 3}, {"command": ["moat", 3]}])
def test_a_network_that_was_given_as_it_is_has_no_command(commands, write, tmp_path, command):
    run = write(tmp_path / "run", "net", 90, SCORES)
    run.write_record(run.read_record().replace(foreign=True, **command))
    assert commands() == []
