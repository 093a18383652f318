"""Photos for the comparison of loaders, and the loader of PyTorch: decodes and resizes every image of a folder of
classes once, in worker processes.

    python image_folder.py write FOLDER COUNT
    python image_folder.py load FOLDER (pillow|opencv) SIDE

`load` prints one line of JSON with the images per second, from the first batch on, with which the workers are ready.
"""

import json
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

CLASSES, BATCH = 10, 32


def main():
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps({"rate": load(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))}))


def write(folder, count):
    """JPEG files of 640x480 of about 80 kB: noise of all scales, as photos have it."""
    random = np.random.default_rng(1)
    for number in range(count):
        image = np.zeros((480, 640, 3), np.float32)
        for step in (1, 2, 4, 16, 64, 160):
            noise = random.standard_normal((-(-480 // step), -(-640 // step), 3), np.float32)
            image += cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC) * (2 + step**0.75)
        path = folder / f"class{number % CLASSES}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(image + 128, 0, 255).astype(np.uint8)).save(path, quality=90)


def load(folder, library, side):
    import torch

    class Photos(torch.utils.data.Dataset):
        paths = sorted(folder.glob("*/*.jpg"))

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            image = {"pillow": with_pillow, "opencv": with_opencv}[library](self.paths[index], side)
            return torch.from_numpy(image), int(self.paths[index].parent.name.removeprefix("class"))

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    workers = int(os.environ["OMP_NUM_THREADS"])
    batches = iter(torch.utils.data.DataLoader(Photos(), BATCH, num_workers=workers, prefetch_factor=4))
    next(batches)
    start = time.perf_counter()
    images = sum(len(labels) for _, labels in batches)
    return images / (time.perf_counter() - start)


def with_pillow(path, side):
    """Decodes at a reduced size where JPEG allows it, and resizes with antialiasing."""
    image = Image.open(path)
    image.draft("RGB", (side, side))
    return np.array(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))


def with_opencv(path, side):
    image = cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
