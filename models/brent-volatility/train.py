"""Trains the forecaster of Brent's volatility and writes every file this folder publishes.

    python train.py            train, then write brent-volatility.onnx and the JSON files
    python train.py --check    change nothing; derive the JSON files from the prices and the
                               existing brent-volatility.onnx, and fail where a file differs
    python train.py --select   print the table behind DAYS and ALPHA

Data: brent-daily.csv, 9,958 daily spot prices of Brent crude oil, 1987 to 2026; README.md says whose.
"""

import csv
import hashlib
import json
import sys
import warnings
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "shared"))

import repeatable  # noqa: F401  before NumPy
from publish import run, samples_text

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

MODEL = FOLDER / "brent-volatility.onnx"
PRICES = FOLDER / "brent-daily.csv"
PRICES_SHA256 = "b5908edde7a195aca26d8bcc9993c38899fa579b0415796616a1469eee0d4dd4"

HORIZON = 5
# A day's return beyond this is entered as this: one crash must not decide a forecast alone, and a circuit has a range.
RETURN_LIMIT = 1000
UNLIMITED = 100_000
# First days of the splits, which have no day in common; each ends where the next begins.
SPLITS = {"train": "1987-05-21", "calibration": "2018-01-01", "test": "2020-01-01"}
END = "2026-08-19"
# Within the train split: a model fitted on everything before a day forecasts until the next one.
FOLD_DAYS = ("1996-01-01", "2000-01-01", "2004-01-01", "2008-01-01", "2012-01-01", "2015-01-01", "2018-01-01")

# Chosen by --select on the train split alone; the table is in README.md.
DAYS = 66
ALPHA = 3000.0

# Of the perceptrons that --select compares.
HIDDEN = 8
SEED = 2024
STEPS = 400

# IR 8 is the version that introduced opset 17; newer runtimes read it too.
IR_VERSION = 8
OPSET = 17

CITATION = (
    "U.S. Energy Information Administration, Europe Brent Spot Price FOB (Aug 2026), by way of the data package "
    "oil-prices of github.com/datasets, commit 1b938b5bbf7df718b657448e73ea8938d6cea6c7. Public domain; PDDL 1.0."
)


def load_returns():
    """Days after the first, and the log return of each in basis points, as a whole number."""
    content = PRICES.read_bytes()
    if hashlib.sha256(content).hexdigest() != PRICES_SHA256:
        raise ValueError(f"{PRICES.name} is not as it was")
    rows = list(csv.reader(content.decode().splitlines()))[1:]
    prices = np.array([float(price) for _, price in rows])
    return np.array([day for day, _ in rows[1:]]), np.rint(1e4 * np.log(prices[1:] / prices[:-1])).astype(np.int64)


def windows(first, end, days=DAYS, step=1, limit=RETURN_LIMIT):
    """Of the days from `first` up to `end`: (returns [n, days] oldest first, limited; volatility of the HORIZON days after).

    All days of a window lie in this span, those of its target too.
    """
    dates, returns = load_returns()
    span = returns[(dates >= first) & (dates < end)]
    seen = np.lib.stride_tricks.sliding_window_view(span, days + HORIZON)[::step]
    inputs = np.clip(seen[:, :days], -limit, limit)
    return np.ascontiguousarray(inputs), volatility(seen[:, days:])


def volatility(returns):
    """Root mean square over the days of each row, in basis points a day, to two decimals."""
    return np.round(np.sqrt(np.mean(np.square(returns, dtype=np.float64), axis=1)), 2)


def load_splits(limit=RETURN_LIMIT):
    """By time: name -> (returns [n, DAYS] int64, volatility of the next days [n]).

    Every day begins a window of the train split; of the others every fifth does, so that no two targets share a day.
    """
    bounds = [*SPLITS.values(), END]
    return {
        name: windows(first, end, step=1 if name == "train" else HORIZON, limit=limit)
        for name, first, end in zip(SPLITS, bounds, bounds[1:])
    }


