"""Any tree, and any text, for a recipe: runs, or an error of moat's. No code runs."""

import copy
import os
import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moat.consent import Consent, consenting
from moat.recipe import named_model, plan_runs, read, read_protocol

CASES = int(os.environ.get("MOAT_SOAK") or 0)
QUICK = settings(
    max_examples=CASES or 150, derandomize=not CASES, suppress_health_check=list(HealthCheck)
)

SMALL = tomllib.loads((Path(__file__).parents[1] / "small.toml").read_text("utf-8"))
SMALL |= {
    "plugins": [],
    "seeds": [0],
    "augmentation": {},
    "schedule": {"type": "constant"},
    "published": {"source": "a paper", "runs": {"plain": {"natural": 98.9}}},
    "figure": [{"type": "relationship", "across": "scalarizer.r", "variant": "pareto"}],
}

REAL = (
    *("seeds", "data.validation", "data.size", "model.width", "width", "training.epochs"),
    *("training.keep", "optimizer.lr", "threats.pgd.epsilon", "threats.flow.evaluate.at_steps"),
    *("evaluation.falls", "evaluation.examples", "variant.pareto.scalarizer.window"),
    *("variant.plain.scalarizer", "variant.pareto.sweep", "published.source", "schedule.type"),
)

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *(
                "",
                ".",
                "..",
                "/",
                "a/b",
                "~nobody-at-all/x",
                "\0",
                "a" * 300,
                "=1",
                "-x",
                "natural",
            ),
            *("python:os:getcwd", "python:", "torchvision:resnet18", "torchvision:x", "a.pth"),
            *("digits", "mnist", "apgd", "sgd", "average", "two-moment", "scalarizer.r"),
            *("pgd", "\u202ea"),
        ]
    ),
)
scalars = st.one_of(
    st.booleans(),
    st.integers(-3, 300),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.floats(0, 2),
    texts,
    st.dates(),
)
keys = st.one_of(
    texts,
    st.sampled_from(
        [
            *SMALL,
            *(key for table in SMALL.values() if isinstance(table, dict) for key in table),
            *("type", "evaluate", "train", "at_steps", "at_epsilon", "restarts", "sweep"),
            *("model.type", "threats.pgd.epsilon", "model./x", "extends", "ensembles"),
        ]
    ),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def near_recipes(draw):
    """Draw a recipe with a few of its keys changed, added or left out, anywhere."""
    document = copy.deepcopy(SMALL)
    for _ in range(draw(st.integers(1, 4))):
        held = document
        while True:
            places = list(held) if isinstance(held, dict) else list(range(len(held)))
            place = draw(st.sampled_from(places)) if places else None
            deeper = place is not None and isinstance(held[place], dict | list)
            if not deeper or draw(st.booleans()):
                break
            held = held[place]
        action = draw(st.sampled_from(["change", "add", "leave out"]))
        if action == "add" and isinstance(held, dict):
            held[draw(keys)] = draw(trees)
        elif place is not None and action == "change":
            held[place] = draw(trees)
        elif place is not None:
            del held[place]
    return document


def plan_all(path: Path, *overrides: str) -> int:
    """Plan a recipe's runs, with all that is asked of a plan before it is trained."""
    plans = plan_runs(read(path, overrides))
    for plan in plans[:2]:
        assert plan.train_hash
        assert plan.protocol_hash
        assert len(plan.path.parts) <= 4
        assert not plan.path.is_absolute()
    return len(plans)


@pytest.fixture(autouse=True)
def no_code():
    with consenting(Consent(named=False)):
        yield


@QUICK
@given(document=st.one_of(near_recipes(), st.dictionaries(keys, trees, max_size=6)))
def test_any_tree_is_planned_or_refused(tmp_path, tally, document):
    tally.end_in_time()
    path = tmp_path / "drawn.toml"
    path.write_text(tomli_w.dumps(document), "utf-8", newline="\n")
    tally.result_or_refusal(lambda: plan_all(path))
    tally.result_or_refusal(lambda: read_protocol(path))


@QUICK
@given(
    key=st.one_of(st.lists(keys, min_size=1, max_size=4).map(".".join), st.sampled_from(REAL)),
    value=st.one_of(
        texts,
        st.integers(1, 9).map(str),
        st.floats(0, 1).map(str),
        trees.map(lambda tree: tomli_w.dumps({"v": tree})[4:]),
    ),
)
def test_any_override_is_applied_or_refused(tmp_path, tally, key, value):
    tally.end_in_time()
    path = tmp_path / "small.toml"
    path.write_text(tomli_w.dumps(SMALL), "utf-8")
    tally.result_or_refusal(lambda: plan_all(path, f"{key}={value}"))
    tally.result_or_refusal(lambda: named_model("tiny-cnn", [f"{key}={value}"]))


@QUICK
@given(
    text=st.one_of(
        st.text(max_size=200),
        st.lists(
            st.sampled_from(
                [
                    *("[", "]", "[[", "]]", "{", "}", "=", ",", ".", "\n", '"', "'", '"""', "#"),
                    *("'''", "\\", "a", "data", "type", "0x", "1", "_", "e9", "inf", "true", " "),
                ]
            ),
            max_size=300,
        ).map("".join),
        st.integers(1, 60_000).flatmap(
            lambda n: st.sampled_from(
                ["a.", "[", "[[", "{a=", "a={b=[", "1", "'", '"', '"""', "\\"]
            ).map(lambda piece: f"a = {piece * n}")
        ),
        st.integers(1, 60_000).map(lambda n: "a." * n + "a = 1"),
    )
)
def test_any_text_is_read_or_refused(tmp_path, tally, text):
    tally.end_in_time()
    path = tmp_path / "text.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    tally.result_or_refusal(lambda: read(path))
