"""The floors that docs/design.md shows are those that import-linter holds."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/design.md").read_text("utf-8")


def floors() -> list[set[str]]:
    """Return the rooms of each floor by the contract, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = [one for one in contracts if one["type"] == "layers"]
    return [set(re.split(r"\s*[|:]\s*", layer)) for layer in contract["layers"]]


def test_the_table_of_floors_is_the_contract():
    table = PAGE.partition("<!-- floors:begin -->")[2].partition("<!-- floors:end -->")[0]
    shown = re.findall(r"^\| (\d+) \| (.*) \|$", table, re.M)
    assert [set(re.findall(r"`(\w+)`", rooms)) for _, rooms in shown] == floors()
    assert [int(number) for number, _ in shown] == list(reversed(range(len(shown))))


def test_every_room_is_described():
    table = PAGE.partition("| room | what stands in it |")[2].partition("\n\n")[0]
    described = set()
    for line in table.splitlines()[2:]:
        described |= set(re.findall(r"`(\w+)`", line.split("|")[1]))
    assert described == set().union(*floors())
