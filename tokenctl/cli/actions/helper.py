"""What `tokenctl helper NAME` does: answer a client in its own protocol."""

from collections.abc import Sequence

from tokenctl.cli.output import answer_bytes
from tokenctl.errors import unexpected
from tokenctl.handoff import helpers
from tokenctl.handoff.helpers import answering
from tokenctl.handoff.helpers.conversation import Conversation
from tokenctl.runtime import Runtime


def speak(runtime: Runtime, name: str | None, helper: str, words: Sequence[str]) -> int:
    """Answer a client that called the helper with `words`, and return the exit status."""
    conversation = Conversation(helpers.protocol(helper), name, words)
    answer_bytes(conversation.greeting)
    conversation.next(runtime.environ)
    return go_on(runtime, conversation)


def go_on(runtime: Runtime, conversation: Conversation) -> int:
    """Answer the question that has no answer yet, and all that follow; return the exit status of the last one.

    Nobody is asked anything, since the terminal is the client's, and there is no word on stderr but the reason of a
    failure. Raises TokenctlError when stdout cannot be written.
    """
    terminal, status = runtime.terminal, 0
    terminal.quiet = not terminal.verbose
    while (question := conversation.question) is not None:
        terminal.unattended = not question.may_ask
        try:
            found = answering.answer(runtime, conversation.profile, conversation.helper, question)
        except Exception as error:
            found = conversation.helper.failed(question, unexpected(error))
        answer_bytes(found.out)
        if found.error:
            terminal.error(found.error, found.hint)
        status = found.status
        conversation.next(runtime.environ)
    return status
