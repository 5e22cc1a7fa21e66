"""Trains the handwritten-digits model and writes every file this folder publishes.

    python train.py            train, then write digits.onnx and the JSON files
    python train.py --check    change nothing; derive the JSON files from the data and the
                               existing digits.onnx, and fail where a file differs
    python train.py --select   print the cross-validation table behind HIDDEN and ALPHA

Data: UCI optdigits test part as shipped with scikit-learn, 1,797 images of 8x8 pixels 0..16.
"""

import sys
import warnings
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "shared"))

from digits import CITATION, CLASSES, PIXEL_MAX, SEED, load_splits  # before NumPy
from publish import accuracy, metrics_text, run, samples_text

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier

MODEL = FOLDER / "digits.onnx"

# Chosen by --select on the training images alone; the table is in README.md.
HIDDEN = 24
ALPHA = 1.0

# Integer simulation: signed weights, unsigned hidden activations.
WEIGHT_BITS = 8
ACTIVATION_BITS = 8

# IR 8 is the version that introduced opset 17; newer runtimes read it too.
IR_VERSION = 8
OPSET = 17


def fit(images, labels, hidden=HIDDEN, alpha=ALPHA):
    """An MLP 64 -> hidden -> 10 over pixels scaled to 0..1.

    L-BFGS is run to convergence: the L2 term then drives the weights of pixels that are
    always blank to zero and keeps the others in a narrow range, which is what a per-tensor
    8-bit scale needs.
    """
    network = MLPClassifier(
        (hidden,), activation="relu", solver="lbfgs", alpha=alpha, max_iter=5000, random_state=SEED
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        return network.fit(images / PIXEL_MAX, labels)


def export(network):
    """ONNX model over raw pixels: the division by 16 is folded into the first layer."""
    (w1, w2), (b1, b2) = network.coefs_, network.intercepts_
    tensors = {"hidden.weight": w1 / PIXEL_MAX, "hidden.bias": b1, "output.weight": w2, "output.bias": b2}
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["image", "hidden.weight", "hidden.bias"], ["hidden"], "hidden_gemm"),
            helper.make_node("Relu", ["hidden"], ["activation"], "hidden_relu"),
            helper.make_node("Gemm", ["activation", "output.weight", "output.bias"], ["scores"], "output_gemm"),
            helper.make_node("ArgMax", ["scores"], ["label"], "argmax", axis=1, keepdims=0),
        ],
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, w1.shape[0]])],
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
        producer_name="models/digits/train.py",
        doc_string="Handwritten digits: 8x8 pixels, row by row, each 0..16, to ten scores and a label.",
    )
    helper.set_model_props(model, {"dataset": CITATION, "seed": str(SEED)})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def run_model(model_bytes, images):
    """Scores [n, 10] and labels [n] from ONNX Runtime, one image at a time."""
    session = onnxruntime.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    results = [session.run(["scores", "label"], {"image": row[None].astype(np.float32)}) for row in images]
    return np.concatenate([scores for scores, _ in results]), np.concatenate([label for _, label in results])


def require_agreement(network, model_bytes, images):
    """Fails unless the exported model decides as the trained network does on every image."""
    expected = network.predict(images / PIXEL_MAX)
    _, labels = run_model(model_bytes, images)
    if not np.array_equal(labels, expected):
        raise ValueError(f"the exported model disagrees with the network on {np.sum(labels != expected)} images")


def power_of_two_scale(values, largest):
    """Smallest power of two s for which max|values| / s does not exceed `largest`."""
    return 2.0 ** np.ceil(np.log2(np.abs(values).max() / largest))


def integer_labels(weights, calibration_images, images):
    """Labels from integer arithmetic; scales are powers of two, one per tensor.

    Biases take the scale of their accumulator. The hidden activation's scale comes from the
    calibration images; larger activations saturate.
    """
    w1, b1, w2, b2 = (weights[name] for name in ("hidden.weight", "hidden.bias", "output.weight", "output.bias"))
    weight_max, activation_max = 2 ** (WEIGHT_BITS - 1) - 1, 2**ACTIVATION_BITS - 1
    s1, s2 = power_of_two_scale(w1, weight_max), power_of_two_scale(w2, weight_max)
    q1, q2 = np.rint(w1 / s1).astype(np.int64), np.rint(w2 / s2).astype(np.int64)

    observed = np.maximum(calibration_images @ w1 + b1, 0)
    step = power_of_two_scale(observed, activation_max)
    accumulator = images @ q1 + np.rint(b1 / s1).astype(np.int64)
    # Exact in float64: accumulators stay far below 2^53 and the factor is a power of two.
    activation = np.clip(np.floor(np.maximum(accumulator, 0) * (s1 / step) + 0.5), 0, activation_max)
    scores = activation.astype(np.int64) @ q2 + np.rint(b2 / (s2 * step)).astype(np.int64)
    return scores.argmax(axis=1)


def model_weights(model_bytes):
    graph = onnx.load_from_string(model_bytes).graph
    return {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in graph.initializer}


def measure(model_bytes, splits):
    """Contents of metrics.json, measured on the ONNX file itself."""
    weights = model_weights(model_bytes)
    predicted = {name: run_model(model_bytes, images)[1] for name, (images, _) in splits.items()}
    integer = {
        name: integer_labels(weights, splits["calibration"][0], images) for name, (images, _) in splits.items()
    }
    labels = {name: values for name, (_, values) in splits.items()}
    return {
        "images": {name: len(values) for name, values in labels.items()},
        "parameters": sum(tensor.size for tensor in weights.values()),
        "relu": weights["hidden.bias"].size,
        "floatAccuracy": {name: accuracy(predicted[name], labels[name]) for name in splits},
        "integer": {
            "weightBits": WEIGHT_BITS,
            "activationBits": ACTIVATION_BITS,
            "accuracy": {name: accuracy(integer[name], labels[name]) for name in splits},
            "testLabelsEqualToFloat": accuracy(integer["test"], predicted["test"]),
        },
        "testConfusion": {
            "description": "Float model. Row: true digit; column: predicted digit.",
            "matrix": confusion_matrix(labels["test"], predicted["test"]).tolist(),
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


def make(splits):
    network = fit(*splits["train"])
    model_bytes = export(network)
    require_agreement(network, model_bytes, np.concatenate([images for images, _ in splits.values()]))
    return model_bytes


def select(splits):
    """Five-fold cross-validation on the training images: float and integer accuracy."""
    images, labels = splits["train"]
    folds = list(StratifiedKFold(5, shuffle=True, random_state=SEED).split(images, labels))
    print("hidden  alpha   float  integer")
    for hidden in (16, 24, 32, 48):
        for alpha in (0.3, 1.0, 3.0):
            scores = []
            for kept, left_out in folds:
                network = fit(images[kept], labels[kept], hidden, alpha)
                model_bytes = export(network)
                integer = integer_labels(model_weights(model_bytes), images[kept], images[left_out])
                scores.append(
                    [
                        np.mean(run_model(model_bytes, images[left_out])[1] == labels[left_out]),
                        np.mean(integer == labels[left_out]),
                    ]
                )
            print(f"{hidden:6d}  {alpha:5.1f}  {np.mean(scores, axis=0)[0]:.4f}   {np.mean(scores, axis=0)[1]:.4f}")


if __name__ == "__main__":
    run("handwritten-digits", MODEL, load_splits, make, derived_files, select)
