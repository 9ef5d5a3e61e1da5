"""What an `expect` may wait for: alternatives, each a kind of observation with matchers for its fields.

The fields of a PDU are named as in `sending`; what is not mentioned is not looked at.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, create_model

from dicomsim.dimse.builders import TAG_OF_NAME
from dicomsim.scenario.fields import (
    Byte,
    Name,
    Seconds,
    StatusMatcher,
    Strict,
    Text,
    UidMatcher,
    ValueMatcher,
    in_list,
    one_or_several,
    suggest,
)
from dicomsim.scenario.matchers import matches_pattern
from dicomsim.scenario.sending import MESSAGE_NAMES, PDU_NAMES
from dicomsim.wire.command import COMMAND_ELEMENTS


class Alternative(Strict):
    """One acceptable reaction, and what it means if it comes."""

    verdict: Literal["pass", "non-strict", "fail", "inconclusive"] = "pass"
    """The verdict if this is what comes; the last two end the scenario."""
    note: Text | None = None
    """Why, in a few words, for the report."""
    keep: dict[Name, Text] = Field(default_factory=dict)
    """Name to keep a value under, and the field that has it."""
    then: Literal["next", "end"] = "next"
    """Whether the steps that follow still make sense."""
    reaction: Text | None = None
    """What to call it in the report, where the usual name is too narrow: `ignored-and-continued`."""


class ContextMatch(Strict):
    """What to look at in a presentation context."""

    abstract_syntax: UidMatcher = "any"
    """Of a request."""
    transfer_syntaxes: UidMatcher = "any"
    """Of a request: fits if one of them does."""
    result: ValueMatcher = "any"
    """Of an answer."""
    transfer_syntax: UidMatcher = "any"
    """Of an answer."""


class ExpectAssociateMatch(Alternative):
    """What A-ASSOCIATE-RQ and -AC have in common."""

    called: ValueMatcher = "any"
    """Called AE title without padding."""
    calling: ValueMatcher = "any"
    """Calling AE title without padding."""
    protocol_version: ValueMatcher = "any"
    """Bit 0 is version 1."""
    application_context: UidMatcher = "any"
    """The first application context name; null if there is none."""
    maximum_length: ValueMatcher = "any"
    """Null if there is none."""
    implementation_class_uid: UidMatcher = "any"
    """Null if there is none."""
    implementation_version_name: ValueMatcher = "any"
    """Null if there is none."""
    contexts: dict[Byte, ContextMatch | None] = Field(default_factory=dict)
    """By presentation context ID; null if it must not be there."""
    context_count: ValueMatcher = "any"
    """How many presentation contexts there are."""
    accepted_count: ValueMatcher = "any"
    """How many of them have result 0."""
    async_invoked: ValueMatcher = "any"
    """Of the asynchronous operations window; null if there is none."""
    async_performed: ValueMatcher = "any"
    """Of the asynchronous operations window; null if there is none."""
    user_identity_response: ValueMatcher = "any"
    """Server response of a user identity sub-item as hexadecimal digits; null if there is none."""
    titles_echoed: ValueMatcher = "any"
    """Whether both AE title fields are those of the request that was sent, byte for byte."""


class ExpectAssociateRQ(ExpectAssociateMatch):
    """An A-ASSOCIATE-RQ."""

    pdu: Literal["A-ASSOCIATE-RQ"]


class ExpectAssociateAC(ExpectAssociateMatch):
    """An A-ASSOCIATE-AC."""

    pdu: Literal["A-ASSOCIATE-AC"]


class ExpectAssociateRJ(Alternative):
    """An A-ASSOCIATE-RJ."""

    pdu: Literal["A-ASSOCIATE-RJ"]
    result: ValueMatcher = "any"
    """1 permanent, 2 transient."""
    source: ValueMatcher = "any"
    """1 user, 2 ACSE provider, 3 presentation provider."""
    reason: ValueMatcher = "any"
    """By source."""


class ExpectAbort(Alternative):
    """An A-ABORT."""

    pdu: Literal["A-ABORT"]
    source: ValueMatcher = "any"
    """0 user, 2 provider."""
    reason: ValueMatcher = "any"
    """For source 2."""


class ExpectRelease(Alternative):
    """An A-RELEASE-RQ or A-RELEASE-RP."""

    pdu: Literal["A-RELEASE-RQ", "A-RELEASE-RP"]


class ExpectPDataTF(Alternative):
    """A single P-DATA-TF, whatever message it belongs to."""

    pdu: Literal["P-DATA-TF"]
    length: ValueMatcher = "any"
    """PDU-length."""
    pdv_count: ValueMatcher = "any"
    """How many presentation data values it has."""
    context: ValueMatcher = "any"
    """Presentation context ID of the first."""
    control: ValueMatcher = "any"
    """Message control header of the first."""


def _message_pattern(value: Any) -> Any:
    if not isinstance(value, str) or not any(matches_pattern(value, name) for name in MESSAGE_NAMES):
        known = [*MESSAGE_NAMES, "*-RQ", "*-RSP", "*"]
        raise ValueError(f"no message is called {value}{suggest(value, known)}")
    return value


class ExpectMessageMatch(Alternative):
    """A whole DIMSE message."""

    message: Annotated[str, BeforeValidator(_message_pattern)]
    """Its name, or a pattern: `*-RQ`."""
    context: ValueMatcher = "any"
    """Presentation context ID."""
    data_set: ValueMatcher = "any"
    """Whether a data set came with it."""
    data_length: ValueMatcher = "any"
    """Bytes of the data set, 0 if there is none."""
    longest_pdu: ValueMatcher = "any"
    """PDU-length of the longest P-DATA-TF that it came in."""
    fragments: ValueMatcher = "any"
    """How many presentation data values it came in."""


_ELEMENT_MATCHERS: dict[str, Any] = {"UI": UidMatcher}
_elements: dict[str, Any] = {
    name: (
        StatusMatcher if name == "status" else _ELEMENT_MATCHERS.get(COMMAND_ELEMENTS[tag].vr, ValueMatcher),
        "any",
    )
    for name, tag in TAG_OF_NAME.items()
}
ExpectMessage = create_model(
    "ExpectMessage", __base__=ExpectMessageMatch, __doc__=ExpectMessageMatch.__doc__, **_elements
)
"""`ExpectMessageMatch` with a matcher for each element of the command dictionary; null: it must not be there."""


class ExpectClose(Alternative):
    """The end of the TCP connection."""

    close: Literal["any", "fin", "reset"]
    """How."""


class ExpectSilence(Alternative):
    """Nothing at all until the time window ends, with the connection open."""

    silence: Literal[True]


class ExpectExit(Alternative):
    """The end of the process that was started as the peer."""

    exit: ValueMatcher
    """Its exit code."""


ALTERNATIVES: dict[str, Any] = {
    "A-ASSOCIATE-RQ": ExpectAssociateRQ,
    "A-ASSOCIATE-AC": ExpectAssociateAC,
    "A-ASSOCIATE-RJ": ExpectAssociateRJ,
    "P-DATA-TF": ExpectPDataTF,
    "A-RELEASE-RQ": ExpectRelease,
    "A-RELEASE-RP": ExpectRelease,
    "A-ABORT": ExpectAbort,
    "message": ExpectMessage,
    "close": ExpectClose,
    "silence": ExpectSilence,
    "exit": ExpectExit,
}
"""The model of each alternative, by the PDU it waits for or by its key."""
ALTERNATIVE_TAGS = {model.__name__: model for model in ALTERNATIVES.values()}
"""Model by tag."""
ALTERNATIVE_KEYS = ("pdu", "message", "close", "silence", "exit")
"""The keys that say what an alternative waits for."""
BARE_ALTERNATIVES: dict[str, dict[str, Any]] = {
    **{name: {"pdu": name} for name in PDU_NAMES},
    **{name: {"message": name} for name in MESSAGE_NAMES},
    "close": {"close": "any"},
    "fin": {"close": "fin"},
    "reset": {"close": "reset"},
    "silence": {"silence": True},
}
"""What a single word stands for."""


def alternative_tag(value: Any) -> str | None:
    """Which of the models is for a written alternative."""
    if isinstance(value, Alternative):
        return type(value).__name__
    if isinstance(value, str):
        return "word" if value in BARE_ALTERNATIVES else None
    if not isinstance(value, dict):
        return None
    if "pdu" in value:
        model = ALTERNATIVES.get(value["pdu"]) if value["pdu"] in PDU_NAMES else None
        return None if model is None else model.__name__
    return next((ALTERNATIVES[key].__name__ for key in ALTERNATIVE_KEYS if key in value), None)


def alternative_mistake(value: Any) -> str:
    """What is wrong with an alternative that no model is for."""
    if isinstance(value, dict) and "pdu" in value:
        return f"no PDU is called {value['pdu']}{suggest(value['pdu'], list(PDU_NAMES))}"
    if isinstance(value, str):
        return f"{value} is nothing to wait for{suggest(value, list(BARE_ALTERNATIVES))}"
    return f"an alternative has one of {', '.join(ALTERNATIVE_KEYS)}"


def _expand(word: str) -> Any:
    written = BARE_ALTERNATIVES[word]
    return ALTERNATIVE_TAGS[str(alternative_tag(written))].model_validate(written)


_WORD: Any = Annotated[
    Literal[tuple(BARE_ALTERNATIVES)],  # the words are in the table
    AfterValidator(_expand),
    Tag("word"),
]
_MEMBERS: Any = _WORD
for _name, _model in ALTERNATIVE_TAGS.items():
    _MEMBERS = _MEMBERS | Annotated[_model, Tag(_name)]
AnyAlternative = Annotated[_MEMBERS, Discriminator(alternative_tag)]


class Expect(Strict):
    """Wait for one of several reactions."""

    expect: Annotated[
        Annotated[AnyAlternative, AfterValidator(in_list), Tag("one")]
        | Annotated[tuple[AnyAlternative, ...], Field(min_length=1), Tag("several")],
        Discriminator(one_or_several),
    ]
    """The alternatives, best first; the first that fits counts."""
    skip: tuple[AnyAlternative, ...] = ()
    """What may come before and means nothing here; it does not lengthen the time window."""
    within: Seconds | None = None
    """The time window; the time limit of the run if left out."""
    otherwise: Literal["fail", "inconclusive"] = "fail"
    """The verdict if something else comes: inconclusive where it is only a precondition."""
    measure: Text | None = None
    """Report how long it took, under this name."""
