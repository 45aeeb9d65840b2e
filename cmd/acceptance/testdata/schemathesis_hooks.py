"""What a schema cannot say, told to schemathesis.

A request can satisfy its schema and still name something that is not there: a reference, a
cursor, an entity tag, an idempotency key that was used before. The served document lists these
places per operation, in x-backend-adds. Before a request that is meant to be valid is sent, the
values there are replaced by such that are: the key of an existing item, a cursor that the list
gave, the item's ETag, a key that is new. Requests that are meant to be invalid, and all other
values, are left as they are, and every check judges every answer with its own defaults.
"""

import itertools
import os

import requests
import schemathesis

URL = os.environ["JUDGE_URL"]  # of the API, with its base path
unused = itertools.count(1)
session = requests.Session()
known = {}  # item path template -> keys that were seen


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    for rule in case.operation.definition.raw.get("x-backend-adds", []):
        if rule.get("takes"):
            place, _, name = rule["at"].partition("/")
            headers = dict(kwargs.get("headers") or {})
            {"existing": existing, "issued": issued, "current": current, "unused": fresh}[rule["takes"]](
                case, place, name.rpartition("/")[2], rule, headers
            )


def existing(case, place, name, rule, headers):
    """Puts the key of an item that is there into the body."""
    if not isinstance(case.body, dict) or case.body.get(name) is None:
        return
    key = key_of(rule["of"], headers)
    if key is not None:
        case.body[name] = key


def key_of(path, headers):
    """The key of some item of a resource, from its list or from what was seen."""
    collection, _, parameter = path.rpartition("/")
    items = listed(collection, headers) if "{" not in collection else []
    for item in items:
        for member in (parameter.strip("{}"), "id"):
            if item.get(member) is not None:
                return item[member]
    return None


def listed(collection, headers):
    """The items of a list, whatever stands around them."""
    answer = session.get(URL + collection, headers=headers, timeout=10)
    if answer.status_code != 200:
        return []
    body = answer.json()
    lists = [body] if isinstance(body, list) else [v for v in body.values() if isinstance(v, list)]
    return [item for items in lists for item in items if isinstance(item, dict)]


def issued(case, place, name, rule, headers):
    """Replaces a cursor by the one that the same list gives for its next page, or by none."""
    if not case.query or name not in case.query:
        return
    del case.query[name]
    answer = session.get(URL + case.formatted_path, params=case.query, headers=headers, timeout=10)
    cursor = answer.json().get(rule.get("of")) if answer.status_code == 200 and rule.get("of") else None
    if cursor:
        case.query[name] = cursor


def current(case, place, name, rule, headers):
    """Replaces a precondition by the item's own entity tag."""
    if not case.headers or name not in case.headers:
        return
    answer = session.get(URL + case.formatted_path, headers=headers, timeout=10)
    case.headers[name] = answer.headers.get("ETag", "*")


def fresh(case, place, name, rule, headers):
    """Replaces an idempotency key by a new one."""
    if case.headers and name in case.headers:
        case.headers[name] = f"judge-{next(unused)}"
