"""Calls without an association: a request goes to its provider, and what would be sent is collected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomsim.dimse.builders import build
from dicomsim.dimse.exchange import Operation
from dicomsim.dimse.messages import Message
from dicomsim.presentation import PresentationContextTuple
from dicomsim.services import SERVICES
from dicomsim.services.call import Call, serve
from dicomsim.services.storage import StoreTo
from dicomsim.sop_class import SOPClass
from dicomsim.transfer_syntax import TransferSyntaxUID

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

IMPLICIT = "1.2.840.10008.1.2"
MESSAGE_ID = 7


class Handlers:
    """User code by name, as an AE has it."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self.functions = functions

    def handler(self, name: str) -> Callable[..., Any] | None:
        """The function of that name, or None."""
        return self.functions.get(name)


class Recorder:
    """A handler that remembers its arguments and returns one thing."""

    def __init__(self, result: Any = 0x0000) -> None:
        self.result = result
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> Any:
        self.calls.append(arguments)
        return self.result


class Association:
    """As much of an association, and of its AE, as the storage service looks at."""

    def __init__(self, store_to: StoreTo, store_folder: Path = Path()) -> None:
        self.ae = self
        self.store_to = store_to
        self.store_folder = store_folder


class Serving:
    """One call, and the responses to it."""

    def __init__(
        self,
        name: str,
        context: str,
        handlers: Handlers | None = None,
        data: bytes | None = None,
        *,
        may_perform: bool = True,
        association: Any = None,
        transfer_syntax: str = IMPLICIT,
        **elements: Any,
    ) -> None:
        request = build(f"{name}-RQ", 1, data, message_id=MESSAGE_ID, **elements)
        self.sent: list[Message] = []
        self.operation = Operation(request, MESSAGE_ID)
        negotiated = PresentationContextTuple(1, SOPClass(context), TransferSyntaxUID(transfer_syntax))
        self.call = Call(
            self.operation,
            negotiated,
            may_perform,
            handlers or Handlers(),
            lambda call: {"cancelled": call.is_cancelled, "parameters": call.parameters},
            self.sent.append,
            association,
        )

    def run(self) -> list[Message]:
        """Serve it to its end; the responses."""
        serve(SERVICES[self.operation.request.command_field], self.call)
        return self.sent

    def final(self) -> Message:
        """Serve it to its end; the one response, or the last one."""
        response = self.run()[-1]
        assert MESSAGE_ID == response.message_id_being_responded_to
        return response


def encoded(dataset: Dataset, transfer_syntax: str = IMPLICIT) -> bytes:
    """A data set as it is sent."""
    from dicomsim.datasets import encode

    return encode(dataset, transfer_syntax)
