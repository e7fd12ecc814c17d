"""gensim 3 code under gensim 4: ``WordEmbeddingsKeyedVectors``, ``add``, ``index2word``, ``vocab`` and so on.

gensim 4 renamed the class and its attributes; vectors, norms and similarities are computed as before. The old
names are put onto gensim 4's own class, so that an object is the same whichever name its class is called by.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Integral
from types import ModuleType
from typing import Any

OLD_CLASSES = ("WordEmbeddingsKeyedVectors", "BaseKeyedVectors", "Word2VecKeyedVectors")


class VocabularyItem:
    """gensim 3's item of a word: its row in ``vectors`` and how often it occurred (1 if nobody counted)."""

    __slots__ = ("count", "index")

    def __init__(self, index: int, count: int) -> None:
        self.index = index
        self.count = count

    def __repr__(self) -> str:
        return f"Vocab(count:{self.count}, index:{self.index})"


class Vocabulary(Mapping[str, VocabularyItem]):
    """``kv.vocab``: the words and their items in the order of the rows; a view that follows what is added."""

    def __init__(self, vectors: Any) -> None:
        self._vectors = vectors

    def __getitem__(self, word: str) -> VocabularyItem:
        index = self._vectors.key_to_index[word]
        counts = self._vectors.expandos.get("count")
        return VocabularyItem(index, 1 if counts is None else int(counts[index]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._vectors.key_to_index)

    def __len__(self) -> int:
        return len(self._vectors.key_to_index)

    def __repr__(self) -> str:
        return repr(dict(self))


def patch(module: ModuleType) -> None:
    """Give ``gensim.models.keyedvectors`` its old names back."""
    vectors = module.KeyedVectors
    for name in OLD_CLASSES:
        setattr(module, name, vectors)
    vectors.add_vectors = _forgetting_norms(vectors.add_vectors)
    vectors.add_vector = _forgetting_norms(vectors.add_vector)
    vectors.most_similar = _taking_any_sequence(vectors.most_similar)
    vectors.add = add
    vectors.word_vec = word_vec
    vectors.init_sims = init_sims
    vectors.wv = property(lambda self: self)
    vectors.vocab = property(Vocabulary)
    vectors.index2word = vectors.index2entity = _renamed("index_to_key")
    vectors.syn0 = _renamed("vectors")
    vectors.vectors_norm = vectors.syn0norm = property(lambda self: self.get_normed_vectors(), _ignore)


def add(self: Any, entities: Any, weights: Any, replace: bool = False) -> None:
    """Append words and their vectors (a 2-D array or a list of rows).

    A word that is there already keeps its vector, unless ``replace`` is true.
    """
    words = entities if isinstance(entities, str | Integral) else list(entities)
    self.add_vectors(words, weights, replace=replace)


def word_vec(self: Any, word: str, use_norm: bool = False) -> Any:
    """The word's vector, shape ``(vector_size,)``; of length 1 with ``use_norm``."""
    return self.get_vector(word, norm=use_norm)


def init_sims(self: Any, replace: bool = False) -> None:
    """Compute the lengths of all vectors; with ``replace`` scale the vectors themselves to length 1."""
    self.fill_norms(force=True)
    if replace:
        self.unit_normalize_all()


def _forgetting_norms(method: Callable[..., Any]) -> Callable[..., Any]:
    """gensim 4 keeps the norms of the rows that were there before, and then divides by too few of them."""

    @functools.wraps(method)
    def adding(self: Any, keys: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, keys, *args, **kwargs)
        self.norms = None
        return result

    return adding


def _taking_any_sequence(method: Callable[..., Any]) -> Callable[..., Any]:
    """gensim 3 took tuples, sets and arrays of words where gensim 4 insists on lists."""

    @functools.wraps(method)
    def most_similar(self: Any, positive: Any = None, negative: Any = None, *args: Any, **kwargs: Any) -> Any:
        return method(self, _words(positive), _words(negative), *args, **kwargs)

    return most_similar


def _words(given: Any) -> Any:
    """A list of the words; a single word, a vector and anything else as it is."""
    if isinstance(given, str | list) or not isinstance(given, Iterable):
        return given
    items = list(given)
    return items if all(isinstance(item, str | tuple) for item in items) else given


def _renamed(name: str) -> property:
    return property(lambda self: getattr(self, name), lambda self, value: setattr(self, name, value))


def _ignore(_self: Any, _value: Any) -> None:
    """Norms are computed when they are needed; old files set them."""


MODULES = {"gensim.models.keyedvectors": patch}
