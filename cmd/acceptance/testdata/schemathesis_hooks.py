"""What a schema cannot say, told to schemathesis.

A request can satisfy its schema and still name something that is not there: a reference, a
cursor, an entity tag, an idempotency key that was used before. The served document lists these
places per operation, in x-backend-adds. Before a request that is meant to be valid is sent, the
values there are replaced by such that are: the key of an existing item, a cursor that the list
gave, the item's ETag, a key that is new. Requests that are meant to be invalid, and all other
values, are left as they are, and every check judges every answer with its own defaults.
"""

import itertools
import json
import os
from urllib.parse import quote

import requests
import schemathesis

URL = os.environ["JUDGE_URL"]  # of the API, with its base path
unused = itertools.count(1)
session = requests.Session()
session.headers.update(json.loads(os.environ["JUDGE_HEADERS"]))  # credentials
seen = {}  # path template -> the items in its answers


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    for rule in case.operation.definition.raw.get("x-backend-adds", []):
        if rule.get("takes"):
            name = rule["at"].rpartition("/")[2]
            {"existing": existing, "issued": issued, "current": current, "unused": fresh}[rule["takes"]](case, name, rule)


def existing(case, name, rule):
    """Puts the key of an item that is there into the body."""
    if not isinstance(case.body, dict) or case.body.get(name) is None:
        return
    key = key_of(rule["of"], case.operation.schema.raw_schema["paths"])
    if key is not None:
        case.body[name] = key


@schemathesis.hook
def after_call(context, case, response):
    """Remembers the items that were seen: not every resource has a list."""
    if 200 <= response.status_code < 300:
        for item in items_of(response):
            seen.setdefault(case.path, []).append(item)


def items_of(response):
    """The objects of an answer that is one, or a list of them, whatever stands around."""
    try:
        body = response.json()
    except ValueError:
        return []
    if isinstance(body, dict):
        lists = [v for v in body.values() if isinstance(v, list)] + [[v] for v in body.values() if isinstance(v, dict)]
        body = [body] + [item for items in lists for item in items]
    return [item for item in body if isinstance(item, dict)] if isinstance(body, list) else []


def key_of(path, paths):
    """The key of an item of a resource that is there, from its lists or from what was seen."""
    collection, _, parameter = path.rpartition("/")
    if "{" in collection:
        return None
    candidates = []
    for place, methods in paths.items():
        if place.startswith(collection) and "{" not in place and "get" in methods:
            answer = session.get(URL + place, params=required(methods["get"]), timeout=10)
            candidates += items_of(answer) if answer.status_code == 200 else []
    for place, items in seen.items():
        if place.startswith(collection):
            candidates += reversed(items[-50:])
    for item in candidates:
        for member in (parameter.strip("{}"), "id"):
            key = item.get(member)
            if isinstance(key, (str, int)) and not isinstance(key, bool):
                there = session.get(f"{URL}{collection}/{quote(str(key), safe='')}", timeout=10)
                if there.status_code in (200, 405):
                    return key
    return None


def required(operation):
    """A value for every query parameter that a list insists on."""
    values = {}
    for p in operation.get("parameters", []):
        if p.get("in") == "query" and p.get("required"):
            schema = p.get("schema", {})
            values[p["name"]] = (schema.get("enum") or schema.get("items", {}).get("enum") or ["a"])[0]
    return values


def issued(case, name, rule):
    """Replaces a cursor by the one that the same list gives for its next page, or by none."""
    if not case.query or name not in case.query:
        return
    del case.query[name]
    answer = session.get(URL + case.formatted_path, params=case.query, timeout=10)
    cursor = answer.json().get(rule.get("of")) if answer.status_code == 200 and rule.get("of") else None
    if cursor:
        case.query[name] = cursor


def current(case, name, rule):
    """Replaces a precondition by the item's own entity tag."""
    if not case.headers or name not in case.headers:
        return
    answer = session.get(URL + case.formatted_path, timeout=10)
    case.headers[name] = answer.headers.get("ETag", "*")


def fresh(case, name, rule):
    """Replaces an idempotency key by a new one."""
    if case.headers and name in case.headers:
        case.headers[name] = f"judge-{next(unused)}"
