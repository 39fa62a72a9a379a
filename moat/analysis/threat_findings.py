"""Findings that compare the threats of an analysis with the first one, example by example."""

import numpy as np

from moat.analysis.trend_arrays import finding_of
from moat.outcomes.bootstrap import bootstrap_interval
from moat.records import Analysis, AnalysisFinding


def threat_differences(found: Analysis, quantity: str, words: str) -> tuple[AnalysisFinding, ...]:
    """Return the mean difference of each threat to the first, with its interval over examples.

    The quantity is of the axes model, threat, a third one and example; examples without a number
    are left out.
    """
    labels = found.coordinates("threat")
    third = found.arrays[quantity].axes[2]
    findings = []
    for m, model in enumerate(found.coordinates("model")):
        for p, place in enumerate(found.coordinates(third)):
            for t, label in enumerate(labels[1:], 1):
                values = found[quantity][m, :, p].astype(np.float64)
                apart = values[t] - values[0]
                apart = apart[np.isfinite(apart)]
                if not len(apart):
                    continue
                low, high = bootstrap_interval(apart, np.mean)
                text = f"{model}, {place}: {words}, {label} minus {labels[0]}"
                findings.append(finding_of(text, [float(one) for one in (apart.mean(), low, high)]))
    return tuple(findings)
