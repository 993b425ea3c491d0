"""~/.docker/config.json as people have it."""

FILES: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "only a line end": b"\n",
    "an empty object": b"{}",
    "an empty object on two lines": b"{\n}\n",
    "as docker login writes it": b'{\n\t"auths": {\n\t\t"ghcr.io": {\n\t\t\t"auth": "dTpw"\n\t\t}\n\t}\n}',
    "four spaces and a store": b'{\n    "credsStore": "desktop",\n    "auths": {}\n}\n',
    "on one line": b'{"auths":{"ghcr.io":{"auth":"dTpw"}},"psFormat":"table {{.Names}}"}',
    "on one line with spaces": b'{ "auths": {}, "detachKeys": "ctrl-e,e" }',
    "Windows line ends": b'{\r\n\t"auths": {},\r\n\t"currentContext": "x"\r\n}\r\n',
    "other helpers": b'{\n  "credHelpers": {\n    "gcr.io": "gcloud",\n    "asia.gcr.io": "gcloud"\n  }\n}\n',
    "other helpers on one line": b'{\n  "credHelpers": {"gcr.io": "gcloud"},\n  "auths": {}\n}\n',
    "no helpers yet": b'{\n  "credHelpers": {},\n  "auths": {}\n}\n',
    "helpers in another case": b'{\n  "credhelpers": {\n    "gcr.io": "gcloud"\n  }\n}\n',
    "odd indentation": b'{\n "auths" : {} ,\n   "proxies":\n      { "default": {"noProxy": "*.example" } }\n }',
    "bytes that are not UTF-8": b'{\n\t"HttpHeaders": {"X": "\xff\xfe"}\n}\n',
    "numbers and escapes": b'{"experimental":"\\u0065nabled","n":1.0e+2,"auths":{}}\n',
}
REFUSED: dict[str, bytes] = {
    "a comment": b'{\n  // mine\n  "auths": {}\n}\n',
    "a trailing comma": b'{"auths": {},}',
    "two objects": b"{}{}",
    "a byte order mark": b'\xef\xbb\xbf{"auths": {}}',
    "a name twice": b'{"auths": {}, "auths": {"x": {}}}',
    "helpers twice": b'{"credHelpers": {}, "CredHelpers": {}}',
    "a list": b"[]",
    "helpers that are a text": b'{"credHelpers": "tokenctl"}',
    "cut": b'{"auths": {',
    "foreign": b'{\n\t"credHelpers": {\n\t\t"registry.example.com:5000": "ecr-login"\n\t}\n}',
    "foreign on one line": b'{"credHelpers":{"a.example":"x","registry.example.com:5000":"pass","b.example":"y"}}',
}
