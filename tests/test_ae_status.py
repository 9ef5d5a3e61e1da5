"""What `str(ae)` tells."""

from __future__ import annotations

from dicomsim.ae import AE
from tests.meeting import CT_IMAGE_STORAGE, IMPLICIT, VERIFICATION, acceptor, meeting, requestor


def lines(ae: AE) -> dict[str, str]:
    """The settings by name."""
    pairs = (line[2:].split("  ", 1) for line in str(ae).splitlines() if line.startswith("  "))
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def test_the_settings_are_told_one_a_line() -> None:
    ae = AE("ARCHIVE", 11112)
    ae.bind_addr = "127.0.0.1"
    ae.require_calling_aet = "MODALITY"
    ae.maximum_pdu_size = 0
    ae.dimse_timeout = 2.5
    told = lines(ae)
    assert "Application Entity ARCHIVE" == str(ae).splitlines()[0]
    assert "127.0.0.1:11112" == told["address"] and "nothing" == told["listening on"]
    assert ("any", "MODALITY") == (told["called title required"], told["calling title required"])
    assert "no limit" == told["maximum PDU size"]
    assert told["implementation"].startswith("2.25.") and told["implementation"].endswith("DICOMSIM_010")
    names = ("connect", "acse", "dimse", "network", "artim", "send")
    assert ["30 s", "60 s", "2.5 s", "none", "30 s", "60 s"] == [told[f"{name} timeout"] for name in names]


def test_the_contexts_are_told_by_name_with_their_roles() -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION, IMPLICIT)
    ae.add_supported_context(CT_IMAGE_STORAGE, IMPLICIT, scu_role=True, scp_role=True)
    ae.add_supported_context("1.2.3", "1.2.3.4")
    text = str(ae)
    assert "Requested presentation contexts: 1\n  Verification SOP Class\n    Implicit VR Little Endian\n" in text
    assert "Supported presentation contexts: 2\n" in text
    assert "  CT Image Storage (role of the requestor: SCU and SCP)\n    Implicit VR Little Endian\n" in text
    assert "  1.2.3\n    1.2.3.4\n" in text


def test_the_associations_are_told_one_a_line() -> None:
    asking, answering = requestor(), acceptor()
    with meeting(asking, answering) as association:
        assert f"Associations: 1 open, 0 of at most 2 as acceptor\n  {association!r}" in str(asking)
        assert "Associations: 1 open, 1 of at most 2 as acceptor\n" in str(answering)
        assert lines(answering)["listening on"].startswith("127.0.0.1:")
    assert str(asking).endswith("Associations: 0 open, 0 of at most 2 as acceptor")


def test_the_short_form_is_one_line() -> None:
    assert "<AE ARCHIVE>" == repr(AE("ARCHIVE"))