def fit(inputs, targets, alpha=ALPHA):
    """Weight of each day's magnitude [days].

    Twice the returns are twice the forecast: there is no bias, and what is fitted is the part of the window's mean
    magnitude, so that quiet years count as much as others. Least squares, with an L2 term on how the weights differ: the
    greater alpha, the nearer they are to each other.
    """
    magnitudes = np.abs(inputs)
    means = magnitudes.mean(axis=1)
    seen, wanted = magnitudes / means[:, None] - 1, targets / means
    days = seen.shape[1]
    differences = np.linalg.solve(seen.T @ seen + alpha * np.eye(days), seen.T @ (wanted - wanted.mean()))
    weights = differences + (wanted.mean() - differences.sum()) / days
    return weights * scale_of(magnitudes @ weights, targets)


def scale_of(forecasts, targets):
    """The factor with which forecasts lose least: least squares give the mean of volatilities, this that of their squares."""
    return np.sqrt(np.mean(np.square(targets / forecasts)))


def predict(weights, inputs):
    return np.abs(inputs) @ weights


def export(weights):
    """ONNX model over whole basis points; weights have no unit."""
    graph = helper.make_graph(
        [
            helper.make_node("Abs", ["returns"], ["magnitudes"], "abs"),
            helper.make_node("MatMul", ["magnitudes", "day.weight"], ["volatility"], "weighted_sum"),
        ],
        "brent-volatility",
        [helper.make_tensor_value_info("returns", TensorProto.FLOAT, [1, len(weights)])],
        [helper.make_tensor_value_info("volatility", TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(weights[:, None].astype(np.float32), "day.weight")],
    )
    model = helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="models/brent-volatility/train.py",
        doc_string="Brent crude oil: daily log returns in basis points, oldest first, to the volatility of the next five days.",
    )
    helper.set_model_props(model, {"dataset": CITATION})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def run_model(model_bytes, inputs):
    """Forecasts [n] of ONNX Runtime, one window at a time."""
    session = onnxruntime.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    return np.array([session.run(None, {"returns": row[None].astype(np.float32)})[0][0, 0] for row in inputs])


def require_agreement(weights, model_bytes, inputs):
    """Fails unless the exported model forecasts as the fitted weights do, to a hundredth of a basis point."""
    furthest = np.abs(run_model(model_bytes, inputs) - predict(weights, inputs)).max()
    if furthest > 0.01:
        raise ValueError(f"the exported model is up to {furthest} basis points from the fitted weights")


def weighted(inputs, decay):
    """Root of the exponentially weighted mean of squares: RiskMetrics' forecast, of the window's days."""
    weights = decay ** np.arange(inputs.shape[1])[::-1]
    return np.sqrt(np.square(inputs, dtype=np.float64) @ (weights / weights.sum()))


def fit_weighted(inputs, targets):
    """RiskMetrics' forecast times a factor: of three decays the one with the least loss on these windows."""
    found = []
    for decay in (0.90, 0.94, 0.97):
        forecasts = weighted(inputs, decay)
        factor = scale_of(forecasts, targets)
        found.append((np.mean(loss(factor * forecasts, targets)), decay, factor))
    _, decay, factor = min(found)
    return lambda others: factor * weighted(others, decay)


def naive_forecasts(inputs, targets):
    """What a forecaster has to beat: name -> forecast of windows. The last two are fitted, on these windows."""
    fitted = fit_weighted(inputs, targets)
    return {
        "lastFiveDays": lambda others: weighted(others[:, -HORIZON:], 1.0),
        "lastMonth": lambda others: weighted(others[:, -22:], 1.0),
        "ewma94": lambda others: weighted(others, 0.94),
        "ewmaFitted": fitted,
        "trainMean": lambda others: np.full(len(others), targets.mean()),
    }


def loss(forecasts, targets):
    """QLIKE, by which volatility forecasts are usually compared: of the ratio alone, so that no crash decides it.

    Patton, A. (2011). Volatility forecast comparison using imperfect volatility proxies. Journal of Econometrics 160(1).
    """
    ratio = np.square(targets / forecasts)
    return ratio - np.log(ratio) - 1


def errors(forecasts, targets):
    difference = forecasts - targets
    return {
        "qlike": round(float(np.mean(loss(forecasts, targets))), 4),
        "mae": round(float(np.mean(np.abs(difference))), 2),
        "rmse": round(float(np.sqrt(np.mean(difference**2))), 2),
    }


def saved(of_others, of_model):
    """Share of another forecast's losses that the model saves, and how many standard errors that is from none."""
    difference = of_others - of_model
    return {
        "share": round(float(difference.sum() / of_others.sum()), 4),
        "standardErrors": round(float(difference.mean() / (difference.std(ddof=1) / np.sqrt(len(difference)))), 2),
    }


