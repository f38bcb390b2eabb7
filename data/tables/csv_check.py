"""Read a text file once before anything trusts it: its encoding, and that it holds no NULs."""

import codecs
import sys
from pathlib import Path

from birnn.errors import DataError
from birnn.progress import tell

USUAL_ENCODING = "utf-8-sig"
MAX_LINE = 8 << 20  # characters; a long novel has an eighth of it
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def encoding_of(path: Path, given: str, trained: str = "") -> str:
    """The encoding of a file: as ``given``, but UTF-16 where its first bytes say so.

    A file that is not UTF-8 is read in the encoding of a run's own file, if that is known.

    Raises:
        DataError: it can't be opened.
    """
    if given != USUAL_ENCODING:
        return given
    try:
        with path.open("rb") as file:
            if file.read(2) in UTF16:
                return "utf-16"
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from None
    if trained and trained not in (USUAL_ENCODING, "utf-16"):
        try:
            check_text(path, given)
        except DataError:
            return trained
    return given


def check_text(path: Path, encoding: str) -> None:
    """Refuse a file that is not text in ``encoding``, or no text of lines.

    A whole JSON document may stand on one line, however long.

    Raises:
        DataError: it can't be opened or decoded, holds NUL characters, or a line without an end;
            says on which line.
    """
    try:
        "".encode(encoding)  # refuses codecs that aren't of text, such as base64
        decoder = codecs.getincrementaldecoder(encoding)()
        with path.open("rb") as file:
            line, size, most = 1, 0, MAX_LINE
            whole = path.stat().st_size
            while block := file.read(1 << 20):
                try:
                    text = decoder.decode(block)
                except UnicodeDecodeError as error:
                    line += error.object[: error.start].count(b"\n")
                    byte = error.object[error.start]
                    what = f"is not {encoding}: byte 0x{byte:02x} can't be decoded"
                    mend = "save it as UTF-8 or name its encoding, as in --encoding latin-1"
                    raise DataError(f"{path} line {line} {what}; {mend}") from None
                if (place := text.find("\0")) >= 0:
                    line += text.count("\n", 0, place)
                    what = "holds a NUL character: it is binary, UTF-16 or damaged"
                    mend = "save it as UTF-8 text, or name its encoding with --encoding"
                    raise DataError(f"{path} line {line} {what}; {mend}")
                tell("checking", file.tell() / max(1, whole))
                if line == 1 and not size and _is_document(path, text):
                    most = sys.maxsize
                size = _check_lines(path, line, text, size, most)
                line += text.count("\n")
            decoder.decode(b"", final=True)
    except UnicodeError:
        mend = "save it as UTF-8 or name its encoding, as in --encoding latin-1"
        what = f"{path} is not {encoding}: it can't be decoded to its end"
        raise DataError(f"{what}; {mend}") from None
    except (LookupError, TypeError, ValueError):
        raise DataError(f"encoding: there is no {encoding!r}; try utf-8 or latin-1") from None
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from None


def _check_lines(path: Path, line: int, text: str, size: int, most: int) -> int:
    """The length of the last line of a part of a text, whose first ``line`` began ``size`` before.

    Raises:
        DataError: the first is longer than ``most`` characters.
    """
    first = min((at for at in map(text.find, "\n\r") if at >= 0), default=len(text))
    if size + first > most:
        what = f"is longer than {MAX_LINE >> 20} million characters"
        raise DataError(f"{path} line {line} {what}; break it into lines, a row each")
    last = max(map(text.rfind, "\n\r"))
    return len(text) - last - 1 if last >= 0 else size + len(text)


def _is_document(path: Path, start: str) -> bool:
    """Whether a text, by its beginning, is one JSON value."""
    signs = "[{" if path.suffix.lower() == ".json" else "["
    return start.lstrip("\ufeff \t\r\n")[:1] in tuple(signs)


def text_lines(path: Path, given: str) -> list[str]:
    """The lines of a text file in the encoding that is ``given`` or found, without ends and BOM.

    They break at line feeds, at carriage returns only where there is no line feed (old Macs).

    Raises:
        DataError: it can't be opened or decoded, or holds NUL characters.
    """
    encoding = encoding_of(path, given)
    check_text(path, encoding)
    with path.open(encoding=encoding, newline="") as file:
        text = file.read().removeprefix("\ufeff")
    if "\n" not in text and "\r" in text.rstrip("\r"):
        text = text.replace("\r", "\n")  # else a line may hold one
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.removesuffix("\r") for line in lines]
