"""What an AE is set to, and what it cannot be set to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.engine.timeouts import NAMES
from dicomsim.services.storage import StoreTo

TITLES = ["ae_title", "require_called_aet", "require_calling_aet"]


def test_the_defaults_are_the_documented_ones() -> None:
    ae = AE()
    assert b"DICOMSIM        " == ae.ae_title
    assert (0, "", 2, 16382) == (ae.port, ae.bind_addr, ae.maximum_associations, ae.maximum_pdu_size)
    assert (60, None, None) == (ae.acse_timeout, ae.dimse_timeout, ae.network_timeout)
    assert (b"", b"") == (ae.require_called_aet, ae.require_calling_aet)
    assert ae.implementation_class_uid.startswith("2.25.") and ae.implementation_version_name == b"DICOMSIM_010"


def test_the_constructor_takes_a_title_and_a_port() -> None:
    ae = AE(ae_title=b"MYAE", port=11112)
    assert (b"MYAE            ", 11112) == (ae.ae_title, ae.port)
    assert (b"OTHER           ", 104) == ((other := AE("OTHER", 104)).ae_title, other.port)


@pytest.mark.parametrize("name", TITLES)
def test_a_title_is_padded_to_sixteen_bytes_whether_it_is_text_or_bytes(name: str) -> None:
    ae = AE()
    for value in ("STORE", b"STORE", " STORE ", b"STORE           "):
        setattr(ae, name, value)
        assert b"STORE           " == getattr(ae, name)


@pytest.mark.parametrize("name", TITLES)
@pytest.mark.parametrize("value", ["SEVENTEEN_LETTERS", "BACK\\SLASH", "ÜMLAUT", b"\xff", "TAB\tTAB", b"NUL\0"])
def test_a_title_that_has_no_place_in_a_pdu_is_refused_by_name(name: str, value: Any) -> None:
    ae = AE()
    with pytest.raises(ValueError, match=name) as raised:
        setattr(ae, name, value)
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("name", TITLES)
@pytest.mark.parametrize("value", [None, 5, ["A"], True])
def test_a_title_of_another_type_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name) as raised:
        setattr(AE(), name, value)
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("value", ["", b"", "   "])
def test_the_ae_itself_needs_a_title_and_a_required_one_may_be_dropped(value: Any) -> None:
    with pytest.raises(ValueError, match="ae_title"):
        AE(value)
    ae = AE()
    ae.require_called_aet = ae.require_calling_aet = "A"
    ae.require_called_aet = ae.require_calling_aet = value
    assert (b"", b"") == (ae.require_called_aet, ae.require_calling_aet)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("port", [0, 1, 65535], [-1, 65536]),
        ("maximum_associations", [1, 10_000], [0, -1]),
        ("maximum_pdu_size", [0, 1, 16382, 2**32 - 1], [-1, 2**32]),
    ],
)
def test_a_number_must_be_in_its_range(name: str, good: list[int], bad: list[int]) -> None:
    ae = AE()
    for value in good:
        setattr(ae, name, value)
        assert value == getattr(ae, name)
    for value in bad:
        with pytest.raises(ValueError, match=f"{name}.*{value}"):
            setattr(ae, name, value)
    assert good[-1] == getattr(ae, name)


@pytest.mark.parametrize("name", ["port", "maximum_associations", "maximum_pdu_size"])
@pytest.mark.parametrize("value", ["1", 1.0, None, True])
def test_a_number_must_be_a_whole_one(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name) as raised:
        setattr(AE(), name, value)
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("name", ["acse_timeout", "dimse_timeout", "network_timeout"])
def test_a_timeout_is_the_named_one_of_timeouts(name: str) -> None:
    ae = AE()
    for value in (None, 0, 1, 2.5):
        setattr(ae, name, value)
        assert value == getattr(ae, name) == getattr(ae.timeouts, name.removesuffix("_timeout"))
    with pytest.raises(ValueError, match="-1"):
        setattr(ae, name, -1)
    with pytest.raises(TypeError, match="'5'"):
        setattr(ae, name, "5")


def test_every_timeout_has_a_name_and_can_be_set() -> None:
    ae = AE()
    assert ("connect", "acse", "dimse", "network", "artim", "send", "handler") == NAMES
    for number, name in enumerate(NAMES, 1):
        setattr(ae.timeouts, name, number)
    assert [1, 2, 3, 4, 5, 6, 7] == [getattr(ae.timeouts, name) for name in NAMES]


def test_the_implementation_can_be_another() -> None:
    ae = AE()
    ae.implementation_class_uid = b"1.2.3"
    assert "1.2.3" == ae.implementation_class_uid
    ae.implementation_version_name = "V1"
    assert b"V1" == ae.implementation_version_name
    ae.implementation_version_name = None
    assert ae.implementation_version_name is None


@pytest.mark.parametrize("value", ["", "1.2.", "1.a", "1." * 32 + "1", "١"])
def test_an_implementation_class_uid_must_be_a_uid(value: str) -> None:
    with pytest.raises(ValueError, match="implementation_class_uid"):
        AE().implementation_class_uid = value


@pytest.mark.parametrize(
    ("value", "error"), [("", ValueError), ("x" * 17, ValueError), ("ü", ValueError), (1, TypeError)]
)
def test_an_implementation_version_name_has_one_to_sixteen_characters(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="implementation_version_name"):
        AE().implementation_version_name = value


def test_bind_addr_is_text_and_address_says_where_others_find_us() -> None:
    ae = AE()
    assert ae.address  # of whatever interface there is, the loopback one if there is none
    ae.bind_addr = "127.0.0.2"
    assert "127.0.0.2" == ae.address == ae.bind_addr
    ae.bind_addr = "0.0.0.0"  # all of them, which is no address to find
    assert "0.0.0.0" != ae.address
    with pytest.raises(TypeError, match=r"bind_addr.*127"):
        ae.bind_addr = 127  # type: ignore[assignment]


def test_the_form_of_objects_is_one_of_those_there_are() -> None:
    ae = AE()
    ae.store_to = StoreTo.FILE
    for wrong in ("file", 2, None):
        with pytest.raises(TypeError, match=re.escape(f"store_to must be a StoreTo, not {wrong!r}")):
            ae.store_to = wrong  # type: ignore[assignment]
    assert StoreTo.FILE is ae.store_to


def test_the_folder_of_objects_may_be_text_or_a_path() -> None:
    ae = AE()
    for folder in ("received/today", Path("received/today")):
        ae.store_folder = folder
        assert Path("received/today") == ae.store_folder
    for wrong in (5, None, b"received"):
        with pytest.raises(TypeError, match=re.escape(f"store_folder must be a path, not {wrong!r}")):
            ae.store_folder = wrong  # type: ignore[assignment]
