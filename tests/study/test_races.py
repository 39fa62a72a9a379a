import json
import math
import shutil
from dataclasses import replace

import pytest

from moat import study
from moat.errors import (
    BusyError,
    FrontError,
    InputError,
    MoatError,
    RecipeError,
    RunFolderError,
    TrainingError,
)
from moat.events import RunEnd, RunStart, StudyNote
from moat.recipe import plan_runs, read
from moat.records.start import StartRecord
from moat.report.race import finished_runs
from moat.report.race.files import write_race
from moat.report.race.race import read_race
from moat.report.race.sheets import verdict_sheet
from moat.report.race.words import race_notes
from moat.runs import RunFolder
from moat.storage import read_json
from moat.study import StudyResult, races
from moat.study.race_passes import rule_passes
from moat.study.races import looks_asked

FILM = """
[[variant]]
name = "film"
threats = ["pgd"]
conditioned = { at = [0, 0.5, 1] }
"""
EMPTY = "the box is empty: the reference of "


@pytest.fixture
def stored(golden, tmp_path):
    """Race among the finished runs of three seeds of the digits: nothing is trained."""
    shutil.copytree(golden / "digits_pareto", tmp_path / "digits_pareto")

    def race(*rules, seeds="3..3", **keys):
        return study.race("digits_pareto", list(rules), seeds=seeds, results=tmp_path, **keys)

    return race


@pytest.fixture
def race(recipe, results):
    """Race on the small study, which trains."""
    path = recipe("examples = 40", "examples = 12")

    def run(*rules, seeds="2..2", **keys):
        asked = {"results": results, "device": "cpu", "seeds": seeds, **keys}
        return study.race(path, list(rules), **asked)

    return run


class Heard:
    """Keeps the runs that began and the notes, and stops at the end of the n-th run."""

    def __init__(self, stop: int = 0) -> None:
        self.began, self.notes, self.ended, self.stop = [], [], 0, stop

    def __call__(self, event) -> None:
        match event:
            case RunStart(label=label, seed=seed):
                self.began.append((label, seed))
            case StudyNote(text=text):
                self.notes.append(text)
            case RunEnd():
                self.ended += 1
                if self.ended == self.stop:
                    raise KeyboardInterrupt


def test_a_race_that_is_stopped_goes_on_where_it_was_with_the_plan_it_had(race, results):
    first, second = Heard(stop=2), Heard()
    with pytest.raises(KeyboardInterrupt):
        race("plain", "pgd-at", margin=100, listener=first)
    plan = (results / "study" / "race.json").read_bytes()
    found = race("plain", "pgd-at", margin=100, listener=second)
    assert (results / "study" / "race.json").read_bytes() == plan
    both = [("plain", 0), ("plain", 1), ("pgd-at", 0), ("pgd-at", 1)]
    assert (first.began, second.began) == (both[:2], both[2:])
    assert found.is_over
    assert {name: len(of) for name, of in found.scores.items()} == {"plain": 2, "pgd-at": 2}
    assert second.notes[-1].startswith("After 2 seeds: pgd-at against plain ")
    assert "unknown until two rules have a run each" in first.notes[-1]

    third = Heard()
    again = race("plain", "pgd-at", margin=100, listener=third)
    assert third.began == []
    assert again.looks == found.looks == read_race(found.file).looks


def test_a_point_is_chosen_on_held_out_images_by_seeds_that_are_not_raced(recipe, results):
    path = recipe('type = "digits"', 'type = "digits"\nvalidation = 0.1\ntrain_examples = 200')
    path.write_text(path.read_text("utf-8").replace("examples = 40", "examples = 6"), "utf-8")
    heard = Heard()
    found = study.race(
        path,
        ["plain"],
        choose=["pareto"],
        margin=100,
        seeds="2..2",
        results=results,
        device="cpu",
        listener=heard,
    )
    record = found.record
    assert (record.choice_seeds, record.seeds) == ([0, 1], [2, 3])
    scores = record.choice["pareto"]
    chosen = max(scores, key=scores.get)
    assert list(scores) == ["pareto r=0.5", "pareto r=1.0"]
    assert found.rules == ("plain", chosen)
    candidates = [(label, seed) for label in scores for seed in (0, 1)]
    raced = [(rule, seed) for rule in ("plain", chosen) for seed in (2, 3)]
    assert heard.began == [*candidates, *raced]
    assert any(
        note.startswith(f"Chosen of pareto on held-out images: {chosen}") for note in heard.notes
    )
    again = study.race(
        path, ["plain"], choose=["pareto"], margin=100, seeds="2..2", results=results, device="cpu"
    )
    assert again.record == record
    table = {**read_json(found.file), "choice": {}, "rules": {"plain": record.rules["plain"]}}
    found.file.write_text(json.dumps(table), "utf-8")  # as a stop during the choice leaves it
    stopped = read_race(found.file)
    assert (stopped.looks, stopped.is_over) == ([], False)
    assert any("pareto is not chosen yet" in note for note in race_notes(stopped))
    assert verdict_sheet(stopped).rows
    write_race(stopped, results)


