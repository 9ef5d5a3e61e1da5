"""The information models of queries and retrievals by the letters that programs written for pynetdicom 1.x use."""

from __future__ import annotations

_QR = "1.2.840.10008.5.1.4.1.2"
_OTHER = "1.2.840.10008.5.1.4"

MODELS: dict[str, dict[str, str]] = {
    "P": {"C-FIND": f"{_QR}.1.1", "C-MOVE": f"{_QR}.1.2", "C-GET": f"{_QR}.1.3"},
    "S": {"C-FIND": f"{_QR}.2.1", "C-MOVE": f"{_QR}.2.2", "C-GET": f"{_QR}.2.3"},
    "O": {"C-FIND": f"{_QR}.3.1", "C-MOVE": f"{_QR}.3.2", "C-GET": f"{_QR}.3.3"},
    "C": {"C-FIND": f"{_OTHER}.37.3", "C-MOVE": f"{_QR}.4.2", "C-GET": f"{_QR}.4.3"},
    "CB": {"C-GET": f"{_QR}.5.3"},
    "W": {"C-FIND": f"{_OTHER}.31"},
    "G": {"C-FIND": f"{_OTHER}.37.1"},
    "B": {"C-FIND": f"{_OTHER}.37.2"},
    "PC": {"C-FIND": f"{_OTHER}.41"},
    "SA": {"C-FIND": f"{_OTHER}.42"},
    "H": {"C-FIND": f"{_OTHER}.38.2", "C-MOVE": f"{_OTHER}.38.3", "C-GET": f"{_OTHER}.38.4"},
    "CP": {"C-FIND": f"{_OTHER}.39.2", "C-MOVE": f"{_OTHER}.39.3", "C-GET": f"{_OTHER}.39.4"},
    "D": {"C-FIND": f"{_OTHER}.20.1", "C-MOVE": f"{_OTHER}.20.2", "C-GET": f"{_OTHER}.20.3"},
    "IG": {"C-FIND": f"{_OTHER}.43.2", "C-MOVE": f"{_OTHER}.43.3", "C-GET": f"{_OTHER}.43.4"},
    "IA": {"C-FIND": f"{_OTHER}.44.2", "C-MOVE": f"{_OTHER}.44.3", "C-GET": f"{_OTHER}.44.4"},
    "IT": {"C-FIND": f"{_OTHER}.45.2", "C-MOVE": f"{_OTHER}.45.3", "C-GET": f"{_OTHER}.45.4"},
}
"""Patient root, study root, patient/study only; composite instance root (as C-FIND cardiac patient information), the
same without bulk data; worklist; general and breast imaging patient information; product characteristics, substance
approval; hanging protocol, colour palette, defined procedure protocol; implant template: generic, assembly, group."""


def model_uid(query_model: str, service: str) -> str:
    """The SOP class for a letter, or for its UID; raises `ValueError` for what is neither."""
    if not isinstance(query_model, str):
        raise TypeError(f"query_model must be a str, not {query_model!r}")
    if query_model[:1].isdigit():
        return str(query_model)
    uid = MODELS.get(query_model, {}).get(service)
    if uid is None:
        known = ", ".join(letter for letter, services in MODELS.items() if service in services)
        raise ValueError(f"query_model must be a UID or one of {known} for a {service}, not {query_model!r}")
    return uid
