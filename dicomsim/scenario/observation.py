"""What a peer was seen to do: one value a reaction, with its short name and the fields that an `expect` may look at.

The names are few and fixed, so that reactions of different peers compare: `answered-ok`, `answered-warning(B000)`,
`answered-failure(A700)`, `accepted(1:0)`, `rejected(1,2,2)`, `aborted(2,1)`, `released`, `tcp-fin`, `tcp-rst`,
`silent(5 s)`, `refused-connection`, `unreadable`, `exited(0)`, `asked(C-ECHO-RQ)`, and those that a scenario gives
itself, such as `ignored-and-continued`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dicomsim.dimse.builders import TAG_OF_NAME
from dicomsim.dimse.messages import Message
from dicomsim.errors import WireError
from dicomsim.scenario.dialogue import Dialogue
from dicomsim.status import StatusClass, status_class
from dicomsim.wire.items import (
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    UserIdentityAC,
)
from dicomsim.wire.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    Pdu,
    ReleaseRP,
    ReleaseRQ,
    UnknownPdu,
)
from dicomsim.wire.render import one_line

REFUSED: Final = "refused-connection"
"""Reaction of a peer that cannot be connected to."""
TRANSIENT: Final = "rejected(2,"
"""How the reaction of a peer begins that rejects for the time being."""
CRASHED: Final = "crashed (no longer accepts)"
"""Reaction of a peer that does not answer the sanity exchange any more."""


@dataclass(frozen=True, slots=True)
class Received:
    """A PDU."""

    pdu: Pdu
    """What it says."""

    @property
    def reaction(self) -> str:
        """Its short name."""
        return PDU_REACTIONS[type(self.pdu)](self.pdu)

    def fields(self, dialogue: Dialogue) -> Mapping[str, Any]:
        """What an `expect` may look at."""
        return PDU_FIELDS[type(self.pdu)](self.pdu, dialogue)

    def __str__(self) -> str:
        return one_line(self.pdu)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A DIMSE message."""

    message: Message
    """All of it."""
    longest_pdu: int
    """PDU-length of the longest P-DATA-TF it came in."""
    fragments: int
    """Presentation data values it came in."""

    @property
    def reaction(self) -> str:
        """Its short name."""
        message = self.message
        if not message.is_response:
            return f"asked({message.name})"
        status = message.status
        if status is None:
            return "answered-without-status"
        kind = status_class(status)
        return STATUS_REACTIONS[kind].format(f"{status:04X}")

    def fields(self, _: Dialogue) -> Mapping[str, Any]:
        """What an `expect` may look at."""
        message = self.message
        values: dict[str, Any] = {name: _plain(message.command.get(tag)) for name, tag in TAG_OF_NAME.items()}
        return values | {
            "message": message.name,
            "context": message.context_id,
            "data_set": message.data is not None,
            "data_length": message.data_length,
            "longest_pdu": self.longest_pdu,
            "fragments": self.fragments,
        }

    def __str__(self) -> str:
        return self.message.describe()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are not what they claim to be."""

    error: WireError
    """What is wrong with them."""

    reaction: Final = "unreadable"

    def __str__(self) -> str:
        return f"bytes that cannot be read: {self.error}"


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of the connection."""

    how: str
    """fin or reset."""
    rest: int = 0
    """Bytes of an unfinished PDU that came before."""

    @property
    def reaction(self) -> str:
        """Its short name."""
        return "tcp-fin" if self.how == "fin" else "tcp-rst"

    def __str__(self) -> str:
        end = "closed TCP with a FIN" if self.how == "fin" else "closed TCP with a RST"
        return f"{end} after {self.rest} bytes of a PDU" if self.rest else end


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing within a time window."""

    seconds: float
    """How long it was."""
    window: str
    """What limits it, for the report: `time window`."""
    rest: str = ""
    """What was left unfinished: `12 bytes of a PDU`."""

    @property
    def reaction(self) -> str:
        """Its short name."""
        return f"silent({self.seconds:g} s)"

    def __str__(self) -> str:
        return f"nothing within the {self.window} of {self.seconds:g} s{f', after {self.rest}' if self.rest else ''}"


@dataclass(frozen=True, slots=True)
class Exited:
    """The end of the process that was started as the peer."""

    code: int
    """Its exit code; negative: the signal that ended it."""

    @property
    def reaction(self) -> str:
        """Its short name."""
        return f"exited({self.code})"

    def fields(self, _: Dialogue) -> Mapping[str, Any]:
        """What an `expect` may look at."""
        return {"exit": self.code}

    def __str__(self) -> str:
        return f"exited with {self.code}"


@dataclass(frozen=True, slots=True)
class NotConnected:
    """No connection came about."""

    reason: str
    """What the system said."""
    reaction: str = REFUSED
    """Its short name."""

    def __str__(self) -> str:
        return self.reason


Observation = Received | Arrived | Unreadable | Closed | Silent | Exited | NotConnected

STATUS_REACTIONS: Final = {
    StatusClass.SUCCESS: "answered-ok",
    StatusClass.WARNING: "answered-warning({})",
    StatusClass.FAILURE: "answered-failure({})",
    StatusClass.CANCEL: "answered-cancel({})",
    StatusClass.PENDING: "answered-pending({})",
    StatusClass.UNKNOWN: "answered-undefined({})",
}
"""Short name of a response by the class of its status."""

PDU_REACTIONS: Final[Mapping[type, Callable[[Any], str]]] = {
    AssociateRQ: lambda pdu: "asked(A-ASSOCIATE-RQ)",
    AssociateAC: lambda pdu: f"accepted({_results(pdu)})",
    AssociateRJ: lambda pdu: f"rejected({pdu.result},{pdu.source},{pdu.reason})",
    PDataTF: lambda pdu: "sent(P-DATA-TF)",
    ReleaseRQ: lambda pdu: "asked(A-RELEASE-RQ)",
    ReleaseRP: lambda pdu: "released",
    Abort: lambda pdu: f"aborted({pdu.source},{pdu.reason})",
    UnknownPdu: lambda pdu: f"sent(PDU {pdu.pdu_type:02X}H)",
}
"""Short name of a PDU."""


def _results(pdu: AssociateAC) -> str:
    answers = [f"{each.context_id}:{each.result}" for each in pdu.presentation_contexts]
    return " ".join(answers[:8]) + (" …" if len(answers) > 8 else "")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _associate_fields(pdu: AssociateRQ | AssociateAC, dialogue: Dialogue) -> Mapping[str, Any]:
    window = pdu.user_item(AsynchronousOperationsWindow)
    identity = pdu.user_item(UserIdentityAC)
    length, uid = pdu.user_item(MaximumLength), pdu.user_item(ImplementationClassUid)
    name = pdu.user_item(ImplementationVersionName)
    asked = dialogue.request
    titles = (pdu.called_ae_title, pdu.calling_ae_title)
    return {
        "called": pdu.called,
        "calling": pdu.calling,
        "protocol_version": pdu.protocol_version,
        "application_context": pdu.application_context,
        "maximum_length": None if length is None else length.value,
        "implementation_class_uid": None if uid is None else uid.uid,
        "implementation_version_name": None if name is None else name.name,
        "contexts": {each.context_id: _context_fields(each) for each in pdu.presentation_contexts},
        "context_count": len(pdu.presentation_contexts),
        "accepted_count": sum(getattr(each, "result", 1) == 0 for each in pdu.presentation_contexts),
        "async_invoked": None if window is None else window.invoked,
        "async_performed": None if window is None else window.performed,
        "user_identity_response": None if identity is None else identity.server_response.hex(),
        "titles_echoed": asked is not None and titles == (asked.called_ae_title, asked.calling_ae_title),
    }


def _context_fields(context: Any) -> Mapping[str, Any]:
    names = ("abstract_syntax", "transfer_syntaxes", "result", "transfer_syntax")
    return {name: _plain(getattr(context, name)) for name in names if hasattr(context, name)}


def _p_data_fields(pdu: PDataTF, _: Dialogue) -> Mapping[str, Any]:
    return {
        "length": sum(len(pdv.data) + 6 for pdv in pdu.pdvs),
        "pdv_count": len(pdu.pdvs),
        "context": pdu.pdvs[0].context_id,
        "control": pdu.pdvs[0].control,
    }


PDU_FIELDS: Final[Mapping[type, Callable[[Any, Dialogue], Mapping[str, Any]]]] = {
    AssociateRQ: _associate_fields,
    AssociateAC: _associate_fields,
    AssociateRJ: lambda pdu, _: {"result": pdu.result, "source": pdu.source, "reason": pdu.reason},
    PDataTF: _p_data_fields,
    ReleaseRQ: lambda pdu, _: {},
    ReleaseRP: lambda pdu, _: {},
    Abort: lambda pdu, _: {"source": pdu.source, "reason": pdu.reason},
    UnknownPdu: lambda pdu, _: {},
}
"""What an `expect` may look at in a PDU."""