def test_the_plan_is_written_before_the_first_run_and_has_all_that_decides(race, results):
    def look(event):
        if isinstance(event, RunStart):
            plans.append(read_json(results / "study" / "race.json"))
            raise KeyboardInterrupt

    plans = []
    with pytest.raises(KeyboardInterrupt):
        race("plain", "pareto r=0.5", seeds="3..7", margin=1.5, level=0.1, listener=look)
    (plan,) = plans
    kept = {key: plan[key] for key in ("baseline", "score", "margin", "level", "exact", "looks")}
    assert kept == {
        **{"baseline": "plain", "score": "total", "margin": 1.5, "level": 0.1},
        **{"exact": False, "looks": [3, 7]},
    }
    assert plan["seeds"] == list(range(7))
    assert plan["rules"] == {"plain": ["plain"], "pareto r=0.5": ["pareto/r=0.5"]}
    assert plan["trainings"].keys() == {"plain", "pareto/r=0.5"}
    assert plan["passes"] == {"plain": 2, "pareto r=0.5": 10}
    assert plan["floor"] is None
    assert 0 < plan["nominal_level"] < 0.1


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"margin": 3}, "margin 2, and this call has 3."),
        ({"level": 0.01}, "level 0.05, and this call has 0.01."),
        ({"exact": True}, "test Student's t, and this call has sign flips."),
        ({"seeds": "2..3"}, "looks 3..3, and this call has 2..3."),
        ({"baseline": "max-at"}, "baseline 'average-at', and this call has 'max-at'."),
        ({"overrides": ["seeds=[5]"]}, ""),
    ],
)
def test_a_call_that_disagrees_with_the_plan_is_refused(stored, keys, said):
    stored("average-at", "max-at", margin=2)
    if not said:  # a study of its own, and so a race of its own
        return
    with pytest.raises(RunFolderError) as caught:
        stored("average-at", "max-at", **{"margin": 2, **keys})
    assert caught.value.message == f"the race was planned with {said}"
    assert "Another plan needs another --results folder" in caught.value.hint
    assert caught.value.where.endswith("digits_pareto/race.json")


def test_a_changed_recipe_is_refused_by_name_and_another_variant_is_no_change(stored, tmp_path):
    def of(more: str):
        path = tmp_path / "digits_pareto.toml"
        path.write_text(f'extends = "digits_pareto"\n{more}\n', "utf-8")
        return study.race(path, ["average-at", "max-at"], seeds="3..3", results=tmp_path)

    stored("average-at", "max-at")
    plain = '[[variant]]\nname = "{}"\nthreats = ["pgd", "flow", "rt"]\nscalarizer = "{}"\n'
    two = plain.format("average-at", "average") + plain.format("max-at", "max")
    assert of(two + plain.format("more", "average")).is_over
    for change, word in (
        ("[optimizer]\nlr = 0.1", "training"),
        ("[evaluation]\nseed = 1", "protocol"),
    ):
        with pytest.raises(RunFolderError, match=f"with another {word}: the recipe changed since"):
            of(f"{two}{change}")


def test_a_default_reference_is_named_in_words(stored):
    keys = {"score": "hypervolume", "objectives": ["natural", "total"]}
    stored("average-at", "max-at", **keys)
    with pytest.raises(RunFolderError) as caught:
        stored("average-at", "max-at", reference=[80, 0], **keys)
    said = "the race was planned with reference none (that of the front), and this call has 80,0."
    assert caught.value.message == said


