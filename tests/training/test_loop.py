"""Epochs: the log, validation, the kept weights, precision, and what stops a run."""

import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from moat.data import Augmentation, Split
from moat.errors import MoatError, RunFolderError, TrainingError
from moat.events import Note, TrainingStep
from moat.runs import RunFolder
from moat.scalarizers import (
    DWA,
    FAMO,
    MGDA,
    Average,
    GradNorm,
    Max,
    Natural,
    PCGrad,
    Random,
    Sampled,
    TwoMoment,
    UncertaintyWeighting,
)
from moat.threats import PGD, RT
from moat.training import (
    SGD,
    AdamW,
    Constant,
    Cosine,
    Fit,
    MultiStep,
    Overfitting,
    Training,
    fabric_for,
    fit,
    loop,
)


@pytest.fixture
def split():
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(40) % 2
    images = torch.randint(0, 100, (40, 1, 8, 8), generator=generator, dtype=torch.uint8)
    images[labels == 1] += 120
    return Split(images, labels, torch.arange(40))


def small_network(dropout=0.5):
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Flatten(), nn.Dropout(dropout), nn.Linear(72, 2)]
    return nn.Sequential(*layers)


def job_for(split, folder, **changes):
    given = {
        "model": small_network(),
        "split": split,
        "threats": {
            "pgd": PGD(epsilon=0.1, step_size=0.05, steps=2, start="noise"),
            "rt": RT(epsilon=0.2, step_size=0.1, steps=1),
        },
        "scalarizer": TwoMoment(rho=0.5),
        "training": Training(epochs=3, batch_size=16, log_every=1),
        "optimizer": SGD(lr=0.05),
        "schedule": Constant(),
        "seed": 0,
        "folder": RunFolder(folder),
        "fabric": fabric_for("cpu", "32-true"),
    }
    made = {**given, **changes}
    made["folder"].path.mkdir(parents=True, exist_ok=True)
    return Fit(**made)


def spent_in(fitted):
    return fitted.forwards, fitted.backwards, fitted.searched, fitted.passes


def weights_of(job):
    return torch.cat([p.detach().reshape(-1) for p in job.model.parameters()])


def test_every_logged_step_has_each_loss_and_weight_and_what_the_scalarizer_did(split, tmp_path):
    job = job_for(split, tmp_path)
    fit(job)
    steps = [record for record in job.folder.read_log() if "loss" in record]
    assert [record["step"] for record in steps] == list(range(1, 10))
    for record in steps:
        assert set(record["loss"]) == set(record["weight"]) == {"natural", "pgd", "rt"}
        assert sum(record["weight"].values()) == pytest.approx(1)
        assert record["lr"] == 0.05
        assert record["images_per_second"] > 0
        assert {"r_effective", "clamped", "clamped_share"} <= set(record)


def test_a_loss_that_was_not_measured_is_null_in_the_log(split, tmp_path):
    job = job_for(split, tmp_path, scalarizer=Natural())
    fit(job)
    record = job.folder.read_log()[0]
    assert record["loss"]["pgd"] is None
    assert record["loss"]["natural"] > 0


def test_training_learns_what_can_be_learnt(split, tmp_path):
    job = job_for(
        split,
        tmp_path,
        model=small_network(0.0),
        training=Training(epochs=40, batch_size=16),
        optimizer=AdamW(lr=0.01),
        schedule=Cosine(),
    )
    fit(job)
    with torch.no_grad():
        found = job.model(split.images.float() / 255).argmax(1)
    assert (found == split.labels).float().mean() > 0.9


