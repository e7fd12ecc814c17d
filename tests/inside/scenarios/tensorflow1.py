"""TensorFlow 1's ways with Keras: ratings of films, two embeddings and a bias."""

import json
import os
import tempfile
import warnings

import h5py
import numpy as np
import pandas as pd
import tensorflow as tf
from tensorflow import keras

layers = keras.layers
N = 60
df = pd.DataFrame({"userId": np.arange(N) % 7, "movieId": np.arange(N) % 11, "y": np.linspace(-1, 1, N)})


def inputs():
    return keras.Input(shape=(1,), name="user_id"), keras.Input(shape=(1,), name="movie_id")


def rating_model(join=None):
    """A small model from ids to a rating, in today's words; ``join`` takes an axis off the bias."""
    user, movie = inputs()
    users = layers.Embedding(7, 3, name="user_embedding")(user)
    movies = layers.Embedding(11, 3, name="movie_embedding")(movie)
    out = layers.Dense(1, name="prediction")(layers.Flatten()(layers.Concatenate()([users, movies])))
    bias = (join or layers.Flatten())(layers.Embedding(11, 1, name="movie_bias")(movie))
    return keras.Model([user, movie], layers.Add()([out, bias]))


def compiled(**settings):
    model = rating_model()
    model.compile("sgd", **{"loss": "MSE", **settings})
    return model


def fit(model, **settings):
    return model.fit([df.userId, df.movieId], df.y, verbose=0, **settings)


def can_build_layers_from_numpy_numbers():
    rows = df.movieId.max() + 1
    assert type(rows) is np.int64
    sequence = keras.Input((np.int64(6), np.int32(2)))
    table = layers.Embedding(rows, np.int64(1))
    assert table(keras.Input((1,))).shape == (None, 1, 1)
    assert layers.Dense(np.int64(3))(keras.Input((2,))).shape == (None, 3)
    assert layers.Dense(units=np.int32(3))(keras.Input((2,))).shape == (None, 3)
    assert layers.RepeatVector(np.int64(2))(keras.Input((2,))).shape == (None, 2, 2)
    assert layers.Conv1D(np.int64(2), np.int64(1))(sequence).shape == (None, 6, 2)
    assert layers.LSTM(np.int64(4))(sequence).shape == (None, 4)
    assert layers.Reshape((np.int64(12),))(sequence).shape == (None, 12)
    assert layers.Dropout(np.float32(0.5)).rate == 0.5


def can_write_numpy_numbers_into_a_config():
    table = layers.Embedding(df.movieId.max() + 1, np.int64(8), name="table")
    config = table.get_config()
    assert type(config["input_dim"]) is type(config["output_dim"]) is int
    again = layers.Embedding.from_config(json.loads(json.dumps(config)))
    assert (again.input_dim, again.output_dim) == (11, 8)


def can_subclass_a_layer():
    class Bias(layers.Embedding):
        def __init__(self, n, **kwargs):
            super().__init__(n, 1, **kwargs)

    assert Bias(np.int64(4), input_length=1)(keras.Input((1,))).shape == (None, 1, 1)


def still_keeps_classes_and_signatures():
    import inspect  # noqa: PLC0415

    import keras as plain_keras  # noqa: PLC0415

    assert layers.Embedding is plain_keras.layers.Embedding
    assert type(rating_model().get_layer("movie_bias")) is layers.Embedding
    names = list(inspect.signature(layers.Embedding.__init__).parameters)
    assert names[:3] == ["self", "input_dim", "output_dim"]
    assert inspect.getfullargspec(layers.Dense.__init__).args[:2] == ["self", "units"]

    class Twice(layers.Layer):
        def __init__(self, n, **kwargs):
            super().__init__(**kwargs)
            self.n = n

        def call(self, x):
            return x * self.n

    assert Twice(2).get_config()["n"] == 2


def still_refuses_nonsense():
    for wrong in (
        lambda: layers.Embedding(0, 1),
        lambda: layers.Dense("x"),
        lambda: layers.Dense(1, nonsense=2),
    ):
        try:
            wrong()
        except (TypeError, ValueError):
            continue
        raise AssertionError("nonsense was accepted")
    assert not hasattr(tf, "nonsense")
    assert not hasattr(tf, "contrib")


def can_say_the_input_length_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = layers.Embedding(5, 2, input_length=1)
        model = keras.Sequential([table, layers.Flatten(), layers.Dense(1)])
    assert model.output_shape == (None, 1)
    assert table.input_length == 1


