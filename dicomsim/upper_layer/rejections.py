"""The A-ASSOCIATE-RJ that dicomsim answers with of its own accord, each for its one situation. PS3.8 Table 9-21."""

from __future__ import annotations

from typing import Final

from dicomsim.wire.pdu import AssociateRJ

PROTOCOL_VERSION: Final = AssociateRJ(1, 2, 2)
"""Bit 0 of the protocol version is not set; said by the service provider, in AE-6. PS3.8 §9.3.4."""

APPLICATION_CONTEXT: Final = AssociateRJ(1, 1, 2)
"""The application context name is not supported. PS3.8 §7.1.1.9."""

CALLED_AE_TITLE: Final = AssociateRJ(1, 1, 7)
"""The called AE title is blank or not ours. PS3.8 §9.3.2."""

CALLING_AE_TITLE: Final = AssociateRJ(1, 1, 3)
"""The calling AE title is blank or not wanted. PS3.8 §7.1.1.9."""

USER_IDENTITY: Final = AssociateRJ(1, 2, 1)
"""The user identity is refused; result and source are the standard's, and this is the reason that fits.
PS3.7 §D.3.3.7.3."""

LOCAL_LIMIT: Final = AssociateRJ(2, 3, 2)
"""There are as many associations as are allowed. PS3.8 §7.1.1.9."""

CONGESTION: Final = AssociateRJ(2, 3, 1)
"""Too busy at the moment. PS3.8 §7.1.1.9."""
