"""The embedded acceptor: a well-behaved peer for verification and storage, around which rules may be put."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dicomsim import transfer_syntax
from dicomsim.ae import AE
from dicomsim.association import VERIFICATION
from dicomsim.errors import FileError
from dicomsim.services.storage import StoreTo
from dicomsim.sop_class import SOPClass, registry
from dicomsim.transfer_syntax import TransferSyntaxUID

PREFERRED = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2")
"""Taken first where a peer leaves the choice: explicit before implicit VR, little before big endian."""
NO_DATA_SETS = frozenset(("1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2", "1.2.840.10008.1.20"))
"""Retired transfer syntaxes that encode something else than a data set: MIME, XML, Papyrus."""
MAX_ASSOCIATIONS = 1000
"""At once: a limit is something that a rule says."""


def make_acceptor(title: str, folder: Path | None) -> AE:
    """An AE that takes every storage SOP class in every transfer syntax, and keeps objects in the folder, if any.

    Raises `FileError` if the folder cannot be had.
    """
    ae = AE(title)
    ae.maximum_associations = MAX_ASSOCIATIONS
    for sop_class in (VERIFICATION, *storage_classes()):
        ae.add_supported_context(sop_class, all_transfer_syntaxes())
    ae.store_to = StoreTo.NOWHERE
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder}: cannot be made: {(error.strerror or str(error)).lower()}") from error
        ae.store_to, ae.store_folder = StoreTo.FILE, folder
    return ae


@cache
def storage_classes() -> tuple[str, ...]:
    """Every registered SOP class that is stored, retired ones too."""
    return tuple(uid for uid in registry() if "C-STORE" in SOPClass(uid).dimse_services)


@cache
def all_transfer_syntaxes() -> tuple[str, ...]:
    """Every registered one that a file can have, preferred ones first."""
    others = [
        uid
        for uid, row in transfer_syntax.registry().items()
        if uid not in NO_DATA_SETS and (TransferSyntaxUID(uid).is_encapsulated or row[-1] == "native")
    ]
    return (*PREFERRED, *(uid for uid in others if uid not in PREFERRED))