def can_say_input_shapes_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_shape = keras.Sequential([layers.Dense(3, input_shape=(2,)), layers.Dense(1)])
        by_batch = keras.Sequential([layers.Dense(3, batch_input_shape=(None, 4))])
        by_width = keras.Sequential([layers.Dense(3, input_dim=5)])
    assert (by_shape.input_shape, by_batch.input_shape, by_width.input_shape) == (
        (None, 2),
        (None, 4),
        (None, 5),
    )


def can_read_shapes_of_layers():
    model = rating_model()
    bias = model.get_layer("movie_bias")
    assert bias.output_shape == (None, 1, 1)
    assert bias.input_shape == (None, 1)
    assert model.layers[0].input_shape == model.layers[0].output_shape == (None, 1)
    assert model.get_layer("prediction").output_shape == (None, 1)
    concatenate = next(layer for layer in model.layers if isinstance(layer, layers.Concatenate))
    assert concatenate.input_shape == [(None, 1, 3), (None, 1, 3)]
    assert model.output_shape == (None, 1)
    assert bias.get_output_shape_at(0) == (None, 1, 1)
    assert bias.get_input_shape_at(0) == (None, 1)
    assert bias.get_output_at(0) is bias.output
    assert len(bias.inbound_nodes) == len(bias.outbound_nodes) == 1


def can_read_shapes_of_tensors():
    flat = layers.Flatten()(keras.Input((2, 3)))
    assert flat.get_shape().as_list() == [None, 6]
    assert keras.backend.int_shape(flat) == (None, 6)


def can_tell_why_there_is_no_shape():
    dense = layers.Dense(2)
    assert "never been called" in message_of(lambda: dense.output_shape)
    table = layers.Embedding(3, 1)
    table(keras.Input((1,)))
    table(keras.Input((4,)))
    assert "different output shapes" in message_of(lambda: table.output_shape)
    assert table.get_output_shape_at(1) == (None, 4, 1)
    assert "only 2 inbound nodes" in message_of(lambda: table.get_output_shape_at(2), ValueError)


def message_of(call, error=AttributeError):
    try:
        call()
    except error as raised:
        return str(raised)
    raise AssertionError("nothing was raised")


def can_find_metrics_under_their_long_names():
    model = compiled(metrics=["MAE", "mse"])
    assert model.metrics_names == ["loss", "mean_absolute_error", "mean_squared_error"]
    history = fit(model, validation_split=0.05).history
    names = {"loss", "mean_absolute_error", "mean_squared_error"}
    assert set(history) == names | {f"val_{name}" for name in names}
    assert model.metrics_names == ["loss", "mean_absolute_error", "mean_squared_error"]
    progress = keras.callbacks.EarlyStopping(monitor="val_mean_absolute_error")
    fit(model, validation_split=0.05, callbacks=[progress])
    assert progress.best is not None


def can_find_accuracy_as_acc():
    for given in ("acc", "accuracy"):
        model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy", metrics=[given])
        history = model.fit(df[["userId", "movieId"]].values, df.y > 0, verbose=0)
        assert "acc" in history.history
        assert "accuracy" not in history.history


def still_names_functions_and_objects_by_themselves():
    metrics = [keras.metrics.mae, keras.metrics.MeanSquaredError(name="mine")]
    assert set(fit(compiled(metrics=metrics)).history) == {"loss", "mean_absolute_error", "mine"}


def can_give_metrics_as_the_third_argument():
    model = rating_model()
    model.compile("sgd", "mse", ["mae"])
    assert "mean_absolute_error" in fit(model).history


def can_use_optimizers_of_tf_train():
    made = {
        "Adam": tf.train.AdamOptimizer(0.005),
        "SGD": tf.train.GradientDescentOptimizer(learning_rate=0.005),
        "RMSprop": tf.train.RMSPropOptimizer(0.005, decay=0.8),
        "Adagrad": tf.train.AdagradOptimizer(0.005),
        "Adadelta": tf.train.AdadeltaOptimizer(0.005),
        "Ftrl": tf.train.FtrlOptimizer(0.005),
    }
    for name, optimizer in made.items():
        assert type(optimizer) is getattr(keras.optimizers, name)
        assert np.isclose(float(optimizer.learning_rate), 0.005)
    assert made["RMSprop"].rho == 0.8
    adam = tf.train.AdamOptimizer(beta1=0.8, beta2=0.7, epsilon=0.1, use_locking=True)
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.8, 0.7, 0.1)
    assert np.isclose(float(adam.learning_rate), 0.001)
    assert tf.train.AdamOptimizer().epsilon == 1e-8
    momentum = tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True)
    assert (momentum.momentum, momentum.nesterov) == (0.9, True)
    assert "momentum" in message_of(lambda: tf.train.MomentumOptimizer(0.1), TypeError)


