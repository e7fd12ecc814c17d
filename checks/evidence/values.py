"""The closed algebra of inert values: what a sandbox may say that a notebook computed.

Extractors inside the sandbox translate libraries into these nodes, checks outside see only these nodes, so a
new library and a new kind of check add up instead of multiplying. Nothing here can run code, and every node
is immutable and checks its own claims when it is made, so that no check meets a number that is none.

On the wire a node is a JSON object whose ``t`` names its class (see ``docs/evidence.md``). Numbers that
JSON cannot carry are spelled: integers as decimal text (or ``0x…`` beyond 4,000 digits), floats as
:meth:`float.hex` writes them, or ``nan``, ``inf``, ``-inf``.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from checks.evidence.arrays import ITEM_DTYPES, Ends, Payload


class Node(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="t", omit_defaults=True, gc=False
):
    """Base of all nodes. ``cls`` is the exact class, ``module.qualname``, where it is of interest."""


class Nothing(Node, frozen=True, tag="none"):
    """Python's ``None``."""


class Bool(Node, frozen=True, tag="bool"):
    """A truth value; ``cls`` tells ``numpy.bool`` from ``builtins.bool``."""

    v: bool
    cls: str = "builtins.bool"


class Int(Node, frozen=True, tag="int"):
    """A whole number of any size, spelled in ``v``."""

    v: str
    cls: str = "builtins.int"

    def __post_init__(self) -> None:
        _ = self.value

    @property
    def value(self) -> int:
        """The number; raises ValueError where ``v`` is not a number's spelling."""
        return int(self.v, 16) if "x" in self.v else int(self.v)


class Float(Node, frozen=True, tag="float"):
    """A binary floating-point number, exact in ``v`` (C99 hexadecimal, nan, inf or -inf)."""

    v: str
    cls: str = "builtins.float"

    def __post_init__(self) -> None:
        _ = self.value

    @property
    def value(self) -> float:
        """The number as float64; raises ValueError where ``v`` is not a number's spelling."""
        return float.fromhex(self.v)


class Complex(Node, frozen=True, tag="complex"):
    """A complex number from two float spellings."""

    re: str
    im: str
    cls: str = "builtins.complex"

    def __post_init__(self) -> None:
        _ = self.value

    @property
    def value(self) -> complex:
        """The number as complex128; raises ValueError where a part is not a number's spelling."""
        return complex(float.fromhex(self.re), float.fromhex(self.im))


class Text(Node, frozen=True, tag="str"):
    """A text; where it was cut, ``cut`` is the whole length in code points."""

    v: str
    cls: str = "builtins.str"
    cut: int | None = None


class Bytes(Node, frozen=True, tag="bytes"):
    """Bytes in base64; where they were cut, ``cut`` is the whole length in bytes."""

    v: str
    cls: str = "builtins.bytes"
    cut: int | None = None


class Sequence(Node, frozen=True, tag="seq"):
    """An ordered container. ``base`` is the built-in (or standard) class that it is an instance of:
    ``list``, ``tuple``, ``range``, ``deque`` or ``other`` (keys views, generators are not walked)."""

    items: tuple[AnyNode, ...]
    base: str = "list"
    cls: str = "builtins.list"
    cut: int | None = None


class SetOf(Node, frozen=True, tag="set"):
    """An unordered container; ``base`` is ``set`` or ``frozenset``."""

    items: tuple[AnyNode, ...]
    base: str = "set"
    cls: str = "builtins.set"
    cut: int | None = None


class Mapping(Node, frozen=True, tag="map"):
    """Keys and values in their order."""

    items: tuple[tuple[AnyNode, AnyNode], ...]
    cls: str = "builtins.dict"
    cut: int | None = None


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Many texts in one piece: ``utf8`` has them one after the other, ``ends`` where each ends (in bytes).

    Where ``missing`` (one byte an element, True = missing) says so, there is no text, but ``blank``.
    """

    utf8: Payload
    ends: Ends
    missing: Payload | None = None
    blank: Nothing | Float | Opaque = Nothing()

    def __post_init__(self) -> None:
        _ = self.utf8.raw.decode()
        ends, raw = self.ends.places(), np.frombuffer(self.utf8.raw, dtype=np.uint8)
        if (int(ends[-1]) if len(ends) else 0) != len(raw) or (ends[1:] < ends[:-1]).any():
            raise ValueError("the texts' ends are not in order, or do not end with the bytes")
        if _continues(raw[ends[ends < len(raw)]]).any():
            raise ValueError("a text ends in the middle of a character")
        if self.missing is not None:
            self.missing.array("bool", (len(ends),))

    def __len__(self) -> int:
        return len(self.ends.raw) // 4

    def strings(self) -> list[str]:
        """The texts; an empty one where none is."""
        text, ends = self.utf8.raw.decode(), self.ends.places()
        if len(text) < len(self.utf8.raw):  # from places of bytes to places of characters
            begins = ~_continues(np.frombuffer(self.utf8.raw, dtype=np.uint8))
            ends = np.concatenate([[0], np.cumsum(begins)])[ends]
        places = ends.tolist()
        return [text[start:end] for start, end in zip([0, *places], places, strict=False)]

    def nodes(self) -> list[AnyNode]:
        """One node an element."""
        found: list[AnyNode] = [Text(text) for text in self.strings()]
        if self.missing is not None:
            for at in np.flatnonzero(self.missing.array("bool", (len(found),))).tolist():
                found[at] = self.blank
        return found


def _continues(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which bytes of UTF-8 go on with a character that has begun before them."""
    return np.asarray((raw & 0xC0) == 0x80)