def test_races_of_other_rules_or_scores_have_files_of_their_own(stored):
    first, second = stored("average-at", "max-at"), stored("average-at", "pgd-at")
    third = stored("average-at", "max-at", score="union")
    names = [one.file.name for one in (first, second, third)]
    assert names == ["race.json", "race-2.json", "race-3.json"]
    assert stored("average-at", "pgd-at").file == second.file


def test_known_outcomes_give_the_floor_before_the_first_look(stored, golden):
    heard = Heard()
    found = stored("average-at", "pareto r=0.7", margin=1, seeds="3..3", listener=heard)
    assert found.record.floor == pytest.approx(found.floor)
    assert "take more test images, not more seeds" in heard.notes[4]
    assert heard.notes[-1].startswith("After 3 seeds: ")


def test_the_natural_runs_of_a_score_measured_from_them_are_trained_as_well(race, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "moat.study.race_engine.train_source", lambda *_, only, seeds: asked.append(only)
    )
    with pytest.raises(AttributeError):  # of None, which stands for the study's result
        race("pgd-at", "pareto r=0.5", score="universal")
    assert asked == [["pgd-at", "pareto r=0.5", "plain"]]


@pytest.mark.parametrize("how", ["failed", "held"])
def test_a_run_that_fails_or_is_held_ends_the_call_and_names_the_mend(race, monkeypatch, how):
    def end(source, at, jobs, *, only, seeds):
        asked.append((jobs, tuple(only), tuple(seeds)))
        result = StudyResult(at.results)
        getattr(result, how)[at.results / "x"] = MoatError("it fell.", hint="Mend it.")
        return result

    asked = []
    monkeypatch.setattr("moat.study.race_engine.train_source", end)
    kind, message, hint = {
        "failed": (TrainingError, "a run of the race failed: it fell.", "Mend it."),
        "held": (BusyError, "another process holds a run of the race.", "has ended"),
    }[how]
    with pytest.raises(kind) as caught:
        race("plain", "pgd-at", seeds="2..4", jobs=3)
    assert caught.value.message == message
    assert hint in caught.value.hint
    assert asked == [(3, ("plain", "pgd-at"), (0, 1))]


@pytest.mark.parametrize(
    ("rules", "keys", "kind", "message"),
    [
        (["plain"], {}, RecipeError, "a race needs two rules or more, not 1."),
        (["plain", "pgd-at", "plain"], {}, RecipeError, "a rule is named twice."),
        (["plain", "pgdat"], {}, RecipeError, "no rule is called 'pgdat'. Did you mean 'pgd-at'?"),
        (["plain", "pareto"], {}, RecipeError, "'pareto' has 2 points, and a rule is one of them."),
        (["plain"], {"choose": ["pgd-at"]}, RecipeError, "nothing is to be chosen of 'pgd-at'"),
        (["plain"], {"choose": ["pareto"]}, RecipeError, "nothing was held out to choose a point"),
        (
            ["pareto r=0.5"],
            {"choose": ["pareto"], "overrides": ["data.validation=0.1"]},
            RecipeError,
            "'pareto r=0.5' is a point of 'pareto', of which one is to be chosen.",
        ),
        (
            ["plain"],
            {"choose": ["pareto"], "score": "hypervolume"},
            RecipeError,
            "a hypervolume is of all points of a sweep: none is chosen.",
        ),
        (["plain", "pgd-at"], {"score": "totl"}, FrontError, "no score is called 'totl'."),
        (
            ["plain", "pgd-at"],
            {"overrides": ["evaluation.union_only=true", "evaluation.falls=any"]},
            FrontError,
            "no score is called 'total'.",
        ),
        *[
            (
                ["plain", "pgd-at"],
                {"score": "hypervolume", "objectives": objectives, "reference": reference},
                FrontError,
                message,
            )
            for objectives, reference, message in (
                (["natural", "total"], [200, 0], EMPTY + "natural accuracy is 200, but"),
                (["natural", "total"], [100, 0], EMPTY + "natural accuracy is 100, but"),
                (["natural", "total"], [0, 300], EMPTY + "total score is 300, but"),
                (["total", "sacrificed"], [0, -100], EMPTY + "sacrificed natural accuracy is -100"),
                (["natural", "total"], [math.nan, 0], "the reference of natural accuracy is nan"),
                (["natural", "total"], [0, -math.inf], "the reference of total score is -inf"),
                (["natural", "total"], [0], "the reference needs a number for each of 2"),
            )
        ],
        (["plain", "pgd-at"], {"baseline": "x"}, InputError, "the baseline 'x' is not one of"),
        (["plain", "pgd-at"], {"margin": -1}, InputError, "-1 is not a margin"),
        (["plain", "pgd-at"], {"seeds": "3-12"}, InputError, "'3-12' is not a first and a last"),
        (["plain", "pgd-at"], {"exact": True}, InputError, "no look after 2 to 2 seeds can decide"),
        (["plain"], {"choose": ["x"]}, RecipeError, "nothing is to be chosen of 'x': it is not a"),
        (["plain", "pgd-at"], {"seeds": "9..3"}, InputError, "looks after 9 to 3 seeds are not"),
    ],
)
def test_what_cannot_be_raced_is_refused_before_anything_is_written(
    race, results, rules, keys, kind, message
):
    with pytest.raises(kind) as caught:
        race(*rules, **keys)
    assert caught.value.message.startswith(message)
    assert caught.value.hint
    assert not results.exists()


