"""dicomsim: a test harness and conformance simulator for DICOM networking.

    from dicomsim import AE, VerificationPresentationContexts

    ae = AE(ae_title=b"MYAE")
    ae.requested_contexts = VerificationPresentationContexts
    with ae.associate("127.0.0.1", 11112) as association:
        print(association.c_echo().describe())

Public names are imported when they are first used, so that the command line starts quickly.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "AE": "ae",
    "ApplicationEntity": "ae",
    "Association": "association",
    "Server": "server",
    "StoreTo": "services.storage",
    "Timeouts": "engine.timeouts",
    "DEFAULT_TRANSFER_SYNTAXES": "presentation",
    "PresentationContext": "presentation",
    "build_context": "presentation",
    "build_role": "negotiation_items",
    "Behaviour": "behaviour",
    "Rule": "behaviour",
    "DicomsimError": "errors",
}
"""Module of each public name; the ready context lists are in `presentation`, and not listed."""


def __getattr__(name: str) -> Any:
    if name == "__all__":  # `import *` asks for it
        return [*_HOMES, *importlib.import_module("dicomsim.presentation").READY_LISTS]
    if name.startswith("__"):
        raise AttributeError(name)
    home = _HOMES.get(name, "presentation" if name.endswith("PresentationContexts") else "")
    if not home:
        try:
            return importlib.import_module(f"dicomsim.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"dicomsim.{name}":
                raise
            raise AttributeError(f"dicomsim has no {name!r}") from error
    return getattr(importlib.import_module(f"dicomsim.{home}"), name)


def __dir__() -> list[str]:
    ready_lists = importlib.import_module("dicomsim.presentation").READY_LISTS
    return sorted({*globals(), *_HOMES, *ready_lists})
