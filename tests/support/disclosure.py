"""How to tell that a text discloses a secret."""

import base64
from urllib.parse import quote


def disclosed(secrets: list[str], text: str) -> list[str]:
    """List the secrets that a text discloses: whole, encoded, or their first 12 characters where those are theirs alone."""
    forms = [(each, base64.b64encode(each.encode()).decode(), quote(each, safe="")) for each in secrets]
    heads = [each[:12] for each in secrets if not each.startswith("eyJ")]  # every JWT begins alike
    return [form for each in forms for form in each if form in text] + [head for head in heads if head in text]
