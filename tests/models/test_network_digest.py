from torch import nn

from moat.models.network_digest import digest_of_network


class Shifted(nn.Module):
    """Adds numbers that it keeps as attributes."""

    def __init__(self, mean, layer=None):
        super().__init__()
        self.mean, self.layer = mean, layer or nn.Linear(2, 2)
        self.kept = object()  # no setting: it is not plain


def test_plain_attributes_and_classes_make_a_network_another():
    one = digest_of_network(Shifted((0.1, 0.2)))
    assert digest_of_network(Shifted((0.1, 0.3))) != one
    assert digest_of_network(Shifted((0.1, 0.2), nn.Identity())) != one


def test_weights_mode_and_other_objects_do_not():
    one, other = Shifted(0.5), Shifted(0.5)
    assert digest_of_network(one) == digest_of_network(other.eval())