def test_a_run_is_its_seed(split, tmp_path):
    same, again, other = (
        job_for(split, tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for job in (same, again, other):
        fit(job)
    assert torch.equal(weights_of(same), weights_of(again))
    assert not torch.equal(weights_of(same), weights_of(other))


REMEMBER = [TwoMoment(r=0.4, window=3), DWA(window=2), FAMO(), GradNorm(), PCGrad(), Random()]
REMEMBER += [UncertaintyWeighting(lr=0.5), Sampled(each="example", rule="robust-error")]
REMEMBER += [Sampled(rule=TwoMoment(rho=0.5, window=3))]


@pytest.mark.parametrize("scalarizer", [*REMEMBER, MGDA(), Max()], ids=repr)
def test_a_run_that_was_stopped_between_epochs_goes_on_as_if_it_never_was(
    split, tmp_path, scalarizer
):
    import copy

    whole = job_for(split, tmp_path / "whole", scalarizer=copy.deepcopy(scalarizer))
    undisturbed = fit(whole)

    def stop(event):
        if isinstance(event, TrainingStep) and event.step == 5:  # in the middle of the second epoch
            raise KeyboardInterrupt

    broken = job_for(split, tmp_path / "broken", scalarizer=copy.deepcopy(scalarizer))
    with pytest.raises(KeyboardInterrupt):
        fit(broken, stop)
    resumed = job_for(split, tmp_path / "broken", scalarizer=copy.deepcopy(scalarizer))
    fitted = fit(resumed)
    assert torch.equal(weights_of(whole), weights_of(resumed))
    assert fitted.steps == 9
    assert spent_in(fitted) == spent_in(undisturbed)
    steps = [r["step"] for r in resumed.folder.read_log() if "loss" in r]
    assert steps == list(range(1, 10))


def test_the_weights_of_the_best_epoch_are_kept_where_that_is_asked(split, tmp_path):
    scores = iter([10.0, 90.0, 20.0])
    seen = []

    def validate(model):
        seen.append(torch.cat([p.detach().reshape(-1).clone() for p in model.parameters()]))
        return {"natural": next(scores), "pgd": 0.0}

    training = Training(epochs=3, batch_size=16, keep="best")
    job = job_for(split, tmp_path, training=training, validate=validate)
    assert fit(job).epoch == 2
    assert torch.equal(weights_of(job), seen[1])
    logged = [r for r in job.folder.read_log() if "validation" in r]
    assert [r["validation"]["natural"] for r in logged] == [10.0, 90.0, 20.0]
    assert [r["score"] for r in logged] == [5.0, 45.0, 10.0]


def test_keep_best_without_validation_is_refused(split, tmp_path):
    training = Training(epochs=3, batch_size=16, keep="best")
    with pytest.raises(MoatError, match="needs held-out examples") as error:
        fit(job_for(split, tmp_path, training=training))
    assert "data.validation" in str(error.value)


def test_the_learning_rate_falls_after_the_named_epochs(split, tmp_path):
    job = job_for(split, tmp_path, schedule=MultiStep(milestones=(1, 2)))
    fit(job)
    rates = [r["lr"] for r in job.folder.read_log()]
    assert rates == pytest.approx([0.05] * 3 + [0.005] * 3 + [0.0005] * 3)


def test_under_a_budget_the_schedule_ends_with_the_last_step_and_the_epoch_is_cut(split, tmp_path):
    training = Training(passes=3.0, batch_size=16, log_every=1)
    job = job_for(split, tmp_path, scalarizer=Natural(), training=training, schedule=Cosine())
    seen = []
    fitted = fit(job, seen.append)  # 40 images in steps of 16, 16 and 8: an epoch, and a step
    assert (fitted.steps, fitted.epoch, fitted.passes) == (4, 2, 2.8)
    log = [line for line in job.folder.read_log() if "loss" in line]
    assert [line["epoch"] for line in log] == [1, 1, 1, 2]
    assert log[0]["steps"] == 4
    expected = [0.05 * (1 + math.cos(math.pi * number / 4)) / 2 for number in (0, 1, 2, 3)]
    assert [line["lr"] for line in log] == pytest.approx(expected)
    steps = [event for event in seen if isinstance(event, TrainingStep)]
    assert {(event.epochs, event.steps) for event in steps} == {(2, 4)}


def test_a_loss_that_is_not_finite_stops_the_run_and_names_step_objective_and_checkpoint(
    split, tmp_path
):
    def sabotage(event):
        if isinstance(event, TrainingStep) and event.step == 4:
            with torch.no_grad():
                job.model[-1].weight.fill_(float("nan"))

    job = job_for(split, tmp_path, scalarizer=Average())
    with pytest.raises(TrainingError) as error:
        fit(job, sabotage)
    text = str(error.value)
    assert "step 5" in text
    assert "the objective 'pgd' is no longer finite" in text
    assert f"The checkpoint of epoch 1 is kept: {job.folder.checkpoint}" in text
    assert job.folder.load_checkpoint()["progress"]["epoch"] == 1


def test_before_the_first_checkpoint_the_error_says_that_there_is_none(split, tmp_path):
    model = small_network()
    with torch.no_grad():
        model[-1].weight.fill_(3e38)
    with pytest.raises(TrainingError, match="No checkpoint exists"):
        fit(job_for(split, tmp_path, model=model, scalarizer=Average()))


@pytest.mark.parametrize("scalarizer", [TwoMoment(rho=0.5), MGDA(), Max(), Average()], ids=repr)
def test_every_kind_of_step_works_under_bfloat16(split, tmp_path, scalarizer):
    job = job_for(
        split,
        tmp_path,
        scalarizer=scalarizer,
        training=Training(epochs=1, batch_size=16, precision="bf16-mixed", log_every=1),
        fabric=fabric_for("cpu", "bf16-mixed"),
    )
    before = weights_of(job).clone()
    fit(job)
    after = weights_of(job)
    assert after.dtype == torch.float32
    assert torch.isfinite(after).all()
    assert not torch.equal(before, after)
    weights = job.folder.read_log()[-1]["weight"].values()
    assert sum(weights) == pytest.approx(1, abs=1e-5)


def test_a_device_that_is_not_there_is_refused_with_the_mend(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MoatError, match="no CUDA device was found") as error:
        fabric_for("cuda", "32-true")
    assert "--device cpu" in str(error.value)
    assert fabric_for("auto", "tf32").device.type == "cpu"


def test_half_precision_is_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"gradient scaler .* underflow to sign 0"):
        Training(epochs=1, precision="16-mixed")


def test_an_epoch_whose_last_step_broke_the_weights_is_not_kept_as_the_last_good_one(
    split, tmp_path
):
    def sabotage(event):
        if isinstance(event, TrainingStep) and event.step == 6:  # the last of the second epoch
            with torch.no_grad():
                job.model[-1].bias.fill_(float("inf"))

    job = job_for(split, tmp_path)
    with pytest.raises(TrainingError, match=r"the trained weights are not finite: 4\.bias"):
        fit(job, sabotage)
    assert job.folder.load_checkpoint()["progress"]["epoch"] == 1


# Threats that grow, images that vary.


def reaches(job, monkeypatch):
    """Train, and return the share of their reach that the threats had at every step."""
    seen, step = [], loop.train_step

    def watched(*given):
        seen.append(given[-1].reach)
        return step(*given)

    monkeypatch.setattr(loop, "train_step", watched)
    fit(job)
    return seen


def test_over_the_warmup_the_threats_grow_in_a_straight_line_to_the_whole(
    split, tmp_path, monkeypatch
):
    job = job_for(split, tmp_path, training=Training(epochs=3, batch_size=16, warmup=2))
    assert reaches(job, monkeypatch) == pytest.approx([*(n / 6 for n in range(1, 7)), 1, 1, 1])


def test_without_a_warmup_they_are_whole_from_the_first_step(split, tmp_path, monkeypatch):
    assert reaches(job_for(split, tmp_path), monkeypatch) == [1.0] * 9


def test_reach_is_the_share_that_they_grow_to(split, tmp_path, monkeypatch):
    training = Training(epochs=2, batch_size=16, warmup=1, reach=0.5)
    job = job_for(split, tmp_path, training=training)
    assert reaches(job, monkeypatch) == pytest.approx([1 / 6, 2 / 6, *[0.5] * 4])


@pytest.mark.parametrize("reach", [0, 1.5, -1, math.nan])
def test_a_reach_that_is_no_share_is_refused(reach):
    with pytest.raises(ValueError, match="reach"):
        Training(epochs=1, reach=reach)


def test_looks_for_overfitting_search_whole_balls():
    with pytest.raises(ValueError, match=r"reach = 0.5 shortens the searches"):
        Training(epochs=1, reach=0.5, overfitting=Overfitting())


VARIED = {
    "augmentation": Augmentation(resized_crop=(0.3, 1.0), flip=True),
    "size": (6, 6),
    "training": Training(epochs=2, batch_size=16, warmup=2),
}


def six_pixels():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 2))


