"""as_validation.py SOURCE TARGET: copies the test images of an HDF5 file to a file of validation images."""

import sys

import h5py

with h5py.File(sys.argv[1]) as source, h5py.File(sys.argv[2], "w") as target:
    for name in source:
        target[name.replace("test_set", "train_set")] = source[name][...]
