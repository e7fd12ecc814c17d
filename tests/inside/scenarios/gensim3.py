"""gensim 3's ways with word vectors."""

import warnings

import numpy as np
import pandas as pd
from gensim.models import KeyedVectors, keyedvectors

WORDS = ["north", "east", "northeast", "south"]
ROWS = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0], [-4.0, 0.0]], dtype=np.float32)


def vectors():
    kv = keyedvectors.WordEmbeddingsKeyedVectors(2)
    kv.add(WORDS, ROWS)
    return kv


def can_call_the_class_by_its_old_name():
    from gensim.models.keyedvectors import WordEmbeddingsKeyedVectors  # noqa: PLC0415

    assert WordEmbeddingsKeyedVectors is KeyedVectors
    assert keyedvectors.BaseKeyedVectors is KeyedVectors
    assert type(WordEmbeddingsKeyedVectors(32)) is KeyedVectors
    assert WordEmbeddingsKeyedVectors(vector_size=7).vector_size == 7


def can_add_words_from_a_column():
    frame = pd.DataFrame({"key": pd.array(WORDS, dtype="str"), "n": [5, 0, 7, 9]})[1:]
    for column in (frame["key"], frame["key"].values, frame["key"].tolist(), np.array(WORDS[1:])):
        kv = keyedvectors.WordEmbeddingsKeyedVectors(2)
        kv.add(column, ROWS[1:])
        assert list(kv.key_to_index) == WORDS[1:]
        assert np.array_equal(kv["south"], ROWS[3])


def can_add_one_word():
    kv = vectors()
    kv.add("west", [0.0, -1.0])
    assert kv.index2word[-1] == "west"
    assert np.array_equal(kv["west"], [0, -1])


def can_add_rows_in_a_list():
    kv = keyedvectors.WordEmbeddingsKeyedVectors(2)
    kv.add(WORDS, list(ROWS))
    assert np.array_equal(kv.vectors, ROWS)


def can_keep_or_replace_a_word_that_is_there():
    kv = vectors()
    kv.add(["north"], np.array([[9.0, 9.0]]))
    assert np.array_equal(kv["north"], ROWS[0])
    kv.add(["north"], np.array([[9.0, 9.0]]), replace=True)
    assert np.array_equal(kv["north"], [9, 9])
    assert len(kv) == len(WORDS)


def can_compare_after_adding_more():
    kv = KeyedVectors(2)
    kv.add_vectors(WORDS[:2], ROWS[:2])
    kv.most_similar("north")
    kv.add_vectors(WORDS[2:], ROWS[2:])
    assert [word for word, _ in kv.most_similar("north")] == ["northeast", "east", "south"]
    kv["north"] = np.array([0.0, 5.0])
    assert np.isclose(kv.similarity("north", "east"), 1)
    assert kv.most_similar("north")[0][0] == "east"


def can_read_the_vocabulary():
    kv = vectors()
    assert kv.index2word == kv.index2entity == WORDS
    assert list(kv.vocab) == WORDS
    assert "north" in kv.vocab
    assert "nowhere" not in kv.vocab
    assert kv.vocab["south"].index == 3
    assert kv.vocab["south"].count == 1
    assert len(kv.vocab) == 4
    assert sorted(kv.vocab.keys())[0] == "east"
    assert {word: item.index for word, item in kv.vocab.items()} == kv.key_to_index
    vocabulary = kv.vocab
    kv.add(["west"], [[0, -1]])
    assert vocabulary["west"].index == 4


def can_read_counts():
    kv = vectors()
    kv.set_vecattr("north", "count", 12)
    assert kv.vocab["north"].count == 12


def can_reach_vectors_by_old_names():
    kv = vectors()
    kv.init_sims()
    assert kv.syn0 is kv.vectors
    assert np.allclose(np.linalg.norm(kv.vectors_norm, axis=1), 1)
    assert np.allclose(kv.syn0norm, kv.vectors_norm)
    assert kv.wv is kv
    assert np.array_equal(kv.wv["east"], ROWS[1])
    assert np.allclose(kv.word_vec("east", use_norm=True), [0, 1])
    assert np.array_equal(kv.word_vec("east"), ROWS[1])


def can_scale_to_unit_length():
    kv = vectors()
    kv.init_sims(replace=True)
    assert np.allclose(np.linalg.norm(kv.vectors, axis=1), 1)


def can_use_old_names_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kv = vectors()
        kv.init_sims()
        kv.word_vec("north")


def can_ask_with_tuples_sets_and_arrays():
    kv = KeyedVectors(2)
    kv.add_vectors(WORDS, ROWS)
    expected = kv.most_similar(positive=["north", "east"], negative=["south"])
    for positive in (
        ("north", "east"),
        {"north", "east"},
        np.array(["north", "east"]),
        pd.Series(["north", "east"]),
    ):
        found = kv.most_similar(positive=positive, negative=("south",))
        assert [word for word, _ in found] == [word for word, _ in expected]


def still_answers_as_gensim_4_does():
    kv = KeyedVectors(2)
    kv.add_vectors(WORDS, ROWS)
    assert kv.most_similar("north", topn=1)[0][0] == "northeast"
    assert kv.most_similar(positive=[ROWS[0]], topn=1)[0][0] == "north"
    assert kv.most_similar(positive=ROWS[0], topn=1)[0][0] == "north"
    assert kv.most_similar(positive=[("north", 2.0), "east"], topn=1)[0][0] == "northeast"
    assert kv.most_similar("north", topn=None).shape == (4,)
    assert kv.similar_by_word("north", topn=2)[0][0] == "northeast"
    assert kv.similar_by_vector(ROWS[1], topn=1)[0][0] == "east"
    assert kv.doesnt_match(["north", "northeast", "south"]) == "south"
    try:
        kv.most_similar("nowhere")
    except KeyError as error:
        assert "nowhere" in str(error)  # noqa: PT017 - pytest is not there
    else:
        raise AssertionError("an unknown word was found")
