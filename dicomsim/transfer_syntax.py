"""Transfer syntaxes: how a data set is encoded, PS3.5 §10 and Annex A.

`TransferSyntaxUID` is a `str` that knows its row of PS3.6 Annex A; every registered one is a name of this module
(`transfer_syntax.ImplicitVRLittleEndian`), spelled with the standard's keyword. The properties have the names that
pydicom gives them, because programs ask contexts such questions as `context.transfer_syntax.is_implicit_VR`.
"""

from __future__ import annotations

from functools import cache

from dicomsim.data import rows

# Columns of the table.
_UID, _KEYWORD, _NAME, _RETIRED, _VR, _BYTE_ORDER, _DEFLATED, _PIXEL_DATA = range(8)


@cache
def registry() -> dict[str, list[str]]:
    """The rows of all registered transfer syntaxes by UID, in the order of PS3.6 Table A-1."""
    return {row[_UID]: row for row in rows("transfer_syntaxes")}


@cache
def names() -> dict[str, TransferSyntaxUID]:
    """Every name that this module can be asked for, the standard's keywords."""
    return {row[_KEYWORD]: TransferSyntaxUID(row[_UID]) for row in registry().values()}


# What an unregistered syntax is taken for: all that were registered in twenty years are of this kind.
_UNREGISTERED = ["", "", "", "", "explicit", "little", "", "native"]


class TransferSyntaxUID(str):
    """A transfer syntax UID; one that is not registered counts as explicit VR little endian with native pixel data."""

    __slots__ = ()

    @property
    def _row(self) -> list[str]:
        return registry().get(self, _UNREGISTERED)

    @property
    def uid(self) -> str:
        """The UID as a plain `str`."""
        return str(self)

    @property
    def name(self) -> str:
        """The registered name, or the UID itself."""
        return self._row[_NAME] or str(self)

    @property
    def keyword(self) -> str:
        """The registered keyword, or the empty string."""
        return self._row[_KEYWORD]

    @property
    def is_registered(self) -> bool:
        """Whether PS3.6 Annex A (or a later edition) lists it."""
        return self in registry()

    @property
    def is_retired(self) -> bool:
        """Whether it should no longer be proposed."""
        return bool(self._row[_RETIRED])

    @property
    def is_implicit_VR(self) -> bool:  # noqa: N802 - pydicom's spelling
        """Whether elements are encoded without their VR."""
        return self._row[_VR] == "implicit"

    @property
    def is_little_endian(self) -> bool:
        """Whether the least significant byte comes first."""
        return self._row[_BYTE_ORDER] == "little"

    @property
    def is_deflated(self) -> bool:
        """Whether the whole data set is deflated, PS3.5 §A.5."""
        return bool(self._row[_DEFLATED])

    @property
    def is_encapsulated(self) -> bool:
        """Whether pixel data is a sequence of fragments, PS3.5 §A.4."""
        return self._row[_PIXEL_DATA] == "encapsulated"

    @property
    def is_compressed(self) -> bool:
        """Whether the data set cannot be re-encoded without a codec: deflated, or pixel data that is not native."""
        return self.is_deflated or self._row[_PIXEL_DATA] != "native"


def __getattr__(name: str) -> TransferSyntaxUID:
    if not name.startswith("_") and (uid := names().get(name)) is not None:
        return uid
    raise AttributeError(f"no transfer syntax has the keyword {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *names()])
