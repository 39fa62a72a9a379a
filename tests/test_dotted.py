"""Where plain tables differ, told by dotted keys."""

from hypothesis import given
from hypothesis import strategies as st

from moat.dotted import ABSENT, changes, differing

plain = st.recursive(
    st.integers(0, 2) | st.none() | st.lists(st.integers(0, 1), max_size=2),
    lambda below: st.dictionaries(st.text("abc", min_size=1, max_size=2), below, max_size=3),
    max_leaves=6,
)


@given(before=plain, after=plain)
def test_changes_are_said_where_there_are_some(before, after):
    assert (changes(before, after) == []) == (before == after)


@given(before=plain, after=plain)
def test_changes_are_the_same_in_both_directions(before, after):
    turned = [
        f"{key}: {new} → {old}"
        for key, old, new in (
            (key, *values.split(" → "))
            for key, _, values in (change.partition(": ") for change in changes(before, after))
        )
    ]
    assert sorted(changes(after, before)) == sorted(turned)


def test_a_change_is_said_by_its_key_with_dots():
    before = {"a": {"b": 1, "c": None}, "d": 2}
    after = {"a": {"b": 2, "c": None}, "e": [1]}
    assert changes(before, after) == ["a.b: 1 → 2", "d: 2 → absent", "e: absent → [1]"]
    assert repr(ABSENT) == "absent"


@given(tables=st.lists(plain, min_size=2, max_size=4))
def test_several_tables_differ_where_some_two_of_them_do(tables):
    assert bool(differing(*tables)) == any(table != tables[0] for table in tables)
    assert all(len(values) == len(tables) for values in differing(*tables).values())


def test_a_table_that_others_lack_is_told_as_a_whole_where_it_is_the_same():
    pgd = {"epsilon": 0.1, "steps": 5}
    found = differing({"threats": {}}, {"threats": {"pgd": pgd}}, {"threats": {"pgd": pgd}})
    assert found == {"threats.pgd": (ABSENT, pgd, pgd)}


def test_a_table_that_others_lack_is_told_key_by_key_where_it_differs():
    found = differing({}, {"pgd": {"epsilon": 0.1, "steps": 5}}, {"pgd": {"epsilon": 0.2}})
    assert found == {"pgd.epsilon": (ABSENT, 0.1, 0.2), "pgd.steps": (ABSENT, 5, ABSENT)}
