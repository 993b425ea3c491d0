"""~/.terraformrc as people have it."""

FILES: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "a cache": b'plugin_cache_dir = "$HOME/.terraform.d/plugin-cache"\ndisable_checkpoint = true\n',
    "a token of another host": b'credentials "app.terraform.io" {\n  token = "abc.atlasv1.xyz"\n}\n',
    "a variable": b'plugin_cache_dir = "${HOME}/.terraform.d/plugin-cache"\n',
    "comments": b'# credentials_helper "x" {\n// mine\n/* credentials_helper "y" {}\n*/\nprovider_installation {\n  direct {}\n}\n',
    "braces in a text": b'credentials "a.example" {\n  token = "}\\"{ # // /*"\n}\n',
    "a here-document": b'plugin_cache_dir = <<EOT\n/tmp }\ncredentials_helper "x" {\nEOT\n',
    "nested": b'provider_installation {\n  filesystem_mirror {\n    path    = "/usr/share/tf"\n    include = ["example.com/*/*", "b.example/*/*"]\n  }\n  direct { exclude = ["example.com/*/*"] }\n}\n',
    "no last line end": b"disable_checkpoint = true",
    "Windows line ends": b'credentials "a.example" {\r\n\ttoken = "x"\r\n}\r\n',
    "a host": b'host "registry.example.com:5000" {\n  services = {\n    "modules.v1" = "https://registry.example.com:5000/v1/"\n  }\n}\n',
}
REFUSED: dict[str, bytes] = {
    "a byte order mark": b"\xef\xbb\xbfdisable_checkpoint = true\n",
    "JSON": b'{"disable_checkpoint": true}\n',
    "a brace without an end": b'credentials "a.example" {\n',
    "one brace too many": b"disable_checkpoint = true\n}\n",
    "a text without an end": b'plugin_cache_dir = "/tmp\n',
    "a NUL": b'plugin_cache_dir = "x\0"\n',
    "an escape that is none": b'plugin_cache_dir = "C:\\quatsch"\n',
    "a comment without an end": b"/* mine\n",
    "bytes that are not UTF-8": b"# caf\xe9\n",
    "foreign helper": b'credentials_helper "vault" {\n  args = ["--mount", "x"]\n}\n',
    "foreign helper among others": b'# mine\ncredentials "a.example" { token = "x" }\ncredentials_helper vault {}\ndisable_checkpoint = true',
    "foreign token": b'disable_checkpoint = true\ncredentials "registry.example.com:5000" {\n  token = "x"\n}\n# end\n',
}
