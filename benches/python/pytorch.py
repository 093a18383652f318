"""The models of `benches/configs` in PyTorch.

Variants: eager, fused (fused Adam), channels_last, channels_last_fused, compiled and
compiled_autotuned (channels last, fused Adam; model and loss compiled by TorchInductor).
"""

import itertools
import math
import os

import torch
from torch import nn
from torch.nn import functional as F

import common


def build(config, images, labels, steps, variant):
    torch.set_flush_denormal(True)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(config.get("seed", 1))
    loss = Loss(config["model"], images, variant)
    settings = {"lr": config["optimizer"]["adam"]["learning_rate"], "fused": variant not in ("eager", "channels_last")}
    optimizer = torch.optim.Adam(loss.parameters(), **settings)
    pixels, labels = loss.stored(torch.from_numpy(images)), torch.from_numpy(labels)
    if variant.startswith("compiled"):
        mode = "max-autotune-no-cudagraphs" if variant == "compiled_autotuned" else None
        loss = torch.compile(loss, mode=mode, dynamic=False)
    batch_size = config["training"]["batch_size"]

    def train(count):
        for items in itertools.islice(batches(len(pixels), batch_size), count):
            optimizer.zero_grad(set_to_none=True)
            loss(pixels[items], labels[items]).backward()
            optimizer.step()

    return train


def batches(examples, batch_size):
    """Endless shuffled indices of full batches."""
    while True:
        whole = examples - examples % batch_size
        yield from torch.randperm(examples)[:whole].split(batch_size)


class Loss(nn.Module):
    """Mean cross-entropy of a batch of bytes and labels."""

    def __init__(self, table, images, variant):
        super().__init__()
        (kind, settings), = table.items()
        _, height, width, channels = images.shape
        self.is_flat = kind == "mlp"
        self.channels_last = variant not in ("eager", "fused")
        self.model = {"mlp": mlp, "cnn": cnn, "resnet": resnet, "efficientnet_lite": efficientnet_lite}[kind](settings, (height, width, channels))
        self.model.apply(initialize)
        factor, summand = (torch.from_numpy(v) for v in common.standardization(images))
        if self.is_flat:
            factor, summand = (v.repeat(height * width) for v in (factor, summand))
        else:
            factor, summand = (v.view(1, -1, 1, 1) for v in (factor, summand))
            if self.channels_last:
                self.model.to(memory_format=torch.channels_last)
        self.register_buffer("factor", factor)
        self.register_buffer("summand", summand)

    def stored(self, images):
        """The images in the memory layout that the batches need."""
        if self.is_flat:
            return images.flatten(1)
        return images if self.channels_last else images.permute(0, 3, 1, 2).contiguous()

    def forward(self, pixels, labels):
        if not self.is_flat and self.channels_last:
            pixels = pixels.permute(0, 3, 1, 2)
        inputs = torch.addcmul(self.summand, pixels.float(), self.factor)
        return F.cross_entropy(self.model(inputs), labels)


def initialize(layer):
    if isinstance(layer, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def mlp(settings, shape):
    norm = settings["batch_norm"] != "none"
    return nn.Sequential(*dense(math.prod(shape), settings["hidden"], norm))


def dense(inputs, hidden, norm=False):
    layers = []
    for units in hidden:
        layers.append(nn.Linear(inputs, units))
        layers += [nn.BatchNorm1d(units)] if norm else []
        layers.append(nn.ReLU(inplace=True))
        inputs = units
    return [*layers, nn.Linear(inputs, 6)]


def cnn(settings, shape):
    height, width, inputs = shape
    layers = []
    for channels in settings["channels"]:
        layers += [*convolution(inputs, channels, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        inputs, height, width = channels, height // 2, width // 2
    return nn.Sequential(*layers, nn.Flatten(), *dense(inputs * height * width, settings["hidden"]))


def resnet(settings, shape):
    inputs = settings["stem"]
    if settings.get("stem_reduction") == "pooled":
        layers = [*convolution(shape[2], inputs, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    else:
        layers = [*convolution(shape[2], inputs, 3), nn.ReLU(inplace=True)]
    for stage, channels in enumerate(settings["channels"]):
        for block in range(settings["blocks"]):
            layers.append(Block(inputs, channels, 2 if stage > 0 and block == 0 else 1))
            inputs = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 6))


def efficientnet_lite(settings, shape):
    """Variant 0, with PyTorch's padding."""
    stages = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
              (1, 3, 1, 6, 320)]
    layers, inputs = [*convolution(shape[2], 32, 3, 2), nn.ReLU6(inplace=True)], 32
    for blocks, kernel, stride, expansion, outputs in stages:
        for block in range(blocks):
            layers.append(InvertedResidual(inputs, outputs, kernel, 1 if block else stride, expansion))
            inputs = outputs
    layers += [*convolution(inputs, 1280, 1), nn.ReLU6(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 6))


def convolution(inputs, outputs, kernel, stride=1, groups=1):
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(outputs)


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        hidden = inputs * expansion
        expand = [*convolution(inputs, hidden, 1), nn.ReLU6(inplace=True)] if expansion > 1 else []
        depthwise = [*convolution(hidden, hidden, kernel, stride, hidden), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*expand, *depthwise, *convolution(hidden, outputs, 1))
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, inputs):
        return inputs + self.layers(inputs) if self.has_shortcut else self.layers(inputs)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Sequential(*convolution(inputs, outputs, 3, stride), nn.ReLU(inplace=True))
        self.second = nn.Sequential(*convolution(outputs, outputs, 3))
        changes = stride != 1 or inputs != outputs
        self.shortcut = nn.Sequential(*(convolution(inputs, outputs, 1, stride) if changes else ()))

    def forward(self, inputs):
        return F.relu(self.second(self.first(inputs)) + self.shortcut(inputs), inplace=True)


if __name__ == "__main__":
    common.main(build)
