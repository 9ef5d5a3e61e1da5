"""Presentation contexts as programs handle them: to be proposed or supported, accepted, rejected. PS3.8 §7.1.1.13.

The ready lists (`StoragePresentationContexts` and so on, all in `READY_LISTS`) are names of this module, too. A list is
built each time it is asked for, so that nobody changes another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from dicomsim import sop_class
from dicomsim.sop_class import ServiceClass, SOPClass, of_service
from dicomsim.transfer_syntax import TransferSyntaxUID

if TYPE_CHECKING:
    from dicomsim.upper_layer.agreement import AcceptedContext, RejectedContext

DEFAULT_TRANSFER_SYNTAXES: list[TransferSyntaxUID] = [
    TransferSyntaxUID("1.2.840.10008.1.2"),
    TransferSyntaxUID("1.2.840.10008.1.2.1"),
    TransferSyntaxUID("1.2.840.10008.1.2.2"),
]
"""Implicit VR little endian, explicit VR little endian, explicit VR big endian."""

MAX_CONTEXTS = 128
"""Contexts that fit in one request: they are numbered with the odd numbers from 1 to 255, PS3.8 §9.3.2.2."""

RESULTS = {
    None: "Pending",
    0: "Accepted",
    1: "User Rejected",
    2: "Provider Rejected",
    3: "Abstract Syntax Not Supported",
    4: "Transfer Syntax(es) Not Supported",
}
"""What `PresentationContext.status` says for each `result` of PS3.8 Table 9-18."""

ROLES = {(False, False): "none", (True, False): "SCU", (False, True): "SCP", (True, True): "SCU and SCP"}
"""What `str` says for `as_scu` and `as_scp`."""


class PresentationContextTuple(NamedTuple):
    """An accepted context as handlers receive it."""

    context_id: int | None
    """Its ID on this association."""
    abstract_syntax: SOPClass | None
    """The SOP class, or meta SOP class, that was negotiated."""
    transfer_syntax: TransferSyntaxUID
    """The encoding of data sets."""


def _text(what: str, value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii", "surrogateescape")
    if isinstance(value, str):
        return value
    raise TypeError(f"{what} must be a UID as str or bytes, not {value!r}")


def _octet(what: str, value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} must be an int or None, not {value!r}")
    if not 0 <= value <= 255:
        raise ValueError(f"{what} must fit in one byte, which {value} does not")
    return value


def _role(what: str, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise TypeError(f"{what} must be True, False or None, not {value!r}")


class PresentationContext:
    """One presentation context; what fits on the wire can be set, legal or not.

    Setters raise `TypeError` for what cannot be meant, `ValueError` for a number that does not fit in a byte.
    """

    __slots__ = (
        "_abstract_syntax",
        "_context_id",
        "_result",
        "_scp_role",
        "_scu_role",
        "_transfer_syntax",
        "as_scp",
        "as_scu",
    )
    __hash__ = None  # type: ignore[assignment]  # it can be changed

    as_scu: bool | None
    """Whether this side may act as SCU in it; None until negotiated."""
    as_scp: bool | None
    """Whether this side may act as SCP in it; None until negotiated."""

    def __init__(
        self,
        abstract_syntax: str | bytes | None = None,
        transfer_syntax: str | bytes | Iterable[str | bytes] = (),
        context_id: int | None = None,
    ) -> None:
        self._transfer_syntax: list[TransferSyntaxUID] = []
        self._result: int | None = None
        self._scu_role: bool | None = None
        self._scp_role: bool | None = None
        self.as_scu = self.as_scp = None
        self.context_id = context_id
        self.abstract_syntax = abstract_syntax
        self.transfer_syntax = transfer_syntax

    @classmethod
    def from_accepted(cls, context: AcceptedContext) -> Self:
        """A context that both sides agreed upon."""
        new = cls(context.abstract_syntax, context.transfer_syntax, context.context_id)
        new.as_scu, new.as_scp, new.result = context.as_scu, context.as_scp, 0
        return new

    @classmethod
    def from_rejected(cls, context: RejectedContext, proposed: Iterable[str] = ()) -> Self:
        """A context that was not accepted, with the transfer syntaxes that had been proposed for it."""
        new = cls(context.abstract_syntax, proposed, context.context_id)
        new.as_scu, new.as_scp, new.result = False, False, context.result
        return new

    @property
    def context_id(self) -> int | None:
        """1 to 255 and odd, when legal; None where it is given later."""
        return self._context_id

    @context_id.setter
    def context_id(self, value: int | None) -> None:
        self._context_id = _octet("context_id", value)

    @property
    def abstract_syntax(self) -> SOPClass | None:
        """The UID of a SOP class or meta SOP class."""
        return self._abstract_syntax

    @abstract_syntax.setter
    def abstract_syntax(self, value: str | bytes | None) -> None:
        self._abstract_syntax = None if value is None else SOPClass(_text("abstract_syntax", value))

    @property
    def transfer_syntax(self) -> list[TransferSyntaxUID]:
        """The transfer syntaxes, preferred ones first; may be set to a single one."""
        return self._transfer_syntax

    @transfer_syntax.setter
    def transfer_syntax(self, value: str | bytes | Iterable[str | bytes]) -> None:
        values = [value] if isinstance(value, str | bytes) else value
        if not isinstance(values, Iterable):
            raise TypeError(f"transfer_syntax must be a UID or a list of them, not {value!r}")
        self._transfer_syntax = [TransferSyntaxUID(_text("transfer_syntax", one)) for one in values]

    def add_transfer_syntax(self, syntax: str | bytes) -> None:
        """Append a transfer syntax, unless it is there."""
        uid = TransferSyntaxUID(_text("transfer syntax", syntax))
        if uid not in self._transfer_syntax:
            self._transfer_syntax.append(uid)

    def remove_transfer_syntax(self, syntax: str | bytes) -> None:
        """Take a transfer syntax away, if it is there."""
        uid = _text("transfer syntax", syntax)
        self._transfer_syntax[:] = [one for one in self._transfer_syntax if one != uid]

    @property
    def scu_role(self) -> bool | None:
        """Of a supported context: whether a requestor may be SCU; None leaves proposed roles unanswered."""
        return self._scu_role

    @scu_role.setter
    def scu_role(self, value: bool | None) -> None:
        self._scu_role = _role("scu_role", value)

    @property
    def scp_role(self) -> bool | None:
        """Of a supported context: whether a requestor may be SCP; None leaves proposed roles unanswered."""
        return self._scp_role

    @scp_role.setter
    def scp_role(self, value: bool | None) -> None:
        self._scp_role = _role("scp_role", value)

    @property
    def result(self) -> int | None:
        """The acceptor's answer, PS3.8 Table 9-18; None while there is none."""
        return self._result

    @result.setter
    def result(self, value: int | None) -> None:
        self._result = _octet("result", value)

    @property
    def status(self) -> str:
        """The `result` in words."""
        return RESULTS.get(self._result, "Unknown")

    @property
    def as_tuple(self) -> PresentationContextTuple:
        """The form that handlers receive; raises `IndexError` while there is no transfer syntax."""
        syntax = TransferSyntaxUID(self._transfer_syntax[0])  # what was put into the list may be plain text
        return PresentationContextTuple(self._context_id, self._abstract_syntax, syntax)

    def _values(self) -> tuple[Any, ...]:
        return (
            self._context_id,
            self._abstract_syntax,
            self._transfer_syntax,
            self._scu_role,
            self._scp_role,
            self.as_scu,
            self.as_scp,
            self._result,
        )

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, PresentationContext) else NotImplemented

    def __str__(self) -> str:
        lines = [] if self._context_id is None else [f"ID: {self._context_id}"]
        if self._abstract_syntax is not None:
            lines.append(f"Abstract Syntax: {self._abstract_syntax.name}")
        lines.append("Transfer Syntax(es):")
        lines += [f"    ={TransferSyntaxUID(syntax).name}" for syntax in self._transfer_syntax]
        if self.as_scu is not None and self.as_scp is not None:
            lines.append(f"Role: {ROLES[self.as_scu, self.as_scp]}")
        if self._result is not None:
            lines.append(f"Result: {self.status}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        number = "" if self._context_id is None else f" {self._context_id}"
        name = f" {self._abstract_syntax.name}" if self._abstract_syntax is not None else ""
        syntaxes = ", ".join(TransferSyntaxUID(syntax).name for syntax in self._transfer_syntax)
        status = "" if self._result is None else f", {self.status}"
        return f"<PresentationContext{number}{name}: {syntaxes}{status}>"


def build_context(
    abstract_syntax: str | bytes, transfer_syntax: str | bytes | Iterable[str | bytes] | None = None
) -> PresentationContext:
    """A context for an abstract syntax, with the default transfer syntaxes unless told otherwise."""
    syntaxes = DEFAULT_TRANSFER_SYNTAXES if transfer_syntax is None else transfer_syntax
    return PresentationContext(_text("abstract_syntax", abstract_syntax), syntaxes)


def _query_retrieve() -> list[SOPClass]:
    return [
        *of_service(ServiceClass.QUERY_RETRIEVE, retired=True),
        *of_service(ServiceClass.COMPOSITE_INSTANCE_ROOT_RETRIEVE),
        *of_service(ServiceClass.COMPOSITE_INSTANCE_RETRIEVE_WITHOUT_BULK_DATA),
    ]


# The SOP classes of each list. An association has room for 128 contexts (PS3.8 §9.3.2.2), fewer than there are storage
# SOP classes: the table marks the 128 in wider use, and an acceptor that wants them all has a list of its own.
READY_LISTS: dict[str, Callable[[], list[SOPClass]]] = {
    "VerificationPresentationContexts": partial(of_service, ServiceClass.VERIFICATION),
    "StoragePresentationContexts": sop_class.in_wide_use,
    "AllStoragePresentationContexts": partial(of_service, ServiceClass.STORAGE),
    "QueryRetrievePresentationContexts": _query_retrieve,
    "ModalityPerformedPresentationContexts": partial(of_service, ServiceClass.PROCEDURE_STEP),
    "PrintManagementPresentationContexts": partial(of_service, ServiceClass.PRINT_MANAGEMENT),
    "MediaStoragePresentationContexts": partial(of_service, ServiceClass.MEDIA_STORAGE),
    "StorageCommitmentPresentationContexts": partial(of_service, ServiceClass.STORAGE_COMMITMENT),
    "BasicWorklistManagementPresentationContexts": partial(of_service, ServiceClass.BASIC_WORKLIST_MANAGEMENT),
    "ApplicationEventLoggingPresentationContexts": partial(of_service, ServiceClass.APPLICATION_EVENT_LOGGING),
    "RelevantPatientInformationPresentationContexts": partial(
        of_service, ServiceClass.RELEVANT_PATIENT_INFORMATION_QUERY
    ),
    "InstanceAvailabilityPresentationContexts": partial(of_service, ServiceClass.INSTANCE_AVAILABILITY_NOTIFICATION),
    "MediaCreationManagementPresentationContexts": partial(of_service, ServiceClass.MEDIA_CREATION_MANAGEMENT),
    "HangingProtocolPresentationContexts": partial(of_service, ServiceClass.HANGING_PROTOCOL_QUERY_RETRIEVE),
    "SubstanceAdministrationPresentationContexts": partial(of_service, ServiceClass.SUBSTANCE_ADMINISTRATION_QUERY),
    "ColorPalettePresentationContexts": partial(of_service, ServiceClass.COLOR_PALETTE_QUERY_RETRIEVE),
    "ImplantTemplatePresentationContexts": partial(of_service, ServiceClass.IMPLANT_TEMPLATE_QUERY_RETRIEVE),
    "UnifiedProcedurePresentationContexts": partial(of_service, ServiceClass.UNIFIED_PROCEDURE_STEP),
    "RTMachineVerificationPresentationContexts": partial(of_service, ServiceClass.RT_MACHINE_VERIFICATION),
    "DisplaySystemPresentationContexts": partial(of_service, ServiceClass.DISPLAY_SYSTEM_MANAGEMENT),
    "NonPatientObjectPresentationContexts": partial(of_service, ServiceClass.NON_PATIENT_OBJECT_STORAGE),
    "DefinedProcedureProtocolPresentationContexts": partial(
        of_service, ServiceClass.DEFINED_PROCEDURE_PROTOCOL_QUERY_RETRIEVE
    ),
    "ProtocolApprovalPresentationContexts": partial(of_service, ServiceClass.PROTOCOL_APPROVAL_QUERY_RETRIEVE),
    "InventoryPresentationContexts": partial(of_service, ServiceClass.INVENTORY_QUERY_RETRIEVE),
    "StorageManagementPresentationContexts": partial(of_service, ServiceClass.STORAGE_MANAGEMENT),
}
"""Every ready list by name, with what gives its SOP classes."""


def __getattr__(name: str) -> list[PresentationContext]:
    if name == "__all__":  # `import *` asks for it
        names = ["DEFAULT_TRANSFER_SYNTAXES", "PresentationContext", "build_context"]
        return [*names, *READY_LISTS]  # type: ignore[list-item]
    if name in READY_LISTS:
        return [build_context(uid) for uid in READY_LISTS[name]()]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *READY_LISTS])
