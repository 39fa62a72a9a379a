"""What is no model to evaluate is refused with its mend; what is one, however odd, passes."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from moat.errors import ModelError
from moat.evaluation.model_checks import check_model, non_finite_share
from moat.models import registry

CLASSES = 4


class Net(nn.Module):
    """A small network whose images and logits go through two functions of the test's."""

    def __init__(self, before=lambda self, x: x, after=lambda self, logits: logits, **layers):
        super().__init__()
        self.before, self.after = before, after
        self.layers = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten())
        self.last = nn.Linear(5 * 36, CLASSES)
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        return self.after(self, self.last(self.layers(self.before(self, x))))


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def x():
    return torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def refusal(model, x, classes=CLASSES, **keys) -> ModelError:
    with pytest.raises(ModelError) as refused:
        check_model(model, x, classes, **keys)
    assert refused.value.hint
    return refused.value


# what is refused


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (lambda _, z: (z, z), "the model returns a tuple, not a tensor of logits."),
        (lambda _, z: {"logits": z}, "the model returns a dict, not a tensor of logits."),
        (lambda _, z: z.numpy(), "the model returns a ndarray, not a tensor of logits."),
        (lambda _, z: 3, "the model returns an int, not a tensor of logits."),
        (
            lambda _, z: z[:, 0],
            "the model returns (8,) for 8 image(s), where logits are (8, 4).",
        ),
        (
            lambda _, z: z[..., None],
            "the model returns (8, 4, 1) for 8 image(s), where logits are (8, 4).",
        ),
        (lambda _, z: z.mean(0), "the model returns (4,) for 8 image(s), where logits are (8, 4)."),
        (
            lambda _, z: z[:1],
            "the model returns (1, 4) for 8 image(s), where logits are (8, 4).",
        ),
        (
            lambda _, z: z[:, :3],
            "the model returns 3 logits for each image, but the data have 4 classes.",
        ),
        (
            lambda _, z: torch.cat([z, z], 1),
            "the model returns 8 logits for each image, but the data have 4 classes.",
        ),
        (
            lambda _, z: F.one_hot(z.argmax(1), CLASSES),
            "the model returns numbers of type torch.int64, which have no gradient.",
        ),
    ],
)
def test_what_is_no_logits_is_refused(x, after, message):
    assert refusal(Net(after=after), x).message == message


def test_each_mend_of_what_is_no_logits_says_what_to_return(x):
    hints = {
        "Wrap it in a module that returns the logits alone.": lambda _, z: [z],
        "Return one row of logits for each image of the batch.": lambda _, z: z[0],
        "Give it a last layer of 4 outputs in the order of the data's classes, or evaluate it on "
        "the data of its training.": lambda _, z: z[:, :2],
        "Return the logits, not the class: leave out the argmax.": lambda _, z: z.round().int(),
    }
    for hint, after in hints.items():
        assert refusal(Net(after=after), x).hint == hint


def test_classes_that_nobody_knows_are_not_counted(x):
    check_model(Net(after=lambda _, z: z[:, :2]), x, None)
    message = refusal(Net(after=lambda _, z: z[0]), x, None).message
    assert message.endswith("where logits are (8, classes).")


def test_a_model_that_fails_on_the_images_is_said_with_the_reason(x):
    error = refusal(nn.Sequential(nn.Flatten(), nn.Linear(7, CLASSES)), x)
    assert error.message.startswith(
        "the model cannot be run on float32 images of the shape (8, 3, 8, 8) (RuntimeError: "
    )
    assert error.hint == (
        "moat calls it with images (batch, channel, height, width) in [0, 1]: normalise and "
        "resize inside of it."
    )


def test_an_error_without_a_text_is_called_by_its_name(x):
    def fail(_, x):
        raise NotImplementedError

    assert "(8, 3, 8, 8) (NotImplementedError)." in refusal(Net(fail), x).message


def test_a_model_of_another_precision_is_said_to_fail(x):
    assert "on float32 images" in refusal(Net().double(), x).message
    check_model(Net().double(), x.double(), CLASSES)


