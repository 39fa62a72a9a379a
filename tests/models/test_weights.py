import os
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from moat.digests import digest_of_file
from moat.errors import ModelError
from moat.models.weights import published, read_weights
from moat.names import names_file

URL = "https://download.pytorch.org/models/resnet18-f37072fd.pth"


def refusal(read, *arguments) -> ModelError:
    with pytest.raises(ModelError) as refused:
        read(*arguments)
    return refused.value


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return nn.Linear(3, 2).state_dict()


def same(found, state) -> bool:
    return found.keys() == state.keys() and all(torch.equal(found[n], state[n]) for n in state)


@pytest.mark.parametrize(
    ("weights", "file"),
    [
        *((name, True) for name in ("a.pth", "a.pt", "a.safetensors", "/x/a.ckpt", "./a")),
        *((name, False) for name in ("IMAGENET1K_V1", "DEFAULT", "imagenet")),
    ],
)
def test_a_file_is_told_from_a_published_name(weights, file):
    assert names_file(weights) == file


# a file


@pytest.mark.parametrize(
    "wrap",
    [
        *(dict, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}),
        lambda s: {"model_state_dict": s, "optimizer_state_dict": {"state": {}}, "epoch": 3},
        lambda s: {"net": s, "acc": 93.5, "epoch": 3},
        lambda s: {"my_own_key": s, "optimizer": {"state": {}, "param_groups": []}},
        lambda s: {"state_dict": {f"module.{name}": value for name, value in s.items()}},
        lambda s: {"checkpoint": {"state_dict": s}, "state_dict": {"model": s}},
    ],
)
def test_a_state_dict_is_found_in_a_pth_file(tmp_path, state, wrap):
    torch.save(wrap(state), tmp_path / "w.pth")
    assert same(read_weights(tmp_path / "w.pth"), state)


def test_a_state_dict_is_found_in_a_safetensors_file(tmp_path, state):
    save_file(state, tmp_path / "w.safetensors")
    assert same(read_weights(tmp_path / "w.safetensors"), state)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.module.", "network."])
def test_what_a_wrapper_put_before_every_name_is_left_out(tmp_path, state, prefix):
    torch.save({prefix + name: value for name, value in state.items()}, tmp_path / "w.pth")
    assert same(read_weights(tmp_path / "w.pth"), state)


def test_a_file_that_is_missing_is_named_with_the_nearest(tmp_path, state):
    torch.save(state, tmp_path / "mine.pth")
    error = refusal(read_weights, tmp_path / "mien.pth")
    assert error.message == (
        f"the weights file {str(tmp_path / 'mien.pth')!r} does not exist. Did you mean 'mine.pth'?"
    )
    assert error.hint == (
        "Its path is relative to the folder of the recipe. Only the start of a run needs the "
        "weights."
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [("w.pth", "holds no plain tensors"), ("w.safetensors", "cannot be read as weights (")],
)
def test_a_file_that_is_broken_is_named_with_the_reason(tmp_path, name, reason):
    path = tmp_path / name
    path.write_bytes(b"nothing of the kind")
    error = refusal(read_weights, path)
    assert error.message.startswith(f"the file {str(path)!r} {reason}")
    assert error.hint == "Save the state dict alone: torch.save(network.state_dict(), path)."


class Foreign:
    """Something that no file of weights should hold: loading it would run code."""

    def __reduce__(self):
        return (os.system, ("exit 1",))


def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch.save({"weight": Foreign()}, tmp_path / "w.pth")
    message = refusal(read_weights, tmp_path / "w.pth").message
    assert "holds no plain tensors: it is of another kind, or a whole network" in message


@pytest.mark.parametrize("held", [[1], {}, {"weight": 3}, torch.zeros(2)])
def test_a_file_of_anything_else_is_refused(tmp_path, held):
    torch.save(held, tmp_path / "w.pth")
    error = refusal(read_weights, tmp_path / "w.pth")
    path = str(tmp_path / "w.pth")
    keys = " Its keys: weight." if isinstance(held, dict) and held else ""
    message = f"the file {path!r} holds no state dict: names with a tensor each."
    assert error.message == message + keys
    assert error.hint == "Save the state dict alone: torch.save(network.state_dict(), path)."


def test_of_several_tables_with_tensors_none_is_guessed(tmp_path, state):
    torch.save({"student": state, "teacher": state, "epoch": 3}, tmp_path / "w.pth")
    error = refusal(read_weights, tmp_path / "w.pth")
    assert error.message.endswith("Its keys: student, teacher, epoch.")


def test_a_digest_is_that_of_what_the_file_holds(tmp_path):
    one, other = tmp_path / "one.pth", tmp_path / "other.pth"
    for path in (one, other):
        path.write_bytes(b"weights")
    assert digest_of_file(one) == digest_of_file(other)
    other.write_bytes(b"Weights.")
    assert digest_of_file(one) != digest_of_file(other)


def test_a_file_that_holds_something_else_than_was_said_is_refused(tmp_path, state):
    path = tmp_path / "w.pth"
    torch.save(state, path)
    digest = digest_of_file(path)
    assert same(read_weights(path, digest), state)
    error = refusal(read_weights, path, "0" * 16)
    assert error.message == (
        f"the weights file {str(path)!r} has the digest {digest}, and the recipe says {'0' * 16}."
    )
    assert error.hint == (
        "Restore the file, or change model.weights_digest: that is another training."
    )


# published ones


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Path:
    """The folder that torch downloads to; there is no network."""

    def offline(*arguments, **keys):
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_published_weights_are_read_from_where_torch_downloads_to(hub, state):
    torch.save(state, hub / "resnet18-f37072fd.pth")
    assert same(published("resnet18", "IMAGENET1K_V1"), state)


def test_without_a_network_it_is_said_which_file_to_put_where(hub):
    error = refusal(published, "resnet18", "IMAGENET1K_V1")
    assert error.message == (
        "the weights 'IMAGENET1K_V1' of 'resnet18' cannot be downloaded (URLError: <urlopen error "
        "Name or service not known>)."
    )
    assert error.hint == (
        f"Put the file resnet18-f37072fd.pth into {hub}; it comes from {URL}.\n"
        "Or set model.weights to a local file, or leave it out."
    )


def test_a_download_that_is_broken_is_to_be_deleted(hub):
    (hub / "resnet18-f37072fd.pth").write_bytes(b"half of")
    error = refusal(published, "resnet18", "IMAGENET1K_V1")
    path = hub / "resnet18-f37072fd.pth"
    assert error.message.startswith(f"the file {str(path)!r} cannot be read as weights (")
    assert error.hint == f"Delete it to download it again from {URL}."


def test_a_download_is_announced_beside_what_moat_says(hub, state, monkeypatch, capsys):
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda url, path, *rest, **keys: torch.save(state, path)
    )
    assert same(published("resnet18", "IMAGENET1K_V1"), state)
    said = capsys.readouterr()
    assert (said.out, URL in said.err) == ("", True)
