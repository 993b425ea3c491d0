"""~/.codex/config.toml as people have it."""

_BOTH = b"""\
model = "m"
model_provider = "gateway"

[model_providers.gateway]
name = "Gateway"
base_url = "https://registry.example.com:5000/v1"
wire_api = "responses"

[model_providers.other]
base_url = "https://other.example.com/v1"

[projects."/home/u/x"]
trust_level = "trusted"
"""
FILES: dict[str, bytes | None] = {
    "two providers": _BOTH,
    "Windows line ends": _BOTH.replace(b"\n", b"\r\n"),
    "no last newline": _BOTH.removesuffix(b"\n"),
    "comments": b"# top\n"
    + _BOTH.replace(b"[model_providers.other]", b"# the other one\n[model_providers.other]")
    + b"# end\n",
    "a quoted name": b'[model_providers."a.b"]\nbase_url = "https://registry.example.com:5000/v1"\n',
    "headers": _BOTH.replace(
        b'wire_api = "responses"\n',
        b'http_headers = { "X-A" = "b" }\n[model_providers.gateway.query_params]\nv = "1"\n',
    ),
    "inline tables": b'[model_providers]\ng = { name = "G {}", base_url = "https://registry.example.com:5000/v1" }  # mine\n\n[tui]\n',
    "one inline table of all": b'model_providers = { g = { base_url = "https://registry.example.com:5000/v1", http_headers = {} } }\n',
    "dotted names in a table": b'[model_providers]\ng.base_url = "https://registry.example.com:5000/v1"\n',
    "dotted names": b'model_providers.gateway.base_url = "https://registry.example.com:5000/v1"\n',
}
REFUSED: dict[str, bytes] = {
    "absent provider": b'model = "m"\n',
    "not TOML": b"model = \n",
    "a key in the environment": _BOTH.replace(b"wire_api", b'env_key = "K"\nwire_api'),
    "foreign, inline": _BOTH.replace(
        b"wire_api", b'auth = { command = "pass", args = ["show", "x"] } # mine\nwire_api'
    ),
    "foreign": _BOTH + b'\n[model_providers.gateway.auth]\ncommand = "pass"\nargs = ["show", "x"]\n# end\n',
}
