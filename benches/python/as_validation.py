"""as_validation.py FROM TO: the test images of a file as a file of validation images."""

import sys

import h5py

with h5py.File(sys.argv[1]) as source, h5py.File(sys.argv[2], "w") as target:
    for name in source:
        target[name.replace("test_set", "train_set")] = source[name][...]
