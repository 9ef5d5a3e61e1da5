"""The AE of `dicomsim serve`: what it takes, where it keeps it, how it misbehaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dicomsim.ae import AE
from dicomsim.association import VERIFICATION
from dicomsim.engine.timeouts import Timeouts
from dicomsim.repl.acceptor import all_transfer_syntaxes, storage_classes
from dicomsim.services.storage import StoreTo


def make_acceptor(
    aet: str, require_called: bool = False, require_calling: str | None = None, output: Path | None = None,
    max_associations: int = 4096, transfer_syntaxes: tuple[str, ...] = (), max_pdu: int = 131072,
    timeouts: Timeouts | None = None, rules: tuple[str, ...] = (), seed: int = 0, **_: Any,
) -> AE:  # fmt: skip
    """An AE with the settings of the command line. Raises what rules and folder that cannot be had raise."""
    ae = AE(aet)
    ae.require_called_aet = aet if require_called else b""
    ae.require_calling_aet = require_calling or b""
    ae.maximum_associations = max_associations
    ae.maximum_pdu_size = max_pdu
    ae.timeouts = timeouts or Timeouts()
    for sop_class in (VERIFICATION, *storage_classes()):
        ae.add_supported_context(sop_class, transfer_syntaxes or all_transfer_syntaxes())
    ae.store_to = StoreTo.NOWHERE
    if output is not None:
        ae.store_to, ae.store_folder = StoreTo.FILE, _folder(output)
    if rules:
        from dicomsim.behaviour import Behaviour, load_rules

        ae.behaviour = Behaviour((rule for text in rules for rule in load_rules(text)), seed=seed)
    return ae


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.BadParameter(f"{path}: {reason}", param_hint="'--output'") from error
    return path
