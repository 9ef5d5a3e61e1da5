"""What an AE is by itself: titles, address, limits, timeouts; each checked when it is set.

A value that cannot be meant raises `TypeError`, one that is out of range `ValueError`; both name it. What a test wants
to send although it is wrong goes into the items of `associate` or into a rule, not in here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dicomsim.engine.timeouts import NAMES, Timeouts
from dicomsim.engine.transport import outward_address
from dicomsim.services.storage import StoreTo
from dicomsim.upper_layer.negotiation import (
    DEFAULT_MAXIMUM_LENGTH,
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
)
from dicomsim.wire.pdu import pad_ae_title

DEFAULT_AE_TITLE = b"DICOMSIM"

LONGEST_TITLE = 16
"""Characters of an AE title. PS3.5 Table 6.2-1."""

LONGEST_UID = 64
"""Characters of a UID. PS3.5 §9.1."""

LONGEST_VERSION_NAME = 16
"""Characters of an implementation version name. PS3.7 §D.3.3.2.3."""


class Settings:
    """The settings; those of an open association stay as they were when it began, but for the timeouts."""

    def __init__(self, ae_title: bytes | str = DEFAULT_AE_TITLE, port: int = 0) -> None:
        self.ae_title = ae_title
        self.port = port
        self.bind_addr = ""
        self._timeouts = Timeouts()
        self.maximum_pdu_size = DEFAULT_MAXIMUM_LENGTH
        self.maximum_associations = 2
        self.require_called_aet = b""
        self.require_calling_aet = b""
        self.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        self.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        self.store_to = StoreTo.DATASET
        self.store_folder = Path()

    @property
    def ae_title(self) -> bytes:
        """The AE title, padded to 16 bytes; may be set as `str`."""
        return self._ae_title

    @ae_title.setter
    def ae_title(self, value: bytes | str) -> None:
        self._ae_title = title("ae_title", value)

    @property
    def require_called_aet(self) -> bytes:
        """The title by which requestors must call, padded to 16 bytes; empty for any."""
        return self._require_called_aet

    @require_called_aet.setter
    def require_called_aet(self, value: bytes | str) -> None:
        self._require_called_aet = _required_title("require_called_aet", value)

    @property
    def require_calling_aet(self) -> bytes:
        """The title that requestors must have, padded to 16 bytes; empty for any."""
        return self._require_calling_aet

    @require_calling_aet.setter
    def require_calling_aet(self, value: bytes | str) -> None:
        self._require_calling_aet = _required_title("require_calling_aet", value)

    @property
    def port(self) -> int:
        """The port to listen on, and to connect from; 0 takes a free one."""
        return self._port

    @port.setter
    def port(self, value: int) -> None:
        self._port = number("port", value, 0, 65535)

    @property
    def bind_addr(self) -> str:
        """The address to listen on, and to connect from; empty for all IPv4 interfaces, `::` for those of IPv6, too."""
        return self._bind_addr

    @bind_addr.setter
    def bind_addr(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"bind_addr must be a str, not {value!r}")
        self._bind_addr = value

    @property
    def address(self) -> str:
        """The address at which others reach this AE: `bind_addr`, or else that of the interface towards the network."""
        return self._bind_addr if self._bind_addr.strip(":0.") else outward_address()

    @property
    def maximum_associations(self) -> int:
        """Associations that may be open at once as acceptor; one more is rejected, as too many at the moment."""
        return self._maximum_associations

    @maximum_associations.setter
    def maximum_associations(self, value: int) -> None:
        self._maximum_associations = number("maximum_associations", value, 1)

    @property
    def maximum_pdu_size(self) -> int:
        """Largest PDU-length of a P-DATA-TF that is taken, in bytes; 0 for any."""
        return self._maximum_pdu_size

    @maximum_pdu_size.setter
    def maximum_pdu_size(self, value: int) -> None:
        self._maximum_pdu_size = number("maximum_pdu_size", value, 0, 0xFFFFFFFF)

    @property
    def implementation_class_uid(self) -> str:
        """Which implementation this is. PS3.7 §D.3.3.2."""
        return self._implementation_class_uid

    @implementation_class_uid.setter
    def implementation_class_uid(self, value: str | bytes) -> None:
        uid = text("implementation_class_uid", value)
        if not 0 < len(uid) <= LONGEST_UID or not all(part.isdecimal() for part in uid.split(".")) or not uid.isascii():
            what = f"a UID of at most {LONGEST_UID} characters"
            raise ValueError(f"implementation_class_uid must be {what}, unlike {uid!r}")
        self._implementation_class_uid = uid

    @property
    def implementation_version_name(self) -> bytes | None:
        """Which version this is, 1 to 16 characters; None says nothing of it. May be set as `str`."""
        return self._implementation_version_name

    @implementation_version_name.setter
    def implementation_version_name(self, value: str | bytes | None) -> None:
        if value is None:
            self._implementation_version_name = None
            return
        name = text("implementation_version_name", value)
        if not 0 < len(name) <= LONGEST_VERSION_NAME or not name.isascii():
            raise ValueError(
                f"implementation_version_name must have 1 to {LONGEST_VERSION_NAME} ASCII characters, unlike {value!r}"
            )
        self._implementation_version_name = name.encode("ascii")

    @property
    def store_to(self) -> StoreTo:
        """In which form `on_c_store` gets data sets."""
        return self._store_to

    @store_to.setter
    def store_to(self, value: StoreTo) -> None:
        if not isinstance(value, StoreTo):
            raise TypeError(f"store_to must be a StoreTo, not {value!r}")
        self._store_to = value

    @property
    def store_folder(self) -> Path:
        """Where files go with `StoreTo.FILE`; may be set as `str`."""
        return self._store_folder

    @store_folder.setter
    def store_folder(self, value: str | os.PathLike[str]) -> None:
        if not isinstance(value, str | os.PathLike):
            raise TypeError(f"store_folder must be a path, not {value!r}")
        self._store_folder = Path(value)

    @property
    def timeouts(self) -> Timeouts:
        """Every timeout by name; what is set goes to the associations that are open, too. May be set as a whole."""
        return self._timeouts

    @timeouts.setter
    def timeouts(self, value: Timeouts) -> None:
        if not isinstance(value, Timeouts):
            raise TypeError(f"timeouts must be a Timeouts, not {value!r}")
        for name in NAMES:
            setattr(self._timeouts, name, getattr(value, name))

    @property
    def acse_timeout(self) -> float | None:
        """Seconds for the answer to an association or release request; None for no limit."""
        return self.timeouts.acse

    @acse_timeout.setter
    def acse_timeout(self, value: float | None) -> None:
        self.timeouts.acse = value

    @property
    def dimse_timeout(self) -> float | None:
        """Seconds for each awaited DIMSE message; None for no limit."""
        return self.timeouts.dimse

    @dimse_timeout.setter
    def dimse_timeout(self, value: float | None) -> None:
        self.timeouts.dimse = value

    @property
    def network_timeout(self) -> float | None:
        """Seconds without a byte in either direction; None for no limit."""
        return self.timeouts.network

    @network_timeout.setter
    def network_timeout(self, value: float | None) -> None:
        self.timeouts.network = value


def text(name: str, value: Any) -> str:
    """A name or UID given as `str` or `bytes`; raises `TypeError` for anything else."""
    if isinstance(value, bytes):
        return value.decode("ascii", "surrogateescape")
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str or bytes, not {value!r}")
    return str(value)


def title(name: str, value: Any) -> bytes:
    """An AE title, padded to 16 bytes."""
    bare = text(name, value).strip(" ")
    if not bare:
        raise ValueError(f"{name} must have a character that is no space, unlike {value!r}")
    if len(bare) > LONGEST_TITLE or not (bare.isascii() and bare.isprintable()) or "\\" in bare:
        limits = f"at most {LONGEST_TITLE} printable ASCII characters and no backslash"
        raise ValueError(f"{name} must have {limits}, unlike {value!r}")
    return pad_ae_title(bare)


def _required_title(name: str, value: Any) -> bytes:
    return title(name, value) if text(name, value).strip(" ") else b""


def number(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number within limits."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name} must be {f'from {least} to {most}' if most else f'at least {least}'}, not {value}")
    return value
