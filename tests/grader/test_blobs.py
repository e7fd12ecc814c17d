from __future__ import annotations

import pytest

from checks.evidence import digest
from grader.store import BlobMissingError, Blobs


def test_what_was_put_is_got_by_its_digest(tmp_path):
    blobs = Blobs(tmp_path / "blobs")
    name = blobs.put(b"bytes")
    assert name == digest(b"bytes")
    assert Blobs(tmp_path / "blobs").get(name) == b"bytes"


def test_equal_bytes_are_kept_once_and_no_draft_is_left(tmp_path):
    blobs = Blobs(tmp_path)
    assert blobs.put(b"same") == blobs.put(b"same")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_missing_blob_and_a_damaged_one_are_faults_of_the_store(tmp_path):
    blobs = Blobs(tmp_path)
    with pytest.raises(BlobMissingError, match="no blob"):
        blobs.get(digest(b"never put"))
    name = blobs.put(b"whole")
    next(path for path in tmp_path.rglob("*") if path.is_file()).write_bytes(b"cut")
    with pytest.raises(BlobMissingError, match="damaged"):
        blobs.get(name)


@pytest.mark.parametrize(
    "name", ["", "sha256:12", "sha256:../../../etc/passwd", "md5:" + "0" * 64, "sha256:" + "G" * 64]
)
def test_only_a_digest_is_a_name(tmp_path, name):
    with pytest.raises(ValueError, match="no digest"):
        Blobs(tmp_path).get(name)
