"""The topic pages of `tokenctl help TOPIC`: one Markdown file each, beside this one."""

from tokenctl.cli.files import text_of

TOPICS = {
    "audit": "Is somebody else using my session: the event log and its anomalies.",
    "ci": "Pipelines and scripts: GitHub, GitLab, a plain shell.",
    "config": "The config file, and every setting of a profile.",
    "environment": "Every variable, and who is asked for.",
    "exit-statuses": "What each exit status means, and how a script uses it.",
    "helpers": "git, docker, kubectl and other tools: one command a client.",
    "keyrings": "What each keyring promises, and what to do where there is none.",
    "networks": "Proxies, certificates and slow networks.",
    "proxy": "A proxy that adds the token, so that a program never holds it.",
    "python": "Python programs: httpx, requests, async services, notebooks.",
    "reliability": "Why no session is lost to a race, a crash or a retry.",
    "security": "What is protected from whom, and what is not.",
    "servers": "Real authorization servers: what they need, and what is special there.",
    "signing-in": "A first login, the redirect URI, no browser, secrets.",
    "token-apis": "Sessions at token APIs that are not OAuth.",
    "troubleshooting": "What you see, what it means, and what to do.",
}
"""Name of a topic -> its line in the list of topics, in the order of the list."""


def page(topic: str) -> str:
    """Read a topic's page: Markdown."""
    return text_of(__name__, f"{topic}.md")
