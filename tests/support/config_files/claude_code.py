"""~/.claude.json as Claude Code writes it, and as people change it."""

_BOTH = b"""\
{
  "numStartups": 12,
  "mcpServers": {
    "mine": {
      "type": "http",
      "url": "https://registry.example.com:5000/mcp"
    },
    "other": {
      "type": "sse",
      "url": "https://other.example.com/sse",
      "headers": {}
    }
  },
  "projects": {
    "/home/u/x": {
      "allowedTools": [],
      "mcpServers": {
        "mine too": { "type": "http", "url": "https://registry.example.com:5000/mcp?a=1" }
      }
    }
  }
}
"""
FILES: dict[str, bytes | None] = {
    "two servers and a project": _BOTH,
    "no last newline": _BOTH.rstrip(),
    "Windows line ends": _BOTH.replace(b"\n", b"\r\n"),
    "tabs": _BOTH.replace(b"  ", b"\t"),
    "on one line": b'{"a":1,"mcpServers":{"mine":{"type":"http","url":"https://registry.example.com:5000/mcp"}},"z":[]}',
    "secrets between": b'{"mcpServers":{"a":{"url":"https://registry.example.com:5000/a"},"s":{"env":{"K":"sesame"}},'
    b'"b":{"url":"https://registry.example.com:5000/b"}}}',
    "a program beside it": b'{"mcpServers": {"x": {"command": "x", "args": []}, "m": {"url": "https://registry.example.com:5000/"}}}\n',
}
REFUSED: dict[str, bytes] = {
    "no server": b'{"mcpServers": {}}\n',
    "empty": b"",
    "cut": _BOTH[:100],
    "foreign": _BOTH.replace(b'"type": "http",\n', b'"type": "http",\n      "headersHelper": "/usr/bin/mine --x",\n'),
}
