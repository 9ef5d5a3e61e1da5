"""Any PDU, item and command set that has bytes, legal or not, for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from dicomsim.wire.command import COMMAND_ELEMENTS
from dicomsim.wire.items import (
    AbstractSyntax,
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
    SopClassExtendedNegotiation,
    TransferSyntax,
    UnknownItem,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    Pdv,
    ReleaseRP,
    ReleaseRQ,
    UnknownPdu,
)

u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
data = st.binary(max_size=40)
uids = st.sampled_from(("1.2.840.10008.1.1", "1.2.840.10008.1.2", "1.2.840.10008.5.1.4.1.1.2"))
texts = uids | data.map(lambda raw: raw.decode("ascii", "surrogateescape"))


def fixed(count: int) -> st.SearchStrategy[bytes]:
    """Exactly that many bytes."""
    return st.binary(min_size=count, max_size=count)


def unknown_items(*known: int) -> st.SearchStrategy[UnknownItem]:
    """Items of any type but these."""
    return st.builds(UnknownItem, u8.filter(lambda item_type: item_type not in known), data, u8)


user_items = st.one_of(
    st.builds(MaximumLength, u32, u8),
    st.builds(ImplementationClassUid, texts, u8),
    st.builds(AsynchronousOperationsWindow, u16, u16, u8),
    st.builds(RoleSelection, texts, u8, u8, u8),
    st.builds(ImplementationVersionName, texts, u8),
    st.builds(SopClassExtendedNegotiation, texts, data, u8),
    st.builds(SopClassCommonExtendedNegotiation, texts, texts, st.lists(texts, max_size=3).map(tuple), data, u8),
    st.builds(UserIdentityRQ, u8, u8, data, st.none() | data, u8),
    st.builds(UserIdentityAC, data, u8),
    unknown_items(*range(0x51, 0x5A)),
)
context_items = st.one_of(
    st.builds(AbstractSyntax, texts, u8), st.builds(TransferSyntax, texts, u8), unknown_items(0x30, 0x40)
)
answer_items = st.builds(TransferSyntax, texts, u8) | unknown_items(0x40)
contexts_rq = st.builds(
    PresentationContextRQ, u8, st.lists(context_items, max_size=4).map(tuple), st.tuples(u8, u8, u8, u8)
)
contexts_ac = st.builds(
    PresentationContextAC, u8, u8, st.lists(answer_items, max_size=3).map(tuple), st.tuples(u8, u8, u8)
)
user_information = st.builds(UserInformation, st.lists(user_items, max_size=5).map(tuple), u8)
application_contexts = st.builds(ApplicationContext, texts, u8)

items_rq = application_contexts | contexts_rq | user_information | unknown_items(0x10, 0x20, 0x50)
items_ac = application_contexts | contexts_ac | user_information | unknown_items(0x10, 0x21, 0x50)
items = st.one_of(items_rq, items_ac, user_items, context_items)

_reserved = st.tuples(u8, fixed(2), fixed(32))
associate_pdus = st.one_of(
    st.builds(AssociateRQ, fixed(16), fixed(16), st.lists(items_rq, max_size=5).map(tuple), u16, _reserved),
    st.builds(AssociateAC, fixed(16), fixed(16), st.lists(items_ac, max_size=5).map(tuple), u16, _reserved),
)
fixed_pdus = st.one_of(
    st.builds(AssociateRJ, u8, u8, u8, st.tuples(u8, u8)),
    st.builds(ReleaseRQ, st.tuples(u8, fixed(4))),
    st.builds(ReleaseRP, st.tuples(u8, fixed(4))),
    st.builds(Abort, u8, u8, st.tuples(u8, fixed(2))),
)
p_data_pdus = st.builds(PDataTF, st.lists(st.builds(Pdv, u8, u8, data), min_size=1, max_size=5).map(tuple), u8)
unknown_pdus = st.builds(UnknownPdu, u8.filter(lambda pdu_type: not 1 <= pdu_type <= 7), data, u8)
known_pdus = st.one_of(associate_pdus, fixed_pdus, p_data_pdus)
pdus = known_pdus | unknown_pdus

_numbers = {"US": u16, "UL": u32}


def _unpadded(text: str) -> str:
    return text.strip(" \0")


def command_values(tag: int) -> st.SearchStrategy[object]:
    """What decoding can give for that element."""
    element = COMMAND_ELEMENTS.get(tag)
    if element is None:
        return data
    if element.vr == "AT":
        return st.lists(u32, max_size=3).map(tuple)
    if element.vr in _numbers:
        number = _numbers[element.vr]
        return number | st.lists(number, max_size=3).filter(lambda values: len(values) != 1).map(tuple)
    return texts.map(_unpadded)


command_tags = st.sampled_from(sorted(set(COMMAND_ELEMENTS) - {0})) | st.integers(1, 0xFFFFFFFF)
commands = st.lists(command_tags, unique=True, max_size=8).flatmap(
    lambda tags: st.fixed_dictionaries({tag: command_values(tag) for tag in sorted(tags)})
)
