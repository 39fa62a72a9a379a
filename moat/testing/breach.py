"""The text of a broken promise: the subject, then a sentence."""


class StructuralBreach(AssertionError):
    """A fault for which nothing else can be checked: what a method returns has another form."""


def breach_of(subject: object, sentence: str) -> str:
    """Return the sentence of a broken promise, after what made it.

    Example:
        >>> breach_of("pgd", "the images are not detached")
        "'pgd': the images are not detached."
    """
    return f"{subject!r}: {sentence}."
