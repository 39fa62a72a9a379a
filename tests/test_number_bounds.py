"""Every number of a recipe is one that can be computed with, or is refused by its file and key."""

from dataclasses import MISSING, fields
from typing import Annotated, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, PositiveFloat, ValidationError

from moat import data, models, scalarizers, threats
from moat.data import Augmentation
from moat.errors import MoatError, RecipeError
from moat.number_bounds import LARGEST_SIZE, MOST_COUNTED, SMALLEST_SIZE, Seed, why_unfit
from moat.recipe import plan_runs, read
from moat.recipe.schema import DataTable, EvaluationTable
from moat.registry import as_dataclass
from moat.threats import PGD, RTGrid
from moat.training import Training
from moat.training.optimizers import SGD, AdamW
from moat.training.schedules import MultiStep

TOO_LARGE = [1e37, 3e38, 1e39, 1e308, float("inf"), float("nan")]
TOO_SMALL = [1e-39, 1e-46, 5e-324]
UNFIT = [*TOO_LARGE, *TOO_SMALL]


def kinds_in(annotation):
    """Return the plain types that an annotation is made of."""
    inner = get_args(annotation)
    return {annotation} if not inner else set().union(*(kinds_in(one) for one in inner))


NUMBERS = [
    pytest.param(cls, name, field, id=f"{cls.name}.{name}")
    for room in (threats, scalarizers, models, data)
    for cls in room.registry
    for name, field in cls.__pydantic_fields__.items()
    if float in kinds_in(field.annotation)
]


@pytest.mark.parametrize(("cls", "name", "field"), NUMBERS)
def test_whatever_is_declared_refuses_an_unfit_number(cls, name, field):
    needed = {f.name: 0.5 for f in fields(cls) if f.default is f.default_factory is MISSING}
    listed = tuple in [getattr(one, "__origin__", one) for one in (field.annotation,)] or (
        "tuple" in str(field.annotation)
    )
    for unfit in UNFIT:
        value = (unfit,) if listed else unfit
        with pytest.raises((ValidationError, MoatError)):
            cls(**{**needed, "step_size": 0.1, name: value} if "step_size" in vars(cls) else {
                **needed, name: value})  # fmt: skip


TABLES: list[tuple[type[BaseModel], dict, str]] = [
    (SGD, {"lr": 0.1}, "lr"),
    (SGD, {"lr": 0.1}, "weight_decay"),
    (AdamW, {"lr": 0.1}, "lr"),
    (AdamW, {"lr": 0.1}, "weight_decay"),
    (MultiStep, {"milestones": [1]}, "gamma"),
    (DataTable, {"type": "digits"}, "memory"),
    (EvaluationTable, {}, "memory"),
]


@pytest.mark.parametrize(("table", "others", "key"), TABLES)
def test_every_table_refuses_an_unfit_number(table, others, key):
    table(**{**others, key: 1.0})
    table(**{**others, key: 3e38})  # a learning rate that ends its training
    for unfit in (*UNFIT[2:], 3.5e38):
        with pytest.raises((ValidationError, MoatError)):
            table(**{**others, key: unfit})


@pytest.mark.parametrize(
    ("table", "others", "key"),
    [
        *((Training, {"epochs": 1}, key) for key in ("epochs", "batch_size", "warmup")),
        *((Training, {"epochs": 1}, key) for key in ("log_every", "conflict_every", "pass_size")),
        (DataTable, {"type": "digits"}, "train_examples"),
        (EvaluationTable, {}, "examples"),
        (Augmentation, {}, "crop_padding"),
    ],
)
def test_a_count_beyond_32_bits_is_refused_and_a_seed_is_not(table, others, key):
    for large in (2**31, 2**63 - 1):
        with pytest.raises((ValidationError, MoatError)):
            table(**{**others, key: large})
    assert EvaluationTable(seed=2**63 - 1).seed == DataTable(type="a", split_seed=2**40).split_seed\
        * 2**23 - 1  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("threats.pgd.epsilon", "1e39"),
        ("threats.pgd.step_size", "3e38"),
        ("threats.flow.epsilon", "1e-40"),
        ("threats.pgd.evaluate.at_epsilon", "[0.1, 1e39]"),
        ("threats.pgd.evaluate.at_steps", "[4294967296]"),
        ("threats.pgd.evaluate.restarts", "4294967296"),
        ("optimizer.lr", "1e308"),
        ("evaluation.memory", "1e308"),
        ("data.memory", "1e300"),
        ("augmentation.crop_padding", "2147483648"),
        ("augmentation.aspect_ratio", "[1.0, 1e39]"),
        ("training.warmup", "9223372036854775807"),
        ("model.width", "4294967296"),
    ],
)
def test_the_recipe_names_the_file_and_the_key(recipe, key, value):
    path = recipe("evaluate = { at_steps = [1, 2] }", "evaluate = {}")
    with pytest.raises(RecipeError) as refused:
        plan_runs(read(path, [f"{key}={value}"]))
    assert f", {key}" in refused.value.where
    assert "should be" in refused.value.message


def test_in_python_the_field_is_named_too():
    with pytest.raises((ValidationError, MoatError), match="epsilon") as refused:
        PGD(epsilon=1e39, step_size=0.1)
    assert "should be at most 1e+36 in size" in str(refused.value).replace("Input ", "")


def test_a_plug_in_has_the_same_bounds_and_may_have_a_seed_of_any_size():
    class Fence:
        height: PositiveFloat = 1.0
        rails: tuple[float, ...] = (1.0,)
        posts: int = 1
        seed: Seed = 0
        width: "float" = 1.0

    Fence.__module__ = __name__
    made = as_dataclass(Fence, "fence", frozen=True)
    assert (
        made(height=2.0, rails=(0.0, 3.0), posts=MOST_COUNTED, seed=2**40, width=0.5).seed == 2**40
    )
    for wrong in ({"height": 1e39}, {"rails": (1e39,)}, {"posts": 2**31}, {"width": 1e-44}):
        with pytest.raises((ValidationError, MoatError)):
            made(**wrong)


@given(st.floats(allow_nan=False))
def test_a_fit_number_can_be_scaled_and_keeps_its_digits_in_float32(number):
    import torch

    if why_unfit(number):
        assert not SMALLEST_SIZE <= abs(number) <= LARGEST_SIZE
        assert number
        return
    kept = torch.tensor(number, dtype=torch.float32)
    assert (100 * kept).isfinite()
    assert abs(float(kept) - number) <= 1e-7 * abs(number)


def test_a_grid_has_a_bound_on_what_is_tried():
    with pytest.raises((ValidationError, MoatError), match="at most 1,000,000 are tried"):
        RTGrid(translations=10_000)
    with pytest.raises((ValidationError, MoatError), match="at most 1,000,000 are tried"):
        RTGrid(worst_of=2_000_000)


def test_a_crop_holds_a_part_of_its_image(recipe):
    from moat.study import estimate_all, plan

    path = recipe(more="[augmentation]\ncrop_padding = 8\n")
    with pytest.raises(MoatError) as refused:
        estimate_all(plan(path, only=("plain",)), "cpu")
    assert refused.value.where.endswith("augmentation.crop_padding")
    assert refused.value.message == (
        "crop_padding is 8 pixels, and the images have 8 by 8: a crop may miss the image."
    )
    assert refused.value.hint.startswith("Set at most 7")


def test_an_annotated_seed_is_declared_by_its_type():
    assert Annotated[int, *Seed.__metadata__] == Seed
