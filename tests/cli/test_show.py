import json
import tomllib


def test_a_recipe_is_shown_with_its_defaults_and_origins(moat, recipe):
    path = recipe()
    answer = moat("show", path, "--set", "optimizer.lr=0.25", "--only", "plain")
    assert (answer.code, answer.err) == (0, "")
    document = tomllib.loads(answer.out)
    assert document["optimizer"] == {
        "type": "sgd",
        "lr": 0.25,
        "momentum": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
    }
    assert [variant["name"] for variant in document["variant"]] == ["plain"]
    assert "  # --set optimizer.lr=0.25\n" in answer.out
    place = 1 + path.read_text("utf-8").splitlines().index('type = "sgd"')
    assert f"  # {path}:{place}\n" in answer.out


def test_json_has_the_recipe_and_the_origin_of_each_key(moat, recipe):
    path = recipe()
    answer = moat("show", path, "--format", "json")
    told = json.loads(answer.out)
    assert told["recipe"]["training"]["epochs"] == 1
    assert told["origin"]["training.epochs"].startswith(f"{path}:")
    assert told["origin"]["training.warmup"] == "default"


def test_what_is_no_recipe_is_not_shown(moat, recipe):
    recipe()
    answer = moat("show", "stduy.toml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "stduy.toml: this recipe does not exist. Did you mean 'study.toml'?\n"
    answer = moat("show", recipe(), "--only", "plian")
    assert "the study has no variant 'plian'. Did you mean 'plain'?" in answer.err
