"""The yardstick for a renewal: the same request as a person would write it with httpx.

TOKEN_ENDPOINT, CLIENT_ID and REFRESH_TOKEN are in the environment. It prints the access token and keeps nothing.
"""

import os

import httpx

answer = httpx.post(
    os.environ["TOKEN_ENDPOINT"],
    data={
        "grant_type": "refresh_token",
        "client_id": os.environ["CLIENT_ID"],
        "refresh_token": os.environ["REFRESH_TOKEN"],
    },
)
print(answer.raise_for_status().json()["access_token"])