def test_a_score_measured_from_a_natural_run_needs_one_in_the_recipe(recipe, results):
    path = recipe('scalarizer = "natural"', 'threats = ["flow"]')
    with pytest.raises(FrontError, match="universal is measured from the natural run"):
        study.race(path, ["plain", "pgd-at"], score="universal", results=results)


@pytest.mark.parametrize("seeds", ["3..12", " 3..12 ", (3, 12)])
def test_looks_are_two_numbers_of_seeds(seeds):
    assert looks_asked(seeds) == (3, 12)


@pytest.mark.parametrize("seeds", ["3", "3..", "..3", "a..b", "3...4", "", "-1..3", "3..1_0"])
def test_anything_else_is_refused(seeds):
    with pytest.raises(InputError, match="is not a first and a last number of seeds"):
        looks_asked(seeds)


def test_the_seeds_of_the_recipe_come_first(recipe, results, monkeypatch):
    monkeypatch.setattr(
        "moat.study.race_engine.train_source", lambda *a, **k: pytest.fail("trained")
    )
    path = recipe("[data]", "seeds = [7, 1]\n[data]")
    with pytest.raises(pytest.fail.Exception):
        study.race(path, ["plain", "pgd-at"], seeds="2..5", results=results)
    assert read_json(results / "study" / "race.json")["seeds"] == [7, 1, 0, 2, 3]


@pytest.mark.parametrize(
    ("change", "word"),
    [("training.epochs=3", "training"), ("evaluation.seed=1", "protocol")],
)
@pytest.mark.parametrize("kept", [0, 2])
def test_finished_runs_of_another_recipe_are_refused_before_the_plan_is_written(
    stored, tmp_path, change, word, kept
):
    for seed in {0, 1, 2} - {kept}:  # a run of any seed counts
        for rule in ("average-at", "max-at"):
            shutil.rmtree(tmp_path / "digits_pareto" / rule / f"seed-{seed}")
    path = tmp_path / "digits_pareto.toml"
    table, _, value = change.partition(".")
    path.write_text(f'extends = "digits_pareto"\n[{table}]\n{value}\n', "utf-8")
    with pytest.raises(RunFolderError) as caught:
        study.race(path, ["average-at", "max-at"], seeds="3..3", results=tmp_path)
    assert caught.value.message == f"the finished run has another {word} than the recipe."
    assert "train it again" not in caught.value.hint
    assert not list((tmp_path / "digits_pareto").glob("race*"))


def test_a_run_of_any_seed_that_was_trained_otherwise_since_ends_a_race(
    stored, tmp_path, monkeypatch
):
    stored("average-at", "max-at")
    run = tmp_path / "digits_pareto" / "max-at" / "seed-1"

    def read_point(folder, root, read=finished_runs.read_point):
        point = read(folder, root)
        longer = {**point.trains, "training": {**point.trains["training"], "epochs": 99}}
        return replace(point, trains=longer) if folder.path == run else point

    monkeypatch.setattr(finished_runs, "read_point", read_point)
    with pytest.raises(RunFolderError, match="another training than seed 0") as caught:
        read_race(tmp_path / "digits_pareto" / "race.json")
    assert caught.value.where == str(run)


