"""Small models of the kinds that users bring: frozen graphs, SavedModels with variables, Keras exports, both generations."""
import os
import zlib

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import graphs
import twins
import writing

v1 = tf.compat.v1
CASES = {}


def case(build):
    CASES[build.__name__] = build
    return build


def weights(random, *shape):
    return (random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)


def answers_of(function, feeds):
    found = function(**{name: tf.constant(value) for name, value in feeds.items()})
    return {name: value.numpy() for name, value in found.items()}


def write_saved_model(folder, module, function, sets):
    """`function` takes keyword arguments and returns a dict: the signature."""
    tf.saved_model.save(module, folder, signatures=function)
    tidy(folder)
    for number, feeds in enumerate(sets):
        answers = answers_of(function, feeds)
        writing.check_finite(folder, answers)
        writing.write_data_set(folder, number, feeds, dict(sorted(answers.items())))


def tidy(folder):
    """What the engine does not read."""
    for name in ("fingerprint.pb", "keras_metadata.pb"):
        if os.path.exists(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))
    for name in ("assets",):
        if os.path.isdir(os.path.join(folder, name)):
            os.rmdir(os.path.join(folder, name))


def write_frozen(folder, function, sets):
    """A function's graph with constants for variables; grappler inlines and folds, as users' freezing does."""
    frozen = convert_variables_to_constants_v2(function)
    names = [tensor.name.split(":")[0] for tensor in frozen.outputs]
    with open(os.path.join(folder, "model.pb"), "wb") as f:
        f.write(frozen.graph.as_graph_def().SerializeToString(deterministic=True))
    for number, feeds in enumerate(sets):
        found = frozen(*[tf.constant(feeds[tensor.name.split(":")[0]]) for tensor in frozen.inputs])
        answers = {name: value.numpy() for name, value in zip(names, found)}
        writing.check_finite(folder, answers)
        writing.write_data_set(folder, number, feeds, answers)


