#!/usr/bin/env python3
"""Makes small models as skl2onnx exports them, and single operators of ai.onnx.ml, with ONNX Runtime's answers.

    tests/ml/make_cases.py --output tests/data/ml [--only PART]

A case is a folder in the layout of the ONNX backend tests; tests/run_zoo.py runs the engine over them. Needs
scikit-learn, skl2onnx, onnx and onnxruntime (made with 1.9.1, 1.20.0, 1.17.0 and 1.31.1).
"""
import argparse
import os
import shutil
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn import ensemble, linear_model, naive_bayes, neural_network, preprocessing, svm, tree
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from onnx_case import graph_names, write_data_sets  # noqa: E402

ML = "ai.onnx.ml"
RNG = np.random.default_rng(17)
X = RNG.standard_normal((80, 5)).astype(np.float32)
TWO = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
THREE = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0.3) + 4
FOUR = 2 * (X[:, 0] > 0).astype(np.int64) + (X[:, 2] > 0)
REAL = (X[:, 0] * 2 - X[:, 1] ** 2).astype(np.float32)
BOTH = np.stack([REAL, X[:, 3] + X[:, 4]], 1)
HOLES = np.where(RNG.random(X.shape) < 0.2, np.float32(np.nan), X)
CODES = RNG.integers(0, 5, (80, 3)).astype(np.int64)
TEST = np.concatenate([RNG.standard_normal((11, 5)).astype(np.float32), np.zeros((1, 5), np.float32)])


def estimators():
    """Name -> (estimator, what it is fitted on, what it is asked)."""
    trees = dict(max_depth=3, random_state=0)
    few = dict(n_estimators=4, random_state=0)
    yield "logistic_two", linear_model.LogisticRegression(), (X, TWO), TEST
    yield "logistic_three", linear_model.LogisticRegression(), (X, THREE), TEST
    yield "linear_regression", linear_model.LinearRegression(), (X, BOTH), TEST
    yield "ridge", linear_model.Ridge(), (X, REAL), TEST
    yield "ridge_classifier", linear_model.RidgeClassifier(), (X, THREE), TEST
    yield "linear_svc", svm.LinearSVC(), (X, TWO), TEST
    yield "sgd", linear_model.SGDClassifier(loss="log_loss", random_state=0), (X, THREE), TEST
    yield "perceptron", neural_network.MLPClassifier((6,), max_iter=30, random_state=0), (X, THREE), TEST
    yield "bayes", naive_bayes.GaussianNB(), (X, THREE), TEST
    yield "tree_two", tree.DecisionTreeClassifier(**trees), (X, TWO), TEST
    yield "tree_three", tree.DecisionTreeClassifier(**trees), (X, THREE), TEST
    yield "tree_regressor", tree.DecisionTreeRegressor(**trees), (X, REAL), TEST
    yield "forest_two", ensemble.RandomForestClassifier(max_depth=3, **few), (X, TWO), TEST
    yield "forest_three", ensemble.ExtraTreesClassifier(max_depth=3, **few), (X, THREE), TEST
    yield "forest_regressor", ensemble.RandomForestRegressor(max_depth=3, **few), (X, REAL), TEST
    yield "boosting_two", ensemble.GradientBoostingClassifier(max_depth=2, **few), (X, TWO), TEST
    yield "boosting_three", ensemble.GradientBoostingClassifier(max_depth=2, **few), (X, THREE), TEST
    yield "boosting_regressor", ensemble.GradientBoostingRegressor(max_depth=2, **few), (X, REAL), TEST
    yield "isolation", ensemble.IsolationForest(max_samples=16, **few), (X, None), TEST
    yield "svc_two", svm.SVC(), (X, TWO), TEST
    yield "svc_four", svm.SVC(kernel="poly", degree=2), (X, FOUR), TEST
    yield "svc_linear_chances", svm.SVC(kernel="linear", probability=True, random_state=0), (X, TWO), TEST
    yield "svc_four_chances", svm.SVC(probability=True, random_state=0), (X, FOUR), TEST
    yield "svr_sigmoid", svm.SVR(kernel="sigmoid"), (X, REAL), TEST
    yield "svr", svm.NuSVR(), (X, REAL), TEST
    yield "one_class", svm.OneClassSVM(), (X, None), TEST
    for norm in ("l1", "l2", "max"):
        yield "normalizer_" + norm, preprocessing.Normalizer(norm), (abs(X), None), abs(TEST)
    yield "binarizer", preprocessing.Binarizer(threshold=0.2), (X, None), TEST
    yield "min_max", preprocessing.MinMaxScaler(), (X, None), TEST
    yield "imputer", SimpleImputer(strategy="median"), (HOLES, None), HOLES[:9]
    yield "one_hot", preprocessing.OneHotEncoder(handle_unknown="ignore"), (CODES, None), CODES[:9] + 1
    yield "ordinal", preprocessing.OrdinalEncoder(), (CODES, None), CODES[:9]
    columns = ColumnTransformer([("scale", preprocessing.StandardScaler(), [0, 1]),
                                 ("fill", make_pipeline(SimpleImputer(), preprocessing.RobustScaler()), [2, 3, 4])])
    yield "pipeline", make_pipeline(columns, linear_model.LogisticRegression()), (X, THREE), TEST


