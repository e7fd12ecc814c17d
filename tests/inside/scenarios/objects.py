"""What the extractor takes of figures, estimators, dates, sparse matrices, functions, files."""

# ruff: noqa: DTZ001 - moments without a zone are what is taken

import datetime as dt
import os
import pathlib
import tempfile
from zoneinfo import ZoneInfo

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.sparse as sp
import seaborn as sns
from _grader_inside.values import Taker
from _grader_inside.values.files import read_file
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

PETS = pd.DataFrame({"kind": list("abab"), "n": [1.0, 2.0, 3.0, 40.0], "home": list("uuvv")})


def taken(value):
    """A value's node as plain Python: objects as (sort, attributes)."""
    taker = Taker()
    return _plain(taker.take(value), taker)


def _plain(node, taker):  # noqa: PLR0911
    match node["t"]:
        case "object":
            return node.get("sort"), {
                key: _plain(item, taker) for key, item in node.get("attributes", {}).items()
            }
        case "array" if "data" in node:
            found = np.frombuffer(taker.blobs[node["data"]], dtype=node["dtype"]).reshape(node["shape"])
            return found.tolist() if "zone" not in node else (found.tolist(), node["zone"])
        case "array" if "texts" in node:
            return _texts(node["texts"], taker)
        case "array" | "seq":
            return [_plain(item, taker) for item in node["items"]]
        case "map":
            return {_plain(key, taker): _plain(item, taker) for key, item in node["items"]}
        case "int":
            return int(node["v"])
        case "float":
            return float.fromhex(node["v"])
        case "none":
            return None
        case "str" | "bool":
            return node["v"]
        case _:
            return node


def _texts(node, taker):
    """The texts of an array that holds nothing else."""
    assert "missing" not in node
    ends = np.frombuffer(taker.blobs[node["ends"]], dtype="<u4").tolist()
    return [
        taker.blobs[node["utf8"]][start:end].decode() for start, end in zip([0, *ends], ends, strict=False)
    ]


def drawn(axes):
    """The artists of axes: [(sort, attributes), …]."""
    sort, attributes = taken(axes)
    assert sort == "axes", sort
    return attributes["artists"]


def can_take_a_line_with_its_look_and_the_words_around_it():
    _, axes = plt.subplots()
    axes.plot(["a", "b"], [1, 2], "r--", marker="o", label="L")
    axes.set(title="T", xlabel="X", yscale="log", ylim=(1, 10))
    axes.legend(title="H")
    sort, found = taken(axes)
    words = ("title", "xlabel", "yscale", "ylim", "legend", "legend_title", "xticks")
    assert [found.get(word) for word in words] == ["T", "X", "log", [1.0, 10.0], ["L"], "H", ["a", "b"]]
    ((sort, line),) = found["artists"]
    assert sort == "line"
    assert line["y"] == [1, 2]
    assert line["x"] == ["a", "b"]
    assert (line["color"], line["style"], line["marker"], line["label"]) == ("#ff0000", "--", "o", "L")


def can_take_bars_of_matplotlib_pandas_and_seaborn():
    plt.figure()
    for axes in (
        plt.figure().add_subplot(),
        PETS.groupby("kind").n.sum().plot.bar(ax=plt.figure().add_subplot()),
        sns.barplot(PETS, x="kind", y="n", estimator="sum", errorbar=None, ax=plt.figure().add_subplot()),
    ):
        if not axes.containers:
            axes.bar(["a", "b"], [4, 42])
        ((sort, bars),) = drawn(axes)
        assert sort == "bars"
        assert (bars["names"], bars["length"], bars["orientation"]) == (["a", "b"], [4, 42], "vertical")
    across = PETS.plot.barh(x="kind", y="n")
    assert drawn(across)[0][1]["length"] == [1, 2, 3, 40]
    assert drawn(across)[0][1]["orientation"] == "horizontal"


def can_take_a_histogram_with_its_edges():
    ((sort, bars),) = drawn(sns.histplot(x=[0, 1, 1, 4], bins=[0, 2, 4], ax=plt.figure().add_subplot()))
    assert sort == "bars"
    assert (bars["length"], bars["position"], bars["thickness"]) == ([3, 1], [1, 3], [2, 2])


def can_take_points_images_pies_areas_and_texts():
    axes = plt.figure().add_subplot()
    axes.scatter([1, 2], [3, 4], s=[5, 6], c=[7, 8])
    axes.imshow(np.eye(2), cmap="gray")
    axes.pie([1, 3], labels=["u", "v"])
    axes.fill_between([0, 1], [1, 2])
    axes.text(1, 2, "here")
    found = dict(drawn(axes))
    assert found["points"]["x"] == [1, 2]
    assert found["points"]["y"] == [3, 4]
    assert (found["points"]["sizes"], found["points"]["map"]) == ([5, 6], "viridis")
    assert (found["image"]["values"], found["image"]["map"]) == ([[1, 0], [0, 1]], "gray")
    assert (found["pie"]["shares"], found["pie"]["names"]) == ([0.25, 0.75], ["u", "v"])
    assert len(found["area"]["corners"]) == 1
    assert found["text"]["text"] == "here"


