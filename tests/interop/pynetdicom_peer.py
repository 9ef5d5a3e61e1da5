"""A peer for the interop tests, run by the interpreter that has pynetdicom: never imported here.

    python pynetdicom_peer.py ask HOST PORT JSON     ask for an association as the JSON says, and print what came of it
    python pynetdicom_peer.py serve PORT JSON        accept associations, and print a line for each thing it is asked
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from typing import Any

VERIFICATION = "1.2.840.10008.1.1"


def say(**values: Any) -> None:
    """Print values as one line."""
    text = json.dumps(values, default=lambda value: value.decode("latin-1") if isinstance(value, bytes) else str(value))
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def items(settings: dict[str, Any]) -> list[Any]:
    """The items of extended negotiation."""
    primitives = import_module("pynetdicom.pdu_primitives")
    made = []
    if "identity" in settings:
        kind, wanted, primary, secondary = settings["identity"]
        item = primitives.UserIdentityNegotiation()
        item.user_identity_type, item.positive_response_requested = kind, wanted
        item.primary_field = primary.encode()
        if secondary is not None:
            item.secondary_field = secondary.encode()
        made.append(item)
    for uid, scu, scp in settings.get("roles", ()):
        made.append(import_module("pynetdicom").build_role(uid, scu_role=scu, scp_role=scp))
    for uid, information in settings.get("extended", {}).items():
        item = primitives.SOPClassExtendedNegotiation()
        item.sop_class_uid, item.service_class_application_information = uid, bytes.fromhex(information)
        made.append(item)
    for uid, (service, related) in settings.get("common", {}).items():
        item = primitives.SOPClassCommonExtendedNegotiation()
        item.sop_class_uid, item.service_class_uid = uid, service
        item.related_general_sop_class_identification = related
        made.append(item)
    if "window" in settings:
        item = primitives.AsynchronousOperationsWindowNegotiation()
        item.maximum_number_operations_invoked, item.maximum_number_operations_performed = settings["window"]
        made.append(item)
    return made


def rejection(pdu: Any) -> Iterator[list[int]]:
    """Result, source and reason, of an A-ASSOCIATE-RJ."""
    if type(pdu).__name__ == "A_ASSOCIATE_RJ":
        yield [pdu.result, pdu.source, pdu.reason_diagnostic]


def ask(host: str, port: int, settings: dict[str, Any]) -> None:
    """Ask for an association, send a C-ECHO, and say what came of it."""
    ae = import_module("pynetdicom").AE("PYNETDICOM")
    for uid in settings.get("contexts", [VERIFICATION]):
        ae.add_requested_context(uid)
    tls_args = None
    if "trust" in settings:
        context = ssl.create_default_context(cafile=settings["trust"])
        if "certificate" in settings:
            context.load_cert_chain(settings["certificate"], settings["key"])
        tls_args = (context, "localhost")
    rejections: list[list[int]] = []  # its own `is_rejected` is false at times, for its threads race each other
    pdu_received = import_module("pynetdicom.events").EVT_PDU_RECV
    handlers = [(pdu_received, lambda event: rejections.extend(rejection(event.pdu)))]
    association = ae.associate(host, port, ext_neg=items(settings), tls_args=tls_args, evt_handlers=handlers)
    acceptor = association.acceptor
    say(
        established=association.is_established,
        rejections=rejections,
        roles={one.abstract_syntax: [one.as_scu, one.as_scp] for one in association.accepted_contexts},
        response=acceptor.user_identity.server_response if acceptor.user_identity else None,
        extended={uid: value.hex() for uid, value in acceptor.sop_class_extended.items()},
        window=acceptor.asynchronous_operations,
        echo=association.send_c_echo().Status if association.is_established else None,
    )
    if association.is_established:
        association.release()


def serve(port: int, settings: dict[str, Any]) -> None:
    """Accept associations until the process is ended."""
    evt = import_module("pynetdicom").evt
    ae = import_module("pynetdicom").AE("PYNETDICOM")
    for uid in settings.get("contexts", [VERIFICATION]):
        ae.add_supported_context(uid, scu_role=True, scp_role=True)

    def identity(event: Any) -> tuple[bool, bytes | None]:
        say(identity=[event.user_id_type, event.primary_field, event.secondary_field])
        return settings.get("verdict", True), settings.get("response", "").encode() or None

    def extended(event: Any) -> Any:
        say(extended={uid: value.hex() for uid, value in event.app_info.items()})
        return event.app_info

    def common(event: Any) -> Any:
        say(common={uid: item.service_class_uid for uid, item in event.items.items()})
        return event.items

    def window(event: Any) -> tuple[int, int]:
        say(window=[event.nr_invoked, event.nr_performed])
        return event.nr_invoked, event.nr_performed

    handlers = [
        (evt.EVT_USER_ID, identity),
        (evt.EVT_SOP_EXTENDED, extended),
        (evt.EVT_SOP_COMMON, common),
        (evt.EVT_ASYNC_OPS, window),
    ]
    context = None
    if "certificate" in settings:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(settings["certificate"], settings["key"])
        if "trust" in settings:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(settings["trust"])
    ae.start_server(("127.0.0.1", port), block=True, evt_handlers=handlers, ssl_context=context)


def main(words: list[str]) -> None:
    """Do what the command line says, and end: threads that are left would go on."""
    code = 1
    try:
        if words[0] == "ask":
            ask(words[1], int(words[2]), json.loads(words[3]))
        else:
            serve(int(words[1]), json.loads(words[2]))
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
