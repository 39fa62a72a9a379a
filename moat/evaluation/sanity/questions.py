"""What the gate asks, how much of it passes, and what either answer means.

Source: Athalye et al., Obfuscated Gradients Give a False Sense of Security, 2018; Carlini et al.,
On Evaluating Adversarial Robustness, 2019, Section 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from moat.records import Check, Verdict


@dataclass(frozen=True)
class Question:
    """One doubt. Figures up to `passes` pass, up to `warns` warn, and beyond they fail.

    Where `high_is_good`, down to. `good` and `bad` are the sentences; they name {of}, {figure},
    {passes}, {beyond} (all that do not pass), and whatever else the answer is given.
    """

    name: str
    unit: str
    passes: float
    warns: float
    good: str
    bad: str
    high_is_good: bool = False

    def answer(self, figures: Mapping[str, float], why_not: str, **known: object) -> Check:
        """Return the verdict on the worst of the figures; `why_not` says why there are none."""
        if not figures:
            return Check(self.name, "not checked", why_not)
        sign = -1 if self.high_is_good else 1
        of = max(figures, key=lambda label: sign * figures[label])
        figure = figures[of]
        beyond = [sign * figure > sign * limit + 1e-9 for limit in (self.passes, self.warns)]
        verdict: Verdict = "fail" if all(beyond) else "warn" if any(beyond) else "pass"
        sentence = self.good if verdict == "pass" else self.bad
        short = {n: f for n, f in figures.items() if sign * f > sign * self.passes + 1e-9}
        listed = ", ".join(f"{name} {one:.3g}" for name, one in sorted(short.items()))
        text = sentence.format(of=of, figure=figure, passes=self.passes, beyond=listed, **known)
        return Check(
            self.name, verdict, text, figure, self.unit, of, dict(figures), self.high_is_good
        )


STRENGTHS = Question(
    name="strengths",
    unit="points",
    passes=0.5,
    warns=2.0,
    good="No accuracy rises by more than {passes:g} points from one strength to the next.",
    bad="{of}: accuracy rises by {figure:.1f} points at a larger strength, so the larger search is "
    "the weaker one: its steps are too long, or its gradient misleads it.",
)
RESTARTS = Question(
    name="restarts",
    unit="points",
    passes=1.0,
    warns=3.0,
    good="One restart fewer raises no accuracy by more than {passes:g} point.",
    bad="{of}: each restart, the others made, lowers the accuracy by {figure:.1f} points more, so "
    "there are too few of them: still more would lower it further.",
)
RANDOM = Question(
    name="random search",
    unit="%",
    passes=1.0,
    warns=5.0,
    good="Of {probed} examples, draws without a gradient felled at most {passes:g} % that the "
    "search had left standing.",
    bad="{of}: {figure:.1f} % of {probed} examples withstand the search and fall to draws without "
    "a gradient from where it could get: it is too short, or its gradient misleads it.",
)
DIFFERENCES = Question(
    name="differences",
    unit="%",
    passes=5.0,
    warns=20.0,
    good="Of {probed} examples, the margin of at most {passes:g} % withstands the search and "
    "changes otherwise than its gradient says.",
    bad="{of}: {figure:.0f} % of {probed} examples withstand the search, and a small step "
    "from the image, near it or where the answer changes moves their margin otherwise than its "
    "gradient says: the gradient is not that of the model, or is right only on a scale that no "
    "search sees.",
)
START = Question(
    name="another start",
    unit="%",
    passes=10.0,
    warns=20.0,
    good="Of {probed} examples, Auto-PGD from another start felled at most {passes:g} % that the "
    "search had left standing.",
    bad="{of}: {figure:.1f} % of {probed} examples withstand the search and fall to 20 steps of "
    "Auto-PGD from another start on losses that do not saturate: the search is too short, its loss "
    "saturates, or it stays where its gradient leads no further.",
)
DLR = Question(
    name="dlr",
    unit="%",
    passes=25.0,
    warns=50.0,
    good="Of {probed} examples, Auto-PGD on the difference-of-logits ratio felled at most "
    "{passes:g} % that the search had left standing.",
    bad="{of}: {figure:.1f} % of {probed} examples withstand the search and fall to 20 steps of "
    "Auto-PGD on the difference-of-logits ratio: the search is too weak, or its loss misleads it.",
)
LOSS = Question(
    name="loss",
    unit="%",
    passes=1.0,
    warns=5.0,
    good="At most {passes:g} % of the searches end with a lower loss than they began with.",
    bad="{of}: {figure:.1f} % of the searches end with a lower loss than they began with: the "
    "steps are too long, or the gradient does not lead up.",
)
REACH = Question(
    name="reach",
    unit="of the radius",
    passes=0.9,
    warns=0.0,
    good="Half of the searches or more end at {passes:.0%} of the radius or beyond.",
    bad="{of}: half of the searches end within {figure:.3f} of the radius ({beyond}): what bounds "
    "them is their number of steps and its size, and the radius that is named says little.",
    high_is_good=True,
)
GRADIENTS = Question(
    name="gradients",
    unit="%",
    passes=0.0,
    warns=5.0,
    good="Every search had a gradient that was finite, and not zero at its start.",
    bad="{of}: for {figure:.1f} % of the examples the gradient was zero at the start or not finite "
    "later. There was nothing to climb, so that withstanding says nothing.",
)
LOGITS = Question(
    name="logits",
    unit="%",
    passes=0.0,
    warns=0.0,
    good="All logits of natural images are finite.",
    bad="{figure:.1f} % of the natural images have logits that are not finite: training diverged, "
    "or the network overflows. They count as fallen.",
)
CONFIDENCE = Question(
    name="confidence",
    unit="nats",
    passes=0.05,
    warns=0.005,
    good="The model holds right answers for likelier than chance by {passes:g} nats or more.",
    bad="The model holds right answers for likelier than chance by {figure:.2g} nats only: its "
    "logits are so small that the cross-entropy hardly depends on them, and a search that climbs "
    "it is misled.",
    high_is_good=True,
)
UNBOUNDED = Question(
    name="unbounded",
    unit="%",
    passes=5.0,
    warns=20.0,
    good="With ever wider bounds at most {passes:g} % of {probed} examples stand.",
    bad="{of}: {figure:.0f} % of {probed} examples stand however wide the bounds, where next to "
    "none should: the gradient misleads the search, or the model answers one class to everything.",
)
TRANSFER = Question(
    name="transfer",
    unit="%",
    passes=1.0,
    warns=5.0,
    good="Of {probed} examples, images found on {other} felled at most {passes:g} % that the "
    "search on the model itself had left standing.",
    bad="{of}: {figure:.1f} % of {probed} examples withstand the search on the model itself and "
    "fall to images found on {other}: the search on the model is misled.",
)
