"""The interactive prompt: completion, history, toolbar, and what Ctrl-C and Ctrl-D do.

Imported when it is wanted: prompt-toolkit takes longer to load than most commands run.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application.current import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.styles import Style

from dicomsim.repl.commands.prompt import Quit
from dicomsim.repl.commands.settings import settings
from dicomsim.repl.completing import complete
from dicomsim.repl.form import Knowledge
from dicomsim.repl.forms import list_folder
from dicomsim.repl.history import history_path, make_history_file, peers_in
from dicomsim.repl.interpreter import Interpreter
from dicomsim.repl.output import Output, Tone
from dicomsim.repl.toolbar import STYLE, toolbar
from dicomsim.repl.workbench import Workbench

MESSAGE = "dicomsim> "


class LineCompleter(Completer):
    """`complete` as prompt-toolkit wants it."""

    def __init__(self, interpreter: Interpreter, earlier_peers: Iterable[str] = ()) -> None:
        self._interpreter = interpreter
        self._earlier = tuple(earlier_peers)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """How the line may go on."""
        line = document.text_before_cursor
        for one in complete(line, self._interpreter.registry, self.knowledge()):
            yield Completion(one.text, one.start - len(line), display=one.shown, display_meta=one.help)

    def knowledge(self) -> Knowledge:
        """What is known at this moment."""
        bench = self._interpreter.bench
        own = (bench.serving,) if bench.serving else ()
        return Knowledge(
            commands={command.name: command.summary for command in self._interpreter.registry},
            peers=tuple(dict.fromkeys((*own, *map(str, bench.peers), *self._earlier))),
            acceptor=bench.serving,
            rules=tuple((rule.name, rule.text, rule.enabled) for rule in bench.behaviour.rules),
            settings=settings(bench),
            folder=list_folder,
        )


def open_history(output: Output, path: Path | None = None) -> History:
    """The history of earlier sessions; if its file cannot be had, it says so, and there is one for this session."""
    path = path or history_path()
    try:
        make_history_file(path)
    except OSError as error:
        output.line(f"{path}: {(error.strerror or str(error)).lower()}; the history is not kept", Tone.NOTICE)
        return InMemoryHistory()
    return FileHistory(str(path))


class Prompt:
    """Asks for lines and runs them until it is left."""

    def __init__(self, interpreter: Interpreter, history: History) -> None:
        self._interpreter = interpreter
        self._bench: Workbench = interpreter.bench
        earlier = peers_in(history.load_history_strings())  # latest first
        self._session: PromptSession[str] = PromptSession(
            MESSAGE,
            completer=LineCompleter(interpreter, earlier),
            complete_while_typing=True,
            complete_style=CompleteStyle.COLUMN,
            history=history,
            auto_suggest=AutoSuggestFromHistory(),
            bottom_toolbar=self._toolbar,
            style=Style.from_dict(STYLE),
            reserve_space_for_menu=6,
        )
        self._bench.on_change = self._refresh

    def _toolbar(self) -> FormattedText:
        return FormattedText(toolbar(self._bench.status(), get_app().output.get_size().columns))

    def _refresh(self) -> None:
        """Draw the toolbar anew; from any thread."""
        try:
            self._session.app.invalidate()
        except RuntimeError:  # the prompt is just ending; the next one is drawn anew
            pass

    def run(self) -> int:
        """Ask and run until Ctrl-D or `quit`, then clear away; the exit code."""
        try:
            while True:
                try:
                    line = self._ask()
                except KeyboardInterrupt:
                    continue  # the line is dropped
                self._interpreter.run(line)
        except (EOFError, Quit):
            pass
        finally:
            self._bench.on_change = lambda: None
            code = self._bench.close()
        return code

    def _ask(self) -> str:
        with patch_stdout(raw=True):
            return self._session.prompt()
