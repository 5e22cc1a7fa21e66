"""Trains the convolutional digits model and writes every file this folder publishes.

    python train.py            train, then write digits-cnn.onnx and the JSON files
    python train.py --check    change nothing; derive the JSON files from the data and the
                               existing digits-cnn.onnx, and fail where a file differs
    python train.py --select   print the cross-validation table behind CHANNELS and ALPHA

Data: UCI optdigits test part as shipped with scikit-learn, 1,797 images of 8x8 pixels 0..16; the
split is that of the digits model beside this one.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "shared"))

from digits import CITATION, CLASSES, PIXEL_MAX, SEED, load_splits  # before NumPy
from publish import accuracy, metrics_text, run, samples_text

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from scipy.optimize import minimize
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold

MODEL = FOLDER / "digits-cnn.onnx"

SIDE = 8
KERNEL = 3
STRIDE = 2
PADDING = 1
# Of the layer's output, 4x4.
POSITIONS = 16

# Chosen by --select on the training images alone; the table is in README.md.
CHANNELS = 6
ALPHA = 1.0

# L-BFGS is stopped after this many steps: the loss has long been flat, and the accuracy with it.
STEPS = 500

# IR 8 is the version that introduced opset 17; newer runtimes read it too.
IR_VERSION = 8
OPSET = 17


def patches(images):
    """[n, 64] pixels to [n, 16, 9]: what the kernel sees at each position, scaled to 0..1."""
    padding = (PADDING, PADDING)
    squares = np.pad(images.reshape(-1, SIDE, SIDE) / PIXEL_MAX, ((0, 0), padding, padding))
    windows = np.lib.stride_tricks.sliding_window_view(squares, (KERNEL, KERNEL), axis=(1, 2))
    seen = windows[:, ::STRIDE, ::STRIDE]
    return np.ascontiguousarray(seen.reshape(len(images), POSITIONS, KERNEL * KERNEL))


def fit(images, labels, channels=CHANNELS, alpha=ALPHA):
    """Kernel [9, channels], bias, output weights [16 * channels, 10], bias.

    Softmax cross-entropy with an L2 term, its gradient written out, from a seeded start.
    """
    seen = patches(images)
    count = len(seen)
    rows = seen.reshape(count * POSITIONS, KERNEL * KERNEL)
    targets = np.eye(CLASSES)[labels]
    hidden = POSITIONS * channels
    shapes = [(KERNEL * KERNEL, channels), (channels,), (hidden, CLASSES), (CLASSES,)]
    cuts = np.cumsum([np.prod(shape) for shape in shapes])[:-1]

    def parts(vector):
        return [part.reshape(shape) for part, shape in zip(np.split(vector, cuts), shapes)]

    def loss(vector):
        kernel, kernel_bias, weights, bias = parts(vector)
        sums = rows @ kernel + kernel_bias
        activations = np.maximum(sums, 0).reshape(count, hidden)
        scores = activations @ weights + bias
        scores -= scores.max(axis=1, keepdims=True)
        exponentials = np.exp(scores)
        total = exponentials.sum(axis=1, keepdims=True)
        penalty = alpha / 2 * (np.sum(kernel**2) + np.sum(weights**2))
        value = (np.sum(np.log(total)) - np.sum(targets * scores) + penalty) / count
        errors = (exponentials / total - targets) / count
        back = (errors @ weights.T).reshape(rows.shape[0], channels) * (sums > 0)
        gradient = [
            rows.T @ back + alpha / count * kernel,
            back.sum(axis=0),
            activations.T @ errors + alpha / count * weights,
            errors.sum(axis=0),
        ]
        return value, np.concatenate([part.ravel() for part in gradient])

    random = np.random.default_rng(SEED)
    start = [
        random.uniform(-1, 1, shape) * np.sqrt(6 / sum(shape)) if len(shape) == 2 else np.zeros(shape)
        for shape in shapes
    ]
    found = minimize(
        loss,
        np.concatenate([part.ravel() for part in start]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS, "maxfun": 2 * STEPS},
    )
    return parts(found.x)


def predict(network, images):
    kernel, kernel_bias, weights, bias = network
    activations = np.maximum(patches(images) @ kernel + kernel_bias, 0)
    return (activations.reshape(len(images), -1) @ weights + bias).argmax(axis=1)


def export(network):
    """ONNX model over raw pixels: the division by 16 is folded into the kernel."""
    kernel, kernel_bias, weights, bias = network
    channels = kernel.shape[1]
    tensors = {
        "kernel": (kernel / PIXEL_MAX).T.reshape(channels, 1, KERNEL, KERNEL),
        "kernel.bias": kernel_bias,
        # ONNX has channels before positions
        "output.weight": weights.reshape(POSITIONS, channels, CLASSES).swapaxes(0, 1).reshape(-1, CLASSES),
        "output.bias": bias,
    }
    graph = helper.make_graph(
        [
            helper.make_node(
                "Conv",
                ["image", "kernel", "kernel.bias"],
                ["sums"],
                "conv",
                kernel_shape=[KERNEL, KERNEL],
                strides=[STRIDE, STRIDE],
                pads=[PADDING] * 4,
            ),
            helper.make_node("Relu", ["sums"], ["activation"], "relu"),
            helper.make_node("Flatten", ["activation"], ["flat"], "flatten"),
            helper.make_node("Gemm", ["flat", "output.weight", "output.bias"], ["scores"], "output_gemm"),
            helper.make_node("ArgMax", ["scores"], ["label"], "argmax", axis=1, keepdims=0),
        ],
        "digits-cnn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, CLASSES]),
            helper.make_tensor_value_info("label", TensorProto.INT64, [1]),
        ],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in tensors.items()],
    )
    model = helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="models/digits-cnn/train.py",
        doc_string="Handwritten digits: 8x8 pixels, row by row, each 0..16, to ten scores and a label.",
    )
    helper.set_model_props(model, {"dataset": CITATION, "seed": str(SEED)})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def run_model(model_bytes, images):
    """Labels [n] from ONNX Runtime, one image at a time."""
    session = onnxruntime.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    squares = images.reshape(-1, 1, 1, SIDE, SIDE).astype(np.float32)
    return np.concatenate([session.run(["label"], {"image": square})[0] for square in squares])


def make(splits):
    """Trains, and fails unless the exported model decides as the trained network does on every image."""
    network = fit(*splits["train"])
    model_bytes = export(network)
    images = np.concatenate([images for images, _ in splits.values()])
    disagreements = np.sum(run_model(model_bytes, images) != predict(network, images))
    if disagreements > 0:
        raise ValueError(f"the exported model disagrees with the network on {disagreements} images")
    return model_bytes


def measure(model_bytes, splits):
    """Contents of metrics.json, measured on the ONNX file itself."""
    tensors = onnx.load_from_string(model_bytes).graph.initializer
    sizes = {tensor.name: numpy_helper.to_array(tensor).size for tensor in tensors}
    predicted = {name: run_model(model_bytes, images) for name, (images, _) in splits.items()}
    return {
        "images": {name: len(labels) for name, (_, labels) in splits.items()},
        "parameters": sum(sizes.values()),
        "relu": sizes["kernel.bias"] * POSITIONS,
        "floatAccuracy": {name: accuracy(predicted[name], labels) for name, (_, labels) in splits.items()},
        "testConfusion": {
            "description": "Float model. Row: true digit; column: predicted digit.",
            "matrix": confusion_matrix(splits["test"][1], predicted["test"]).tolist(),
        },
    }


def derived_files(model_bytes, splits):
    """File name -> text, for all files that follow from the data and the ONNX file."""
    layout = "Each image: 64 integers 0..16, row by row. " + CITATION
    return {
        "calibration.json": samples_text("Calibration images: not fitted, not tested. " + layout, *splits["calibration"]),
        "test.json": samples_text("Held-out test images. " + layout, *splits["test"]),
        "metrics.json": metrics_text(measure(model_bytes, splits)),
    }


def select(splits):
    """Five-fold cross-validation on the training images."""
    images, labels = splits["train"]
    folds = list(StratifiedKFold(5, shuffle=True, random_state=SEED).split(images, labels))
    print("channels  alpha  accuracy")
    for channels in (4, 6, 8):
        for alpha in (0.3, 1.0, 3.0):
            networks = [fit(images[kept], labels[kept], channels, alpha) for kept, _ in folds]
            scores = [np.mean(predict(network, images[out]) == labels[out]) for network, (_, out) in zip(networks, folds)]
            print(f"{channels:8d}  {alpha:5.1f}    {np.mean(scores):.4f}", flush=True)


if __name__ == "__main__":
    run("convolutional digits", MODEL, load_splits, make, derived_files, select)
