"""~/.bazelrc as people have it."""

_OPTION = b"--credential_helper=registry.example.com=/opt/helper"

FILES: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "comments": b"# mine\nbuild --jobs=4 # few\n\nstartup --host_jvm_args=-Xmx2g\n",
    "no last line end": b"build --jobs=4",
    "Windows line ends": b"build --jobs=4\r\ntest --test_output=errors\r\n",
    "a continued line": b"build \\\n  --jobs=4 \\\n  --keep_going\n",
    "imports": b"import /etc/company.bazelrc\ntry-import %workspace%/user.bazelrc\n",
    "quotes": b"build --action_env='A=b c' --define \"d=e f\"\n",
    "helpers of other hosts": b"build --credential_helper=*.example.com=/opt/a\ncommon --credential_helper=/opt/b\n",
    "a comment that looks alike": b"#common " + _OPTION + b"\n",
    "configs": b"build:ci --remote_cache=https://registry.example.com:5000/cache\nbuild:ci --jobs=200\n",
    "bytes that are not UTF-8": b"# caf\xe9\nbuild --jobs=4\n",
}
REFUSED: dict[str, bytes] = {
    "a backslash at the end": b"build --jobs=4 \\\n",
    "a quote without an end": b"build --define='a\n",
    "foreign": b"common " + _OPTION + b"\n",
    "foreign in two words": b"build --jobs=4 --credential_helper registry.example.com=/opt/helper # mine",
    "foreign with the old name": b"build --experimental_credential_helper=registry.example.com=/opt/helper\n",
    "foreign on a continued line": b"build --jobs=4 \\\r\n  " + _OPTION + b"\r\n",
}