def can_train_with_an_optimizer_of_tf_train():
    model = rating_model()
    model.compile(tf.train.AdamOptimizer(0.05), loss="MSE", metrics=["MAE"])
    losses = fit(model, epochs=5, batch_size=5 * 10**3, validation_split=0.05).history["loss"]
    assert losses[-1] < losses[0]


def can_say_lr_and_decay():
    adam = keras.optimizers.Adam(lr=0.01, epsilon=None, decay=0.0)
    assert np.isclose(float(adam.lr), 0.01)
    adam.lr = 0.02
    assert np.isclose(float(keras.backend.get_value(adam.learning_rate)), 0.02)
    keras.backend.set_value(adam.lr, 0.03)
    assert np.isclose(float(adam.learning_rate), 0.03)
    assert np.isclose(float(keras.optimizers.RMSprop(lr=1).lr), 1)
    assert np.isclose(float(keras.optimizers.Adam(np.float32(0.5)).lr), 0.5)
    falling = keras.optimizers.SGD(lr=0.1, decay=0.5)
    falling.build([])
    assert np.isclose(float(falling.learning_rate), 0.1)
    falling.iterations.assign(2)
    assert np.isclose(float(falling.learning_rate), 0.1 / (1 + 0.5 * 2))


def can_set_the_random_seed():
    import random  # noqa: PLC0415

    drawn = []
    for seed in (3, np.int64(3), 4):
        random.seed(7)
        tf.set_random_seed(seed)
        untouched = random.random()
        random.seed(len(drawn))
        dense = layers.Dense(3)
        dense.build((None, 2))
        numbers = (dense.get_weights()[0], tf.random.normal((2,)), keras.random.normal((2,)))
        drawn.append(np.concatenate([np.asarray(some).ravel() for some in numbers]))
        random.seed(7)
        assert random.random() == untouched
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.isclose(drawn[0], drawn[2]).any()
    tf.random.set_random_seed(1)


def can_train_on_columns_and_then_use_arrays():
    model = compiled(metrics=["MAE"])
    fit(model)
    arrays = [df.userId.values, df.movieId.values]
    assert model.predict([df.userId, df.movieId], verbose=0).shape == (N, 1)
    assert model.predict(arrays, verbose=0).shape == (N, 1)
    assert model.predict([np.array([1]), np.array([2])], verbose=0).shape == (1, 1)
    assert len(model.evaluate(arrays, df.y.values, verbose=0)) == 2
    model.fit({"user_id": df.userId, "movie_id": df.movieId.values}, df.y, verbose=0)


def can_join_the_bias_in_many_ways():
    backend = keras.backend
    table = df.movieId.max() + 1
    user, movie = inputs()
    user_row = layers.Flatten()(layers.Embedding(7, 1, input_length=1)(user))
    bias = layers.Embedding(table, 1, input_length=1, name="bias")(movie)
    flat = [
        layers.Flatten()(bias),
        layers.Reshape((1,))(bias),
        layers.GlobalAveragePooling1D()(bias),
        layers.Lambda(lambda x: backend.squeeze(x, 1))(bias),
        layers.Lambda(lambda x: backend.sum(x, axis=1))(bias),
        layers.Lambda(lambda x: tf.squeeze(x, axis=1))(bias),
        layers.Dense(np.int64(1))(layers.Flatten()(bias)),
    ]
    for tensor in flat:
        assert keras.Model([user, movie], layers.Add()([user_row, tensor])).output_shape == (None, 1)
    expanded = layers.Lambda(lambda x: backend.expand_dims(x, 1))(user_row)
    assert layers.Flatten()(layers.Add()([expanded, bias])).shape == (None, 1)


def still_reads_what_keras_3_writes():
    model = compiled(metrics=["MAE"])
    fit(model)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")  # noqa: PTH118 - as students write it
        model.save(path)
        again = keras.models.load_model(path)
    assert type(again.get_layer("movie_bias")) is layers.Embedding
    assert np.allclose(again.get_weights()[0], model.get_weights()[0])
    assert keras.models.clone_model(model).output_shape == (None, 1)