def can_take_a_heat_map_of_seaborn():
    found = drawn(sns.heatmap([[1, 2], [3, 4]], annot=True, ax=plt.figure().add_subplot()))
    assert found[0] == ("image", {"values": [[1, 2], [3, 4]], "map": "rocket"})
    assert [attributes["text"] for sort, attributes in found if sort == "text"] == ["1", "2", "3", "4"]


def can_take_box_plots_of_matplotlib_pandas_and_seaborn():
    data = [1.0, 2.0, 3.0, 4.0, 50.0]
    plain, means = plt.figure().add_subplot(), plt.figure().add_subplot()
    plain.boxplot(data)
    means.boxplot(data, patch_artist=True, showmeans=True, orientation="horizontal")
    frame = pd.DataFrame({"n": data})
    for axes in (
        plain, means, frame.plot.box(ax=plt.figure().add_subplot()),
        sns.boxplot(frame, y="n", ax=plt.figure().add_subplot()),
    ):  # fmt: skip
        ((sort, box),) = drawn(axes)
        assert sort == "boxes"
        assert [box[name] for name in ("low", "quarter", "median", "three_quarters", "high")] == [
            [1], [2], [3], [4], [4]
        ]  # fmt: skip
        assert box["outliers"] == [[50]]


def can_take_all_axes_of_a_figure_without_its_colour_bars():
    figure, (left, right) = plt.subplots(1, 2)
    figure.colorbar(left.imshow(np.eye(2)))
    figure.suptitle("both")
    right.plot([1])
    plt.close(figure)
    sort, found = taken(figure)
    assert (sort, found["title"], found["colorbars"], len(found["axes"])) == ("figure", "both", 1, 2)
    assert taken(np.array([left, right]))[1][0] == "axes"
    assert taken(sns.relplot(PETS, x="n", y="n"))[0] == "figure"


def can_take_an_estimator_with_parameters_and_what_was_fitted():
    sort, found = taken(LinearRegression(positive=True).fit([[1.0], [2.0]], [3.0, 5.0]))
    assert sort == "estimator"
    assert (found["positive"], found["n_jobs"], found["fitted"]) == (True, None, True)
    assert np.allclose(found["coef_"], [2])
    assert found["n_features_in_"] == 1
    assert taken(LinearRegression())[1]["fitted"] is False


def can_take_a_pipeline_with_its_steps():
    _, found = taken(make_pipeline(StandardScaler(), LinearRegression()))
    (first, scaler), (second, line) = found["steps"]
    assert (first, second) == ("standardscaler", "linearregression")
    assert scaler[1]["with_mean"] is True
    assert line[1]["fit_intercept"] is True


def can_take_a_tree_and_what_it_computes_when_it_is_asked():
    _, found = taken(DecisionTreeClassifier(max_depth=2).fit([[0], [1], [2]], [0, 1, 1]))
    assert (found["max_depth"], found["tree_"][1]["node_count"]) == (2, 3)
    assert found["feature_importances_"] == [1.0]


def can_take_dates_and_spans():
    moment = dt.datetime(2024, 2, 29, 12, 30, 0, 5)
    assert taken(moment) == moment
    assert taken(moment.date()) == moment.date()
    assert taken(dt.timedelta(days=-1, seconds=3)) == dt.timedelta(days=-1, seconds=3)
    berlin = dt.datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert taken(berlin) == (dt.datetime(2024, 7, 1, 10), "Europe/Berlin")
    assert taken(pd.Timestamp(berlin))[1] == "Europe/Berlin"
    assert taken(pd.Timestamp("2024-01-01")) == dt.datetime(2024, 1, 1)
    assert taken(pd.Timedelta("1D")) == dt.timedelta(days=1)
    assert taken(dt.time(1, 2)) == ("time", {"hour": 1, "minute": 2, "second": 0, "microsecond": 0})
    assert taken(pd.Period("2024-03"))[1]["freqstr"] == "M"
    assert taken(pd.Interval(0, 1)) == ("interval", {"left": 0, "right": 1, "closed": "right"})


def can_take_zones_and_categories_of_columns():
    column = pd.Series(pd.to_datetime(["2024-07-01 12:00"]).tz_localize("Europe/Berlin"))
    node = Taker().take(column)
    assert node["values"]["zone"] == "Europe/Berlin"
    taker = Taker()
    groups = taker.take(pd.Series(pd.Categorical(["b"], ["a", "b"], ordered=True)))["groups"]
    assert (groups["ordered"], _plain(groups["names"], taker)) == (True, ["a", "b"])
    assert "groups" not in Taker().take(pd.DataFrame({"a": [1]}))["columns"][0]


