"""Trains the breast-mass model, a random forest, and writes every file this folder publishes.

    python train.py            train, then write breast-cancer.onnx and the JSON files
    python train.py --check    change nothing; derive the JSON files from the data and the
                               existing breast-cancer.onnx, and fail where a file differs
    python train.py --select   print the cross-validation table behind TREES and DEPTH

Data: Breast Cancer Wisconsin (Diagnostic) as shipped with scikit-learn, 569 masses of 30 numbers.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "shared"))

from publish import accuracy, metrics_text, run, samples_text

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold, train_test_split

MODEL = FOLDER / "breast-cancer.onnx"

SEED = 2024
NUMBER_LIMIT = 52000
TEST_MASSES = 150
CALIBRATION_MASSES = 60
CLASSES = ("malignant", "benign")

# Decimals that are kept of each number, as many as there are but for 16 bits: means, standard errors and worst values of
# ten properties of the nuclei.
UNITS = (3, 2, 2, 1, 5, 5, 5, 5, 4, 5, 4, 4, 3, 1, 6, 5, 5, 5, 5, 6, 3, 2, 2, 1, 5, 4, 4, 5, 4, 5)

# Chosen by --select on the training masses alone; the table is in README.md.
TREES = 12
DEPTH = 4

# IR 8 is the version that introduced opset 17; newer runtimes read it too.
IR_VERSION = 8
OPSET = 17
ML_OPSET = 3

CITATION = (
    "Wolberg, W., Mangasarian, O., Street, N. and Street, W. (1993). Breast Cancer Wisconsin (Diagnostic). "
    "UCI Machine Learning Repository. https://doi.org/10.24432/C5DW2B. CC BY 4.0."
)


def load_splits():
    """Stratified, fixed split: name -> (masses [n, 30] int64, labels [n] int64; 0 malignant, 1 benign).

    Numbers are whole, in units of 10^-UNITS: a circuit compares whole numbers, so that it decides as the forest does.
    """
    data = load_breast_cancer()
    masses = np.rint(data.data * 10.0 ** np.array(UNITS)).astype(np.int64)
    labels = data.target.astype(np.int64)
    if tuple(data.target_names) != CLASSES or masses.min() < 0 or masses.max() >= NUMBER_LIMIT:
        raise ValueError("the data set is not as it was")
    rest, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_MASSES, stratify=labels, random_state=SEED
    )
    train, calibration = train_test_split(
        rest, test_size=CALIBRATION_MASSES, stratify=labels[rest], random_state=SEED
    )
    parts = {"train": train, "calibration": calibration, "test": test}
    return {name: (masses[index], labels[index]) for name, index in parts.items()}


def fit(masses, labels, trees=TREES, depth=DEPTH):
    """One thread: the order of the trees is that of their seeds, whatever the machine."""
    forest = RandomForestClassifier(trees, max_depth=depth, random_state=SEED, n_jobs=1)
    return forest.fit(masses, labels)


def float32_below(threshold):
    """The largest float32 that is at most a float64: `x <= threshold` stays what it was for every float32 x."""
    rounded = np.float32(threshold)
    return float(np.nextafter(rounded, np.float32(-np.inf)) if rounded > threshold else rounded)


def export(forest):
    """ONNX model of the forest: shares of both classes, averaged over the trees, and the greater one's index.

    As a regression of two shares: ONNX Runtime has a rule of its own for the label of a classifier of two classes.
    """
    nodes = {name: [] for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")}
    leaves = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for index, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        for node in range(tree.node_count):
            is_leaf = tree.children_left[node] == -1
            row = {
                "treeids": index,
                "nodeids": node,
                "featureids": 0 if is_leaf else int(tree.feature[node]),
                "values": 0.0 if is_leaf else float32_below(tree.threshold[node]),
                "modes": "LEAF" if is_leaf else "BRANCH_LEQ",
                "truenodeids": 0 if is_leaf else int(tree.children_left[node]),
                "falsenodeids": 0 if is_leaf else int(tree.children_right[node]),
            }
            for name, value in row.items():
                nodes[name].append(value)
            if is_leaf:
                counts = tree.value[node][0]
                for label, count in enumerate(counts / counts.sum()):
                    for name, value in zip(leaves, (index, node, label, float(count) / len(forest.estimators_))):
                        leaves[name].append(value)
    nodes_of_graph = [
        helper.make_node(
            "TreeEnsembleRegressor",
            ["mass"],
            ["scores"],
            "forest",
            domain="ai.onnx.ml",
            n_targets=len(CLASSES),
            **{f"nodes_{name}": values for name, values in nodes.items()},
            **{f"target_{name}": values for name, values in leaves.items()},
        ),
        helper.make_node("ArgMax", ["scores"], ["label"], "argmax", axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes_of_graph,
        "breast-cancer",
        [helper.make_tensor_value_info("mass", TensorProto.FLOAT, [1, forest.n_features_in_])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, len(CLASSES)]),
            helper.make_tensor_value_info("label", TensorProto.INT64, [1]),
        ],
    )
    model = helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
        producer_name="models/breast-cancer/train.py",
        doc_string="Breast masses: 30 numbers of cell nuclei, to the shares of malignant and benign and a label.",
    )
    helper.set_model_props(model, {"dataset": CITATION, "seed": str(SEED)})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def run_model(model_bytes, masses):
    """Labels [n] from ONNX Runtime, one mass at a time."""
    session = onnxruntime.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["label"], {"mass": row[None].astype(np.float32)})[0] for row in masses])


def require_agreement(forest, model_bytes, masses):
    """Fails unless the exported model decides as the trained forest does on every mass."""
    expected, labels = forest.predict(masses), run_model(model_bytes, masses)
    if not np.array_equal(labels, expected):
        raise ValueError(f"the exported model disagrees with the forest on {np.sum(labels != expected)} masses")


def measure(model_bytes, splits):
    """Contents of metrics.json, measured on the ONNX file itself."""
    attributes = {entry.name: entry for entry in onnx.load_from_string(model_bytes).graph.node[0].attribute}
    modes = list(attributes["nodes_modes"].strings)
    conditions = zip(attributes["nodes_featureids"].ints, attributes["nodes_values"].floats, modes)
    predicted = {name: run_model(model_bytes, masses) for name, (masses, _) in splits.items()}
    return {
        "masses": {name: len(labels) for name, (_, labels) in splits.items()},
        "trees": len(set(attributes["nodes_treeids"].ints)),
        "branches": sum(mode != b"LEAF" for mode in modes),
        "leaves": sum(mode == b"LEAF" for mode in modes),
        "thresholds": len({(feature, value) for feature, value, mode in conditions if mode != b"LEAF"}),
        "floatAccuracy": {name: accuracy(predicted[name], labels) for name, (_, labels) in splits.items()},
        "testConfusion": {
            "description": "Row: true class; column: predicted class; malignant, benign.",
            "matrix": confusion_matrix(splits["test"][1], predicted["test"]).tolist(),
        },
    }


def derived_files(model_bytes, splits):
    """File name -> text, for all files that follow from the data and the ONNX file."""
    layout = "Each row: 30 numbers in the data set's order, as whole numbers in the units of train.py. Labels: 0 malignant, 1 benign. " + CITATION
    return {
        "calibration.json": samples_text("Calibration masses: not fitted, not tested. " + layout, *splits["calibration"]),
        "test.json": samples_text("Held-out test masses. " + layout, *splits["test"]),
        "metrics.json": metrics_text(measure(model_bytes, splits)),
    }


def make(splits):
    forest = fit(*splits["train"])
    model_bytes = export(forest)
    require_agreement(forest, model_bytes, np.concatenate([masses for masses, _ in splits.values()]))
    return model_bytes


def select(splits):
    """Five-fold cross-validation on the training masses, and how many thresholds a forest has."""
    masses, labels = splits["train"]
    folds = list(StratifiedKFold(5, shuffle=True, random_state=SEED).split(masses, labels))
    print("trees  depth  accuracy  branches")
    for trees in (6, 12, 24):
        for depth in (3, 4, 6):
            forests = [fit(masses[kept], labels[kept], trees, depth) for kept, _ in folds]
            scores = [forest.score(masses[out], labels[out]) for forest, (_, out) in zip(forests, folds)]
            branches = [sum(tree.tree_.node_count // 2 for tree in forest.estimators_) for forest in forests]
            print(f"{trees:5d}  {depth:5d}    {np.mean(scores):.4f}  {np.mean(branches):8.0f}")


if __name__ == "__main__":
    run("breast-mass", MODEL, load_splits, make, derived_files, select)
