"""What the extractor takes of a training, of ragged and of sparse tensors."""

import keras
import numpy as np
import tensorflow as tf
from _grader_inside.values import Taker


def can_take_a_training_with_its_settings():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=2, verbose=0)
    node = Taker().take(history)
    assert (node["t"], node["epochs"], sorted(node["metrics"])) == ("history", [0, 1], ["loss", "mae"])
    assert [float.fromhex(each["v"]) for each in node["metrics"]["loss"]] == history.history["loss"]
    assert node["settings"]["epochs"] == {"t": "int", "v": "2"}


def can_take_what_a_subclass_of_the_record_holds_and_not_what_it_says():
    class Better(keras.callbacks.History):
        def __getattribute__(self, name):
            if name == "history":
                return {"loss": [0.0]}
            return super().__getattribute__(name)

    better = Better()
    object.__getattribute__(better, "__dict__")["history"] = {"loss": [5.0]}
    assert Taker().take(better)["metrics"] == {"loss": [{"t": "float", "v": (5.0).hex()}]}
    object.__getattribute__(better, "__dict__")["history"] = 3
    assert Taker().take(better)["t"] == "object"


def can_take_ragged_and_sparse_tensors():
    ragged = Taker().take(tf.ragged.constant([[1, 2], [3]]))
    assert [[int(each["v"]) for each in row["items"]] for row in ragged["items"]] == [[1, 2], [3]]
    taker = Taker()
    node = taker.take(tf.sparse.from_dense([[0, 2], [3, 0]]))
    assert np.frombuffer(taker.blobs[node["data"]], dtype=node["dtype"]).tolist() == [0, 2, 3, 0]
    huge = tf.sparse.SparseTensor([[0, 0]], [1.0], [10**6, 10**6])
    assert Taker().take(huge)["t"] == "broken"
