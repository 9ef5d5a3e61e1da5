"""The line at the bottom of the prompt: the live state, shortened until it fits."""

from __future__ import annotations

from pathlib import PurePath

from dicomsim.repl.status import STATES, Status

Fragments = list[tuple[str, str]]
"""Style class and text, as prompt-toolkit takes them."""

BETWEEN = " │ "
STYLE = {
    "bottom-toolbar": "noreverse bg:#303030 #c0c0c0",
    "bottom-toolbar.state": "#ffffff bold",
    "bottom-toolbar.open": "#87d787 bold",
    "bottom-toolbar.busy": "#ffd75f bold",
    "bottom-toolbar.between": "#707070",
    "bottom-toolbar.warm": "#ffaf5f",
}
"""Colours; on a terminal without them all is in its usual ones."""
_STATE_CLASSES = {"Sta1": "state", "Sta6": "open"}


def toolbar(status: Status, width: int) -> Fragments:
    """The toolbar in so many columns; what is less important gives way first."""
    pieces = _pieces(status)
    while len(pieces) > 1 and _length(pieces) > width:
        del pieces[-1]
    if _length(pieces) > width:
        style, text = pieces[0]
        pieces = [(style, text[: max(width - 1, 1)])]
    fragments: Fragments = []
    for style, text in pieces:
        if fragments:
            fragments.append(("class:bottom-toolbar.between", BETWEEN))
        fragments.append((f"class:bottom-toolbar.{style}" if style else "class:bottom-toolbar", text))
    return [("class:bottom-toolbar", " "), *fragments]


def _length(pieces: Fragments) -> int:
    return 1 + sum(len(text) for _, text in pieces) + len(BETWEEN) * (len(pieces) - 1)


def _pieces(status: Status) -> Fragments:
    """In the order of their importance."""
    words = STATES.get(status.state, "")
    state = (_STATE_CLASSES.get(status.state, "busy"), f"{status.state} {words.partition(',')[0]}")
    pieces = [state]
    if status.peer:
        pieces.append(("", status.peer))
    if status.outstanding:
        pieces.append(("warm", f"{status.outstanding} outstanding"))
    if status.rules:
        pieces.append(("warm" if status.rules_on else "", f"rules {status.rules_on}/{status.rules}"))
    if status.recording:
        pieces.append(("warm", f"rec {PurePath(status.recording).name}"))
    if status.serving:
        count = f" ({status.served})" if status.served else ""
        pieces.append(("", f"serve {status.serving}{count}"))
    if status.proposed:
        pieces.append(("", f"contexts {status.accepted}/{status.proposed}"))
    if status.traced:
        pieces.append(("", f"trace {','.join(status.traced)}"))
    return pieces
