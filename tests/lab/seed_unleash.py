"""Fills Unleash with flags in every condition, through its Admin API as a person would."""

import http.cookiejar
import json
import urllib.error
import urllib.request

PROJECT = "/api/admin/projects/default"
PASSWORD = "Not-a-secret-1n-the-lab!"
ROLES = {"editor": 2, "viewer": 3}
IN_BELGIUM = {"contextName": "country", "operator": "IN", "values": ["be", "lu"]}


def seed(url, token):
    def call(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": token, "Content-Type": "application/json"}
        request = urllib.request.Request(url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise OSError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error

    def flag(name, kind, description, environments):
        body = {"name": name, "type": kind, "description": description, "impressionData": False}
        call("POST", f"{PROJECT}/features", body)
        for environment, (on, percent, constraints) in environments.items():
            path = f"{PROJECT}/features/{name}/environments/{environment}"
            parameters = {"rollout": str(percent), "stickiness": "default", "groupId": name}
            strategy = {"name": "flexibleRollout", "parameters": parameters, "constraints": constraints}
            call("POST", f"{path}/strategies", strategy)
            if on:
                call("POST", f"{path}/on")

    whole = (True, 100, [])
    flag("checkout.one-click", "release", "Buy without the basket",
         {"development": whole, "production": (True, 25, [IN_BELGIUM])})
    flag("checkout.gift-cards", "release", "Pay with a gift card",
         {"development": whole, "production": (False, 40, [])})
    flag("payments.kill-switch", "kill-switch", "Take no payments at all",
         {"development": (False, 100, []), "production": (False, 100, [])})
    flag("search.old-index", "release", "The index before the last", {"production": whole})
    call("POST", f"{PROJECT}/stale", {"features": ["search.old-index"], "stale": True})
    # Someone changes their mind, so that there is a history to read.
    path = f"{PROJECT}/features/checkout.gift-cards/environments/production"
    call("POST", f"{path}/on")
    call("POST", f"{path}/off")


def people(url, token):
    """Makes one user of each role; gives the personal tokens they made for themselves."""
    tokens = {}
    for name, role in ROLES.items():
        user = {"name": name, "username": name, "email": f"{name}@example.com", "rootRole": role}
        send(url + "/api/admin/user-admin", user | {"password": PASSWORD, "sendEmail": False}, token)
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        session = urllib.request.build_opener(cookies).open
        send(url + "/auth/simple/login", {"username": name, "password": PASSWORD}, open_with=session)
        wanted = {"description": "lab", "expiresAt": "2099-01-01T00:00:00.000Z"}
        made = send(url + "/api/admin/user/tokens", wanted, open_with=session)
        tokens[name] = made["secret"]
    return tokens


def send(url, body, token=None, open_with=urllib.request.urlopen):
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with open_with(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")