@pytest.mark.parametrize(
    "change",
    [
        lambda _, x: x.sub_(0.5),
        lambda _, x: F.relu(x.mul_(2) - 1, inplace=True),
        lambda _, x: x[:, :1].zero_() + x,
    ],
)
def test_a_model_that_changes_its_images_is_refused(x, change):
    before = x.clone()
    error = refusal(Net(change), x)
    assert error.message == ("the model changes its input images, and with them the search.")
    assert "x = x.clone()" in error.hint
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    "after",
    [
        lambda _, z: z.softmax(1),
        lambda _, z: (100 * z).softmax(1),
        lambda _, z: z.softmax(1).bfloat16().float(),
    ],
    ids=["soft", "sure", "rounded"],
)
def test_probabilities_are_refused(x, after):
    error = refusal(Net(after=after), x)
    assert error.message == (
        "the model returns probabilities: every row lies in [0, 1] and adds up to 1."
    )
    assert error.hint.startswith("Return logits: leave out the softmax.")


def test_probabilities_of_a_single_image_are_refused(x):
    assert "probabilities" in refusal(Net(after=lambda _, z: z.softmax(1)), x[:1]).message


@pytest.mark.parametrize(
    "before",
    [
        lambda _, x: F.dropout(x),
        lambda _, x: x + 0.1 * torch.randn_like(x),
        lambda self, x: self.drop.train()(x),
    ],
    ids=["functional dropout", "noise", "a layer that stays in train mode"],
)
def test_a_model_that_draws_is_refused_and_changes_no_random_state(x, before):
    net = Net(before, drop=nn.Dropout())
    state = torch.get_rng_state()
    error = refusal(net, x)
    assert error.message.startswith(
        "the model answers at random: in eval mode, two calls on the same images differ by "
    )
    assert error.message.endswith(" of their largest logit.")
    assert "F.dropout(x, training=self.training)" in error.hint
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    "before",
    [
        lambda self, x: self.norm(x),
        lambda _, x: x - x.mean(0),
        lambda _, x: x.roll(1, dims=0),
    ],
    ids=["batch norm", "the batch's mean", "the image before"],
)
def test_a_model_that_mixes_images_is_refused(x, before):
    error = refusal(Net(before, norm=nn.BatchNorm2d(3, track_running_stats=False)), x)
    assert error.message.startswith(
        "the model's answer to an image depends on the others in its batch: it differs by "
    )
    assert error.message.endswith(" of its largest logit where the image is alone.")
    assert "track_running_stats=True" in error.hint


def test_a_model_that_takes_no_single_image_is_refused(x):
    norm = nn.BatchNorm1d(5 * 36, track_running_stats=False)
    net = Net()
    net.layers.append(norm)
    message = refusal(net, x).message
    assert "depends on the others in its batch: it fails for one image alone: " in message
    assert "Expected more than 1 value per channel" in message


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (lambda _, x: x.detach(), ""),
        (lambda _, x: torch.tensor(x.tolist()), ""),
        (lambda _, x: (x > 0.5).float(), ""),
        (lambda _, x: torch.from_numpy(x.numpy()), " (RuntimeError: Can't call numpy()"),
    ],
    ids=["detach", "made anew", "comparison", "numpy"],
)
def test_a_model_without_a_gradient_to_the_images_is_refused_where_it_is_searched(x, before, why):
    error = refusal(Net(before), x)
    assert error.message.startswith(f"the gradient of the logits does not reach the images{why}")
    assert error.message.endswith("so a search by gradients finds nothing.")
    assert error.hint.startswith("Remove the cut between image and logits: detach")
    check_model(Net(before), x, CLASSES, searched=False)


def test_logits_that_forget_the_images_are_refused_where_there_is_no_graph(x):
    error = refusal(Net(after=lambda self, z: self.last.bias.expand(len(z), -1)), x)
    assert error.message.startswith("the gradient of the logits does not reach the images, so")


def test_a_model_made_under_inference_mode_is_refused(x):
    with torch.inference_mode():
        net = Net()
    assert "inference_mode" in refusal(net, x).message


@pytest.mark.parametrize("scale", [255.0, -1.0, float("nan")])
def test_images_outside_of_the_box_are_refused(x, scale):
    assert refusal(Net(), scale * x).message.startswith("images lie in [0, 1], not in [")