def can_take_sparse_matrices_of_every_format():
    dense = np.array([[0, 2, 0], [3, 0, 0]])
    for kind in (sp.csr_matrix, sp.csc_array, sp.coo_array, sp.lil_matrix, sp.dok_array, sp.bsr_array):
        assert taken(kind(dense)) == dense.tolist(), kind
    large = sp.random_array((10_000, 10_000), density=1e-7, rng=0)
    sort, found = taken(large)
    assert (sort, found["shape"], found["count"]) == ("sparse", [10_000, 10_000], large.nnz)


def can_take_a_function_with_its_head_and_its_words():
    def sample(a: int, /, b: "text" = "x", *rest, c=(), **more) -> None:  # noqa: F821
        """Says."""

    node = Taker().take(sample)
    assert node["signature"] == "(a: int, /, b: text = 'x', *rest, c=(), **more) -> None"
    assert (node["doc"], node["returns"], node["name"]) == ("Says.", "None", "sample")
    assert [(each["name"], each["kind"]) for each in node["parameters"]] == [
        ("a", "positional"), ("b", "plain"), ("rest", "rest"), ("c", "keyword"), ("more", "others"),
    ]  # fmt: skip
    assert node["source"].strip().startswith("def sample(")
    assert Taker().take(lambda x, *, y: x)["signature"] == "(x, *, y)"


def can_take_files_and_nothing_else_in_their_place():
    folder = tempfile.mkdtemp()
    path = pathlib.Path(folder)
    (path / "a.txt").write_text("grüß dich")
    (path / "b.bin").write_bytes(b"\x89PNG\0")
    (path / "c.txt").write_text("x" * (3 << 20))
    os.mkfifo(path / "pipe")
    (path / "link").symlink_to("/dev/zero")
    (path / "folder").mkdir()
    assert taken(read_file(folder, "a.txt"))[1]["text"] == "grüß dich"
    assert "text" not in taken(read_file(folder, "b.bin"))[1]
    assert taken(read_file(folder, "c.txt"))[1]["whole"] is False
    assert [read_file(folder, name) for name in ("pipe", "link", "folder", "none")] == [None] * 4


def can_not_be_lied_to_by_subclasses():
    class Lines(mpl.lines.Line2D):
        def get_ydata(self, orig=True):
            raise SystemExit

        @property
        def __dict__(self):
            raise SystemExit

        def __getattribute__(self, name):
            if name.startswith("_y"):
                return np.array([9, 9])
            return super().__getattribute__(name)

    axes = plt.figure().add_subplot()
    axes.add_line(Lines([1, 2], [3, 4]))
    assert drawn(axes)[0][1]["y"] == [3, 4]

    class Lying(LinearRegression):
        def get_params(self, deep=True):
            raise SystemExit

        @property
        def coef_(self):
            raise SystemExit

        def __repr__(self):
            raise SystemExit

    sly = Lying.__new__(Lying)
    sly.fitted_ = object()
    assert taken(sly)[1]["fitted"] is True

    class Day(dt.datetime):
        def toordinal(self):
            raise SystemExit

        year = property(lambda self: 1)

    assert taken(Day(2024, 1, 2)) == dt.datetime(2024, 1, 2)

    class Zone(dt.tzinfo):
        def utcoffset(self, when):
            raise SystemExit

    assert taken(dt.datetime(2024, 1, 1, tzinfo=Zone()))["t"] == "broken"

    class Matrix(sp.csr_matrix):
        def toarray(self, *_args, **_kwargs):
            raise SystemExit

    assert taken(Matrix([[0, 1]])) == [[0, 1]]


def can_not_be_crashed_by_a_matrix_that_points_outside():
    matrix = sp.csr_matrix([[0, 1], [1, 0]])
    matrix.indices[0] = 1_000_000
    assert taken(matrix)["t"] == "broken"
    entries = sp.coo_array(np.eye(3))
    entries.coords[0][0] = 99_999
    assert taken(entries)["t"] == "broken"


def can_not_be_flooded_by_artists():
    axes = plt.figure().add_subplot()
    axes.plot(np.broadcast_to(1.0, 20_000_000)[:10], label="fine")
    axes.get_lines()[0]._yorig = np.broadcast_to(1.0, 2_000_000_000)
    _, line = drawn(axes)[0]
    assert line["y"]["t"] == "broken"
    assert line["label"] == "fine"
    for _ in range(3):
        axes._children.extend(axes._children[:1] * 2_000)
    assert len(drawn(axes)) <= 1_000
