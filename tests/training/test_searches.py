"""Cheaper searches in a training: their length, their cost, their budget, and their resumption."""

import json

import pytest
import torch

from moat.data import Split
from moat.errors import FieldError, InputError
from moat.events import LogEntry, Note, TrainingStep
from moat.runs import RunFolder
from moat.scalarizers import Average, RandomPreference, Sampled
from moat.testing import smooth_model
from moat.threats import (
    PGD,
    RT,
    AutoAttack,
    Friendly,
    RTGrid,
    ShortSearch,
    spent_by,
    steps_at,
    with_steps,
)
from moat.training import (
    SGD,
    Constant,
    Cosine,
    Fit,
    Overfitting,
    Step,
    StepSettings,
    Training,
    fabric_for,
    fit,
    train_step,
)
from moat.training.length import Length
from moat.training.pace import Pace

IMAGES = 20
THREATS = {
    "pgd": PGD(epsilon=0.3, step_size=0.1, steps=5),
    "rt": RT(epsilon=0.3, step_size=0.1, steps=3),
}
FGSM = PGD(epsilon=0.1, step_size=0.1, steps=1)
ALL = {
    "curriculum": {"curriculum": 2.0},
    "friendly": {"friendly": Friendly()},
    "both": {"curriculum": 1.0, "friendly": Friendly(after=1)},
    "watch": {"overfitting": Overfitting(examples=6, steps=7, every=2)},
}


