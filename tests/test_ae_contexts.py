"""The lists of presentation contexts: order, merging, limits, and everything a UID may be given as."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.uid import UID

from dicomsim import sop_class
from dicomsim.ae import AE
from dicomsim.presentation import DEFAULT_TRANSFER_SYNTAXES, READY_LISTS, PresentationContext, build_context
from tests.meeting import BIG_ENDIAN, CT_IMAGE_STORAGE, EXPLICIT, IMPLICIT, VERIFICATION

PRIVATE = "1.2.826.0.1.3680043.9.9999.1"


def syntaxes(contexts: list[PresentationContext]) -> list[list[str]]:
    """The transfer syntaxes of each, as plain text."""
    return [[str(one) for one in context.transfer_syntax] for context in contexts]


@pytest.mark.parametrize("uid", [VERIFICATION, VERIFICATION.encode(), UID(VERIFICATION), sop_class.Verification])
def test_an_abstract_syntax_may_be_given_as_text_bytes_uid_or_sop_class(uid: Any) -> None:
    ae = AE()
    ae.add_requested_context(uid)
    ae.add_supported_context(uid)
    assert [VERIFICATION] * 2 == [one.abstract_syntax for one in (*ae.requested_contexts, *ae.supported_contexts)]
    ae.remove_requested_context(uid)
    ae.remove_supported_context(uid)
    assert ([], []) == (ae.requested_contexts, ae.supported_contexts)


def test_the_default_transfer_syntaxes_are_the_three_uncompressed_ones() -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION)
    ae.add_supported_context(VERIFICATION)
    assert [[IMPLICIT, EXPLICIT, BIG_ENDIAN]] * 2 == syntaxes([*ae.requested_contexts, *ae.supported_contexts])
    assert [IMPLICIT, EXPLICIT, BIG_ENDIAN] == DEFAULT_TRANSFER_SYNTAXES


def test_a_context_prints_its_names() -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION, IMPLICIT)
    assert "Verification SOP Class" in str(ae.requested_contexts[0])
    assert "=Implicit VR Little Endian" in str(ae.requested_contexts[0])


@pytest.mark.parametrize("given", [IMPLICIT, IMPLICIT.encode(), UID(IMPLICIT), [IMPLICIT], (IMPLICIT.encode(),)])
def test_a_transfer_syntax_may_be_given_alone_or_in_a_list(given: Any) -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION, given)
    ae.add_supported_context(VERIFICATION, given)
    assert [[IMPLICIT]] * 2 == syntaxes([*ae.requested_contexts, *ae.supported_contexts])
    ae.remove_requested_context(VERIFICATION, given)
    ae.remove_supported_context(VERIFICATION, given)
    assert [] == [*ae.requested_contexts, *ae.supported_contexts]


@pytest.mark.parametrize("given", [5, None, [5]])
def test_what_is_no_uid_is_refused(given: Any) -> None:
    ae = AE()
    for add in (ae.add_requested_context, ae.add_supported_context):
        with pytest.raises(TypeError, match=r"5|None"):
            add(given)
    for add in (ae.add_requested_context, ae.add_supported_context):
        with pytest.raises(TypeError, match=r"transfer_syntax.*(5|None)"):
            add(VERIFICATION, given)
        with pytest.raises(ValueError, match="transfer syntax"):
            add(VERIFICATION, [])
    assert [] == [*ae.requested_contexts, *ae.supported_contexts]


def test_private_uids_are_taken_and_go_by_their_uid() -> None:
    ae = AE()
    ae.add_requested_context(PRIVATE, "1.2.3.4")
    ae.add_supported_context(PRIVATE, "1.2.3.4")
    assert PRIVATE == ae.requested_contexts[0].abstract_syntax == ae.supported_contexts[0].abstract_syntax
    assert [["1.2.3.4"]] * 2 == syntaxes([*ae.requested_contexts, *ae.supported_contexts])


def test_requested_contexts_stay_in_order_and_may_repeat_an_abstract_syntax() -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION, [IMPLICIT, BIG_ENDIAN])
    ae.add_requested_context(CT_IMAGE_STORAGE)
    ae.add_requested_context(VERIFICATION, EXPLICIT)
    assert [VERIFICATION, CT_IMAGE_STORAGE, VERIFICATION] == [one.abstract_syntax for one in ae.requested_contexts]
    assert [[IMPLICIT, BIG_ENDIAN], [IMPLICIT, EXPLICIT, BIG_ENDIAN], [EXPLICIT]] == syntaxes(ae.requested_contexts)


def test_no_more_than_128_contexts_can_be_requested() -> None:
    ae = AE()
    for _ in range(128):
        ae.add_requested_context(VERIFICATION)
    with pytest.raises(ValueError, match="128"):
        ae.add_requested_context(VERIFICATION)
    with pytest.raises(ValueError, match="129"):
        ae.requested_contexts = [build_context(VERIFICATION)] * 129
    assert 128 == len(ae.requested_contexts)


def test_supported_contexts_are_ordered_by_abstract_syntax_and_have_no_limit() -> None:
    ae = AE()
    for number in range(300, 0, -1):
        ae.add_supported_context(f"1.2.{number}")
    uids = [str(one.abstract_syntax) for one in ae.supported_contexts]
    assert sorted(uids) == uids and 300 == len(uids)


def test_supporting_an_abstract_syntax_again_adds_transfer_syntaxes_at_the_end() -> None:
    ae = AE()
    ae.add_supported_context(VERIFICATION, [IMPLICIT, BIG_ENDIAN])
    ae.add_supported_context(VERIFICATION, [EXPLICIT, IMPLICIT])
    assert [[IMPLICIT, BIG_ENDIAN, EXPLICIT]] == syntaxes(ae.supported_contexts)


def test_roles_of_a_supported_context_are_kept_and_changed_only_by_roles() -> None:
    ae = AE()
    ae.add_supported_context(CT_IMAGE_STORAGE, scu_role=True, scp_role=False)
    ae.add_supported_context(CT_IMAGE_STORAGE, "1.2.3")
    assert (True, False) == (ae.supported_contexts[0].scu_role, ae.supported_contexts[0].scp_role)
    ae.add_supported_context(CT_IMAGE_STORAGE, scp_role=True)
    assert (True, True) == (ae.supported_contexts[0].scu_role, ae.supported_contexts[0].scp_role)
    ae.remove_supported_context(CT_IMAGE_STORAGE, "1.2.3")
    assert (True, True) == (ae.supported_contexts[0].scu_role, ae.supported_contexts[0].scp_role)
    with pytest.raises(TypeError, match=r"scu_role.*1"):
        ae.add_supported_context(CT_IMAGE_STORAGE, scu_role=1)  # type: ignore[arg-type]


def test_roles_of_a_requested_context_are_kept() -> None:
    ae = AE()
    ae.add_requested_context(CT_IMAGE_STORAGE, scp_role=True)
    assert (None, True) == (ae.requested_contexts[0].scu_role, ae.requested_contexts[0].scp_role)


def test_removing_an_abstract_syntax_removes_all_its_contexts() -> None:
    ae = AE()
    for uid in (VERIFICATION, CT_IMAGE_STORAGE, VERIFICATION):
        ae.add_requested_context(uid)
        ae.add_supported_context(uid)
    ae.remove_requested_context(VERIFICATION)
    ae.remove_supported_context(VERIFICATION)
    assert [CT_IMAGE_STORAGE] == [one.abstract_syntax for one in ae.requested_contexts]
    assert [CT_IMAGE_STORAGE] == [one.abstract_syntax for one in ae.supported_contexts]


def test_removing_transfer_syntaxes_leaves_the_others_and_drops_a_context_without_any() -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION)
    ae.add_requested_context(VERIFICATION, [EXPLICIT, IMPLICIT])
    ae.add_supported_context(VERIFICATION)
    ae.remove_requested_context(VERIFICATION, [IMPLICIT, EXPLICIT])
    ae.remove_supported_context(VERIFICATION, [IMPLICIT, EXPLICIT])
    assert [[BIG_ENDIAN]] == syntaxes(ae.requested_contexts) == syntaxes(ae.supported_contexts)
    ae.remove_requested_context(VERIFICATION, BIG_ENDIAN)
    ae.remove_supported_context(VERIFICATION, BIG_ENDIAN)
    assert [] == [*ae.requested_contexts, *ae.supported_contexts]


def test_what_is_not_there_is_not_missed() -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION, IMPLICIT)
    ae.add_supported_context(VERIFICATION, IMPLICIT)
    for uid, syntax in ((CT_IMAGE_STORAGE, None), (CT_IMAGE_STORAGE, IMPLICIT), (VERIFICATION, EXPLICIT)):
        ae.remove_requested_context(uid, syntax)
        ae.remove_supported_context(uid, syntax)
    assert [[IMPLICIT]] * 2 == syntaxes([*ae.requested_contexts, *ae.supported_contexts])


@pytest.mark.parametrize("name", sorted(READY_LISTS))
def test_a_ready_list_can_be_supported(name: str) -> None:
    import dicomsim

    ready = getattr(dicomsim, name)
    ae = AE()
    ae.supported_contexts = ready
    assert {one.abstract_syntax for one in ready} == {one.abstract_syntax for one in ae.supported_contexts}


def test_setting_a_list_replaces_what_was_there_and_keeps_roles() -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION)
    ae.add_supported_context(VERIFICATION)
    context = build_context(CT_IMAGE_STORAGE, EXPLICIT)
    context.scp_role = True
    ae.requested_contexts = [context]
    ae.supported_contexts = [context]
    assert [context] == ae.requested_contexts and [context] == ae.supported_contexts
    ae.requested_contexts = ae.supported_contexts = []
    assert ([], []) == (ae.requested_contexts, ae.supported_contexts)


@pytest.mark.parametrize("value", ["1.2.3", None, 5, ["1.2.3"], [None]])
def test_a_list_of_something_else_is_refused_and_changes_nothing(value: Any) -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION)
    ae.add_supported_context(VERIFICATION)
    for name in ("requested_contexts", "supported_contexts"):
        with pytest.raises(TypeError, match="PresentationContext"):
            setattr(ae, name, value)
        with pytest.raises(ValueError, match="abstract syntax"):
            setattr(ae, name, [PresentationContext()])
    with pytest.raises(ValueError, match="transfer syntax"):
        ae.supported_contexts = [build_context(CT_IMAGE_STORAGE), build_context(CT_IMAGE_STORAGE, [])]
    assert [VERIFICATION] == [one.abstract_syntax for one in ae.supported_contexts]
    assert 2 == len([*ae.requested_contexts, *ae.supported_contexts])


def test_the_lists_are_copies() -> None:
    ae = AE()
    ae.add_requested_context(VERIFICATION)
    ae.requested_contexts.clear()
    ae.supported_contexts.append(build_context(VERIFICATION))
    assert (1, 0) == (len(ae.requested_contexts), len(ae.supported_contexts))
