"""Images and labels as people hand them in: converted where there is one reading, else refused."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from moat.errors import ModelError
from moat.threats import batch_of

X = torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([0, 1, 2, 1])


def refusal(x=X, y=Y, device=None) -> ModelError:
    with pytest.raises(ModelError) as refused:
        batch_of(x, y, device)
    return refused.value


# labels

INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16)


@pytest.mark.parametrize(
    "given",
    [
        *(Y.to(dtype) for dtype in INTEGERS),
        *(Y.numpy().astype(kind) for kind in ("i1", "i4", "u1", ">i4", "<i8", "u2")),
        *(Y[:, None], Y[:, None].int(), Y[:, None].numpy()),
        *(Y.tolist(), tuple(Y.tolist()), list(Y), list(Y.numpy())),
        *(Y.repeat_interleave(2)[::2], np.repeat(Y.numpy(), 2)[::2], Y.numpy()[::-1][::-1]),
    ],
)
def test_labels_of_one_reading_are_read(given):
    labels = batch_of(X, given).labels
    assert labels.dtype == torch.long
    assert labels.tolist() == Y.tolist()


def test_a_read_only_array_is_read_without_a_warning():
    labels, images = Y.numpy().copy(), X.numpy().copy()
    labels.flags.writeable = images.flags.writeable = False
    found = batch_of(images, labels)
    assert torch.equal(found.images, X)
    assert torch.equal(found.labels, Y)


ROWS = "labels are one class for each image, not a row of 3 numbers."
COUNT = "4 image(s) have 4 label(s), not labels of the shape "


@pytest.mark.parametrize(
    ("y", "message", "hint"),
    [
        (torch.eye(3)[Y], ROWS, "y.argmax(1)"),
        (torch.eye(3)[Y].long(), ROWS, "y.argmax(1)"),
        (torch.full((4, 3), 1 / 3), ROWS, "y.argmax(1)"),
        (np.eye(3)[Y.numpy()], ROWS, "y.argmax(1)"),
        (Y.float(), "labels are integers, not float32.", "use y.long()"),
        (Y.half(), "labels are integers, not float16.", "use y.long()"),
        (Y > 0, "labels are integers, not bool.", "use y.long()"),
        (Y + 0j, "labels are integers, not complex64.", "use y.long()"),
        (Y[:3], COUNT + "(3,).", "the number of its class"),
        (Y[0], COUNT + "().", "the number of its class"),
        (Y[None], COUNT + "(1, 4).", "the number of its class"),
        (torch.zeros(0), COUNT + "(0,).", "the number of its class"),
        (None, "labels are a tensor of integers (batch,), not a NoneType.", "counted from 0"),
        (7, "labels are a tensor of integers (batch,), not an int.", "counted from 0"),
        (Y - 1, "labels count the classes from 0, but one is -1.", "without a label"),
        (
            torch.tensor([0, 1, -100, 1]),
            "labels count the classes from 0, but one is -100.",
            "label",
        ),
    ],
)
def test_labels_that_are_none_are_refused_with_the_mend(y, message, hint):
    refused = refusal(y=y)
    assert refused.message == message
    assert hint in refused.hint


@pytest.mark.parametrize("y", [["cat", "dog", "cat", "dog"], [[1], [1, 2], [3], [4]]])
def test_labels_that_are_no_numbers_are_refused(y):
    refused = refusal(y=y)
    assert refused.message.startswith("labels must be numbers (")
    assert refused.hint == "Make a tensor of them."


# images


@pytest.mark.parametrize(
    ("x", "message", "hint"),
    [
        ((255 * X).to(torch.uint8), "images are float32 or float64, not uint8.", "x.float() / 255"),
        ((255 * X).int(), "images are float32 or float64, not int32.", "x.float()"),
        (X > 0.5, "images are float32 or float64, not bool.", "x.float()"),
        (X.half(), "images are float32 or float64, not float16.", "torch.autocast"),
        (X.bfloat16(), "images are float32 or float64, not bfloat16.", "torch.autocast"),
        (X + 0j, "images are float32 or float64, not complex64.", "x.float()"),
        ((255 * X).numpy().astype("u1"), "images are float32 or float64, not uint8.", "/ 255"),
        (
            X[0],
            "images are (batch, channel, height, width), not of the shape (1, 6, 6).",
            "x[None]",
        ),
        (X[:, 0], "images are (batch, channel, height, width), not of the shape (4, 6, 6).", "[:,"),
        (X[None], "images are (batch, channel, height, width), not of the shape (1, 4,", "axis"),
        (X[..., :0], "the images have no pixels: their shape is (4, 1, 6, 0).", ""),
        (X.to_sparse(), "images are a dense tensor, not torch.sparse_coo.", "x.to_dense()"),
        (list(X), "images are a tensor (batch, channel, height, width), not a list.", "stack"),
        (None, "images are a tensor (batch, channel, height, width), not a NoneType.", "stack"),
        (255 * X, "images lie in [0, 1], not in [", "Divide bytes by 255"),
        (X - 0.5, "images lie in [0, 1], not in [", "normalisation the first layer"),
        (2 * X - 1, "images lie in [0, 1], not in [", "normalisation the first layer"),
        (X + torch.nan, "images lie in [0, 1], not in [nan, nan].", "not numbers"),
        (X / 0, "images lie in [0, 1], not in [", "normalisation the first layer"),
    ],
)
def test_images_that_are_none_are_refused_with_the_mend(x, message, hint):
    refused = refusal(x=x)
    assert refused.message.startswith(message)
    assert hint.lower() in refused.hint.lower()


@pytest.mark.parametrize("kind", ["u1", "f2", "i8", "?"])
def test_the_mend_of_an_array_is_written_for_arrays(kind):
    hint = refusal(x=X.numpy().astype(kind)).hint
    assert 'x.astype("float32")' in hint
    assert ".float()" not in hint


@pytest.mark.parametrize("kind", ["f4", "f8", ">f4"])
def test_arrays_of_images_are_read(kind):
    found = batch_of(X.numpy().astype(kind), Y).images
    assert found.dtype == (torch.float64 if kind == "f8" else torch.float32)
    torch.testing.assert_close(found.float(), X)


def test_images_on_another_device_than_the_model_are_refused_by_both_names():
    refused = refusal(device=torch.device("meta"))
    assert refused.message == "the images are on cpu, but the model is on meta."
    assert refused.hint == "Move both to one device: x.to('meta')."


@given(beyond=st.floats(1e-12, 1e-6), double=st.booleans())
def test_rounding_beyond_the_box_is_clamped(beyond, double):
    x = X.double() if double else X.clone()
    x[0, 0, 0, 0], x[0, 0, 0, 1] = -beyond, 1 + beyond / 2
    before = x.clone()
    found = batch_of(x, Y).images
    assert (found.min(), found.max()) == (0, 1)
    assert torch.equal(x, before)
    assert torch.equal(found[1:], x[1:])


@given(beyond=st.floats(2e-6, 3.0), below=st.booleans())
def test_what_rounding_does_not_explain_is_refused_in_digits_that_show_it(beyond, below):
    x = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
    x[0, 0, 0, 0] = -beyond if below else 1 + beyond
    message = refusal(x=x, y=[0]).message
    low, high = map(float, re.findall(r"[-+\de.]+(?=[,\]])", message.partition("not in")[2]))
    assert (low < 0) is below
    assert (high > 1) is not below


def test_images_in_the_box_are_handed_on_as_they_are():
    assert batch_of(X, Y).images is X
    assert batch_of(X, Y).labels is Y
    assert batch_of(X, Y).largest == 2


@pytest.mark.parametrize("y", [Y[:0], torch.zeros(0), [], np.zeros(0), Y[:0, None]])
def test_an_empty_batch_has_no_labels_of_any_type(y):
    found = batch_of(X[:0], y)
    assert found.images.shape == (0, 1, 6, 6)
    assert (found.labels.shape, found.labels.dtype, found.largest) == ((0,), torch.long, -1)


def nested():
    return torch.nested.nested_tensor([torch.rand(1, 2, 2)])


def masked():
    return np.ma.masked_array(np.full((1, 1, 2, 2), 0.5, "f4"), mask=True)


@pytest.mark.parametrize(("make", "said"), [(nested, "not a nested one"), (masked, "masked")])
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_images_that_are_no_single_array_of_values_are_refused(make, said):
    with pytest.raises(ModelError, match=said):
        batch_of(make(), torch.zeros(1, dtype=torch.long))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda y: y.to_sparse(), "torch.sparse_coo"),
        (lambda y: torch.nested.nested_tensor([y[:1], y[1:]]), "a nested one"),
    ],
)
def test_labels_are_dense(make, kind):
    x, y = torch.rand(3, 1, 4, 4), torch.tensor([0, 1, 1])
    with pytest.raises(ModelError, match=f"labels are a dense tensor, not {kind}"):
        batch_of(x, make(y))


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda y: y.to("meta"), "are on the device meta"),
        (lambda y: torch.quantize_per_tensor(y.float(), 1.0, 0, torch.quint8), "are quint8"),
        (lambda y: torch.quantize_per_tensor(y.float(), 1.0, 0, torch.qint32), "are qint32"),
    ],
)
def test_labels_without_values_that_can_be_read_are_refused(make, what):
    refused = refusal(y=make(Y))
    assert refused.message == f"labels {what}, not readable integers."
    assert "int64" in refused.hint


def test_images_without_values_are_refused_where_no_parameter_says_a_device():
    refused = refusal(x=X.to("meta"), y=Y)
    assert refused.message == "the images are on the device meta, without values."
    assert refused.hint
