"""The model of a scenario file: what `scenarios/schema.json` is made from, and what every file is checked against."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from dicomsim.scenario.expecting import Expect
from dicomsim.scenario.fields import Count, Name, Seconds, Strict, Text, Uid, UidList, suggest
from dicomsim.scenario.sending import (
    MESSAGE_NAMES,
    PDU_NAMES,
    RESPONSE,
    SENDING_TAGS,
    SENDING_TYPES,
    Raw,
    sending_tag,
)

MAX_ACTORS = 1000
"""Connections at once; each has a thread."""


class Connect(Strict):
    """Open a TCP connection to the peer."""

    connect: None
    within: Seconds | None = None
    """Seconds to wait for it; the time limit of the run if left out."""


class Accept(Strict):
    """Wait for a TCP connection from the peer."""

    accept: None
    within: Seconds | None = None
    """Seconds to wait for it; the time limit of the run if left out."""
    otherwise: Literal["fail", "inconclusive"] = "inconclusive"
    """The verdict if none comes."""
    measure: Text | None = None
    """Report how long it took, under this name."""


class Listen(Strict):
    """Stop to listen, so that the peer is refused, or listen again on the same port."""

    listen: bool


class Wait(Strict):
    """Let time go by, or wait for another actor; what arrives meanwhile stays to be expected."""

    wait: Seconds | None = None
    """Seconds."""
    signal: Name | None = None
    """Until another actor has given this signal."""
    within: Seconds | None = None
    """Seconds to wait for the signal; the time limit of the run if left out."""

    @model_validator(mode="after")
    def _one(self) -> Wait:
        if (self.wait is None) == (self.signal is None):
            raise ValueError("a wait is for a number of seconds or for a signal")
        return self


class Signal(Strict):
    """Let actors go on that wait for it."""

    give: Name
    """Its name."""


class Close(Strict):
    """Close the TCP connection with a FIN."""

    close: None


class Reset(Strict):
    """Close the TCP connection with a RST."""

    reset: None


class HalfClose(Strict):
    """Send a FIN and go on reading."""

    half_close: Annotated[None, Field(alias="half-close")]


class Use(Strict):
    """Do the steps of a sub-scenario."""

    use: Text
    """Its name: `associate`, `accept`, `release` …"""
    parameters: dict[Name, Any] = Field({}, alias="with")
    """Values for its parameters."""


class AskedContext(Strict):
    """A presentation context; the AE numbers them 1, 3, 5 … itself."""

    abstract_syntax: Uid
    """UID or keyword."""
    transfer_syntaxes: UidList = ("1.2.840.10008.1.2",)
    """UIDs or keywords."""


class Associate(Strict):
    """Open an association as the AE does it."""

    associate: None
    contexts: tuple[AskedContext, ...] | None = None
    """Presentation contexts; Verification and the sample's SOP class if left out."""
    otherwise: Literal["fail", "inconclusive"] = "inconclusive"
    """The verdict if it does not come about."""


class Echo(Strict):
    """Send a C-ECHO-RQ as the AE does it, and take its answer."""

    echo: None


class Store(Strict):
    """Send the sample as the AE does it, and take the answer."""

    store: None
    times: Count = 1
    """How many instances to send."""


class Release(Strict):
    """Release the association as the AE does it."""

    release: None


class Abort(Strict):
    """Abort the association as the AE does it."""

    abort: None


STEPS: dict[str, Any] = {
    "connect": Connect,
    "accept": Accept,
    "listen": Listen,
    "raw": Raw,
    "expect": Expect,
    "wait": Wait,
    "signal": Wait,
    "give": Signal,
    "close": Close,
    "reset": Reset,
    "half-close": HalfClose,
    "use": Use,
    "associate": Associate,
    "echo": Echo,
    "store": Store,
    "release": Release,
    "abort": Abort,
}
"""The model of each step, by its verb; that of `send` depends on what is sent."""
VERBS = ("send", *STEPS)
BARE_STEPS = ("connect", "accept", "close", "reset", "half-close", "associate", "echo", "store", "release", "abort")
"""Verbs that may stand alone."""
AE_STEPS = (Associate, Echo, Store, Release, Abort)
"""Steps that only an actor of kind `ae` can do."""
SCRIPT_STEPS = (Connect, Listen, Raw, Close, Reset, HalfClose, Use, *SENDING_TAGS.values())
"""Steps that only an actor of kind `script` can do."""
STEP_TAGS = {**{model.__name__: model for model in STEPS.values()}, **SENDING_TAGS}
"""Model by tag."""


