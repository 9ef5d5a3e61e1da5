"""Bytes to send, as a rule writes them: hexadecimal digits, text, random bytes, a PDU or a message by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from dicomsim.behaviour.kinds import ABORT, COMMANDS, REJECTION, codes, read_hex
from dicomsim.behaviour.values import Kind, RuleError, integer, read_text, shown, suggest
from dicomsim.dimse.builders import SUCCESS, build
from dicomsim.dimse.table import MESSAGE_TYPES, Usage
from dicomsim.upper_layer.negotiation import IMPLEMENTATION_CLASS_UID
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.command import COMMAND_ELEMENTS, encode_command
from dicomsim.wire.items import (
    ApplicationContext,
    ImplementationClassUid,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    TransferSyntax,
    UserInformation,
)
from dicomsim.wire.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    Pdu,
    Pdv,
    ReleaseRP,
    ReleaseRQ,
)


class Source(Protocol):
    """What a payload may depend on."""

    @property
    def random(self) -> Random:
        """The rule's own generator."""
        ...

    @property
    def called(self) -> str:
        """Called AE title of the association."""
        ...

    @property
    def calling(self) -> str:
        """Calling AE title of the association."""
        ...


Payload = Callable[[Source], bytes]
"""Makes the bytes when they are needed."""

_IMPLICIT_VR = "1.2.840.10008.1.2"
_VERIFICATION = "1.2.840.10008.1.1"
_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2"
_INSTANCE = "2.25.1"
_LARGEST = 1 << 24
"""Bytes that `random:` and `zeros:` may ask for: enough to overrun any buffer, not enough to exhaust a test machine."""

_AMOUNT = integer(0, _LARGEST)

PREFIXES: Mapping[str, tuple[Callable[[Any], str], Callable[[str], Payload]]] = {
    "hex": (lambda value: read_hex(read_text(value)).hex(), lambda text: _constant(bytes.fromhex(text))),
    "text": (read_text, lambda text: _constant(text.encode("utf-8", "surrogateescape"))),
    "random": (
        lambda value: str(_AMOUNT.read(value)),
        lambda text: lambda source: source.random.randbytes(int(text)),
    ),
    "zeros": (lambda value: str(_AMOUNT.read(value)), lambda text: _constant(bytes(int(text)))),
}
"""How bytes are written with a prefix and a colon: to the canonical form, and from it to the payload."""

_MESSAGE_CODES = codes(("context", "id"), {}, 0xFFFF)
_USUAL: dict[str, int | str] = {
    "AffectedSOPClassUID": _VERIFICATION,
    "RequestedSOPClassUID": _VERIFICATION,
    "AffectedSOPInstanceUID": _INSTANCE,
    "RequestedSOPInstanceUID": _INSTANCE,
    "Priority": 0,
    "Status": SUCCESS,
    "MoveDestination": "DICOMSIM",
    "EventTypeID": 1,
    "ActionTypeID": 1,
}
_USUAL_OF_SERVICE: Mapping[str, Mapping[str, int | str]] = {
    "C-STORE": {"AffectedSOPClassUID": _CT_IMAGE},
    "C-FIND": {"AffectedSOPClassUID": f"{_STUDY_ROOT}.1"},
    "C-MOVE": {"AffectedSOPClassUID": f"{_STUDY_ROOT}.2"},
    "C-GET": {"AffectedSOPClassUID": f"{_STUDY_ROOT}.3"},
}
_ALWAYS = frozenset(("AffectedSOPClassUID", "AffectedSOPInstanceUID"))
"""Optional in many responses, and usually there."""


def _constant(data: bytes) -> Payload:
    return lambda source: data


def _titles(source: Source) -> tuple[bytes, bytes]:
    called, calling = (title.encode("ascii", "replace")[:16].ljust(16) for title in (source.called, source.calling))
    return called, calling


_USER_INFORMATION = UserInformation((MaximumLength(16382), ImplementationClassUid(IMPLEMENTATION_CLASS_UID)))


def _request(source: Source) -> Pdu:
    context = PresentationContextRQ.of(1, _VERIFICATION, _IMPLICIT_VR)
    return AssociateRQ(*_titles(source), (ApplicationContext(), context, _USER_INFORMATION))


def _accept(source: Source) -> Pdu:
    context = PresentationContextAC(1, 0, (TransferSyntax(_IMPLICIT_VR),))
    return AssociateAC(*_titles(source), (ApplicationContext(), context, _USER_INFORMATION))