class Array(Node, frozen=True, tag="array"):
    """An n-dimensional array.

    One of ``data`` (numbers, truth values, dates: C-contiguous, little-endian bytes of ``dtype``),
    ``texts`` (dtype ``str`` or ``object``: texts, and perhaps gaps) and ``items`` (dtype ``str``, ``bytes``
    or ``object``: one node an element), in C order. ``mask`` marks missing elements (True = missing), as
    masked arrays and pandas' nullable dtypes have them. ``zone`` is the name of the time zone that dates
    belong to; they are in UTC themselves.
    """

    dtype: str
    shape: tuple[int, ...]
    data: Payload | None = None
    items: tuple[AnyNode, ...] | None = None
    mask: Payload | None = None
    cls: str = "numpy.ndarray"
    zone: str | None = None
    texts: Texts | None = None

    def __post_init__(self) -> None:
        if (self.data, self.items, self.texts).count(None) != 2:
            raise ValueError("an array has data or items or texts")
        if self.data is not None:
            self.data.array(self.dtype, self.shape)
        elif self.dtype not in ITEM_DTYPES or (self.texts is not None and self.dtype == "bytes"):
            raise ValueError(f"items of dtype {self.dtype!r}")
        elif any(length < 0 for length in self.shape) or self._count() != math.prod(self.shape):
            raise ValueError("the items do not fill the shape")
        if self.mask is not None:
            self.mask.array("bool", self.shape)

    def _count(self) -> int:
        return len(self.items or ()) if self.texts is None else len(self.texts)

    @property
    def values(self) -> npt.NDArray[np.generic] | None:
        """The elements as a read-only array of ``shape``; None where there is no ``data``."""
        return None if self.data is None else self.data.array(self.dtype, self.shape)

    @property
    def elements(self) -> list[AnyNode] | None:
        """The elements of ``items`` or ``texts`` as nodes, in C order; None where there is ``data``."""
        if self.texts is not None:
            return self.texts.nodes()
        return None if self.items is None else list(self.items)


class Index(Node, frozen=True, tag="index"):
    """Labels along an axis: one 1-d array a level, with the levels' names."""

    levels: tuple[Array, ...]
    names: tuple[AnyNode, ...]
    cls: str = "pandas.Index"

    def __post_init__(self) -> None:
        if len({level.shape for level in self.levels}) != 1 or len(self.levels[0].shape) != 1:
            raise ValueError("the index's levels differ in length")

    @property
    def shape(self) -> tuple[int, ...]:
        """How many labels there are, as the shape that the labelled values must have."""
        return self.levels[0].shape


class Groups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The categories that a categorical column knows, whether they occur or not, in their order."""

    names: Array
    ordered: bool


class Series(Node, frozen=True, tag="series"):
    """One labelled column. ``dtype`` is pandas' own name of it (``category``, ``Int64``, ``str`` …)."""

    name: AnyNode
    dtype: str
    values: Array
    index: Index
    cls: str = "pandas.Series"
    groups: Groups | None = None

    def __post_init__(self) -> None:
        if self.values.shape != self.index.shape:
            raise ValueError("the values are not as many as the labels")


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of a :class:`Table`; ``name`` is a node, because a column's label need not be text."""

    name: AnyNode
    dtype: str
    values: Array
    groups: Groups | None = None


class Table(Node, frozen=True, tag="table"):
    """A data frame: ``columns`` in their order (labels may repeat), all as long as ``index``."""

    columns: tuple[Column, ...]
    index: Index
    cls: str = "pandas.DataFrame"

    def __post_init__(self) -> None:
        if any(column.values.shape != self.index.shape for column in self.columns):
            raise ValueError("a column is not as long as the index")


class Weight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A layer's variable: name, dtype, shape (no values)."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


class Layer(Node, frozen=True, tag="layer"):
    """A layer (or an operation) of a neural network.

    ``id`` is the object's identity inside one frame: two nodes with one id were one object. ``bases`` are the
    class names of its ancestors below the framework's base layer, so that a student's subclass still counts
    as what it is. ``config`` holds the constructor's settings that are plain values.
    """

    id: int
    cls: str
    name: str
    bases: tuple[str, ...] = ()
    config: dict[str, AnyNode] = {}
    weights: tuple[Weight, ...] = ()
    operation: bool = False


class GraphTensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``tensor``-th output of the ``node``-th call of the layer ``layer`` (an id)."""

    layer: int
    node: int
    tensor: int


class GraphNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call of a layer: what went in, and the shapes that came out (None: the batch axis)."""

    layer: int
    node: int
    inputs: tuple[GraphTensor, ...]
    shapes: tuple[tuple[int | None, ...], ...]


class Model(Node, frozen=True, tag="model"):
    """A network as a graph: layers, their calls, and which tensors are its inputs and outputs.

    ``compiled`` holds optimizer (class name), loss and metrics where the model was compiled.
    """

    id: int
    cls: str
    name: str
    layers: tuple[Layer, ...]
    nodes: tuple[GraphNode, ...]
    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]
    compiled: dict[str, AnyNode] | None = None


class Tensor(Node, frozen=True, tag="tensor"):
    """A framework's tensor or variable; ``values`` where it is concrete, ``source`` where it is symbolic."""

    id: int
    cls: str
    dtype: str
    shape: tuple[int | None, ...]
    name: str | None = None
    values: Array | None = None
    source: GraphTensor | None = None


class History(Node, frozen=True, tag="history"):
    """A training's record: epochs and one list of numbers a metric; ``settings`` are those of the training
    (``epochs`` that were asked for, ``steps`` of each)."""

    epochs: tuple[int, ...]
    metrics: dict[str, tuple[AnyNode, ...]]
    cls: str = "keras.callbacks.History"
    settings: dict[str, AnyNode] = {}


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function's parameter. ``kind``: ``positional``, ``plain``, ``rest`` (``*args``), ``keyword`` or
    ``others`` (``**kwargs``); ``default`` is missing where the caller must give one."""

    name: str
    kind: Literal["positional", "plain", "rest", "keyword", "others"]
    default: AnyNode | None = None
    annotation: str | None = None


class Callable(Node, frozen=True, tag="callable"):
    """A function, method or class; never called here. ``source`` is its text as the cell had it."""

    name: str
    cls: str
    signature: str | None = None
    source: str | None = None
    doc: str | None = None
    parameters: tuple[Parameter, ...] | None = None
    returns: str | None = None


class Opaque(Node, frozen=True, tag="object"):
    """Any other object: its identity and class (with its ancestors' names).

    Of some libraries' objects more is known: ``sort`` says of what sort it is (``figure``, ``axes``,
    ``estimator``, ``file`` …; ``docs/evidence.md`` lists them), ``attributes`` hold what was read of it.
    """

    id: int
    cls: str
    bases: tuple[str, ...] = ()
    sort: str = ""
    attributes: dict[str, AnyNode] = {}


class Seen(Node, frozen=True, tag="seen"):
    """An object that contains itself: the place where it would be walked again."""

    id: int


class Broken(Node, frozen=True, tag="broken"):
    """A value that could not be taken: too large, too deep, or reading it raised. ``why`` is for people."""

    why: str
    cls: str = ""


Ended = Literal[
    "returned",  # there is a result
    "raised",  # an exception came out
    "refused",  # the arguments do not fit, or (of a query) it is none that may be run
    "time_limit",  # it did not come to an end
    "exited",  # it ended the process
    "missing",  # there is nothing of that name
    "not_callable",  # what is there cannot be called
    "unfit",  # an argument out of the notebook could not be copied
    "too_large",  # what came out is larger than evidence may be
    "not_made",  # earlier ones ran into their time limit, so this one was not begun
    "failed",  # the grader's own fault
]


class Raised(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An exception that came out: its class and that class's ancestors by full name, its text (cut).

    ``line`` counts within the cell that holds the code, ``source`` is the text of that line.
    """

    cls: str
    bases: tuple[str, ...] = ()
    message: str = ""
    line: int | None = None
    source: str = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step of a call as it came out.

    ``printed`` is what it wrote to standard output (cut). ``arguments`` and ``keywords`` are what was handed
    over, as it is afterwards; ``changed`` names those that are no longer as they were (positions as digits).
    ``detail`` is for people: which name is missing, which exit code.
    """

    ended: Ended
    name: str = "it"
    result: AnyNode | None = None
    raised: Raised | None = None
    printed: str = ""
    arguments: tuple[AnyNode, ...] = ()
    keywords: dict[str, AnyNode] = {}
    changed: tuple[str, ...] = ()
    seconds: float = 0.0
    detail: str = ""


class Called(Node, frozen=True, tag="called"):
    """A case of calls (or a query on one database): the steps that were made, the last one ended it.

    ``repeat`` counts from 0 where a case is made several times.
    """

    case: str
    steps: tuple[Step, ...]
    repeat: int = 0


AnyNode = (
    Nothing | Bool | Int | Float | Complex | Text | Bytes | Sequence | SetOf | Mapping
    | Array | Index | Series | Table | Layer | Model | Tensor | History | Callable | Opaque | Seen | Broken
    | Called
)  # fmt: skip
