import shutil

import pytest

from moat import study


@pytest.fixture
def raced(golden, tmp_path):
    """Race among the finished runs of three seeds of the digits: nothing is trained."""
    shutil.copytree(golden / "digits_pareto", tmp_path / "digits_pareto")

    def race(*rules, seeds="3..3", **keys):
        return study.race("digits_pareto", list(rules), seeds=seeds, results=tmp_path, **keys)

    return race