# what passes


@pytest.mark.parametrize(
    "after",
    [
        lambda _, z: z.log_softmax(1),
        lambda _, z: z.sigmoid(),
        lambda _, z: 0 * z,
        lambda _, z: 0 * z + 1 / CLASSES,
        lambda _, z: (0 * z).softmax(1),
        lambda _, z: z * float("nan"),
        lambda _, z: z / 0,
        lambda _, z: z * 1e38,
        lambda _, z: z * 1e-38,
        lambda _, z: z.masked_fill(torch.eye(8, CLASSES)[: len(z)].bool(), float("-inf")),
        lambda _, z: z.round(),
    ],
    ids=[
        *("log-softmax", "sigmoid", "all zero", "all equal", "equal probabilities", "nan"),
        *("infinite", "huge", "tiny", "some infinite", "gradient of zero"),
    ],
)
@pytest.mark.parametrize("images", [1, 2, 8])
def test_odd_logits_pass(x, after, images):
    check_model(Net(after=after), x[:images], CLASSES)


@pytest.mark.parametrize("name", ["tiny-cnn", "small-cnn", "preact-resnet18", "resnet18"])
@pytest.mark.parametrize("images", [1, 3])
def test_moat_s_own_networks_pass_untrained(name, images):
    model = registry.get(name)().build((3, 32, 32), 7)
    check_model(model, torch.rand(images, 3, 32, 32), 7)


@pytest.mark.parametrize("factor", [3.0, 30.0, 1e6])
def test_a_network_that_diverged_passes(factor):
    model = registry.get("preact-resnet18")(width=16, groups=16).build((3, 16, 16), 5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(factor).add_(factor * torch.randn_like(parameter))
    check_model(model, torch.rand(8, 3, 16, 16), 5)


def test_a_difference_that_float64_does_not_show_is_rounding_that_the_model_amplifies(x):
    def amplified(_, z):
        return 1.01 * z if len(z) == 1 and z.dtype == torch.float32 else z

    check_model(Net(after=amplified), x, CLASSES)


@pytest.mark.parametrize("images", [0, 1, 200])
def test_a_split_of_any_length_passes_for_a_handful_of_forwards(images):
    seen = []
    net = Net()
    net.register_forward_hook(lambda _m, inputs, _z: seen.append(len(inputs[0])))
    check_model(net, torch.rand(images, 3, 8, 8), CLASSES)
    assert sum(seen) <= 32 + 32 + 1 + 2
    assert len(seen) <= 4


def test_the_model_and_the_random_state_are_left_as_they_were(x):
    net = Net(drop=nn.Dropout(), norm=nn.BatchNorm2d(3))
    net.norm.eval()
    net.last.bias.requires_grad_(False)
    flags = [m.training for m in net.modules()], [p.requires_grad for p in net.parameters()]
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    state, before = torch.get_rng_state(), x.clone()
    check_model(net, x, CLASSES)
    assert flags == (
        [m.training for m in net.modules()],
        [p.requires_grad for p in net.parameters()],
    )
    assert all(torch.equal(weights[n], value) for n, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(x, before)


def test_an_outer_no_grad_or_inference_mode_is_no_missing_gradient(x):
    for mode in (torch.no_grad, torch.inference_mode):
        net = Net()
        with mode():
            check_model(net, x, CLASSES)
            check_model(net, torch.rand(3, 3, 8, 8), CLASSES)


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, -1.0, float("inf"), float("nan")]), min_size=3, max_size=3),
        max_size=6,
    )
)
def test_the_share_without_finite_logits_counts_examples(rows):
    logits = torch.tensor(rows).reshape(-1, 3)
    broken = [not all(abs(value) < 2 for value in row) for row in rows]
    assert non_finite_share(logits) == pytest.approx(sum(broken) / max(len(rows), 1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_logits_of_half_precision_are_refused_with_what_to_return(x, dtype):
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), CLASSES))

        def forward(self, images):
            return self.inner(images).to(dtype)

    said = str(refusal(Half(), x))
    assert f"the model returns logits of type {dtype}, which rounds small differences away." in said
    assert "logits.float()" in said
