"""Names that may have been meant by another one: for messages about a name that is not there."""

from __future__ import annotations

from difflib import get_close_matches

# Comparing names costs the square of their lengths, and a notebook may make as many as it likes.
MAX_COMPARED = 200
LONGEST_COMPARED = 80


def similar_names(name: str, names: list[str]) -> list[str]:
    """Names that differ by letter case, blanks, an added or a few other letters; of very many, the last."""
    names = [each for each in dict.fromkeys(names[-MAX_COMPARED:]) if len(each) <= LONGEST_COMPARED]
    plain = {each: _plain(each) for each in names}
    close = get_close_matches(_plain(name), plain.values(), n=3, cutoff=0.7)
    return [each for each in names if plain[each] in close or _plain(name) in plain[each]]


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
