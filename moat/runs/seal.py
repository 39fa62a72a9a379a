"""A zip file of torch or numpy whose comment is the digest of its content.

The digest is in the file itself, so both are replaced in one step. Readers of zip files ignore a
comment.
"""

import hashlib
from io import BytesIO

_MARK = b"moat sha256 "
_COMMENT = len(_MARK) + 64  # bytes
_LENGTH = _COMMENT.to_bytes(2, "little")
_END, _END_SIZE = b"PK\5\6", 22  # of a zip file without a comment: its length, 0, comes last
_NO_LENGTH = b"\0\0"


def seal(file: BytesIO, whose: str = "") -> None:
    """Add to a new zip file the digest of its content and its owner."""
    file.seek(0)
    digest = hashlib.file_digest(file, lambda: _begun(whose))
    file.seek(-len(_NO_LENGTH), 2)
    file.write(_LENGTH + _MARK + digest.hexdigest().encode())


def is_sealed(content: bytes, whose: str = "") -> bool:
    """Say whether a zip file has a digest; False for one older than digests.

    Raises ValueError if the digest does not match the content or the owner.
    """
    if content[-_END_SIZE:].startswith(_END) and content.endswith(_NO_LENGTH):
        return False
    digest = _begun(whose)
    digest.update(memoryview(content)[: -_COMMENT - len(_LENGTH)])
    digest.update(_NO_LENGTH)
    if not content.endswith(_LENGTH + _MARK + digest.hexdigest().encode()):
        raise ValueError("its digest does not match its content")
    return True


def _begun(whose: str) -> "hashlib._Hash":
    return hashlib.sha256(whose.encode() + b"\0")