def measure(model_bytes, splits):
    """Contents of metrics.json, measured on the ONNX file itself."""
    graph = onnx.load_from_string(model_bytes).graph
    forecasts = {name: run_model(model_bytes, inputs) for name, (inputs, _) in splits.items()}
    # Nothing keeps the others from seeing crashes as they were.
    unlimited = load_splits(limit=UNLIMITED)
    inputs, targets = unlimited["test"]
    naive = {name: forecast(inputs) for name, forecast in naive_forecasts(*unlimited["train"]).items()}
    of_model = loss(forecasts["test"], targets)
    return {
        "windows": {name: len(targets) for name, (_, targets) in splits.items()},
        "parameters": sum(int(np.prod(tensor.dims)) for tensor in graph.initializer),
        "unit": "basis points a day; qlike has none",
        "errors": {name: errors(forecasts[name], targets) for name, (_, targets) in splits.items()},
        "leastTestForecast": round(float(forecasts["test"].min()), 2),
        "naiveTestErrors": {name: errors(others, targets) for name, others in naive.items()},
        "testQlikeSaved": {name: saved(loss(others, targets), of_model) for name, others in naive.items()},
    }


def derived_files(model_bytes, splits):
    """File name -> text, for all files that follow from the prices and the ONNX file."""
    layout = (
        f"Each row: {DAYS} daily log returns in basis points, oldest first, limited to {RETURN_LIMIT}. "
        f"Targets: root mean square of the {HORIZON} returns after, not limited. {CITATION}"
    )
    return {
        "calibration.json": samples_text("2018 and 2019: not fitted, not tested. " + layout, *splits["calibration"], name="targets"),
        "test.json": samples_text("Held-out: from 2020 on. " + layout, *splits["test"], name="targets"),
        "metrics.json": json.dumps(measure(model_bytes, splits), indent=2) + "\n",
    }


def make(splits):
    weights = fit(*splits["train"])
    model_bytes = export(weights)
    require_agreement(weights, model_bytes, np.concatenate([inputs for inputs, _ in splits.values()]))
    return model_bytes


def fit_perceptron(inputs, targets, alpha):
    """A forecaster with a hidden layer, of the same parts of the mean magnitude, for comparison."""
    network = MLPRegressor(hidden_layer_sizes=(HIDDEN,), solver="lbfgs", alpha=alpha, max_iter=STEPS, random_state=SEED)

    def parts(of):
        magnitudes = np.abs(of)
        means = magnitudes.mean(axis=1)
        return magnitudes / means[:, None], means

    seen, means = parts(inputs)
    with warnings.catch_warnings():
        # The loss has long been flat then.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(seen, targets / means)
    scale = scale_of(network.predict(seen) * means, targets)

    def forecast(others):
        seen, means = parts(others)
        return network.predict(seen) * means * scale

    return forecast


def fit_linear(inputs, targets, alpha):
    weights = fit(inputs, targets, alpha)
    return lambda others: predict(weights, others)


def select(_splits):
    """Mean loss of forecasts of the spans of the train split, each by what was fitted on the days before it."""

    def score(days, forecaster, limit=RETURN_LIMIT):
        losses = []
        for first, end in zip(FOLD_DAYS, FOLD_DAYS[1:]):
            inputs, targets = windows(first, end, days, limit=limit)
            forecast = forecaster(*windows(SPLITS["train"], first, days, limit=limit))
            losses.append(np.mean(loss(forecast(inputs), targets)))
        return np.mean(losses)

    print("days  forecaster       alpha   qlike")
    for days in (22, 44, 66):
        print(f"{days:4d}  fitted EWMA             {score(days, fit_weighted, limit=UNLIMITED):.4f}")
        for alpha in (300.0, 1000.0, 3000.0, 10000.0):
            figure = score(days, lambda *data: fit_linear(*data, alpha))
            print(f"{days:4d}  linear           {alpha:5.0f}  {figure:.4f}")
        for alpha in (100.0, 300.0, 1000.0):
            figure = score(days, lambda *data: fit_perceptron(*data, alpha))
            print(f"{days:4d}  {HIDDEN} hidden units   {alpha:5.0f}  {figure:.4f}")


if __name__ == "__main__":
    run("Brent-volatility", MODEL, load_splits, make, derived_files, select)
