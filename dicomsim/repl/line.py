"""A line of the prompt as commands and words: what is typed, before anybody asks what it means.

Blanks divide words, quotes keep blanks in them, a backslash keeps the next sign as it is, `;` and line ends (in what
was pasted) divide commands, and `#` at the beginning of a word makes the rest of the line a comment. Nothing here
fails, for a line is also read while it is typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BLANKS = " \t"
LINE_ENDS = "\r\n"
DIVIDERS = f";{LINE_ENDS}"
_KEY = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True, slots=True)
class Word:
    """One word."""

    text: str
    """Without its quotes and backslashes."""
    start: int
    """Offset in the line, of the quote if it begins with one."""
    end: int
    """Offset behind it."""
    open_quote: str = ""
    """The quote that is not closed, if there is one."""
    equals: int = -1
    """Where in `text` the first `=` stands that no quote was before, -1 if there is none."""

    @property
    def key(self) -> str:
        """`calling` of `calling=ME`; empty if the word has no key."""
        key = self.text[: max(self.equals, 0)]
        return key if _KEY.fullmatch(key) else ""

    @property
    def value(self) -> str:
        """`ME` of `calling=ME`; the whole word if it has no key."""
        return self.text[self.equals + 1 :] if self.key else self.text


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between two semicolons: one command, or nothing."""

    words: tuple[Word, ...]
    """In their order."""
    end: int
    """Offset in the line behind it: of the semicolon, the comment, or the end."""
    commented: bool = False
    """Whether it ends with a comment."""

    def rest(self, line: str, index: int) -> str:
        """Everything from a word on, as it stands in the line; a single word that is quoted loses its quotes."""
        words = self.words[index:]
        if len(words) == 1 and line[words[0].start] in "'\"" and not words[0].open_quote:
            return words[0].text
        return line[words[0].start : self.end].rstrip(BLANKS) if words else ""


class _Reader:
    def __init__(self, line: str) -> None:
        self.line = line
        self.position = 0

    def parts(self) -> list[Part]:
        parts: list[Part] = []
        words: list[Word] = []
        while True:
            while self._here in BLANKS and self._here:
                self.position += 1
            if not self._here:
                parts.append(Part(tuple(words), self.position))
                return parts
            if self._here == "#":
                end = self.position
                while self._here and self._here not in LINE_ENDS:
                    self.position += 1
                parts.append(Part(tuple(words), end, commented=True))
                if not self._here:
                    return parts
                words = []
            elif self._here in DIVIDERS:
                parts.append(Part(tuple(words), self.position))
                words = []
                self.position += 1
            else:
                words.append(self._word())

    @property
    def _here(self) -> str:
        return self.line[self.position : self.position + 1]

    def _word(self) -> Word:
        start, quote, equals, quoted = self.position, "", -1, False
        text: list[str] = []
        while sign := self._here:
            if not quote and (sign in BLANKS or sign in DIVIDERS):
                break
            self.position += 1
            if sign == quote:
                quote = ""
            elif not quote and sign in "'\"":
                quote, quoted = sign, True
            elif sign == "\\" and quote != "'" and self._here and (not quote or self._here in '"\\'):
                text.append(self._here)
                self.position += 1
            else:
                if sign == "=" and equals < 0 and not quoted:
                    equals = len(text)
                text.append(sign)
        return Word("".join(text), start, self.position, quote, equals)


def read_line(line: str) -> list[Part]:
    """The commands of a line, empty ones among them; the last one is where the line ends."""
    return _Reader(line).parts()


def quoted(text: str, *, whole: bool = True) -> str:
    """A text as one word of a line; if it is not `whole`, so that more can be typed behind it."""
    if (
        text
        and not any(sign in BLANKS or sign in DIVIDERS or sign in "'\"\\" for sign in text)
        and not text.startswith("#")
    ):
        return text
    if "'" not in text:
        return f"'{text}" + "'" * whole
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' * whole
