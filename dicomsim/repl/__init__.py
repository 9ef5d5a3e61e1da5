"""The prompt: work by hand on one association, an embedded acceptor, rules and recordings.

A line is read into commands and words (`line`), a command is found and its arguments are bound by the signature of its
function (`command`, `form`, `forms`), and the function works on the `Workbench`. `interpreter` runs lines for the two
front ends: `prompt` with completion (`completing`), history and toolbar, and `batch` for the command line and pipes.
What happens unasked comes as events: `watch` keeps what is worth knowing, `trace` makes lines of them.
"""
