"""Names inside zip archives."""

from __future__ import annotations

import zipfile

_SAYS_UTF8 = 0x800


def member_name(member: zipfile.ZipInfo) -> str:
    """A member's name, also where its writer did not say that it is UTF-8 (rubyzip, hence Canvas; macOS).

    Such a name was read as code page 437; what is no UTF-8 is left so.
    """
    if member.flag_bits & _SAYS_UTF8:
        return member.filename
    try:
        return member.filename.encode("cp437").decode()
    except UnicodeError:
        return member.filename
