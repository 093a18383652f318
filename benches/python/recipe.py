"""Trains a config of the trainer in PyTorch: recipe.py CONFIG --seed N --threads N.

Prints a line of JSON per epoch: epoch, training time in seconds without evaluation, and the accuracy of the
weights (of their moving average, if configured).
"""

import argparse
import json
import math
import os
import time
import tomllib
from copy import deepcopy
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

GEOMETRIC = {"flip_horizontal", "flip_vertical", "rotate", "scale", "translate", "crop"}
COLOUR = {"brightness", "contrast", "hue"}
LUMA = torch.tensor([0.299, 0.587, 0.114])
YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    config = tomllib.loads(Path(arguments.config).read_text())
    if arguments.epochs:
        config["training"]["epochs"] = arguments.epochs
    (images, labels), test = load(config, "train"), load(config, "test")
    torch.manual_seed(arguments.seed)
    fraction = config.get("split", {}).get("validation_fraction", 0.0)
    train, validation = stratified_split(labels, fraction, arguments.seed)
    sets = {"test": test} | ({"validation": (images[validation], labels[validation])} if len(validation) else {})
    for line in fit(config, images[train], labels[train], sets):
        print(json.dumps(line), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--epochs", type=int)
    return parser.parse_args()


# Data


def load(config, split):
    """Images u8 [n, height, width, channels] and labels of the `split`."""
    source = config["dataset"]["hdf5"]
    directory = os.environ.get(source.get("directory_env", ""), source["directory"])
    with h5py.File(Path(directory) / source[split]) as file:
        images, labels = file[f"{split}_set_x"][:], file[f"{split}_set_y"][:].ravel()
    return torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))


def stratified_split(labels, fraction, seed):
    """Indices of the training and of the validation examples, with the same share of each class."""
    generator = np.random.default_rng(seed)
    parts = [generator.permutation(np.flatnonzero(labels == k)) for k in labels.unique()]
    held = [round(len(part) * fraction) for part in parts]
    return (np.concatenate([p[n:] for p, n in zip(parts, held)]), np.concatenate([p[:n] for p, n in zip(parts, held)]))


def to_float(images):
    """Converts u8 [n, h, w, c] to f32 [n, c, h, w], channels last in memory."""
    return images.float().permute(0, 3, 1, 2)


def moments(images):
    pixels = images.reshape(-1, images.shape[-1]).double()
    return pixels.mean(0).float(), pixels.std(0, unbiased=False).float()


# Training


