"""Text files that users give, which must be UTF-8: one line for those in another encoding."""

from pathlib import Path

from selfdoubt.runtime.errors import UserError


def decode(content: bytes, name: str | Path) -> str:
    """Return the text of a file; raises UserError, which names it, if it is not UTF-8."""
    if b"\0" in content:
        raise not_utf8(name, content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise not_utf8(name) from None


def not_utf8(name: str | Path, content: bytes = b"") -> UserError:
    """Return the error about a file; content: bytes of it, of which zeros suggest the encoding."""
    found = " (zero bytes, as of UTF-16)" if b"\0" in content else ""
    remedy = "save it as UTF-8 ('CSV UTF-8' in spreadsheets), or convert it: iconv -f ENCODING -t UTF-8"
    return UserError(f"{name}: not a text in UTF-8{found}; {remedy}")
