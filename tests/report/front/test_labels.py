import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from moat.report.front.labels import need_leaders, place_labels

FRAME = np.array([0.0, 0.0, 500.0, 350.0])
NO_LINES = np.empty((0, 4))


def sizes_for(anchors):
    return np.tile([60.0, 10.0], (len(anchors), 1))


def place(anchors, lines=NO_LINES):
    return place_labels(anchors, sizes_for(anchors), FRAME, lines)


def test_a_label_alone_stands_beside_its_point_and_needs_no_leader():
    anchors = np.array([[250.0, 175.0]])
    centres = place(anchors)
    assert np.abs(centres - anchors).max() < 60
    assert not need_leaders(anchors, sizes_for(anchors), centres).any()


@given(
    st.lists(
        st.tuples(st.integers(40, 460), st.integers(40, 310)), min_size=1, max_size=14, unique=True
    )
)
def test_labels_never_cover_one_another_and_stay_in_the_frame(points):
    anchors = np.array(points, dtype=float)
    centres = place(anchors)
    half = sizes_for(anchors) / 2
    apart = np.abs(centres[:, None] - centres[None]) - (half[:, None] + half[None])
    covered = (apart < -1e-9).all(2)
    np.fill_diagonal(covered, False)
    assert not covered.any()
    assert (centres - half >= FRAME[:2]).all()
    assert (centres + half <= FRAME[2:]).all()


def test_labels_at_an_edge_turn_inwards():
    anchors = np.array([[1.0, 1.0], [499.0, 349.0]])
    centres = place(anchors)
    assert (centres[0] > [30, 5]).all()
    assert (centres[1] < [470, 345]).all()


def test_a_line_is_left_free_where_that_costs_little():
    anchors = np.array([[250.0, 175.0]])
    right = np.array([[250.0, 150.0, 500.0, 200.0]])
    assert place(anchors, right)[0, 0] < 250


def test_points_on_top_of_one_another_get_labels_apart_and_leaders_where_they_are_far():
    anchors = np.tile([250.0, 175.0], (12, 1))
    centres = place(anchors)
    assert len(np.unique(centres, axis=0)) == 12
    assert need_leaders(anchors, sizes_for(anchors), centres).any()


def test_equal_input_gives_equal_places():
    anchors = np.random.default_rng(0).uniform(50, 300, (20, 2))
    assert (place(anchors) == place(anchors)).all()
