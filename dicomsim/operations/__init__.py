"""What an association can be asked to do, one module a kind of service; `Association` is made of them.

Each operation comes in two forms. `c_echo`, `c_find`, `n_get` … answer with response `Message`s and raise when there is
none; `send_c_echo`, `send_c_find`, `send_n_get` … answer with status data sets, empty when there was no valid answer,
as programs written for pynetdicom 1.x expect. `prepare_…` makes the request alone; `submit` sends it without waiting.
"""