def step_tag(value: Any) -> str | None:
    """Which of the models is for a written step."""
    if isinstance(value, Strict):
        return type(value).__name__
    if isinstance(value, str):
        return "word" if value in BARE_STEPS else None
    if not isinstance(value, dict):
        return None
    if "send" in value:
        return sending_tag(value["send"])
    return next((model.__name__ for verb, model in STEPS.items() if verb in value), None)


def step_mistake(value: Any) -> str:
    """What is wrong with a step that no model is for."""
    if isinstance(value, str):
        if value in PDU_NAMES:
            return f"{value} is no step; write `send: {value}`"
        hint = f"; {value} needs a value" if value in VERBS else suggest(value, list(BARE_STEPS))
        return f"{value} is no step{hint}"
    if isinstance(value, dict) and "send" in value:
        known = [*PDU_NAMES, *MESSAGE_NAMES, RESPONSE]
        return f"nothing to send is called {value['send']}{suggest(value['send'], known)}"
    if isinstance(value, dict) and value:
        word = next(iter(value))
        return f"{word} is no step{suggest(word, list(VERBS))}"
    return f"a step has one of {', '.join(VERBS)}"


def _expand(word: str) -> Any:
    return STEPS[word].model_validate({word: None})


_MEMBERS: Any = Annotated[
    Literal[BARE_STEPS],  # the words are in the table
    AfterValidator(_expand),
    Tag("word"),
]
for _type in SENDING_TYPES:
    _MEMBERS = _MEMBERS | _type
for _model in dict.fromkeys(STEPS.values()):
    _MEMBERS = _MEMBERS | Annotated[_model, Tag(_model.__name__)]
Step = Annotated[_MEMBERS, Discriminator(step_tag)]


class Actor(Strict):
    """One of several that act at once."""

    kind: Literal["script", "ae"] = "script"
    """`script` sends nothing but what its steps say; `ae` answers by itself."""
    count: Annotated[int, Field(ge=1, le=MAX_ACTORS)] = 1
    """How many of it there are, each with a connection of its own."""
    rules: tuple[Any, ...] = ()
    """Behaviour put around an `ae`."""
    steps: tuple[Step, ...] = ()
    """What it does, in this order."""


class KnownFault(Strict):
    """What a peer is known to do wrong."""

    reason: Text
    """Why it is, or where it is reported."""
    actual: Text | None = None
    """A pattern that the reaction fits then; a peer that fails in another way still fails."""


class PeerExpectation(Strict):
    """What is expected of one peer."""

    xfail: KnownFault
    """It fails."""


class Scenario(Strict):
    """One case: a requirement, what is done to the peer, and what a conforming peer does then."""

    id: Text
    """Its place: the path of the file without the suffix, below the folder of scenarios."""
    requirement: Text
    """What is required of the peer, in one sentence."""
    clause: Text
    """Where the standard says so: `PS3.8 §9.3.4`."""
    level: Literal["shall", "should", "practice"]
    """How binding it is; `practice` where the standard says nothing."""
    role: Literal["requestor", "acceptor"]
    """Which side dicomsim is; the peer under test is the other."""
    tags: tuple[Text, ...] = ()
    """Words to select it by; `slow` is only run when asked for."""
    about: Text | None = None
    """What is behind it: ambiguities of the standard, where it was seen."""
    peers: dict[Text, PeerExpectation] = Field(default_factory=dict)
    """By a pattern for the peer's implementation version name (or `--name`)."""
    values: dict[Name, Any] = Field(default_factory=dict)
    """Values to use as `{name}`."""
    kind: Literal["script", "ae"] = "script"
    """Kind of the only actor."""
    rules: tuple[Any, ...] = ()
    """Behaviour put around the only actor."""
    steps: tuple[Step, ...] = ()
    """What the only actor does."""
    actors: dict[Name, Actor] = Field(default_factory=dict)
    """Several actors instead of one."""

    @model_validator(mode="after")
    def _one_form(self) -> Scenario:
        if bool(self.steps or self.rules) == bool(self.actors):
            raise ValueError("a scenario has either steps or actors")
        return self


class SubScenario(Strict):
    """A file in a `use` folder: steps under a name, for others to use."""

    use: Text
    """Its name: that of the file without the suffix."""
    about: Text
    """What it does."""
    parameters: dict[Name, Any] = Field(default_factory=dict)
    """Names and the values they have unless the user says otherwise; `{name}` in the steps."""
    steps: list[Any]
    """The steps, checked where they are used."""


class Steps(Strict):
    """The steps of a sub-scenario once its parameters are filled in."""

    steps: list[Step]
