"""Rebuild moat/data/digits.npz from scikit-learn's copy of the UCI optical digits test set.

    python scripts/build_digits.py [FILE]

The data: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998, https://doi.org/10.24432/C50P49, licence CC BY 4.0. The 1,797 images are the
repository's test set; moat splits them once more, a fifth of every class for its own test split.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

SEED = 20240601
TEST_SHARE = 0.2


def main(target: Path) -> None:
    """Write images (1797, 8, 8) in 0..16, labels and the test mask."""
    digits = load_digits()
    labels = digits.target.astype(np.uint8)
    test = np.zeros(len(labels), dtype=bool)
    random = np.random.default_rng(SEED)
    for label in range(10):
        members = np.flatnonzero(labels == label)
        test[random.permutation(members)[: round(TEST_SHARE * len(members))]] = True
    np.savez_compressed(target, images=digits.images.astype(np.uint8), labels=labels, test=test)
    print(f"{target}: {target.stat().st_size} bytes, {test.sum()} of {len(test)} for testing")


if __name__ == "__main__":
    beside = Path(__file__).parents[1] / "moat" / "data" / "digits.npz"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else beside)