def _message(name: str, context_id: int, message_id: int) -> Pdu:
    """The smallest P-DATA-TF that holds a message: its mandatory elements, and no data set."""
    command = build(name, context_id).command
    usual = _USUAL | {"MessageID": message_id, "MessageIDBeingRespondedTo": message_id}
    usual |= _USUAL_OF_SERVICE.get(name.rpartition("-")[0], {})
    for tag, usage in MESSAGE_TYPES[COMMANDS[name]].elements.items():
        keyword = COMMAND_ELEMENTS[tag].keyword
        if keyword in usual and (usage is Usage.MANDATORY or keyword in _ALWAYS):
            command[tag] = usual[keyword]
    return PDataTF((Pdv(context_id, 3, encode_command(command)),))


def _plain(pdu: Pdu) -> Callable[[tuple[int, ...]], Callable[[Source], Pdu]]:
    return lambda numbers: lambda source: pdu


_NO_CODES = Kind("", read_text)
_PDUS: Mapping[str, tuple[Kind, str, Callable[[tuple[int, ...]], Callable[[Source], Pdu]]]] = {
    "A-ASSOCIATE-RQ": (_NO_CODES, "", lambda numbers: _request),
    "A-ASSOCIATE-AC": (_NO_CODES, "", lambda numbers: _accept),
    "A-ASSOCIATE-RJ": (
        REJECTION,
        "1/1/1",
        lambda numbers: lambda source: AssociateRJ(numbers[0], numbers[1], numbers[2]),
    ),
    "P-DATA-TF": (_NO_CODES, "", lambda numbers: lambda source: _message("C-ECHO-RQ", 1, 1)),
    "A-RELEASE-RQ": (_NO_CODES, "", _plain(ReleaseRQ())),
    "A-RELEASE-RP": (_NO_CODES, "", _plain(ReleaseRP())),
    "A-ABORT": (ABORT, "0/0", lambda numbers: lambda source: Abort(numbers[0], numbers[1])),
}
"""PDUs by name: the codes that may follow the name, those it has without, and the value."""


def _read_prefixed(text: str) -> str | None:
    prefix, colon, rest = text.partition(":")
    return f"{prefix}:{PREFIXES[prefix][0](rest)}" if colon and prefix in PREFIXES else None


def _read_named(text: str) -> str:
    name, *numbers = text.split()
    name = name.upper()
    if len(numbers) > 1 or (name not in _PDUS and name not in COMMANDS):
        known = [*_PDUS, *COMMANDS, *(f"{prefix}:" for prefix in PREFIXES)]
        hint = suggest(name, known) or ": write hex:…, text:…, random:…, zeros:…, or the name of a PDU or message"
        raise RuleError(f"{shown(text)} says no bytes{hint}")
    kind, usual = (_PDUS[name][0], _PDUS[name][1]) if name in _PDUS else (_MESSAGE_CODES, "1/1")
    if not usual:
        if numbers:
            raise RuleError(f"{name} takes no codes")
        return name
    read = kind.read(numbers[0] if numbers else usual)
    if name in COMMANDS and int(read.split("/")[0]) > 255:
        raise RuleError(f"{read.split('/')[0]} is no context ID: 0 to 255")
    return f"{name} {read}"


def _read(value: Any) -> str:
    """To the canonical form; bare hexadecimal digits will do for `hex:`."""
    text = read_text(value)
    prefixed = _read_prefixed(text)
    if prefixed is not None:
        return prefixed
    if not text.strip():
        raise RuleError("no bytes are given; zeros:0 says none")
    if _DIGITS.fullmatch(text):
        return f"hex:{read_hex(text).hex()}"
    return _read_named(text)


def _make(text: str) -> Payload:
    prefix, colon, rest = text.partition(":")
    if colon and prefix in PREFIXES:
        return PREFIXES[prefix][1](rest)
    name, _, numbers = text.partition(" ")
    values = tuple(map(int, numbers.split("/"))) if numbers else ()
    if name in _PDUS:
        pdu = _PDUS[name][2](values)
        return lambda source: encode_pdu(pdu(source))
    data = encode_pdu(_message(name, *values))
    return _constant(data)


_DIGITS = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2}\s*)+")

PAYLOAD = Kind(
    "hex:0102, text:…, random:100, zeros:100, A-ABORT 2/1, C-ECHO-RSP 1/7",
    _read,
    _make,
    words=lambda: [*(f"{prefix}:" for prefix in PREFIXES), *_PDUS, *COMMANDS],
)
