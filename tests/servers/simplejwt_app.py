"""A token API that is not OAuth: djangorestframework-simplejwt, with rotation and a blacklist, run as a program.

`python -m tests.servers.simplejwt_app FOLDER SETTINGS` prints its address as a line, then one JSON line for every
request, and ends with its stdin. An API key logs in, beside user name and password.
"""

import json
import sys
import threading
from datetime import timedelta
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings as django_settings

from tests.servers.simplejwt import API_KEY


class Server(ThreadingMixIn, WSGIServer):
    """Answers several at once."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Logs nothing by itself."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until stdin ends."""
    folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    django_settings.configure(
        SECRET_KEY="x" * 40,
        ALLOWED_HOSTS=["127.0.0.1"],
        USE_TZ=True,
        ROOT_URLCONF=__name__,
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db"), "OPTIONS": {"timeout": 30}}
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            "rest_framework_simplejwt",
            "rest_framework_simplejwt.token_blacklist",
        ],
        SIMPLE_JWT={
            "ACCESS_TOKEN_LIFETIME": timedelta(seconds=settings["access_token_ttl"]),
            "REFRESH_TOKEN_LIFETIME": timedelta(seconds=settings["refresh_token_ttl"]),
            "ROTATE_REFRESH_TOKENS": True,
            "BLACKLIST_AFTER_ROTATION": True,
        },
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User

    User.objects.create_user("ada", password="correct horse")
    global urlpatterns
    urlpatterns = routes()
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    lock = threading.Lock()

    def logged(environ: dict[str, Any], start: Any) -> Any:
        seen: list[str] = []

        def started(status: str, headers: Any, *rest: Any) -> Any:
            seen.append(status)
            return start(status, headers, *rest)

        answer = application(environ, started)
        with lock:
            print(json.dumps({"path": environ["PATH_INFO"], "status": int(seen[0].split()[0])}), flush=True)
        return answer

    with make_server("127.0.0.1", 0, logged, Server, Quiet) as server:
        print(json.dumps({"address": f"http://127.0.0.1:{server.server_port}"}), flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()


urlpatterns: list[Any] = []


def routes() -> list[Any]:
    """Make the API's routes; what they need can only be imported once Django is set up."""
    from django.contrib.auth.models import User
    from django.urls import path
    from rest_framework.response import Response
    from rest_framework.views import APIView
    from rest_framework_simplejwt.tokens import RefreshToken
    from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView

    class ApiKeyView(APIView):  # type: ignore[misc]
        authentication_classes = ()
        permission_classes = ()

        def post(self, request: Any) -> Any:
            if request.data.get("api_key") != API_KEY:
                return Response({"detail": "invalid API key", "echo": request.data}, status=401)
            refresh = RefreshToken.for_user(User.objects.get(username="ada"))
            return Response({"tokens": {"access": str(refresh.access_token), "refresh": str(refresh)}})

    return [
        path("api/key/", ApiKeyView.as_view()),
        path("api/token/", TokenObtainPairView.as_view()),
        path("api/token/refresh/", TokenRefreshView.as_view()),
        path("api/token/blacklist/", TokenBlacklistView.as_view()),
    ]


if __name__ == "__main__":
    main()
