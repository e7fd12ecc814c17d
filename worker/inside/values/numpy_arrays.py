"""NumPy arrays and scalars. Only plain dtypes travel as bytes; texts and objects travel element by element."""

from . import TooMuchError, class_name
from .scalars import spell_float, spell_int

try:
    import numpy as np
except ImportError:  # an environment without numpy has no numpy values
    TAKES = {}
else:
    _PLAIN = frozenset({
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "complex64", "complex128",
        *(f"{kind}[{unit}]" for kind in ("datetime64", "timedelta64") for unit in ("ns", "us", "ms", "s", "D")),
    })  # fmt: skip
    _MAX_ITEMS = 200_000
    _ndarray = np.ndarray
    _view = np.ndarray.view
    _contiguous = np.ascontiguousarray
    asarray = np.asarray
    _dtype, _dtypes_name = np.ndarray.__dict__["dtype"].__get__, np.dtype.__dict__["name"].__get__
    _shape, _nbytes = np.ndarray.__dict__["shape"].__get__, np.ndarray.__dict__["nbytes"].__get__

    def array_node(value, taker, cls=None):
        """The node of an array (or of an instance of a subclass, by its real bytes)."""
        plain = _view(value, _ndarray)
        name, shape = _dtypes_name(_dtype(plain)), [int(length) for length in _shape(plain)]
        node = {"t": "array", "shape": shape, "cls": cls or class_name(type(value))}
        if name in _PLAIN:
            taker.reserve(_nbytes(plain))
            little = _contiguous(plain, dtype=_dtype(plain).newbyteorder("<"))
            return {**node, "dtype": name, "data": taker.blob(_ndarray.tobytes(little))}
        if name in ("longdouble", "float128"):
            return {**array_node(asarray(plain, dtype="float64"), taker), "cls": node["cls"]}
        kind = _dtype(plain).kind
        if kind in "USOT":
            return {**node, "dtype": {"U": "str", "S": "bytes", "T": "str"}.get(kind, "object"), "items": _items(plain, taker)}
        return None

    def _items(plain, taker):
        if plain.size > _MAX_ITEMS:
            raise TooMuchError(f"an array of {plain.size} objects")
        return [taker.node(item) for item in _ndarray.tolist(_ndarray.ravel(plain))]

    def take_array(value, taker):
        """An array."""
        return array_node(value, taker)

    def take_masked(value, taker):
        """A masked array: its data, and True where an element is missing."""
        data = array_node(_view(value, _ndarray), taker, class_name(type(value)))
        if data is None:
            return None
        mask = np.ma.getmaskarray(value)
        return {**data, "mask": taker.blob(_ndarray.tobytes(_contiguous(mask)))}

    def take_scalar(value, taker):
        """A NumPy scalar as the Python number it stands for, with its own class."""
        name = {"cls": class_name(type(value))}
        if isinstance(value, np.bool_):
            return {"t": "bool", "v": bool(value), **name}
        if isinstance(value, np.integer):
            return {"t": "int", "v": spell_int(int(value)), **name}
        if isinstance(value, np.floating):
            return {"t": "float", "v": spell_float(float(value)), **name}
        if isinstance(value, np.complexfloating):
            plain = complex(value)
            return {"t": "complex", "re": spell_float(plain.real), "im": spell_float(plain.imag), **name}
        if isinstance(value, (np.datetime64, np.timedelta64)):
            return array_node(asarray(value), taker, name["cls"])
        return None

    TAKES = {
        "numpy.ndarray": take_array,
        "numpy.ma.MaskedArray": take_masked,
        "numpy.generic": take_scalar,
    }
    # Scalars that are Python numbers too (float64, str_ …) come before their Python ancestors.
    TAKES["numpy.float64"] = TAKES["numpy.complex128"] = take_scalar