class Bert(tf.Module):
    """BERT's encoder in the operators of the original: 2-D products between reshapes, erf spelled out."""

    def __init__(self, random, layers=2, hidden=32, heads=4, vocabulary=60, positions=24):
        super().__init__()
        self.heads, self.hidden, self.layers = heads, hidden, []
        self.words = tf.Variable(weights(random, vocabulary, hidden), name="words")
        self.positions = tf.Variable(weights(random, positions, hidden), name="positions")
        self.types = tf.Variable(weights(random, 2, hidden), name="types")
        self.norms, self.products = [], []
        for layer in range(layers):
            for name, rows, columns in (("q", hidden, hidden), ("k", hidden, hidden), ("v", hidden, hidden),
                                        ("o", hidden, hidden), ("up", hidden, 4 * hidden), ("down", 4 * hidden, hidden)):
                self.products.append((tf.Variable(weights(random, rows, columns), name=f"{layer}/{name}/kernel"),
                                      tf.Variable(0.1 * weights(random, 1, columns)[0], name=f"{layer}/{name}/bias")))
        for layer in range(2 * layers + 1):
            self.norms.append((tf.Variable(1 + 0.1 * weights(random, hidden), name=f"norm{layer}/gamma"),
                               tf.Variable(0.1 * weights(random, hidden), name=f"norm{layer}/beta")))
        self.classes = tf.Variable(weights(random, hidden, 3), name="classes")
        self.count = layers

    def norm(self, x, number):
        gamma, beta = self.norms[number]
        mean = tf.reduce_mean(x, -1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, tf.stop_gradient(mean)), -1, keepdims=True)
        factor = tf.math.rsqrt(variance + 1e-12) * gamma
        return x * factor + (beta - mean * factor)

    def dense(self, x, number):
        kernel, bias = self.products[number]
        shape = tf.shape(x)
        flat = tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel)
        return tf.nn.bias_add(tf.reshape(flat, [shape[0], shape[1], kernel.shape[1]]), bias)

    def split(self, x):
        shape = tf.shape(x)
        return tf.transpose(tf.reshape(x, [shape[0], shape[1], self.heads, self.hidden // self.heads]), [0, 2, 1, 3])

    def layer(self, x, bias, number):
        q, k, v = (self.split(self.dense(x, 6 * number + i)) for i in range(3))
        scores = tf.matmul(q, k, transpose_b=True) * (1 / np.sqrt(self.hidden // self.heads)).astype(np.float32)
        mixed = tf.transpose(tf.matmul(tf.nn.softmax(scores + bias), v), [0, 2, 1, 3])
        shape = tf.shape(x)
        x = self.norm(x + self.dense(tf.reshape(mixed, [shape[0], shape[1], self.hidden]), 6 * number + 3), 2 * number + 1)
        up = self.dense(x, 6 * number + 4)
        up = 0.5 * up * (1 + tf.math.erf(up / np.float32(np.sqrt(2))))
        return self.norm(x + self.dense(up, 6 * number + 5), 2 * number + 2)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, name="input_ids"),
                                  tf.TensorSpec([None, None], tf.int32, name="input_mask"),
                                  tf.TensorSpec([None, None], tf.int32, name="token_type_ids")])
    def serve(self, input_ids, input_mask, token_type_ids):
        x = tf.gather(self.words, input_ids) + tf.gather(self.types, token_type_ids)
        x = self.norm(x + self.positions[:tf.shape(input_ids)[1]], 0)
        bias = (1 - tf.cast(input_mask[:, tf.newaxis, tf.newaxis], tf.float32)) * -10000.0
        for number in range(self.count):
            x = self.layer(x, bias, number)
        return {"logits": tf.matmul(tf.tanh(x[:, 0]), self.classes), "states": x}


def bert_feeds(random, *shapes):
    for batch, length in shapes:
        mask = np.ones((batch, length), np.int32)
        mask[-1, length // 2:] = 0
        yield {"input_ids": random.integers(0, 60, (batch, length)).astype(np.int32), "input_mask": mask,
               "token_type_ids": random.integers(0, 2, (batch, length)).astype(np.int32)}


@case
def bert_saved_model(folder, random):
    model = Bert(random)
    write_saved_model(folder, model, model.serve, bert_feeds(random, (2, 8), (1, 13)))
    twins.write_bert(os.path.join(folder, "twin.onnx"), model)


@case
def bert_frozen(folder, random):
    model = Bert(random)  # a tf.function does not keep its module alive
    write_frozen(folder, model.serve.get_concrete_function(), bert_feeds(random, (2, 8)))
    twins.write_bert(os.path.join(folder, "twin.onnx"), model)


def keras_case(build, *specs):
    """A Keras model exported as a SavedModel."""
    def make(folder, random):
        tf.keras.utils.set_random_seed(1)
        model = build()
        model.export(folder, format="tf_saved_model", verbose=False)
        tidy(folder)
        served = tf.saved_model.load(folder).signatures["serving_default"]
        names = sorted(served.structured_input_signature[1])
        for number, size in enumerate((3, 1)):
            feeds = {name: draw(random, size) for name, draw in zip(names, specs)}
            answers = answers_of(served, feeds)
            writing.check_finite(folder, answers)
            writing.write_data_set(folder, number, feeds, dict(sorted(answers.items())))
    make.__name__ = build.__name__
    return case(make)


def tokens(length, vocabulary, dtype=np.float32):
    return lambda random, size: random.integers(0, vocabulary, (size, length)).astype(dtype)


def numbers(*shape):
    return lambda random, size: random.standard_normal((size, *shape)).astype(np.float32)


def keras_text_cnn():
    k = tf.keras
    ids = k.Input([12], dtype="int32", name="ids")
    x = k.layers.Embedding(40, 16)(ids)
    parts = [k.layers.GlobalMaxPooling1D()(k.layers.Conv1D(8, width, activation="relu")(x)) for width in (2, 3, 4)]
    return k.Model(ids, k.layers.Dense(3, activation="softmax")(k.layers.Concatenate()(parts)))


keras_case(keras_text_cnn, tokens(12, 40, np.int32))


def keras_lstm():
    k = tf.keras
    ids = k.Input([7], dtype="int32", name="ids")
    x = k.layers.LSTM(8, return_sequences=True)(k.layers.Embedding(30, 6)(ids))
    return k.Model(ids, k.layers.Dense(2)(k.layers.LSTM(5)(x)))


keras_case(keras_lstm, tokens(7, 30, np.int32))


def keras_gru_bidirectional():
    k = tf.keras
    x = k.Input([6, 4], name="x")
    return k.Model(x, k.layers.Dense(2)(k.layers.Bidirectional(k.layers.GRU(5))(x)))


keras_case(keras_gru_bidirectional, numbers(6, 4))


def keras_wide_and_deep():
    k = tf.keras
    dense, sparse = k.Input([5], name="dense"), k.Input([3], dtype="int32", name="sparse")
    deep = k.layers.Concatenate()([k.layers.Flatten()(k.layers.Embedding(20, 4)(sparse)), dense])
    for width in (16, 8):
        deep = k.layers.BatchNormalization()(k.layers.Dense(width, activation="relu")(deep))
    wide = k.layers.Dense(1)(dense)
    return k.Model([dense, sparse], k.layers.Activation("sigmoid")(k.layers.Add()([wide, k.layers.Dense(1)(deep)])))


keras_case(keras_wide_and_deep, numbers(5), tokens(3, 20, np.int32))


def keras_image_cnn():
    k = tf.keras
    x = image = k.Input([12, 12, 3], name="image")
    for width, stride in ((8, 2), (12, 1)):
        x = k.layers.BatchNormalization()(k.layers.SeparableConv2D(width, 3, stride, padding="same")(x))
        x = k.layers.MaxPooling2D()(k.layers.ReLU()(x))
    return k.Model(image, k.layers.Dense(4)(k.layers.GlobalAveragePooling2D()(x)))


keras_case(keras_image_cnn, numbers(12, 12, 3))


class Dlrm(tf.Module):
    """Embedding bags, a bottom network, the products of all pairs, a top network."""

    def __init__(self, random, tables=3, rows=25, width=8):
        super().__init__()
        self.tables = [tf.Variable(weights(random, rows, width), name=f"table{i}") for i in range(tables)]
        self.bottom = tf.Variable(weights(random, 4, width), name="bottom")
        self.top = tf.Variable(weights(random, width + (tables + 1) * tables // 2, 1), name="top")

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="dense"),
                                  tf.TensorSpec([None, 3, 2], tf.int64, name="bags")])
    def serve(self, dense, bags):
        low = tf.nn.relu(tf.matmul(dense, self.bottom))
        vectors = [low] + [tf.reduce_sum(tf.nn.embedding_lookup(table, bags[:, i]), 1)
                           for i, table in enumerate(self.tables)]
        stacked = tf.stack(vectors, 1)
        pairs = tf.matmul(stacked, stacked, transpose_b=True)
        taken = [(i, j) for i in range(len(vectors)) for j in range(i)]
        crossed = tf.gather(tf.reshape(pairs, [-1, len(vectors) ** 2]), [i * len(vectors) + j for i, j in taken], axis=1)
        return {"click": tf.sigmoid(tf.matmul(tf.concat([low, crossed], 1), self.top))}


@case
def dlrm_saved_model(folder, random):
    model = Dlrm(random)
    sets = [{"dense": weights(random, size, 4), "bags": random.integers(0, 25, (size, 3, 2))} for size in (4, 1)]
    write_saved_model(folder, model, model.serve, sets)


class Quantized(tf.Module):
    """What quantization-aware training leaves: ranges beside the weights, fake quantization around products."""

    def __init__(self, random):
        super().__init__()
        self.w = [tf.Variable(weights(random, 16, 32)), tf.Variable(weights(random, 32, 3))]
        high = np.abs(self.w[0].numpy()).max(0)
        self.low, self.high = tf.Variable(-high), tf.Variable(high)
        self.range = [tf.Variable(np.float32(value)) for value in (-3.1, 3.3, 0.0, 4.2)]

    @tf.function(input_signature=[tf.TensorSpec([None, 16], tf.float32, name="x")])
    def serve(self, x):
        quantized = tf.quantization
        x = quantized.fake_quant_with_min_max_vars(x, self.range[0], self.range[1])
        w = quantized.fake_quant_with_min_max_vars_per_channel(self.w[0], self.low, self.high, narrow_range=True)
        x = tf.nn.relu(tf.matmul(x, w))
        x = quantized.fake_quant_with_min_max_vars(x, self.range[2], self.range[3])
        w = quantized.fake_quant_with_min_max_args(self.w[1], -1.0, 1.0, narrow_range=True)
        return {"y": tf.matmul(x, w)}


@case
def qat_saved_model(folder, random):
    model = Quantized(random)
    write_saved_model(folder, model, model.serve, [{"x": random.standard_normal((5, 16)).astype(np.float32)}])


@case
def qat_frozen(folder, random):
    model = Quantized(random)
    write_frozen(folder, model.serve.get_concrete_function(), [{"x": random.standard_normal((5, 16)).astype(np.float32)}])


class Stepper(tf.Module):
    """Control flow of TensorFlow 2 whose condition is known only when the model runs."""

    def __init__(self, random):
        super().__init__()
        self.w = tf.Variable(weights(random, 4, 4))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x"), tf.TensorSpec([], tf.int32, name="n")])
    def serve(self, x, n):
        for _ in tf.range(n):
            x = tf.tanh(tf.matmul(x, self.w)) + 0.1
        if tf.reduce_sum(x) > 0:
            x = x * 2
        else:
            x = x - 1
        return {"y": x}


@case
def control_flow_v2(folder, random):
    model = Stepper(random)
    x = random.standard_normal((3, 4)).astype(np.float32)
    write_saved_model(folder, model, model.serve, [{"x": x, "n": np.int32(4)}, {"x": -5 * x, "n": np.int32(0)}])


def write_v1(folder, build, resource):
    """A SavedModel of TensorFlow 1: its variables are assigned at the top of the graph."""
    random = np.random.default_rng(5)
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None, 6], name="x")
        with v1.variable_scope("layer", use_resource=resource):
            y = build(x, random)
        feeds = {"x": random.standard_normal((3, 6)).astype(np.float32)}
        with graphs.session() as running:
            running.run(v1.global_variables_initializer())
            os.rmdir(folder)  # TensorFlow makes it
            builder = v1.saved_model.Builder(folder)
            signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
            builder.add_meta_graph_and_variables(running, ["serve"], {"serving_default": signature})
            answers = {"y": running.run(y, {x: feeds["x"]})}
    builder.save()
    tidy(folder)
    writing.write_data_set(folder, 0, feeds, answers)


def dense_v1(x, random):
    w = v1.get_variable("w", initializer=weights(random, 6, 4))
    b = v1.get_variable("b", initializer=weights(random, 4, 1)[:, 0])
    return tf.nn.softmax(tf.matmul(x, w) + b)


@case
def v1_reference_variables(folder, _):
    write_v1(folder, dense_v1, resource=False)


@case
def v1_resource_variables(folder, _):
    write_v1(folder, dense_v1, resource=True)


def make(output, only):
    for name, build in CASES.items():
        if only in name:
            build(writing.fresh(os.path.join(output, name)), np.random.default_rng(zlib.crc32(name.encode())))
            print(name)