def job_for(folder, threats=THREATS, scalarizer=None, schedule=None, **training):
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (IMAGES, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return Fit(
        model=smooth_model().float(),
        split=Split(images, torch.arange(IMAGES) % 4, torch.arange(IMAGES)),
        threats=threats,
        scalarizer=scalarizer or Average(),
        training=Training(**{"batch_size": 8, "log_every": 1, **training}),
        optimizer=SGD(lr=0.05),
        schedule=schedule or Constant(),
        seed=0,
        folder=RunFolder(folder),
        fabric=fabric_for("cpu", "32-true"),
    )


def heard(job):
    events = []
    return fit(job, events.append), events


def records(events):
    return [event.record for event in events if isinstance(event, LogEntry)]


def weights(job):
    return torch.cat([p.detach().reshape(-1) for p in job.model.parameters()])


def test_a_curriculum_counts_the_iterations_up_to_the_threats_own(tmp_path):
    fitted, events = heard(job_for(tmp_path, epochs=4, curriculum=2))  # three steps an epoch
    logged = [record["search_steps"] for record in records(events)]
    assert [one["pgd"] for one in logged] == [1, 1, 2, 3, 3, 4, 5, 5, 5, 5, 5, 5]
    assert [one["rt"] for one in logged] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    batches = [8, 8, 4] * 4
    made = sum(n * 2 * sum(one.values()) for n, one in zip(batches, logged, strict=True))
    assert fitted.search["passes"] == pytest.approx(made / IMAGES, abs=1e-3)
    assert fitted.search["full"] == 4 * 2 * 8
    assert fitted.passes == pytest.approx(made / IMAGES + 4 * 2 * 2, abs=1e-3)  # and the descent


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_searches_of_any_length_reach_equally_far(steps):
    x, y = torch.full((3, 1, 8, 8), 0.5), torch.arange(3)
    for threat in (THREATS["pgd"], PGD(epsilon=9.0, step_size=0.05, steps=4, norm="l2")):
        (ball,) = with_steps(threat, steps).climb(x, y).balls(x)
        (own,) = threat.climb(x, y).balls(x)
        assert steps * ball.step_size == pytest.approx(threat.steps * own.step_size)
        assert ball.epsilon == own.epsilon
    again = with_steps(with_steps(THREATS["pgd"], steps), 5)
    assert again.climb(x, y).balls(x)[0].step_size == pytest.approx(0.1)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("rule", [Average(), Sampled(each="example")], ids=repr)
def test_a_budget_is_spent_and_the_schedule_ends_with_it(tmp_path, name, rule):
    budget = 120.0
    job = job_for(tmp_path, scalarizer=rule, schedule=Cosine(), passes=budget, **ALL[name])
    fitted, events = heard(job)
    assert budget - 20 < fitted.passes <= budget
    rates = [record["lr"] for record in records(events) if "lr" in record]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.3 * rates[0]
    steps = [event for event in events if isinstance(event, TrainingStep)]
    assert [event.step for event in steps] == list(range(1, fitted.steps + 1))
    assert all(event.step <= event.steps and event.epoch <= event.epochs for event in steps)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("length", [{"epochs": 3}, {"passes": 75.0}], ids=repr)
def test_a_resumed_training_is_the_uninterrupted_one(tmp_path, name, length):
    whole = job_for(tmp_path / "whole", schedule=Cosine(), **length, **ALL[name])
    expected = fit(whole)
    cut = job_for(tmp_path / "cut", schedule=Cosine(), **length, **ALL[name])

    def interrupt(event):
        if isinstance(event, TrainingStep) and event.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(cut, interrupt)
    resumed = job_for(tmp_path / "cut", schedule=Cosine(), **length, **ALL[name])
    found = fit(resumed)
    assert torch.equal(weights(resumed), weights(whole))
    timed = ("seconds", "images_per_second")
    assert {k: v for k, v in found.table().items() if k not in timed} == {
        k: v for k, v in expected.table().items() if k not in timed
    }
    logs = [
        [{k: v for k, v in line.items() if k not in timed} for line in job.folder.read_log()]
        for job in (whole, resumed)
    ]
    assert json.dumps(logs[0]) == json.dumps(logs[1])


def test_a_watch_without_a_switch_leaves_the_training_as_it_is(tmp_path):
    alone, watched = (
        job_for(tmp_path / "a", epochs=3),
        job_for(tmp_path / "b", epochs=3, **ALL["watch"]),
    )
    plain, seen = fit(alone), fit(watched)
    assert torch.equal(weights(alone), weights(watched))
    looks = 4 * 6  # of nine steps, every second; six examples
    cost = sum(
        2 * spent_by(one, steps=n).backwards + 1 for one in THREATS.values() for n in (one.steps, 7)
    )
    assert seen.passes - plain.passes == pytest.approx(looks * cost / IMAGES, abs=2e-3)
    assert plain.table().keys() & {"search", "overfitting"} == set()
    assert seen.overfitting == {}


def test_a_look_waits_for_the_whole_radius(tmp_path):
    _, events = heard(job_for(tmp_path, epochs=3, warmup=2, **ALL["watch"]))
    assert [one["step"] for one in records(events) if "overfitting" in one] == [6, 8]


@pytest.mark.parametrize(
    ("threats", "training", "text"),
    [
        (
            {"one": PGD(epsilon=0.1, step_size=0.1, steps=1)},
            {"curriculum": 2.0},
            "those of 'one' have one",
        ),
        (
            {"aa": AutoAttack(epsilon=0.1)},
            {"curriculum": 2.0},
            r"'aa' \(AutoAttack\) has no iterations whose",
        ),
        ({"aa": AutoAttack(epsilon=0.1)}, {"friendly": Friendly()}, r"no iterations that a fallen"),
        ({**THREATS, "grid": RTGrid()}, {"friendly": Friendly()}, r"'grid' \(RTGrid\)"),
        ({"aa": AutoAttack(epsilon=0.1)}, {"overfitting": Overfitting()}, "nothing to compare"),
        (THREATS, {"friendly": Friendly(after=4)}, "at most 5 steps, and with after = 4"),
        (THREATS, {"overfitting": Overfitting(steps=3)}, "fewer than overfitting.steps = 3"),
        (THREATS, {"overfitting": Overfitting(switch=3)}, "switch = 3 does not exceed the 3 steps"),
    ],
    ids=str,
)
def test_a_setting_that_the_threats_cannot_follow_is_refused(tmp_path, threats, training, text):
    with pytest.raises(InputError, match=text) as refused:
        fit(job_for(tmp_path, threats=threats, epochs=1, **training))
    assert refused.value.hint
    assert refused.value.where.startswith("training.")
    fit(job_for(tmp_path, threats={}, scalarizer=Sampled(rule="natural"), epochs=1, **training))


def test_a_network_of_many_preferences_is_not_watched(tmp_path):
    job = job_for(tmp_path, scalarizer=RandomPreference(), epochs=1, **ALL["watch"])
    with pytest.raises(InputError, match="drawn preferences has an accuracy for each"):
        fit(job)


def test_a_curriculum_and_a_switch_exclude_each_other():
    with pytest.raises(FieldError, match="lets the number of steps grow, and "):
        Training(epochs=2, curriculum=1.0, overfitting=Overfitting(switch=4))


def test_a_loop_of_ones_own_takes_shorter_searches():
    x, y = torch.rand(6, 1, 8, 8, dtype=torch.float64), torch.arange(6) % 4
    short, search = {"pgd": with_steps(THREATS["pgd"], 2)}, ShortSearch(growth=0.25)
    found = []
    for table, given in ((short, {}), ({"pgd": THREATS["pgd"]}, {"search": search})):
        for whole in (True, False):
            torch.manual_seed(0)
            model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4)).double()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            if whole:
                Step(model, optimizer, table, "average")(x, y, **given)
            else:
                train_step(model, optimizer, table, Average(), x, y, StepSettings(**given))
            found.append(torch.cat([p.detach().reshape(-1) for p in model.parameters()]))
    assert all(torch.allclose(found[0], other, atol=1e-12) for other in found[1:])


@pytest.mark.parametrize("growth", [-0.1, 1.5, True])
def test_a_growth_outside_of_the_unit_interval_is_refused(growth):
    with pytest.raises(InputError, match="growth is a number from 0, one iteration, to 1"):
        ShortSearch(growth=growth)


@pytest.mark.parametrize("steps", [1, 2, 5, 30])
def test_the_number_of_iterations_grows_in_equal_times(steps):
    counts = [steps_at(steps, place / 1000) for place in range(1001)]
    assert (counts[0], counts[-1]) == (1, steps)
    times = [counts[:-1].count(one) for one in range(1, max(steps, 2))]
    assert max(times) - min(times) <= 1


def test_a_training_by_steps_keeps_its_pace():
    pace = Pace(Length(steps=30, steps_per_epoch=12))
    assert [pace.is_over(step, 0.0, 0.0) for step in (0, 29, 30)] == [False, False, True]
    assert (pace.place(7, 1e9), pace.steps(7, 1e9), pace.epochs(7, 1e9)) == (7, 30, 3)


def test_a_training_without_a_look_says_so(tmp_path):
    _, events = heard(job_for(tmp_path, epochs=3, warmup=4, **ALL["watch"]))
    (note,) = [event.text for event in events if isinstance(event, Note)]
    assert note.startswith("training.overfitting: no look was taken")
