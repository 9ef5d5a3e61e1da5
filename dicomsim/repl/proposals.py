"""Which presentation contexts to propose: from SOP classes, lists of them, and the files that are to be sent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dicomsim import sop_class, transfer_syntax
from dicomsim.association import VERIFICATION
from dicomsim.behaviour.values import suggest
from dicomsim.errors import FileError
from dicomsim.part10 import read_file_meta
from dicomsim.presentation import MAX_CONTEXTS, READY_LISTS, PresentationContext, build_context

IMPLICIT = "1.2.840.10008.1.2"
UNCOMPRESSED = ("1.2.840.10008.1.2.1", IMPLICIT)
"""Explicit VR little endian first, as most files are: who takes the first one takes them as they stand."""
LIST_SUFFIX = "PresentationContexts"


def list_names() -> list[str]:
    """The ready lists by their short names: `Storage`, `QueryRetrieve` …"""
    return [name.removesuffix(LIST_SUFFIX) for name in READY_LISTS]


def usual_contexts() -> list[PresentationContext]:
    """Verification, and as many of the storage SOP classes in wide use as there is room for."""
    classes = [VERIFICATION, *sop_class.in_wide_use()]
    return [build_context(uid, UNCOMPRESSED) for uid in classes[:MAX_CONTEXTS]]


def contexts_of(words: Sequence[str]) -> list[PresentationContext]:
    """What some words propose, each context once; none for no words.

    A word is a SOP class (keyword or UID), `CLASS:SYNTAX,SYNTAX`, the name of a list, a DICOM file or a folder of them.
    Raises `ValueError`, and `FileError` for a file.
    """
    found: dict[tuple[str, tuple[str, ...]], PresentationContext] = {}
    for word in words:
        for context in _contexts_of_word(word):
            found.setdefault((str(context.abstract_syntax), tuple(map(str, context.transfer_syntax))), context)
    if len(found) > MAX_CONTEXTS:
        raise ValueError(f"{len(found)} contexts do not fit in one association: at most {MAX_CONTEXTS} do")
    return list(found.values())


def check_context(word: str) -> str:
    """A word as `contexts_of` takes it; raises `ValueError` for what is no SOP class, list or file."""
    if not os.path.exists(os.path.expanduser(word)):
        _named(word)
    return word


def _contexts_of_word(word: str) -> list[PresentationContext]:
    path = Path(word).expanduser()
    if path.exists() and word not in list_names():
        return list(_contexts_of_files(dicom_files([path])))
    classes, syntaxes = _named(word)
    return [build_context(uid, syntaxes) for uid in classes]


def _named(word: str) -> tuple[list[str], list[str]]:
    """The SOP classes and transfer syntaxes that a word names."""
    name, colon, syntaxes = word.partition(":")
    chosen = [_transfer_syntax(one) for one in syntaxes.split(",")] if colon else list(UNCOMPRESSED)
    if f"{name}{LIST_SUFFIX}" in READY_LISTS:
        return [str(uid) for uid in READY_LISTS[f"{name}{LIST_SUFFIX}"]()[:MAX_CONTEXTS]], chosen
    if name[:1].isdigit():
        return [name], chosen
    known = sop_class.names()
    if name in known:
        return [known[name]], chosen
    raise ValueError(f"{word!r} is no SOP class, list or file{suggest(name, (*list_names(), *known))}")


def _transfer_syntax(word: str) -> str:
    if word[:1].isdigit():
        return word
    known = transfer_syntax.names()
    if word not in known:
        raise ValueError(f"{word!r} is no transfer syntax's keyword or UID{suggest(word, known)}")
    return known[word]


def _contexts_of_files(paths: Iterable[Path]) -> Iterator[PresentationContext]:
    """One context for each transfer syntax of a SOP class, so that files go as they stand.

    Uncompressed ones may also go in implicit VR little endian, which every peer has to know (PS3.5 §10.1).
    """
    for path in paths:
        try:
            meta = read_file_meta(path)
        except FileError:
            continue  # sending it will say so
        yield build_context(meta.sop_class_uid, meta.transfer_syntax_uid)
        if meta.transfer_syntax_uid in UNCOMPRESSED:
            yield build_context(meta.sop_class_uid, IMPLICIT)


def dicom_files(paths: Iterable[Path]) -> list[Path]:
    """The files, and those in the folders by name, at any depth, without what is hidden and directories of media.

    Raises `FileError` for what is not there.
    """
    found: list[Path] = []
    for path in (one.expanduser() for one in paths):
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.is_file() and _is_meant(one.relative_to(path)))
        elif path.exists():
            found.append(path)
        else:
            raise FileError(f"{path}: no such file or folder")
    return found


def _is_meant(path: Path) -> bool:
    return path.name != "DICOMDIR" and not any(part.startswith(".") for part in path.parts)
