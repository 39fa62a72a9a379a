import pytest

from moat.errors import RunFolderError
from moat.runs import require_own_name


@pytest.mark.parametrize("other", ["Digits", "DIGITS", "digits"])
def test_a_folder_that_is_another_one_elsewhere_is_refused(tmp_path, other):
    (tmp_path / other).mkdir()
    require_own_name(tmp_path / other)
    require_own_name(tmp_path / "mnist")
    require_own_name(tmp_path / "absent" / "digits")
    if other != "digits":
        with pytest.raises(RunFolderError, match=f"'{other}' is here and differs") as caught:
            require_own_name(tmp_path / "digits")
        assert caught.value.where == str(tmp_path)
        assert "another name" in caught.value.hint
