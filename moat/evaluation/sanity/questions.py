"""The questions of the gate, their limits, and the meaning of each answer.

Source: Athalye et al., Obfuscated Gradients Give a False Sense of Security, 2018; Carlini et al.,
On Evaluating Adversarial Robustness, 2019, Section 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from moat.records import Check, Verdict


@dataclass(frozen=True)
class Question:
    """One doubt. Figures up to `passes` pass, up to `warns` warn, and larger ones fail.

    With `high_is_good`, these limits are the least. The sentences `good` and `bad` name {of},
    {figure}, {percent} (100 times the figure), {passes}, {shares} (all figures that do not
    pass, each times 100), and what else the answer knows.
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
        shares = ", ".join(f"{name} {100 * one:.0f} %" for name, one in sorted(short.items()))
        known |= {"of": of, "figure": figure, "percent": 100 * figure}
        text = sentence.format(passes=self.passes, shares=shares, **known)
        return Check(
            self.name, verdict, text, figure, self.unit, of, dict(figures), self.high_is_good
        )


STRENGTHS = Question(
    name="strengths",
    unit="points",
    passes=0.5,
    warns=2.0,
    good="No accuracy rises by more than {passes:g} points from one strength to the next.",
    bad="{of}: accuracy rises by {figure:.1f} points at a larger strength: the larger search is "
    "the weaker one, because its steps are too long or its gradient misleads it.",
)
RESTARTS = Question(
    name="restarts",
    unit="points",
    passes=1.0,
    warns=3.0,
    good="Without one of the restarts, no accuracy is more than {passes:g} point higher.",
    bad="{of}: each restart lowers the accuracy by another {figure:.1f} points on top of the "
    "others. There are too few restarts: more would lower it further.",
)
RANDOM = Question(
    name="random search",
    unit="%",
    passes=1.0,
    warns=5.0,
    good="At most {passes:g} % of {probed} examples withstand the search and fall to random draws.",
    bad="{of}: {figure:.1f} % of {probed} examples withstand the search and fall to random draws "
    "from the region within its reach: the search is too short, or its gradient misleads it.",
)
DIFFERENCES = Question(
    name="differences",
    unit="%",
    passes=5.0,
    warns=20.0,
    good="At most {passes:g} % of {probed} examples withstand the search and have a margin that "
    "does not follow its gradient.",
    bad="{of}: {figure:.0f} % of {probed} examples withstand the search, but their margin does not "
    "follow its gradient on a small step at the image, near it, or where the answer changes: the "
    "gradient is not the model's, or is right only at a scale below the search's.",
)
START = Question(
    name="another start",
    unit="%",
    passes=10.0,
    warns=20.0,
    good="At most {passes:g} % of {probed} examples withstand the search and fall to Auto-PGD from "
    "another start.",
    bad="{of}: {figure:.1f} % of {probed} examples withstand the search and fall to 20 steps of "
    "Auto-PGD from another start on losses that do not saturate: the search is too short, its loss "
    "saturates, or its gradient leads no further from its start.",
)
BY_RATIO = Question(
    name="dlr",
    unit="%",
    passes=25.0,
    warns=50.0,
    good="At most {passes:g} % of {probed} examples withstand the search and fall to Auto-PGD on "
    "the difference-of-logits ratio.",
    bad="{of}: {figure:.1f} % of {probed} examples withstand the search and fall to 20 steps of "
    "Auto-PGD on the difference-of-logits ratio: the search is too weak, or its loss misleads it.",
)
LOSS = Question(
    name="loss",
    unit="%",
    passes=1.0,
    warns=5.0,
    good="At most {passes:g} % of the searches end with a lower loss than at their start.",
    bad="{of}: {figure:.1f} % of the searches end with a lower loss than at their start: the steps "
    "are too long, or the gradient does not point up.",
)
REACH = Question(
    name="reach",
    unit="of the radius",
    passes=0.9,
    warns=0.0,
    good="The median search covers at least 90 % of its radius.",
    bad="{of}: the median search covers only {percent:.0f} % of its radius ({shares}); the number "
    "and size of its steps limit it, not the radius you set.",
    high_is_good=True,
)
GRADIENTS = Question(
    name="gradients",
    unit="%",
    passes=0.0,
    warns=5.0,
    good="The gradient of every search was finite, and not zero at its start.",
    bad="{of}: the gradient of {figure:.1f} % of the examples was zero at the start or non-finite "
    "later. The search had nothing to climb, so its result does not measure robustness.",
)
LOGITS = Question(
    name="logits",
    unit="%",
    passes=0.0,
    warns=0.0,
    good="All logits of natural images are finite.",
    bad="{figure:.1f} % of the natural images have non-finite logits: training diverged, or the "
    "network overflows. They count as fallen.",
)
CONFIDENCE = Question(
    name="confidence",
    unit="nats",
    passes=0.05,
    warns=0.005,
    good="The model rates right answers at least {passes:g} nats above chance.",
    bad="The model rates right answers only {figure:.2g} nats above chance: its logits are so "
    "small that the cross-entropy hardly depends on them, which misleads a search that climbs it.",
    high_is_good=True,
)
UNBOUNDED = Question(
    name="unbounded",
    unit="%",
    passes=5.0,
    warns=20.0,
    good="At most {passes:g} % of {probed} examples withstand bounds of any size.",
    bad="{of}: {figure:.0f} % of {probed} examples withstand bounds of any size, and hardly any "
    "should: the gradient misleads the search, or the model always answers with one class.",
)
TRANSFER = Question(
    name="transfer",
    unit="%",
    passes=1.0,
    warns=5.0,
    good="At most {passes:g} % of {probed} examples withstand the search and fall to images found "
    "on {other}.",
    bad="{of}: {figure:.1f} % of {probed} examples withstand the search and fall to images found "
    "on {other}: the search on the model itself is misled.",
)
