import pytest
import typer

from moat.cli.options import plain_number, seconds, weights_of, whole_number
from moat.errors import MoatError

NOT_PLAIN = [
    "",
    "1_0",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e-320",
    "\u0661",
    "0x1",
    "1,0",
    "1 0",
    "one",
]


@pytest.mark.parametrize("text", ["0", "1", "0.5", ".5", "5.", "1e-3", "2E+4", "+1", "-1"])
def test_a_number_is_read_as_a_person_writes_it(text):
    assert plain_number(text) == float(text)


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_what_python_alone_takes_for_a_number_is_none(text):
    with pytest.raises(ValueError, match="is not a plain number"):
        plain_number(text)
    with pytest.raises(typer.BadParameter):
        seconds(text)
    with pytest.raises(MoatError, match="is not a weight of a score"):
        weights_of(f"total={text}", "--prefer")


@pytest.mark.parametrize("text", ["0", "0.09", "-1", "1e9"])
def test_an_interval_is_of_a_tenth_of_a_second_to_a_day(text):
    with pytest.raises(typer.BadParameter, match=r"not a number in the range 0\.1 to 86400"):
        seconds(text)


@pytest.mark.parametrize("text", ["-1", "1.0", "1_0", "\u0661", "", "9" * 19])
def test_a_seed_is_written_in_digits(text):
    with pytest.raises(typer.BadParameter, match="is not a whole number of at least 0"):
        whole_number(text)
    assert whole_number("0012") == 12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=1,a=2", "'a' is named twice."),
        ("a=1, a =2", "'a' is named twice."),
        ("=1", "'=1' is not a weight of a score."),
        ("a", "'a' is not a weight of a score."),
        ("a=-1", "'a=-1' is not a weight of a score."),
        ("a=0,b=0", "all weights are 0."),
        ("a=1e308,b=1e308", "the sum of the weights overflows."),
    ],
)
def test_weights_are_plain_each_named_once_and_sum_to_something(text, said):
    with pytest.raises(MoatError) as refused:
        weights_of(text, "--prefer")
    assert refused.value.message == said


def test_blanks_around_a_name_and_a_number_are_no_matter():
    assert weights_of(" a = 1 ,b=.5", "--prefer") == {"a": 1.0, "b": 0.5}
