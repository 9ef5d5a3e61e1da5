"""Profiles: named bundles of rules that behave like peers seen in the field. `load_rules("profile:store-hang")`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A bundle of rules."""

    help: str
    """What such a peer does, in one line."""
    origin: str
    """Where it was seen; empty if it is a deduction."""
    rules: tuple[str, ...]
    """Its rules in the one-line form."""


PROFILES: Mapping[str, Profile] = {
    "async-zero-drops": Profile(
        "resets the connection when an asynchronous operations window of 0/0 is offered",
        "dcm4che #1120",
        ("on A-ASSOCIATE-RQ in field={user.async.invoked: 0, user.async.performed: 0}: reset",),
    ),
    "async-zero-answer": Profile(
        "answers any asynchronous operations window with 0/0, which is without limit",
        "fo-dicom-samples #89",
        ("on A-ASSOCIATE-RQ in: async 0/0",),
    ),
    "one-pdv-per-pdu": Profile(
        "aborts on a P-DATA-TF with more than one presentation data value",
        "fo-dicom, an option's text",
        ("on P-DATA-TF in field={pdv.2: present}: abort provider",),
    ),
    "no-role-selection": Profile(
        "never answers role selection items", "dcm4che #463", ("on A-ASSOCIATE-RQ in: roles absent",)
    ),
    "role-chatter": Profile(
        "answers with role selection items that nobody has asked for",
        "fo-dicom #1831",
        ("on A-ASSOCIATE-RQ in: roles {Verification: 1/1, CTImageStorage: 1/1}",),
    ),
    "pending-forever": Profile(
        "answers C-MOVE with a pending response every second, for an hour",
        "dcm4che #199",
        ("on C-MOVE-RQ in: answer FF00; duplicate 3600 pause=1",),
    ),
    "silent-after-1-minute": Profile(
        "sends no C-FIND responses once the association is a minute old",
        "fo-dicom PR #1155",
        ("on C-FIND-RSP out elapsed=60: drop",),
    ),
    "store-hang": Profile(
        "takes C-STORE requests and says nothing, neither response nor abort",
        "fo-dicom #792",
        ("on C-STORE-RQ in: drop",),
    ),
    "abort-for-release": Profile(
        "sends A-ABORT where A-RELEASE-RP is awaited", "pynetdicom #652", ("on A-RELEASE-RQ in: abort",)
    ),
    "reserved-reject-code": Profile(
        "rejects with a reason that the standard reserves",
        "fo-dicom-samples #44",
        ("on A-ASSOCIATE-RQ in: reject 1/3/8",),
    ),
    "limit-exceeded": Profile(
        "rejects as over its limit from the eleventh association on",
        "pynetdicom #979, #791",
        ("on A-ASSOCIATE-RQ in after=10: reject limit",),
    ),
    "stop-reading": Profile(
        "stops reading in the middle of the first C-STORE, so that its window fills",
        "dcm4che #1129",
        ("on P-DATA-TF in part=data: stop-reading",),
    ),
    "gateway-drop": Profile(
        "goes silent without a word when an association has been idle for a minute, as behind a gateway",
        "",
        ("on idle=60: vanish",),
    ),
    "implicit-only": Profile(
        "knows no transfer syntax but implicit VR little endian",
        "",
        ("on A-ASSOCIATE-RQ in: accept only=ImplicitVRLittleEndian",),
    ),
    "old-1993": Profile(
        "knows implicit VR little endian only, and no user information but the maximum length",
        "",
        (
            "on A-ASSOCIATE-RQ in: accept only=ImplicitVRLittleEndian; roles absent; async absent",
            "on A-ASSOCIATE-RQ in: extended absent; identity absent",
            "on A-ASSOCIATE-AC out: remove user.implementation_version_name; remove user.implementation_class_uid",
        ),
    ),
}
"""By name."""
