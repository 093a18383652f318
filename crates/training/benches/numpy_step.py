"""Microseconds per training step in NumPy, for comparison with `step.rs`.

    python3 numpy_step.py [steps runs]

The network of configs/course2/moons_adam.toml: 2-5-2-1 units, ReLU, sigmoid and binary
cross-entropy, Adam, batches of 64. Requires only NumPy. All steps use the same batch, so neither
shuffling nor slicing is timed. Two implementations, checked to agree:

  notebook  like the notebook of the course: dictionaries of arrays, the cost at every step
  tight     one flat vector of parameters, every array allocated once, no cost
"""
import os, statistics, sys, time

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(library + "_NUM_THREADS", "1")
import numpy as np

UNITS, BATCH = [2, 5, 2, 1], 64
RATE, BETA1, BETA2, EPSILON = 0.0007, 0.9, 0.999, 1e-8


def make_data(dtype):
    """Examples with noisy labels, so that the loss stays above 0."""
    random = np.random.RandomState(3)
    x = np.clip(random.randn(2, BATCH), -1.5, 1.5)
    y = random.rand(1, BATCH) < 0.25 + 0.5 * (x[:1] > 0)
    return x.astype(dtype), y.astype(dtype)


def init(dtype):
    random, p = np.random.RandomState(4), {}
    for l in (1, 2, 3):
        scale = np.sqrt(2 / UNITS[l - 1])
        p["W%d" % l] = (random.randn(UNITS[l], UNITS[l - 1]) * scale).astype(dtype)
        p["b%d" % l] = np.zeros((UNITS[l], 1), dtype)
    return p


def forward(x, p):
    a1 = np.maximum(0, np.dot(p["W1"], x) + p["b1"])
    a2 = np.maximum(0, np.dot(p["W2"], a1) + p["b2"])
    return a1, a2, 1 / (1 + np.exp(-(np.dot(p["W3"], a2) + p["b3"])))


def cost_of(a3, y):
    logs = np.multiply(-np.log(a3), y) + np.multiply(-np.log(1 - a3), 1 - y)
    return np.sum(logs) / y.shape[1]


def backward(x, y, p, a1, a2, a3):
    dz3 = 1 / x.shape[1] * (a3 - y)
    dz2 = np.multiply(np.dot(p["W3"].T, dz3), a2 > 0)
    dz1 = np.multiply(np.dot(p["W2"].T, dz2), a1 > 0)
    grads = {}
    for l, dz, a in ((3, dz3, a2), (2, dz2, a1), (1, dz1, x)):
        grads["W%d" % l] = np.dot(dz, a.T)
        grads["b%d" % l] = np.sum(dz, axis=1, keepdims=True)
    return grads


def adam(p, grads, v, s, t):
    for k in p:
        v[k] = BETA1 * v[k] + (1 - BETA1) * grads[k]
        s[k] = BETA2 * s[k] + (1 - BETA2) * np.power(grads[k], 2)
        v_corrected, s_corrected = v[k] / (1 - BETA1**t), s[k] / (1 - BETA2**t)
        p[k] = p[k] - RATE * v_corrected / (np.sqrt(s_corrected) + EPSILON)


def notebook(steps, dtype):
    (x, y), p = make_data(dtype), init(dtype)
    v, s = ({k: np.zeros_like(p[k]) for k in p} for _ in range(2))
    start = time.perf_counter()
    for t in range(1, steps + 1):
        a1, a2, a3 = forward(x, p)
        cost_of(a3, y)
        adam(p, backward(x, y, p, a1, a2, a3), v, s, t)
    return time.perf_counter() - start, p


def tight(steps, dtype):
    (x, y), p = make_data(dtype), init(dtype)
    # The biases are the last column of the weights; the inputs have an additional row of ones.
    flat = np.concatenate([np.hstack([p["W%d" % l], p["b%d" % l]]).ravel() for l in (1, 2, 3)])
    views = lambda f: (f[:15].reshape(5, 3), f[15:27].reshape(2, 6), f[27:].reshape(1, 3))
    moments, terms = np.zeros((2, flat.size), dtype), np.zeros((2, flat.size), dtype)
    (g, squares), (m, v) = terms, moments
    (w1, w2, w3), (g1, g2, g3) = views(flat), views(g)
    a0, a1, a2 = (np.ones((rows, BATCH), dtype) for rows in (3, 6, 3))
    a0[:2] = x
    d1, d2, s1, s2, z = (np.empty((rows, BATCH), dtype) for rows in (6, 3, 5, 2, 1))
    h1, h2, e1, e2, a0t, a1t, a2t = a1[:5], a2[:2], d1[:5], d2[:2], a0.T.copy(), a1.T, a2.T
    # tanh(z / 2) - (2 y - 1) is twice sigmoid(z) - y: all gradients are 2 BATCH times too large.
    signs, half, zero, beta = 2 * y - 1, dtype(0.5), dtype(0), np.array([[BETA1], [BETA2]], dtype)
    w2t, w3t, update, root = w2.T, w3.T, np.empty(flat.size, dtype), (1 - BETA2) ** 0.5
    dot, maximum, multiply, subtract, sign = np.dot, np.maximum, np.multiply, np.subtract, np.sign
    start = time.perf_counter()
    for t in range(1, steps + 1):
        dot(w1, a0, h1); maximum(h1, zero, out=h1)
        dot(w2, a1, h2); maximum(h2, zero, out=h2)
        dot(w3, a2, z); multiply(z, half, z); np.tanh(z, z); subtract(z, signs, z)
        dot(z, a2t, g3); dot(w3t, z, d2); sign(h2, s2); multiply(e2, s2, e2)
        dot(e2, a1t, g2); dot(w2t, e2, d1); sign(h1, s1); multiply(e1, s1, e1)
        dot(e1, a0t, g1)
        multiply(g, g, squares); multiply(moments, beta, moments)
        np.add(moments, terms, moments)  # without the factors 1 - beta
        second = (1 - BETA2**t) ** 0.5
        np.sqrt(v, update); np.add(update, dtype(EPSILON * 2 * BATCH * second / root), update)
        np.divide(m, update, update)
        multiply(update, dtype(RATE * (1 - BETA1) * second / (root * (1 - BETA1**t))), update)
        subtract(flat, update, flat)
    elapsed = time.perf_counter() - start
    parts = (part for w in (w1, w2, w3) for part in (w[:, :-1], w[:, -1:]))
    return elapsed, dict(zip(("W1", "b1", "W2", "b2", "W3", "b3"), parts))


if __name__ == "__main__":
    steps, runs = map(int, sys.argv[1:] or (20000, 5))
    one, other = (run(500, np.float64)[1] for run in (notebook, tight))
    assert max(abs(one[k] - other[k]).max() for k in one) < 1e-9, "the implementations disagree"
    assert max(abs(one[k] - init(np.float64)[k]).max() for k in one) > 0.1, "nothing was trained"
    print("NumPy %s, 1 thread, medians of %d runs of %d steps" % (np.__version__, runs, steps))
    for run in (notebook, tight):
        for dtype in (np.float64, np.float32):
            times = [run(steps, dtype)[0] / steps * 1e6 for _ in range(runs + 1)][1:]
            figures = run.__name__, dtype.__name__, statistics.median(times), min(times)
            print("%-8s %s %6.1f microseconds per step, minimum %.1f" % figures)
