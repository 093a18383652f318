"""The models of `benches/configs` in JAX, without a higher-level framework.

Variants: jit (one step per call), scan (several steps per call). The state is donated.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import common

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
MOMENTUM, NORM_EPSILON = 0.1, 1e-5


def build(config, images, labels, steps_per_call, variant):
    (kind, settings), = config["model"].items()
    random = np.random.default_rng(config.get("seed", 1))
    layers, forward = {"mlp": mlp, "cnn": cnn, "resnet": resnet}[kind](settings, images.shape[1:])
    parameters, statistics = initialize(layers, random)
    data = jax.device_put((images, labels.astype(np.int32), *common.standardization(images)))
    rate, batch_size = config["optimizer"]["adam"]["learning_rate"], config["training"]["batch_size"]
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    state = jax.device_put((parameters, statistics, zeros(), zeros(), jnp.zeros((), jnp.int32)))
    one_step = partial(step, partial(loss, forward), rate)
    call = jax.jit(one_step if variant == "jit" else partial(scan, one_step), donate_argnums=0)

    def train(count):
        nonlocal state
        steps = min(count, steps_per_call)
        for _ in range(count // steps):
            order = random.permutation(len(images)).astype(np.int32)[: steps * batch_size].reshape(steps, batch_size)
            for items in order if variant == "jit" else [order]:
                state = call(state, data, items)
        jax.block_until_ready(state)

    return train


def step(loss, rate, state, data, items):
    """One step of Adam on the batch of `items`."""
    parameters, statistics, first, second, count = state
    gradients, statistics = jax.grad(loss, has_aux=True)(parameters, statistics, data, items)
    count = count + 1
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradients)
    scale = rate / (1 - BETA_1**count)
    correction = lax.rsqrt(1 - BETA_2**count)
    move = lambda p, m, v: p - scale * m / (jnp.sqrt(v) * correction + EPSILON)
    return jax.tree.map(move, parameters, first, second), statistics, first, second, count


def scan(step, state, data, order):
    return lax.scan(lambda state, items: (step(state, data, items), None), state, order)[0]


def loss(forward, parameters, statistics, data, items):
    images, labels, factor, summand = data
    inputs = images[items].astype(jnp.float32) * factor + summand
    logits, statistics = forward(parameters, statistics, inputs)
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[items][:, None], axis=1)
    return -chosen.mean(), statistics


def initialize(layers, random):
    """Parameters and running statistics of `layers`: for each name a shape, and whether it has batch norm."""
    parameters, statistics = {}, {}
    for name, (shape, norm) in layers.items():
        weight = random.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[:-1])))
        channels, zeros, ones = shape[-1], np.zeros(shape[-1], np.float32), np.ones(shape[-1], np.float32)
        parameters[name] = {"weight": weight} | ({"gamma": ones, "beta": zeros} if norm else {})
        if not norm or len(shape) == 2:
            parameters[name]["bias"] = zeros
        if norm:
            statistics[name] = (zeros, ones)
    return parameters, statistics


class ForwardPass:
    """Applies layers by name and collects their new running statistics."""

    def __init__(self, parameters, statistics):
        self.parameters, self.statistics = parameters, dict(statistics)

    def linear(self, name, x):
        parameters = self.parameters[name]
        return self.norm(name, x @ parameters["weight"] + parameters["bias"])

    def convolution(self, name, x, stride=1):
        weight = self.parameters[name]["weight"]
        # Padding of PyTorch: with stride 2, "SAME" would pad only one side.
        padding = [(size // 2, size // 2) for size in weight.shape[:2]]
        layout = ("NHWC", "HWIO", "NHWC")
        return self.norm(name, lax.conv_general_dilated(x, weight, (stride, stride), padding, dimension_numbers=layout))

    def norm(self, name, x):
        if "gamma" not in self.parameters[name]:
            return x
        gamma, beta = self.parameters[name]["gamma"], self.parameters[name]["beta"]
        axes = tuple(range(x.ndim - 1))
        mean = x.mean(axes)
        variance = jnp.maximum((x * x).mean(axes) - mean * mean, 0)
        new = zip(self.statistics[name], lax.stop_gradient((mean, variance)))
        self.statistics[name] = tuple((1 - MOMENTUM) * old + MOMENTUM * now for old, now in new)
        factor = gamma * lax.rsqrt(variance + NORM_EPSILON)
        return x * factor + (beta - mean * factor)


def dense(inputs, hidden, norm=False):
    units = [inputs, *hidden, 6]
    return {f"dense{i}": (shape, norm and i < len(hidden)) for i, shape in enumerate(zip(units, units[1:]))}


def dense_forward(run, x, hidden):
    for i in range(len(hidden)):
        x = jax.nn.relu(run.linear(f"dense{i}", x))
    return run.linear(f"dense{len(hidden)}", x), run.statistics


def mlp(settings, shape):
    def forward(parameters, statistics, x):
        return dense_forward(ForwardPass(parameters, statistics), x.reshape(len(x), -1), settings["hidden"])

    return dense(int(np.prod(shape)), settings["hidden"], settings["batch_norm"] != "none"), forward


def cnn(settings, shape):
    channels = [shape[2], *settings["channels"]]
    layers = {f"stage{i}": ((3, 3, *pair), True) for i, pair in enumerate(zip(channels, channels[1:]))}
    size = (shape[0] >> len(layers)) * (shape[1] >> len(layers)) * channels[-1]
    stages = list(layers)

    def forward(parameters, statistics, x):
        run = ForwardPass(parameters, statistics)
        for stage in stages:
            x = max_pool(jax.nn.relu(run.convolution(stage, x)))
        return dense_forward(run, x.reshape(len(x), -1), settings["hidden"])

    return layers | dense(size, settings["hidden"]), forward


def max_pool(x):
    """Maximum of windows of 2x2. The gradient of `reduce_window` is far slower on CPUs."""
    n, height, width, channels = x.shape
    x = x.reshape(n, height // 2, 2, width // 2, 2, channels)
    rows = jnp.maximum(x[:, :, 0], x[:, :, 1])
    return jnp.maximum(rows[:, :, :, 0], rows[:, :, :, 1])


def resnet(settings, shape):
    layers, strides, inputs = {"stem": ((3, 3, shape[2], settings["stem"]), True)}, {}, settings["stem"]
    for stage, channels in enumerate(settings["channels"]):
        for block in range(settings["blocks"]):
            name, strides_here = f"block{stage}.{block}", 2 if stage > 0 and block == 0 else 1
            strides[name] = strides_here
            layers[f"{name}.first"] = ((3, 3, inputs, channels), True)
            layers[f"{name}.second"] = ((3, 3, channels, channels), True)
            if strides_here != 1 or inputs != channels:
                layers[f"{name}.shortcut"] = ((1, 1, inputs, channels), True)
            inputs = channels

    def forward(parameters, statistics, x):
        run = ForwardPass(parameters, statistics)
        x = jax.nn.relu(run.convolution("stem", x))
        for name, stride in strides.items():
            inner = jax.nn.relu(run.convolution(f"{name}.first", x, stride))
            inner = run.convolution(f"{name}.second", inner)
            shortcut = f"{name}.shortcut"
            x = jax.nn.relu(inner + (run.convolution(shortcut, x, stride) if shortcut in parameters else x))
        return dense_forward(run, x.mean((1, 2)), [])

    return layers | dense(inputs, []), forward


if __name__ == "__main__":
    common.main(build)
