"""Where the fields of a PDU stand, against the vectors and against any bytes at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.edits import Chain, find
from dicomsim.behaviour.fields import GROUP, LITTLE, NUMBER, Span, spans
from dicomsim.wire.codec import encode_pdu
from tests.behaviour.sessions import AC, RJ, RQ
from tests.wire.strategies import pdus
from tests.wire.vectors import MESSAGES, PDU_BYTES, VALID


def shown(data: bytes, chain: Chain) -> int | str | bytes:
    """What a field holds, by its kind."""
    span = chain[-1]
    raw = data[span.start : span.end]
    if span.kind in (NUMBER, LITTLE):
        return int.from_bytes(raw, "little" if span.kind == LITTLE else "big")
    return raw.decode("ascii", "replace").strip(" \0") if span.kind == "text" else raw


def values(data: bytes, path: str) -> list[int | str | bytes]:
    """The values of all fields of that path."""
    return [shown(data, chain) for chain in find(spans(data), path)]


def parts(span: Span) -> Iterator[tuple[Span, Span]]:
    """All spans with what they are part of."""
    for part in span.parts:
        yield span, part
        yield from parts(part)


@pytest.mark.parametrize("name", [name for name in VALID if name.startswith(("RQ", "AC"))])
def test_the_fields_of_an_associate_pdu_are_those_of_the_vector(name: str) -> None:
    data, fields = PDU_BYTES[name], VALID[name]["decoded"]
    contexts = fields["presentation_contexts"]

    assert [fields["pdu_length"]] == values(data, "pdu_length")
    assert [fields["protocol_version"]] == values(data, "protocol_version")
    assert [fields["called_ae_title"]] == values(data, "called_ae_title")
    assert [fields["application_context"]] == values(data, "application_context.uid")
    assert [context["id"] for context in contexts] == values(data, "contexts.*.context_id")
    if name.startswith("RQ"):
        assert [context["abstract_syntax"] for context in contexts] == values(data, "contexts.*.abstract_syntax.uid")
        syntaxes = [uid for context in contexts for uid in context["transfer_syntaxes"]]
        assert syntaxes == values(data, "contexts.*.transfer_syntax.*.uid")
    else:
        assert [context["result"] for context in contexts] == values(data, "contexts.*.result")


@pytest.mark.parametrize("name", [name for name in VALID if name.startswith(("RQ", "AC"))])
def test_the_user_information_is_that_of_the_vector(name: str) -> None:
    data = PDU_BYTES[name]
    for item in VALID[name]["decoded"]["user_information"]:
        match item["type"]:
            case "51":
                assert [item["maximum_length"]] == values(data, "user.maximum_length.value")
            case "53":
                window = [*values(data, "user.async.invoked"), *values(data, "user.async.performed")]
                assert [item["invoked"], item["performed"]] == window
            case "54":
                assert item["scu"] in values(data, "user.role_selection.*.scu_role")
                assert item["sop_class_uid"] in values(data, "user.role_selection.*.sop_class_uid")
            case "56":
                path = "user.sop_class_extended_negotiation.*.information"
                assert bytes.fromhex(item["application_information"]) in values(data, path)
            case "58":
                assert [bytes.fromhex(item["primary"])] == values(data, "user.user_identity.primary")
                assert [bytes.fromhex(item["secondary"])] == values(data, "user.user_identity.secondary")


@pytest.mark.parametrize("name", [name for name in MESSAGES if MESSAGES[name]["p_data_tf_max16384"]])
def test_the_elements_of_a_command_set_are_those_of_the_vector(name: str) -> None:
    message = MESSAGES[name]
    data = bytes.fromhex(message["p_data_tf_max16384"][0])
    (chain,) = find(spans(data), "pdv.1.command")

    assert [chain] == find(spans(data), "command")
    assert bytes.fromhex(message["command_hex"]) == data[chain[-1].start : chain[-1].end]
    assert [message["command"]["00000100"]] == values(data, "pdv.1.command.CommandField.value")
    assert [message["context_id"]] == values(data, "pdv.1.context_id")


def test_codes_are_found_by_their_names() -> None:
    assert [[1], [1], [7]] == [values(RJ, name) for name in ("result", "source", "reason")]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("contexts.1.result", 1),
        ("contexts.2.result", 0),
        ("contexts.first.result", 1),
        ("contexts.last.context_id", 1),
        ("contexts.*.result", 1),
        ("items.*", 3),
        ("items.2.result", 1),
        ("items.4", 0),
        ("items.0", 0),
        ("user.items.*", 3),
        ("user_information.maximum_length", 1),
        ("pdu", 1),
        ("pdv.1", 0),
        ("maximum_length", 1),
        ("transfer_syntax.*", 1),
        ("command", 0),
    ],
)
def test_a_number_chooses_a_context_by_its_id_and_all_else_by_its_place(path: str, found: int) -> None:
    assert found == len(find(spans(AC), path))


def test_a_chain_goes_from_the_pdu_inwards() -> None:
    (chain,) = find(spans(RQ), "user.maximum_length.value")

    assert ["pdu", "user", "maximum_length", "value"] == [span.name for span in chain]


@given(st.one_of(pdus.map(encode_pdu), st.binary(max_size=80), st.sampled_from(list(PDU_BYTES.values()))))
def test_any_bytes_have_spans_that_lie_inside_each_other_in_order(data: bytes) -> None:
    root = spans(data)

    assert (0, len(data)) == (root.start, root.end)
    for around, part in parts(root):
        assert around.start <= part.start <= part.end <= around.end
        assert part.kind == GROUP or not part.parts


@given(st.sampled_from([PDU_BYTES[name] for name in VALID if name.startswith(("RQ", "AC"))]), st.data())
def test_a_pdu_that_is_cut_off_has_the_same_fields_up_to_there(data: bytes, draw: st.DataObject) -> None:
    end = draw.draw(st.integers(0, len(data)))
    whole = [
        (part.name, part.start, part.end) for _, part in parts(spans(data)) if part.end + 4 < end and not part.parts
    ]
    cut = [
        (part.name, part.start, part.end)
        for _, part in parts(spans(data[:end]))
        if part.end + 4 < end and not part.parts
    ]

    assert [field for field in whole if field in cut] == whole
