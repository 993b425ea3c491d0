"""The real clients of the helpers, and of token files, at servers on loopback that check the token.

They are together because a client often asks more than one part: pip asks the backend of `keyring`, and `install` sets it
up. What a protocol answers, to the byte, is in `tests/handoff/helpers`.
"""
