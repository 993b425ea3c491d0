"""What is cut out of the sentences of the doctor."""

import pytest

from tokenctl.config.variables import settings
from tokenctl.doctor.redaction import Redaction
from tokenctl.errors import UsageError
from tokenctl.model.profile import CHECKS

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"see https://me:{SECRET}@a.example:1/b for more", "see https://a.example:1/b for more"),
        (f"http://me:{SECRET}/@{SECRET}@a.example/b", "http://a.example/b"),
        (f"HTTPS://{SECRET}@a.example", "HTTPS://a.example"),
        (f"'https://a.example/b?c={SECRET}' is", "'https://a.example/b' is"),
        (f"https://a.example#{SECRET}", "https://a.example"),
        (f"socks5h://me:{SECRET}@a.example:1", "socks5h://a.example:1"),
        (f"TOKENCTL_SCOPE is '{SECRET}', which", "TOKENCTL_SCOPE is …, which"),
        (f'TOKENCTL_SCOPE is "{SECRET}', "TOKENCTL_SCOPE is …"),
        (
            "TOKENCTL_ID_TOKEN is set, and profile 't' does not present it",
            "TOKENCTL_ID_TOKEN is set, and profile 't' does not present it",
        ),
        (
            "TOKENCTL_X is no variable; did you mean 'TOKENCTL_Y'?",
            "TOKENCTL_X is no variable; did you mean 'TOKENCTL_Y'?",
        ),
        ("ask me@a.example? yes, at 12:30", "ask me@a.example? yes, at 12:30"),
    ],
)
def test_what_is_cut(text: str, left: str) -> None:
    """All that can be secret in an address, and the value of a variable; the rest stays."""
    redaction = Redaction({})
    assert redaction.of(text) == left
    assert redaction.of({"a": [text], "b": 1}) == {"a": [left], "b": 1}


def test_what_a_variable_says_is_cut_everywhere() -> None:
    """Not where it says who is asked, which findings are about."""
    environ = {"TOKENCTL_API_KEY": f"{SECRET}\n", "TOKENCTL_SECRET": f"x {SECRET}-2", "TOKENCTL_PROFILE": "production"}
    assert Redaction(environ).of(f"the server of production says {SECRET} {SECRET}-2 x") == (
        "the server of production says … … x"
    )


WRONG = ("{}", "\t{}", "'{}", "'\"{}", "a b {}", "x://y {}", "[{}", '["{}"]', '{{"{}": 1}}', "{}=1", "/a\\'{}")


@pytest.mark.parametrize("name", CHECKS)
def test_no_message_about_a_variable_tells_its_value(name: str) -> None:
    """Whatever is wrong with it: the message names the variable."""
    for value in WRONG:
        environ = {f"TOKENCTL_{name.upper()}": value.format(SECRET)}
        said = ""
        try:
            settings(environ, [name])
        except UsageError as error:
            said = Redaction(environ).of(f"{error.message} / {error.hint}")
        assert SECRET not in said, value
