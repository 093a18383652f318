"""Images per second and latency of an exported model in ONNX Runtime, as `crates/trainer/benches/prediction.rs`
measures those of the trainer.

    python onnx_runtime.py MODEL.onnx BATCH SECONDS
"""

import json
import os
import sys
import time

import numpy as np
import onnxruntime


def main():
    path, batch, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    at = np.arange(batch * np.prod(entry.shape[1:]), dtype=np.int64)
    kind = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}[entry.type]
    images = (at * at // 7 % 251).astype(kind).reshape(batch, *entry.shape[1:])
    call = lambda: session.run(None, {entry.name: images})
    timed(call, seconds / 5)
    times = timed(call, seconds)
    half, most = np.quantile(times, [0.5, 0.99])
    print(json.dumps({"rate": len(times) * batch / sum(times), "p50": half, "p99": most}))


def timed(call, seconds):
    """Seconds of each call, in about `seconds`."""
    started, times = time.perf_counter(), []
    while time.perf_counter() - started < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
