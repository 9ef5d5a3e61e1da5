"""SOP classes, meta SOP classes, well-known SOP instances and service classes by UID and by name, PS3.4 and PS3.6.

`SOPClass` is a `str` that knows its row of PS3.6 Annex A. Every registered one is a name of this module, under the
standard's keyword (`Verification`, `CTImageStorage`) and under the names that programs written for pynetdicom use
(`VerificationSOPClass`, `ModalityWorklistInformationFind`). The table is read when the first name is asked for.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache, lru_cache

from dicomsim import transfer_syntax
from dicomsim.data import items, rows


class ServiceClass(StrEnum):
    """The service classes of PS3.4, by annex."""

    VERIFICATION = "Verification"
    STORAGE = "Storage"
    QUERY_RETRIEVE = "Query/Retrieve"
    PROCEDURE_STEP = "Procedure Step"
    PRINT_MANAGEMENT = "Print Management"
    MEDIA_STORAGE = "Media Storage"
    STORAGE_COMMITMENT = "Storage Commitment"
    BASIC_WORKLIST_MANAGEMENT = "Basic Worklist Management"
    APPLICATION_EVENT_LOGGING = "Application Event Logging"
    RELEVANT_PATIENT_INFORMATION_QUERY = "Relevant Patient Information Query"
    INSTANCE_AVAILABILITY_NOTIFICATION = "Instance Availability Notification"
    MEDIA_CREATION_MANAGEMENT = "Media Creation Management"
    HANGING_PROTOCOL_QUERY_RETRIEVE = "Hanging Protocol Query/Retrieve"
    SUBSTANCE_ADMINISTRATION_QUERY = "Substance Administration Query"
    COLOR_PALETTE_QUERY_RETRIEVE = "Color Palette Query/Retrieve"
    COMPOSITE_INSTANCE_ROOT_RETRIEVE = "Composite Instance Root Retrieve"
    COMPOSITE_INSTANCE_RETRIEVE_WITHOUT_BULK_DATA = "Composite Instance Retrieve Without Bulk Data"
    IMPLANT_TEMPLATE_QUERY_RETRIEVE = "Implant Template Query/Retrieve"
    UNIFIED_PROCEDURE_STEP = "Unified Procedure Step"
    RT_MACHINE_VERIFICATION = "RT Machine Verification"
    DISPLAY_SYSTEM_MANAGEMENT = "Display System Management"
    NON_PATIENT_OBJECT_STORAGE = "Non-Patient Object Storage"
    DEFINED_PROCEDURE_PROTOCOL_QUERY_RETRIEVE = "Defined Procedure Protocol Query/Retrieve"
    PROTOCOL_APPROVAL_QUERY_RETRIEVE = "Protocol Approval Query/Retrieve"
    INVENTORY_QUERY_RETRIEVE = "Inventory Query/Retrieve"
    STORAGE_MANAGEMENT = "Storage Management"
    REAL_TIME_COMMUNICATION = "Real-Time Communication"


# Columns of the table.
_UID, _KEYWORD, _NAME, _KIND, _SERVICE_CLASS, _RETIRED = range(6)
_DIMSE_SERVICES, _MEMBERS, _WELL_KNOWN_INSTANCES, _RELATED_GENERAL, _READY, _FORMER_NAMES = range(6, 12)


@cache
def registry() -> dict[str, list[str]]:
    """The rows of all UIDs but the transfer syntaxes, in the order of PS3.6 Table A-1; later ones at the end."""
    return {row[_UID]: row for row in rows("sop_classes")}


@cache
def names() -> dict[str, SOPClass]:
    """Every name that this module can be asked for: keywords and former names."""
    table = {name: SOPClass(row[_UID]) for row in registry().values() for name in items(row[_FORMER_NAMES])}
    table |= {row[_KEYWORD]: SOPClass(row[_UID]) for row in registry().values() if row[_KEYWORD]}
    return table


_UNREGISTERED = [""] * 12


class SOPClass(str):
    """The UID of a SOP class (or of what else PS3.6 lists beside them); private ones have a UID and nothing more."""

    __slots__ = ()

    @property
    def _row(self) -> list[str]:
        return registry().get(self, _UNREGISTERED)

    @property
    def uid(self) -> str:
        """The UID as a plain `str`."""
        return str(self)

    @property
    def name(self) -> str:
        """The registered name, or the UID itself."""
        return self._row[_NAME] or str(self)

    @property
    def keyword(self) -> str:
        """The registered keyword, or the empty string."""
        return self._row[_KEYWORD]

    @property
    def kind(self) -> str:
        """`SOP Class`, `Meta SOP Class`, `Well-known SOP Instance` and so on; empty when not registered."""
        return self._row[_KIND]

    @property
    def service_class(self) -> ServiceClass | None:
        """The service class it belongs to; None for private UIDs and for what is retired with its service class."""
        return ServiceClass(self._row[_SERVICE_CLASS]) if self._row[_SERVICE_CLASS] else None

    @property
    def retired(self) -> bool:
        """Whether the standard no longer describes it."""
        return bool(self._row[_RETIRED])

    @property
    def is_registered(self) -> bool:
        """Whether PS3.6 Annex A (or a later edition) lists it."""
        return self in registry()

    @property
    def dimse_services(self) -> tuple[str, ...]:
        """The services whose requests are sent with it, `C-STORE`, `N-CREATE` …; empty when not known."""
        return items(self._row[_DIMSE_SERVICES])

    @property
    def members(self) -> tuple[SOPClass, ...]:
        """Of a meta SOP class: the SOP classes that messages on its contexts may name."""
        return tuple(map(SOPClass, items(self._row[_MEMBERS])))

    @property
    def well_known_instances(self) -> tuple[SOPClass, ...]:
        """SOP instances whose UIDs the standard fixes."""
        return tuple(map(SOPClass, items(self._row[_WELL_KNOWN_INSTANCES])))

    @property
    def related_general(self) -> tuple[SOPClass, ...]:
        """Related general SOP classes, PS3.4 Table B.3-3, for common extended negotiation."""
        return tuple(map(SOPClass, items(self._row[_RELATED_GENERAL])))


def uid_name(uid: str) -> str:
    """The registered name of a SOP class, instance or transfer syntax, or the UID itself."""
    row = registry().get(uid) or transfer_syntax.registry().get(uid)
    return row[_NAME] if row else uid


def uid_to_sop_class(uid: str) -> SOPClass:
    """A `SOPClass` for any UID, registered or not."""
    return SOPClass(uid)


@lru_cache(maxsize=1024)  # asked for every message, and peers may send any UID
def service_of(uid: str) -> ServiceClass | None:
    """The service class that a SOP class belongs to, or None."""
    return SOPClass(uid).service_class


def of_service(service: ServiceClass, retired: bool = False) -> list[SOPClass]:
    """The SOP classes and meta SOP classes of a service class in table order, retired ones only if asked for."""
    found = [row for row in registry().values() if row[_SERVICE_CLASS] == service]
    return [SOPClass(row[_UID]) for row in found if retired or not row[_RETIRED]]


def in_wide_use() -> list[SOPClass]:
    """The 128 storage SOP classes, as many as an association has contexts, that are met most."""
    return [SOPClass(row[_UID]) for row in registry().values() if row[_READY]]


def __getattr__(name: str) -> SOPClass:
    if name == "__all__":  # `import *` asks for it
        return ["SOPClass", "ServiceClass", "uid_name", "uid_to_sop_class", *names()]  # type: ignore[return-value]
    if not name.startswith("_"):
        if (sop_class := names().get(name)) is not None:
            return sop_class
        from difflib import get_close_matches  # only worth its import when something is wrong

        near = get_close_matches(name, names(), 1)
        raise AttributeError(f"no SOP class is named {name!r}" + (f": did you mean {near[0]}?" if near else ""))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *names()])
