"""Text out of bytes in whatever encoding a spreadsheet or an editor left them."""

import codecs

from bot.errors import InputError

MAX_BYTES = 50_000_000
_SAMPLE = 4_096  # bytes
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(range(1, 9)) + bytes(range(14, 32))


def decode(data: bytes) -> str:
    """The text without byte order mark and NUL. Raises InputError for what is no text, or too large."""
    if len(data) > MAX_BYTES:
        raise InputError(f"larger than {MAX_BYTES:,} bytes; split it into smaller files")
    encoding = next((encoding for mark, encoding in _BOMS if data.startswith(mark)), None) or _guess(data)
    text = data.decode(encoding, "replace")
    return text.removeprefix("\ufeff").replace("\x00", "")


def _guess(data: bytes) -> str:
    sample = data[:_SAMPLE]
    if len(sample) - len(sample.translate(None, _CONTROLS)) > len(sample) // 20:
        raise InputError("not a text file")
    zeros = sample.count(0)
    if zeros > len(sample) // 4:
        even = sample[::2].count(0)
        if min(even, zeros - even) > zeros // 20:
            raise InputError("not a text file")
        return "utf-16-be" if even * 2 > zeros else "utf-16-le"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