def fit(config, images, labels, sets):
    """Trains, and yields the results of each epoch."""
    training, classes = config["training"], int(labels.max()) + 1
    mean, deviation = moments(images)
    model = build(config["model"], images.shape[1:], classes).to(memory_format=torch.channels_last)
    optimizer = build_optimizer(config["optimizer"], model)
    peak = optimizer.param_groups[0]["lr"]
    ema = MovingAverage(model, training["ema"]["decay"]) if "ema" in training else None
    augmentation = Augmentation(config.get("augmentation", []), mean)
    smoothing = config.get("objective", {}).get("label_smoothing", 0.0)
    size, epochs = training["batch_size"], training["epochs"]
    steps, step, seconds = math.ceil(len(images) / size), 0, 0.0
    for epoch in range(1, epochs + 1):
        started, total = time.perf_counter(), 0.0
        model.train()
        for items in torch.randperm(len(images)).split(size):
            for group in optimizer.param_groups:
                group["lr"] = peak * learning_rate_factor(config.get("schedule", {}), step, steps, epochs)
            inputs, (share, others) = augmentation(images[items], labels[items])
            logits = model(standardize(inputs, mean, deviation))
            loss = share * F.cross_entropy(logits, labels[items], label_smoothing=smoothing)
            if share < 1.0:
                loss = loss + (1.0 - share) * F.cross_entropy(logits, others, label_smoothing=smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(items)
            step += 1
            if ema:
                ema.update(model)
        seconds += time.perf_counter() - started
        evaluated = ema.model if ema else model
        evaluated = Mirrored(evaluated) if config.get("evaluation", {}).get("mirrored") else evaluated
        scores = {name: accuracy(evaluated, *pair, mean, deviation) for name, pair in sets.items()}
        yield {"epoch": epoch, "seconds": round(seconds, 3), "loss": round(total / len(images), 5), **scores}


def standardize(inputs, mean, deviation):
    return (inputs - mean[:, None, None]) / deviation[:, None, None]


def accuracy(model, images, labels, mean, deviation):
    hits = predictions(model, images, mean, deviation) == labels
    return round(hits.float().mean().item(), 6)


@torch.no_grad()
def predictions(model, images, mean, deviation):
    model.eval()
    batches = images.split(128)
    return torch.cat([model(standardize(to_float(batch), mean, deviation)).argmax(1) for batch in batches])


class Mirrored(nn.Module):
    """The mean of the logits of an image and of its mirror image."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return (self.model(images) + self.model(images.flip(3))) / 2


def learning_rate_factor(schedule, step, steps_per_epoch, epochs):
    warmup = schedule.get("warmup_epochs", 0) * steps_per_epoch
    if step < warmup:
        return (step + 1) / warmup
    decay = schedule.get("decay", "constant")
    if decay == "constant":
        return 1.0
    progress, last = (step - warmup) / (epochs * steps_per_epoch - warmup), decay["cosine"].get("final_fraction", 0.0)
    return last + (1.0 - last) * 0.5 * (1.0 + math.cos(math.pi * progress))


def build_optimizer(table, model):
    (kind, settings), = table.items()
    decay = settings.get("weight_decay", 0.0 if kind == "adam" else 0.01)
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind](groups, lr=settings["learning_rate"], fused=True)


class MovingAverage:
    """Exponential moving average of the weights and of the statistics of batch norm."""

    def __init__(self, model, decay):
        self.model, self.decay, self.updates = deepcopy(model).requires_grad_(False), decay, 0
        self.averaged = [v for v in self.model.state_dict().values() if v.is_floating_point()]

    @torch.no_grad()
    def update(self, model):
        # A smaller decay at first, so that the initial weights soon lose their influence.
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        values = [v for v in model.state_dict().values() if v.is_floating_point()]
        torch._foreach_lerp_(self.averaged, values, 1.0 - decay)


# Models


def build(table, shape, classes):
    (kind, settings), = table.items()
    model = {"cnn": cnn, "resnet": ResNet, "mlp": mlp}[kind](settings, shape, classes)
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return model


def cnn(settings, shape, classes):
    height, width, inputs = shape
    kernel, norm = settings.get("kernel_size", 3), settings.get("batch_norm", True)
    pool, layers = settings.get("pool", "max"), []
    for channels in settings["channels"]:
        for _ in range(settings.get("convolutions", 1)):
            layers.append(nn.Conv2d(inputs, channels, kernel, padding=kernel // 2, bias=not norm))
            layers += ([nn.BatchNorm2d(channels)] if norm else []) + [nn.ReLU(inplace=True)]
            inputs = channels
        if pool != "none":
            layers.append(nn.MaxPool2d(2) if pool == "max" else nn.AvgPool2d(2))
            height, width = height // 2, width // 2
    layers.append(nn.AdaptiveAvgPool2d(1) if settings.get("head", "flatten") == "average" else nn.Identity())
    inputs *= 1 if settings.get("head", "flatten") == "average" else height * width
    return nn.Sequential(*layers, nn.Flatten(), *dense(inputs, settings, classes))


def mlp(settings, shape, classes):
    return nn.Sequential(nn.Flatten(), *dense(math.prod(shape), settings, classes))


def dense(inputs, settings, classes):
    layers, dropout = [], settings.get("dropout", 0.0)
    norm = settings.get("batch_norm") == "before_activation"
    for units in settings.get("hidden", []):
        layers += ([nn.Dropout(dropout)] if dropout else []) + [nn.Linear(inputs, units)]
        layers += ([nn.BatchNorm1d(units)] if norm else []) + [nn.ReLU(inplace=True)]
        inputs = units
    return layers + ([nn.Dropout(dropout)] if dropout else []) + [nn.Linear(inputs, classes)]


class ResNet(nn.Sequential):
    def __init__(self, settings, shape, classes):
        channels = settings["channels"]
        inputs = settings.get("stem", channels[0])
        layers = [convolution(shape[2], inputs, 3, 1), nn.ReLU(inplace=True)]
        for stage, outputs in enumerate(channels):
            for block in range(settings.get("blocks", 2)):
                layers.append(Block(inputs, outputs, 2 if stage and not block else 1))
                inputs = outputs
        dropout = settings.get("dropout", 0.0)
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()] + ([nn.Dropout(dropout)] if dropout else [])
        super().__init__(*layers, nn.Linear(inputs, classes))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = convolution(inputs, outputs, 3, stride), convolution(outputs, outputs, 3, 1)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else convolution(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x), inplace=True)) + self.shortcut(x), inplace=True)


def convolution(inputs, outputs, kernel, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


# Augmentation


class Augmentation:
    """Random changes of a batch of training images, in the order of the config."""

    def __init__(self, entries, mean):
        self.stages, self.mean = stages(entries), mean

    def __call__(self, images, labels):
        """Returns images [n, c, h, w], and for mixed images the share of the original and the other labels."""
        images, mix = to_float(images), (1.0, labels)
        for kind, changes in self.stages:
            if kind == "geometric":
                images = transform(images, changes)
            elif kind == "colour":
                images = change_colours(images, changes)
            elif kind == "cutout":
                images = cut_out(images, changes[0][1], self.mean)
            else:
                images, mix = mix_images(images, labels, *changes[0])
        return images, mix


def stages(entries):
    """Groups adjacent changes that are applied together: [("geometric", [("rotate", 15.0), ..]), ..]."""
    groups = []
    for name, value in parse(entries):
        kind = "geometric" if name in GEOMETRIC else "colour" if name in COLOUR else name
        if groups and groups[-1][0] == kind:
            groups[-1][1].append((name, value))
        else:
            groups.append((kind, [(name, value)]))
    return groups


def parse(entries):
    """Parses the list `["flip_horizontal", { rotate = 15.0 }]`, or a table, which has a fixed order."""
    if isinstance(entries, list):
        return [(e, True) if isinstance(e, str) else next(iter(e.items())) for e in entries]
    short = {"rotate_degrees": "rotate", "hue_degrees": "hue", "crop_padding": "crop"}
    order = ["rotate", "scale", "translate", "crop", "flip_horizontal", "flip_vertical",
             "brightness", "contrast", "hue", "cutout", "mixup", "cutmix"]
    table = {short.get(name, name): value for name, value in entries.items()}
    return [(name, table[name]) for name in order if table.get(name)]


def uniform(n, low, high):
    return torch.rand(n) * (high - low) + low


def transform(images, changes):
    """Applies geometric changes in one bilinear resampling that repeats edge pixels."""
    n, _, height, width = images.shape
    total = torch.eye(3).repeat(n, 1, 1)
    for change in changes:
        # From a pixel of the result back to the input: the last change comes first.
        total = total @ geometry(n, *change, height, width)
    # From pixels to the coordinates -1..1 of grid_sample.
    size = torch.tensor([width / 2, height / 2, 1.0])
    grid = F.affine_grid((total * size / size[:, None])[:, :2], list(images.shape), align_corners=False)
    resampled = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return resampled.contiguous(memory_format=torch.channels_last)


def geometry(n, name, value, height, width):
    """Affine maps from the changed image to the image before it, [n, 3, 3], in pixels from the centre."""
    zero, one = torch.zeros(n), torch.ones(n)
    x, y, right, down = (one, zero), (zero, one), zero, zero
    if name == "rotate":
        angle = torch.deg2rad(uniform(n, -value, value))
        x, y = (angle.cos(), -angle.sin()), (angle.sin(), angle.cos())
    elif name == "scale":
        factor = 1.0 / uniform(n, *value)
        x, y = (factor, zero), (zero, factor)
    elif name == "translate":
        right, down = uniform(n, -value, value) * width, uniform(n, -value, value) * height
    elif name == "crop":
        right, down = (torch.randint(-value, value + 1, (n,)).float() for _ in range(2))
    else:
        sign = 1.0 - 2.0 * torch.randint(0, 2, (n,))
        x, y = ((sign, zero), (zero, one)) if name == "flip_horizontal" else ((one, zero), (zero, sign))
    return torch.stack([*x, -right, *y, -down, zero, zero, one], 1).view(n, 3, 3)


def change_colours(images, changes):
    """Applies all changes as one affine map of colours."""
    n, matrix, added = len(images), torch.eye(3).repeat(len(images), 1, 1), torch.zeros(len(images), 3, 1)
    mean = images.mean((2, 3))[:, :, None]
    for name, value in changes:
        if name == "hue":
            step, more = hue_rotation(torch.deg2rad(uniform(n, -value, value))), 0.0
        else:
            factor = uniform(n, 1.0 - value, 1.0 + value)[:, None, None]
            step, grey = factor * torch.eye(3), LUMA @ (matrix @ mean + added)
            more = (1.0 - factor) * grey[:, None] if name == "contrast" else 0.0
        matrix, added = step @ matrix, step @ added + more
    # Channels are last in memory: pixels are the rows of one matrix product.
    pixels = images.permute(0, 2, 3, 1).reshape(n, -1, 3)
    pixels = torch.baddbmm(added.mT, pixels, matrix.mT).clamp_(0.0, 255.0)
    return pixels.view(n, *images.shape[2:], 3).permute(0, 3, 1, 2)


def hue_rotation(angle):
    """Rotation of I and Q, [n, 3, 3]."""
    zero, one, cosine, sine = torch.zeros_like(angle), torch.ones_like(angle), angle.cos(), angle.sin()
    rotation = torch.stack([one, zero, zero, zero, cosine, -sine, zero, sine, cosine], 1).view(-1, 3, 3)
    return torch.linalg.inv(YIQ) @ rotation @ YIQ


def cut_out(images, side, mean):
    """Fills a square at a random position of each image with `mean`."""
    n, _, height, width = images.shape
    def inside(size):
        first = torch.randint(0, size, (n, 1)) - side // 2
        at = torch.arange(size)
        return (at >= first) & (at < first + side)
    mask = inside(height)[:, None, :, None] & inside(width)[:, None, None, :]
    return torch.where(mask, mean[:, None, None], images)


def mix_images(images, labels, name, alpha):
    """Mixup or cutmix with a permutation of the batch."""
    share, order = np.random.default_rng(torch.randint(2**31, (1,)).item()).beta(alpha, alpha), torch.randperm(len(images))
    if name == "mixup":
        return torch.lerp(images[order], images, share), (share, labels[order])
    _, _, height, width = images.shape
    (top, bottom), (left, right) = (random_interval(size, math.sqrt(1.0 - share)) for size in (height, width))
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images[order, :, top:bottom, left:right]
    return mixed, (1.0 - (bottom - top) * (right - left) / (height * width), labels[order])


def random_interval(size, share):
    half, centre = int(size * share / 2), torch.randint(0, size, (1,)).item()
    return max(centre - half, 0), min(centre + half, size)


if __name__ == "__main__":
    main()