def can_read_back_an_h5_file_with_a_short_loss():
    model = compiled(metrics=["MAE"])
    fit(model)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")  # noqa: PTH118 - as students write it
        model.save(path)
        again = keras.models.load_model(path)
    assert "mean_absolute_error" in fit(again).history


UNIFORM = {
    "class_name": "RandomUniform",
    "config": {"minval": -0.05, "maxval": 0.05, "seed": None, "dtype": "float32"},
}
ZEROS = {"class_name": "Zeros", "config": {"dtype": "float32"}}
TRAINING = {
    "optimizer_config": {
        "class_name": "Adam",
        "config": {
            "lr": 0.005,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "decay": 0.0,
            "epsilon": 1e-07,
            "amsgrad": False,
        },
    },
    "loss": "MSE",
    "metrics": ["MAE"],
    "sample_weight_mode": None,
    "loss_weights": None,
}


def scaled(distribution):
    config = {"scale": 1.0, "mode": "fan_avg", "distribution": distribution, "seed": None, "dtype": "float32"}
    return {"class_name": "VarianceScaling", "config": config}


def layer_of_1_x(class_name, name, before, **config):
    """A layer as TensorFlow 1.12 wrote it into a model's config."""
    nodes = [[[other, 0, 0, {}] for other in before]] if before else []
    return {
        "name": name,
        "class_name": class_name,
        "config": {"name": name, **config},
        "inbound_nodes": nodes,
    }


def input_of_1_x(name):
    return layer_of_1_x("InputLayer", name, [], batch_input_shape=[None, 1], dtype="float32", sparse=False)


def embedding_of_1_x(name, before, rows):
    return layer_of_1_x(
        "Embedding",
        name,
        before,
        trainable=True,
        batch_input_shape=[None, 1],
        dtype="float32",
        input_dim=rows,
        output_dim=4,
        embeddings_initializer=UNIFORM,
        embeddings_regularizer={"class_name": "L1L2", "config": {"l1": 0.0, "l2": 1e-6}},
        activity_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        input_length=1,
    )


def dense_of_1_x(name, before, distribution):
    nothing = dict.fromkeys(
        [
            "kernel_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "kernel_constraint",
            "bias_constraint",
        ]
    )
    settings = {"kernel_initializer": scaled(distribution), "bias_initializer": ZEROS, **nothing}
    return layer_of_1_x(
        "Dense",
        name,
        before,
        trainable=True,
        dtype="float32",
        units=1,
        activation="linear",
        use_bias=True,
        **settings,
    )


def flatten_of_1_x(before):
    return layer_of_1_x(
        "Flatten", "flatten", before, trainable=True, dtype="float32", data_format="channels_last"
    )


