"""The models of `benches/configs` in Keras on TensorFlow, its fastest backend on CPUs.

Variants: jit (steps compiled by XLA), graph (without XLA). `tf.data` prefetches the batches, and one call from
Python executes several steps.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from keras import layers

import common


def build(config, images, labels, steps, variant):
    threads = int(os.environ["OMP_NUM_THREADS"])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    keras.utils.set_random_seed(config.get("seed", 1))
    (kind, settings), = config["model"].items()
    inputs = keras.Input(images.shape[1:])
    model = keras.Model(inputs, {"mlp": mlp, "cnn": cnn, "resnet": resnet}[kind](settings, inputs))
    model.compile(
        optimizer=keras.optimizers.Adam(config["optimizer"]["adam"]["learning_rate"], epsilon=1e-8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=variant == "jit",
        steps_per_execution=steps,
    )
    batches = make_batches(images, labels, config["training"]["batch_size"])
    return lambda steps: model.fit(batches, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)


def make_batches(images, labels, batch_size):
    """Endless shuffled batches: one permutation per epoch, one gather per batch."""
    count, per_epoch = len(images), len(images) // batch_size
    factor, summand = common.standardization(images)
    images, labels = tf.constant(images), tf.constant(labels)

    def order(_):
        items = tf.random.shuffle(tf.range(count))
        return tf.reshape(items[: per_epoch * batch_size], [per_epoch, batch_size])

    def gather(items):
        return tf.cast(tf.gather(images, items), tf.float32) * factor + summand, tf.gather(labels, items)

    orders = tf.data.Dataset.range(1).repeat().map(order)
    return orders.unbatch().map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def mlp(settings, x):
    return dense(settings["hidden"], layers.Flatten()(x), settings["batch_norm"] != "none")


def dense(hidden, x, norm=False):
    for units in hidden:
        x = layers.Dense(units, kernel_initializer="he_normal")(x)
        x = layers.ReLU()(normalize(x) if norm else x)
    return layers.Dense(6, kernel_initializer="he_normal")(x)


def cnn(settings, x):
    for channels in settings["channels"]:
        x = layers.MaxPooling2D(2)(layers.ReLU()(convolution(x, channels, 3)))
    return dense(settings["hidden"], layers.Flatten()(x))


def resnet(settings, x):
    x = layers.ReLU()(convolution(x, settings["stem"], 3))
    for stage, channels in enumerate(settings["channels"]):
        for block in range(settings["blocks"]):
            x = residual(x, channels, 2 if stage > 0 and block == 0 else 1)
    return dense([], layers.GlobalAveragePooling2D()(x))


def residual(x, channels, stride):
    inner = layers.ReLU()(convolution(x, channels, 3, stride))
    inner = convolution(inner, channels, 3)
    changes = stride != 1 or x.shape[-1] != channels
    return layers.ReLU()(inner + (convolution(x, channels, 1, stride) if changes else x))


def convolution(x, channels, kernel, stride=1):
    settings = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    return normalize(layers.Conv2D(channels, kernel, stride, **settings)(x))


def normalize(x):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


if __name__ == "__main__":
    common.main(build)
