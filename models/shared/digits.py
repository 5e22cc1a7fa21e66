"""The images that both digits models are trained on. Import this before NumPy."""

import repeatable  # noqa: F401  before NumPy

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 2024
TEST_IMAGES = 400
CALIBRATION_IMAGES = 100
PIXEL_MAX = 16
CLASSES = 10

CITATION = (
    "Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits. "
    "UCI Machine Learning Repository. https://doi.org/10.24432/C50P49. CC BY 4.0."
)


def load_splits():
    """Stratified, fixed split: name -> (images [n, 64] int64 in 0..16, labels [n] int64)."""
    data = load_digits()
    images, labels = data.data.astype(np.int64), data.target.astype(np.int64)
    if not np.array_equal(images, data.data) or images.min() < 0 or images.max() > PIXEL_MAX:
        raise ValueError(f"pixels are not integers in 0..{PIXEL_MAX}")

    rest, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_IMAGES, stratify=labels, random_state=SEED
    )
    train, calibration = train_test_split(
        rest, test_size=CALIBRATION_IMAGES, stratify=labels[rest], random_state=SEED
    )
    parts = {"train": train, "calibration": calibration, "test": test}
    return {name: (images[index], labels[index]) for name, index in parts.items()}