def test_a_leg_without_its_trunk_is_not_taken_for_another_training(stored, tmp_path, monkeypatch):
    stored("average-at", "max-at")
    study, first = tmp_path / "digits_pareto", {}

    def read_point(folder, root, read=finished_runs.read_point):
        point = read(folder, root)
        if point.variant == "average-at":
            first[point.seed] = point.train_hash
            return point
        trunk = f"digits_pareto/average-at/seed-{point.seed}"
        training = first.get(point.seed, "gone")
        start = StartRecord(place=trunk, training=training, weights="0")
        return replace(point, start=start, trains={**point.trains, "start": {"training": training}})

    shutil.rmtree(study / "average-at" / "seed-1")
    monkeypatch.setattr(finished_runs, "read_point", read_point)
    assert len(read_race(study / "race.json").scores["max-at"]) == 3


def test_a_planned_race_looks_at_the_finished_runs_of_all_its_seeds(stored, monkeypatch):
    stored("average-at", "max-at")
    seen = []
    monkeypatch.setattr(races, "require_planned_runs", lambda plans, _: seen.extend(plans))
    stored("average-at", "max-at")
    assert {(plan.label, plan.seed) for plan in seen} == {
        (rule, seed) for rule in ("average-at", "max-at") for seed in range(3)
    }


def test_a_run_whose_start_was_trained_again_ends_a_race(stored, tmp_path, monkeypatch):
    stored("average-at", "max-at")
    read_point = finished_runs.read_point
    monkeypatch.setattr(
        finished_runs,
        "read_point",
        lambda run, root: replace(read_point(run, root), is_stale=run.path.parent.name == "max-at"),
    )
    with pytest.raises(RunFolderError, match="was trained again since") as caught:
        read_race(tmp_path / "digits_pareto" / "race.json")
    assert "--only max-at --overwrite" in caught.value.hint


def test_the_points_of_a_conditioned_network_cost_one_training(recipe):
    path = recipe(more=FILM)
    plans = plan_runs(read(path, ["training.passes=40"]), (), [0])
    film = [plan for plan in plans if plan.variant == "film"]
    assert len(film) == 3
    assert rule_passes(film, plans) == 40


def test_the_right_race_follows_a_refused_one(stored, tmp_path):
    path = tmp_path / "digits_pareto.toml"
    path.write_text('extends = "digits_pareto"\n[training]\nepochs = 3\n', "utf-8")
    with pytest.raises(RunFolderError, match="another training than the recipe"):
        study.race(path, ["average-at", "max-at"], seeds="3..3", results=tmp_path)
    assert stored("average-at", "max-at").is_over


def test_a_plan_is_withdrawn_if_its_first_run_cannot_begin(race, results):
    plan = results / "study" / "race.json"
    with pytest.raises(TrainingError, match="the folder does not exist"):
        race("plain", "pgd-at", margin=3, overrides=["start=nowhere"])
    assert not plan.exists()
    assert race("plain", "pgd-at", margin=100).is_over
    with pytest.raises(RunFolderError, match=r"planned with margin 100"):
        race("plain", "pgd-at", margin=3)
    assert plan.exists()