def test_a_run_that_goes_on_grows_and_varies_as_one_that_was_not_stopped(split, tmp_path):
    class Stopped(Exception):
        pass

    def stop(event):
        if isinstance(event, TrainingStep) and event.step == 5:  # in the second epoch
            raise Stopped

    through = job_for(split, tmp_path / "through", model=six_pixels(), **VARIED)
    fit(through)
    with pytest.raises(Stopped):
        fit(job_for(split, tmp_path / "halves", model=six_pixels(), **VARIED), stop)
    again = job_for(split, tmp_path / "halves", model=six_pixels(), **VARIED)
    fit(again)
    assert torch.equal(weights_of(through), weights_of(again))


def test_the_augmentation_reaches_the_network_in_the_size_that_it_takes(split, tmp_path):
    plain, varied = (
        job_for(split, tmp_path / str(number), model=six_pixels(), **{**VARIED, **change})
        for number, change in enumerate([{"augmentation": Augmentation()}, {}])
    )
    for job in (plain, varied):
        fit(job)
    assert not torch.equal(weights_of(plain), weights_of(varied))


def test_a_run_does_not_go_on_with_other_images(split, tmp_path):
    job = job_for(split, tmp_path, training=Training(epochs=1, batch_size=16))
    fit(job)
    others = Split(split.images.flip(3), split.labels, split.ids)
    changed = job_for(others, tmp_path, training=Training(epochs=2, batch_size=16))
    with pytest.raises(RunFolderError) as raised:
        fit(changed)
    assert raised.value.message == (
        "the training images have changed since the run began: digest "
        f"{split.digest()} then, {others.digest()} now."
    )
    assert raised.value.where == str(job.folder.checkpoint)


