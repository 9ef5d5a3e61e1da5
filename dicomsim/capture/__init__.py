"""Captures: written from our own bytes, read from anywhere, decoded, compared and replayed.

Written:  events -> `recorder` -> `tcp_frames` (Ethernet, IP, TCP) -> `pcapng` or `pcap`.
Read:     `files` (any capture file) -> `frames` (link and network layers) -> `reassembly` (TCP streams, with gaps)
          -> `pdu_stream` (PDUs) -> `conversation` (what was said on each association, damage marked).
Used:     `decode` and `ladder` show a conversation, `compare` says how two differ, `replay` plays one again.
"""