def test_a_new_plan_stays_after_an_error_if_a_run_has_an_epoch(race, results, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        race("plain", "pgd-at", listener=Heard(stop=1))
    (results / "study" / "race.json").unlink()

    def fail(*_, **__):
        raise MoatError("it fell.")

    monkeypatch.setattr("moat.study.race_engine.train_source", fail)
    with pytest.raises(MoatError, match="it fell"):
        race("plain", "pgd-at", margin=100)
    assert (results / "study" / "race.json").exists()


@pytest.fixture
def restored(stored, golden, tmp_path, monkeypatch):
    """Race two seeds after the first look; the training lays down the kept runs, except `lost`."""

    def restore(source, at, jobs, *, only, seeds):
        at.listener(StudyNote(text="worth a second look: the same in each round"))
        rounds.append(list(seeds))
        assert len(rounds) < 5
        for place in (f"{rule}/seed-{seed}" for rule in only for seed in seeds):
            if place not in lost:
                kept, to = (root / "digits_pareto" / place for root in (golden, tmp_path))
                shutil.copytree(kept, to, dirs_exist_ok=True)
        return StudyResult(tmp_path / "digits_pareto")

    rounds, lost = [], set()
    monkeypatch.setattr("moat.study.race_engine.train_source", restore)
    for seed in range(3):
        for rule in ("average-at", "max-at"):
            shutil.rmtree(tmp_path / "digits_pareto" / rule / f"seed-{seed}")
    return stored, rounds, lost


def test_a_note_of_every_round_is_said_once(restored):
    race, rounds, _ = restored
    heard = Heard()
    assert race("average-at", "max-at", seeds="2..3", level=1e-4, listener=heard).is_over
    assert rounds == [[0, 1], [2]]
    assert sum("worth a second look" in note for note in heard.notes) == 1
    assert sum(note.startswith("After ") for note in heard.notes) == 2


@pytest.mark.parametrize(("gone", "looks"), [("max-at/seed-1", 0), ("average-at/seed-2", 1)])
def test_a_round_that_adds_no_look_is_an_error_and_the_same_call_goes_on(restored, gone, looks):
    race, _, lost = restored
    lost.add(gone)
    heard = Heard()
    with pytest.raises(RunFolderError) as caught:
        race("average-at", "max-at", seeds="2..3", level=1e-4, listener=heard)
    assert caught.value.message == "the race cannot look: a run that it needs is gone."
    assert caught.value.where.endswith(gone)
    assert "The same command trains the missing runs" in caught.value.hint
    assert sum(note.startswith("After ") for note in heard.notes) == looks
    lost.clear()
    assert race("average-at", "max-at", seeds="2..3", level=1e-4).is_over


def test_a_run_that_is_deleted_and_whose_sweep_changed_ends_in_an_error(stored, tmp_path):
    keys = {"score": "hypervolume"}
    assert stored("max-at", "pareto", **keys).is_over
    shutil.rmtree(next((tmp_path / "digits_pareto" / "pareto").glob("r=0.7")))
    path = tmp_path / "digits_pareto.toml"
    text = 'extends = "digits_pareto"\n'
    for name, more in (
        ("max-at", 'scalarizer = "max"'),
        ("pareto", 'scalarizer = { type = "two-moment" }\nsweep = { "scalarizer.r" = [0.1, 0.3] }'),
    ):
        text += f'[[variant]]\nname = "{name}"\nthreats = ["pgd", "flow", "rt"]\n{more}\n'
    path.write_text(text, "utf-8")
    with pytest.raises(RunFolderError, match=r"this call has the points r=0.1, r=0.3: the recipe"):
        study.race(path, ["max-at", "pareto"], seeds="3..3", results=tmp_path, **keys)


def test_rules_of_two_protocols_are_not_raced(recipe, results):
    more = '\n[[variant]]\nname = "ev"\nscalarizer = "natural"\n'
    path = recipe(more=more + 'sweep = { "evaluation.examples" = [12, 20] }\n')
    with pytest.raises(RecipeError, match="evaluated by different protocols"):
        study.race(path, ["ev examples=12", "ev examples=20"], seeds="2..2", results=results)
    assert not results.exists()


def test_the_passes_of_a_rule_are_those_that_its_run_makes(recipe, results):
    """Also where the cost of a step changes, and where it starts from a run of another study."""
    run = study.train(
        recipe("examples = 40", "examples = 12"), only=["plain"], results=results
    ).done[0]
    more = (
        '\n[[variant]]\nname = "growing"\nthreats = ["pgd"]\n'
        'sweep = { "training.curriculum" = [1, 2] }\n'
        f'\n[[variant]]\nname = "started"\nscalarizer = "natural"\nstart = "{run}"\n'
    )
    steps = "steps = 1\nevaluate = { at_steps = [1, 2] }"
    path = recipe(steps, steps.replace("steps = 1", "steps = 3", 1), more=more, name="other.toml")
    known = plan_runs(read(path, ["training.epochs=2"]), (), [0])
    found = {plan.label: rule_passes([plan], known) for plan in known}
    assert found["growing curriculum=1"] > found["growing curriculum=2"]
    done = study.train(
        path, only=["growing"], overrides=["training.epochs=2"], results=results
    ).done
    for one in done:
        record = RunFolder(one).read_record()
        assert found[f"growing {one.parent.name}"] == pytest.approx(record.passes_to_here, rel=0.02)
    assert found["started"] == found["plain"] + RunFolder(run).read_record().passes_to_here