def test_between_two_lines_of_the_log_nothing_asks_for_a_value(split, tmp_path, monkeypatch):
    asked, step = [], loop.train_step

    class Questions(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            asked.append(function.overloadpacket.__name__)
            return function(*args, **(kwargs or {}))

    def from_the_first_step_on(*given, **named):
        if not seen:
            asked.clear()
        seen.append(len(asked))
        return step(*given, **named)

    seen: list[int] = []
    monkeypatch.setattr(loop, "train_step", from_the_first_step_on)
    training = Training(epochs=1, batch_size=16, log_every=100)
    with Questions():
        fit(job_for(split, tmp_path, training=training, scalarizer=Max()))
    between = asked[: seen[-1]]  # up to the last step
    assert len(seen) == 3
    assert len(between) > 100
    assert not {"_local_scalar_dense", "nonzero", "equal"} & set(between)


@pytest.mark.parametrize("mode", ["graph", "default"])
def test_what_a_cpu_does_not_capture_or_compile_is_said_once_where_it_was_asked_for(
    mode, split, tmp_path
):
    def hear(event):
        if isinstance(event, Note):
            lines.append(event.text)

    for asked in (True, False):
        lines: list[str] = []
        training = Training(epochs=1, batch_size=16, **({"compile": mode} if asked else {}))
        fitted = fit(job_for(split, tmp_path / str(asked), training=training), hear)
        reason = "a CPU neither captures nor compiles"
        assert fitted.compiled == f"none; {reason}"
        assert lines == ([f"training.compile: {reason}."] if asked else [])