def nodes():
    """Single operators: what exporters other than skl2onnx write. Name -> (node, input)."""
    def node(kind, **attributes):
        outputs = ["label", "scores"] if kind.endswith("Classifier") else ["y"]
        return helper.make_node(kind, ["x"], outputs, domain=ML, **attributes)

    ints = np.array([[3, -7], [0, 5]], np.int64)
    floats = np.array([[1.5, np.nan], [2.5, 9]], np.float32)
    yield "encoder_int_float", node("LabelEncoder", keys_int64s=[3, 5], values_floats=[0.5, -1.0], default_float=9.0), ints
    yield "encoder_float_int", node("LabelEncoder", keys_floats=[1.5, float("nan")], values_int64s=[7, 8], default_int64=-2), floats
    yield "encoder_float_float", node("LabelEncoder", keys_floats=[1.5, 9.0], values_floats=[4.0, 5.0]), floats
    yield "one_hot_int", node("OneHotEncoder", cats_int64s=[3, 5, 0], zeros=1), ints
    yield "imputer_int", node("Imputer", imputed_value_int64s=[40, 50], replaced_value_int64=5), ints
    yield "scaler_int", node("Scaler", offset=[1.0, 2.0], scale=[0.5, 3.0]), ints
    for post in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        yield "linear_two_" + post.lower(), node("LinearClassifier", coefficients=[0.5, -1.0], intercepts=[0.2],
                                                 classlabels_ints=[4, 9], post_transform=post), TEST[:, :2]
        yield "linear_many_" + post.lower(), node(
            "LinearClassifier", coefficients=[0.5, -1.0, 1.0, 0.3, 0.0, 0.0], intercepts=[0.2, -0.1, 0.0],
            classlabels_ints=[4, 9, 1], post_transform=post), TEST[:, :2]
    modes = ["BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
    chain = dict(nodes_treeids=[0] * 11, nodes_nodeids=list(range(11)), nodes_featureids=[0, 1, 0, 1, 0] + [0] * 6,
                 nodes_modes=modes + ["LEAF"] * 6, nodes_values=[-0.2, 0.8, 1.0, 0.0, 0.5] + [0.0] * 6,
                 nodes_truenodeids=[5, 6, 7, 8, 9] + [0] * 6, nodes_falsenodeids=[1, 2, 3, 4, 10] + [0] * 6,
                 nodes_missing_value_tracks_true=[1, 0, 0, 0, 0] + [0] * 6)
    for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
        both = {key: value + ([1] * 11 if key == "nodes_treeids" else value) for key, value in chain.items()}
        yield "trees_" + aggregate.lower(), node(
            "TreeEnsembleRegressor", n_targets=1, target_treeids=[0] * 6 + [1] * 6, target_nodeids=list(range(5, 11)) * 2,
            target_ids=[0] * 12, target_weights=[float(i) for i in range(12)], aggregate_function=aggregate,
            base_values=[0.25], **both), np.concatenate([TEST[:, :2], np.array([[np.nan, 1]], np.float32)])


def exported(estimator, sample):
    opsets = {"": 17, ML: 3}
    try:
        # Maps are no tensors: scores are asked for as a matrix.
        return to_onnx(estimator, sample, options={id(estimator): {"zipmap": False}}, target_opset=opsets)
    except NameError:
        return to_onnx(estimator, sample, target_opset=opsets)


def save(folder, model, feeds):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, "model.onnx")
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = graph_names(path)[1]
    write_data_sets(folder, [(feeds, dict(zip(names, session.run(names, feeds))))])


def from_node(node, x):
    dtype = TensorProto.INT64 if x.dtype == np.int64 else TensorProto.FLOAT
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], node.op_type, [helper.make_tensor_value_info("x", dtype, ["rows", x.shape[1]])], outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(ML, 3), helper.make_opsetid("", 17)], ir_version=8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    count = 0
    for name, estimator, (x, y), test in estimators():
        if arguments.only not in name:
            continue
        estimator.fit(x, y)
        model = exported(estimator, x[:1])
        model.doc_string = ""
        save(os.path.join(arguments.output, name), model, {model.graph.input[0].name: test})
        count += 1
    for name, node, x in nodes():
        if arguments.only in name:
            save(os.path.join(arguments.output, "op_" + name), from_node(node, np.ascontiguousarray(x)), {"x": np.ascontiguousarray(x)})
            count += 1
    print(f"{count} cases made")


if __name__ == "__main__":
    main()
