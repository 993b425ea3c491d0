"""Streamed answers of AI APIs, as server-sent events: just enough of each protocol for its SDK."""

import json
from collections.abc import Iterator

WORDS = ("one", "two", "three")
"""What every answer says. Each word comes in an event of its own, or in a few that are sent together."""


def plain() -> Iterator[str]:
    """Stream the words, for an EventSource."""
    for word in WORDS:
        yield f"data: {word}\n\n"


def chat_completion() -> Iterator[str]:
    """Stream a chat completion of OpenAI's API."""
    for word in WORDS:
        choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
        yield _event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})
    yield "data: [DONE]\n\n"


def message() -> Iterator[str]:
    """Stream a message of Anthropic's API; what is around the words comes together with a word."""
    usage: dict[str, object] = {"input_tokens": 1, "output_tokens": 1}
    start = {"id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    opening: list[dict[str, object]] = [
        {"type": "message_start", "message": {**start, "stop_reason": None, "stop_sequence": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    closing: list[dict[str, object]] = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    for word in WORDS:
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        before = opening if word == WORDS[0] else []
        after = closing if word == WORDS[-1] else []
        yield "".join(_event(each) for each in [*before, delta, *after])


def _event(document: dict[str, object]) -> str:
    kind = f"event: {document['type']}\n" if "type" in document else ""
    return f"{kind}data: {json.dumps(document)}\n\n"