def functional_of_1_x(distribution="uniform"):
    stack = [
        input_of_1_x("user_id"),
        input_of_1_x("movie_id"),
        embedding_of_1_x("user_embedding", ["user_id"], 5),
        embedding_of_1_x("movie_embedding", ["movie_id"], 6),
        layer_of_1_x(
            "Dot",
            "dot",
            ["user_embedding", "movie_embedding"],
            trainable=True,
            dtype="float32",
            axes=2,
            normalize=False,
        ),
        flatten_of_1_x(["dot"]),
        dense_of_1_x("prediction", ["flatten"], distribution),
    ]
    ends = {"input_layers": [["user_id", 0, 0], ["movie_id", 0, 0]], "output_layers": [["prediction", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "model", "layers": stack, **ends}}


WEIGHTS = {
    "user_embedding": {"embeddings:0": (5, 4)},
    "movie_embedding": {"embeddings:0": (6, 4)},
    "prediction": {"kernel:0": (1, 1), "bias:0": (1,)},
}


def load_file_of_1_x(model, weights, training=None, order=None):
    """What ``load_model`` makes of the file that TensorFlow 1.12 wrote of the model."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")  # noqa: PTH118 - as students write it
        with h5py.File(path, "w") as file:
            file.attrs["keras_version"], file.attrs["backend"] = b"2.1.6-tf", b"tensorflow"
            file.attrs["model_config"] = json.dumps(model).encode()
            if training:
                file.attrs["training_config"] = json.dumps(training).encode()
                write_optimizer_weights(file.create_group("optimizer_weights"))
            write_weights(file.create_group("model_weights"), order or layer_names(model), weights)
        return keras.models.load_model(path)


def layer_names(model):
    return [layer["name"] for layer in model["config"]["layers"]]


def write_weights(group, names, weights):
    group.attrs["layer_names"] = [name.encode() for name in names]
    group.attrs["backend"], group.attrs["keras_version"] = b"tensorflow", b"2.1.6-tf"
    for name in names:
        own = group.create_group(name)
        shapes = weights.get(name, {})
        own.attrs["weight_names"] = [f"{name}/{weight}".encode() for weight in shapes]
        for weight, shape in shapes.items():
            own[f"{name}/{weight}"] = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def write_optimizer_weights(group):
    names = ["training/Adam/iterations:0", *[f"training/Adam/Variable_{n}:0" for n in range(8)]]
    group.attrs["weight_names"] = [name.encode() for name in names]
    for name in names:
        group[name] = np.zeros((2, 2), np.float32)


def can_load_a_file_of_1_x():
    for distribution in ("uniform", "normal", "truncated_normal"):
        model = load_file_of_1_x(functional_of_1_x(distribution), WEIGHTS)
        table = model.get_layer("movie_embedding")
        assert type(table) is layers.Embedding
        (weights,) = table.get_weights()
        assert np.array_equal(weights, np.arange(24).reshape(6, 4))
        assert table.output_shape == (None, 1, 4)
        assert model.predict([np.array([1]), np.array([2])], verbose=0).shape == (1, 1)


def can_load_a_file_of_1_x_quietly():
    import logging  # noqa: PLC0415

    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("absl").addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            load_file_of_1_x(functional_of_1_x(), WEIGHTS)
            load_file_of_1_x(functional_of_1_x(), WEIGHTS, TRAINING)
    finally:
        logging.getLogger("absl").removeHandler(handler)
    assert [record.getMessage() for record in records] == []


def can_load_a_compiled_file_of_1_x():
    model = load_file_of_1_x(functional_of_1_x(), WEIGHTS, TRAINING)
    assert type(model.optimizer) is keras.optimizers.Adam
    assert np.isclose(float(model.optimizer.lr), 0.005)
    history = model.fit([np.arange(4), np.arange(4)], np.zeros(4), verbose=0).history
    assert set(history) == {"loss", "mean_absolute_error"}


def can_load_a_sequential_file_of_1_x():
    stack = [embedding_of_1_x("table", [], 5), flatten_of_1_x([]), dense_of_1_x("out", [], "uniform")]
    plain = [{"class_name": layer["class_name"], "config": layer["config"]} for layer in stack]
    weights = {"table": {"embeddings:0": (5, 4)}, "out": {"kernel:0": (4, 1), "bias:0": (1,)}}
    for config in (plain, {"name": "sequential", "layers": plain}):
        written = {"class_name": "Sequential", "config": config}
        model = load_file_of_1_x(written, weights, order=["table", "flatten", "out"])
        assert (model.input_shape, model.output_shape) == ((None, 1), (None, 1))
        assert np.array_equal(model.get_weights()[0], np.arange(20).reshape(5, 4))


def can_use_functions_of_the_backend_from_everywhere():
    import keras.backend  # noqa: PLC0415
    import tensorflow.keras.backend  # noqa: PLC0415
    from tensorflow.keras import backend  # noqa: PLC0415

    wanted = [
        "clear_session",
        "sum",
        "squeeze",
        "expand_dims",
        "get_session",
        "set_session",
        "learning_phase",
        "eval",
    ]
    for module in (keras.backend, tensorflow.keras.backend, backend, tf.keras.backend):
        assert [name for name in wanted if not hasattr(module, name)] == []
    assert backend.eval(backend.sum(backend.constant([1.0, 2.0]))) == 3


def can_compute_with_a_backend_function():
    model = rating_model()
    rows = keras.backend.function(model.inputs, [model.get_layer("movie_bias").output])
    (bias,) = rows([np.array([[1], [2]]), np.array([[3], [4]])])
    assert np.allclose(bias, model.get_layer("movie_bias").get_weights()[0][[3, 4]].reshape(2, 1, 1))


def can_use_names_that_moved():
    tf.logging.set_verbosity(tf.logging.ERROR)
    settings = tf.ConfigProto(allow_soft_placement=True)
    settings.gpu_options.allow_growth = True
    keras.backend.set_session(tf.Session(config=settings))
    assert tf.global_variables() is not None
    assert np.isclose(float(tf.log(np.e)), 1)


def can_run_a_session():
    variable = tf.Variable(2.0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        four, values = session.run([tf.constant(3) + 1, {"variable": variable}])
        assert "feed" in message_of(lambda: session.run(variable, feed_dict={"x": 1}), RuntimeError)
    assert (four, values) == (4, {"variable": 2.0})
