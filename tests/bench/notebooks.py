"""The notebooks that are timed: a light one and one that builds and trains a small network."""

from __future__ import annotations

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

LIGHT = [
    "import numpy as np\nimport pandas as pd",
    "rng = np.random.default_rng(1)",
    "table = pd.DataFrame({'group': rng.integers(0, 5, 2000), 'x': rng.normal(size=2000)})",
    "means = table.groupby('group')['x'].mean()",
    "norms = np.linalg.norm(rng.normal(size=(500, 32)), axis=1)",
    *[f"step_{number} = table['x'].rolling({number + 2}).mean().sum()" for number in range(14)],
    "answer = float(norms.sum())",
]
NETWORK = [
    "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras",
    "inputs = keras.Input((1,), name='movie_id')\ntable = keras.layers.Embedding(50, 1)(inputs)",
    "model = keras.Model(inputs, keras.layers.Flatten()(table))\nmodel.compile('adam', 'mse')",
    "history = model.fit(np.arange(50), np.ones(50), epochs=1, verbose=0)",
    "answer = len(model.layers)",
]


def notebook(cells: list[str]) -> bytes:
    """The cells as a notebook, with the test cell that nbgrader counts as one."""
    made = new_notebook(cells=[new_markdown_cell("# Timed"), *map(new_code_cell, cells)])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(made).encode()
