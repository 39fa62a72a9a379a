import pytest

from moat.report.curves import training_curves


def step(number, loss, weight, **more):
    return {"step": number, "epoch": 1, "loss": loss, "weight": weight, **more}


LOG = [
    step(10, {"natural": 2.0, "pgd": 4.0}, {"natural": 0.5, "pgd": 0.5}),
    step(20, {"natural": 1.0, "pgd": None}, {"natural": 1.0, "pgd": 0.0}, clamped=True),
    {"step": 20, "epoch": 1, "validation": {"natural": 50.0}, "score": 50.0},
    step(30, {"natural": 0.5, "pgd": 3.0}, {"natural": 0.0, "pgd": 1.0}, clamped=True),
    step(40, {"natural": 0.3, "pgd": 1.0}, {"natural": 0.2, "pgd": 0.8}, clamped=False),
    step(50, {"natural": 0.1, "pgd": 1.0}, {"natural": 0.2, "pgd": 0.8}, clamped=True),
]


def test_each_objective_has_its_curve_and_what_was_not_measured_is_absent():
    curves = training_curves(LOG)
    assert curves.steps == (10, 20, 30, 40, 50)
    assert curves.losses["pgd"] == (4.0, None, 3.0, 1.0, 1.0)
    assert curves.weights["natural"] == (0.5, 1.0, 0.0, 0.2, 0.2)
    assert (curves.validated, curves.validation) == ((20,), {"natural": (50.0,)})


def test_clamped_steps_are_stretches_that_begin_where_the_record_before_ended():
    assert training_curves(LOG).clamped == ((10, 30), (40, 50))


def test_a_long_log_is_averaged_not_thinned():
    curves = training_curves(LOG, most=3)
    assert (curves.steps, curves.averaged) == ((20, 40, 50), 2)
    assert curves.losses["natural"] == pytest.approx((1.5, 0.4, 0.1))
    assert curves.losses["pgd"] == (4.0, 2.0, 1.0)


def test_a_run_without_a_log_has_no_curves():
    curves = training_curves([])
    assert (curves.steps, curves.losses, curves.clamped) == ((), {}, ())
