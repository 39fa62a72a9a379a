import inspect

from moat.study import Listeners, StudyListener


def test_several_listeners_hear_everything_in_turn():
    heard = []

    class Noted(StudyListener):
        """Notes what it hears."""

        def __init__(self, name: str) -> None:
            self.name = name

        def __getattribute__(self, name: str):
            if name in METHODS:
                return lambda *told: heard.append((self.name, name, told))
            return super().__getattribute__(name)

    METHODS = [
        name
        for name, _ in inspect.getmembers(StudyListener, inspect.isfunction)
        if not name.startswith("_")
    ]
    assert len(METHODS) >= 9
    both = Listeners(Noted("one"), Noted("two"))
    for name in METHODS:
        count = len(inspect.signature(getattr(StudyListener, name)).parameters) - 1
        told = tuple(range(count))
        heard.clear()
        getattr(both, name)(*told)
        assert heard == [("one", name, told), ("two", name, told)]
