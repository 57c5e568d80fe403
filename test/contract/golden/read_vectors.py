"""Reads vectors.json with a decoder of its own and compares every entry with what the file says about it.

A second implementation of the stream entry, version 1, in nothing but Python's standard library. It was
written from the contract's text, and shares no code with the package: what both agree on is the contract.

    python3 read_vectors.py vectors.json

Prints how many vectors agree, and each that does not; exits with 1 if there is any.
"""

import base64
import binascii
import json
import math
import re
import sys

LEADING = [
    "timestamp", "severity_number", "severity_text", "body", "trace_id", "span_id", "trace_flags",
    "otel.scope.name", "service.name", "resource", "producer", "seq",
]
OPTIONAL = [
    "observed_timestamp", "otel.scope.version", "otel.scope.schema_url", "otel.scope.attributes",
    "otel.scope.dropped_attributes_count", "otel.event.name", "otel.dropped_attributes_count",
]
OWN = frozenset(LEADING + OPTIONAL)
PREFIX = "attributes."

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
DIGITS = re.compile(r"[0-9]+")
BIGINT = re.compile(r"0|-?[1-9][0-9]*")
MAX_TIME = 2**64 - 1
MAX_COUNT = 2**53 - 1


class Malformed(Exception):
    """The entry breaks the contract."""


def refuse(name):
    raise Malformed(name + " is not JSON")


def parse_json(text):
    try:
        # Maps as pairs, so that neither order nor any name is lost; Python's NaN and Infinity are not JSON.
        return json.loads(text, object_pairs_hook=Map, parse_int=float, parse_constant=refuse)
    except ValueError as error:
        raise Malformed(str(error)) from error


class Map(list):
    """The pairs of a JSON object."""


def note(value):
    """A parsed JSON value in the notation of vectors.json, its tags resolved."""
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["boolean", value]
    if isinstance(value, float):
        return ["number", value]
    if isinstance(value, str):
        return ["text", value]
    if isinstance(value, Map):
        return note_of_map(value)
    return ["list", [note(item) for item in value]]


def note_of_map(pairs):
    if len(pairs) == 1 and pairs[0][0].startswith("$"):
        name, content = pairs[0]
        if name in TAGS:
            return TAGS[name](content)
    return plain(pairs)


def plain(pairs):
    return ["map", [[name, note(value)] for name, value in pairs]]


def tag_bytes(content):
    try:
        decoded = base64.b64decode(content.encode("ascii"), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error) as error:
        raise Malformed("$bytes") from error
    if base64.b64encode(decoded).decode("ascii") != content:
        raise Malformed("$bytes")
    return ["bytes", decoded.hex()]


def tag_num(content):
    if content not in ("NaN", "Infinity", "-Infinity", "-0"):
        raise Malformed("$num")
    return ["number", float(content)]


def tag_bigint(content):
    if not isinstance(content, str) or not BIGINT.fullmatch(content):
        raise Malformed("$bigint")
    return ["bigint", content]


def tag_undefined(content):
    if isinstance(content, bool) or content != 1:
        raise Malformed("$undefined")
    return ["undefined"]


def tag_obj(content):
    if not isinstance(content, Map) or len(content) != 1 or not content[0][0].startswith("$"):
        raise Malformed("$obj")
    return plain(content)


TAGS = {
    "$bytes": tag_bytes, "$num": tag_num, "$bigint": tag_bigint, "$undefined": tag_undefined, "$obj": tag_obj,
}


def read_value(text):
    """The value rule: the first characters say whether a field is JSON or a text."""
    if text[:1] in ("{", "[", '"') and text:
        return note(parse_json(text))
    if text in ("true", "false", "null") or JSON_NUMBER.fullmatch(text):
        return note(parse_json(text))
    return ["text", text]


def read_map(text):
    value = read_value(text)
    if value[0] != "map":
        raise Malformed("a map is needed")
    return value[1]


def read_number(text, largest):
    if not DIGITS.fullmatch(text) or int(text) > largest:
        raise Malformed("a number is needed")
    return int(text)


def read_hex(text, length):
    if text and not re.fullmatch("[0-9a-f]{%d}" % length, text):
        raise Malformed("hex is needed")
    return text


def read_span(own):
    texts = [own.get(name, "") for name in ("trace_id", "span_id", "trace_flags")]
    if texts == ["", "", ""]:
        return None
    flags = read_hex(texts[2], 2)
    return {
        "traceId": read_hex(texts[0], 32),
        "spanId": read_hex(texts[1], 16),
        "traceFlags": int(flags, 16) if flags else 0,
    }


def read_resource(own, resources):
    """The resource, and its hash if its text is missing."""
    name = own.get("resource", "")
    try:
        text = dict(read_map(resources[name]))
        kind, attributes = text["attributes"]
        url = text.get("schemaUrl", ["text", None])
        if kind == "map" and url[0] == "text":
            return {"attributes": attributes, "schemaUrl": url[1]}, None
    except (KeyError, ValueError, Malformed):
        pass
    service = own.get("service.name", "")
    attributes = [["service.name", ["text", service]]] if service else []
    return {"attributes": attributes, "schemaUrl": None}, name or None


def take_apart(fields):
    if len(fields) % 2:
        raise Malformed("a name without a value")
    own, attributes = {}, {}
    for name, value in zip(fields[0::2], fields[1::2]):
        if name in OWN:
            own[name] = value
        elif name == "v":
            raise Malformed("an unknown version")
        elif name == "attributes":
            attributes.update(read_map(value))
        elif name.startswith(PREFIX):
            attributes[name[len(PREFIX):]] = read_value(value)
        elif not name.startswith("@"):
            attributes[name] = read_value(value)
    return own, [[name, value] for name, value in attributes.items()]


def read_entry(fields, resources):
    own, attributes = take_apart(fields)

    def text(name):
        return own.get(name) or None

    def count(name, largest=MAX_COUNT):
        return read_number(own[name], largest) if own.get(name) else None

    time = read_number(own.get("timestamp", ""), MAX_TIME)
    observed = count("observed_timestamp", MAX_TIME)
    resource, missing = read_resource(own, resources)
    scope_attributes = own.get("otel.scope.attributes", "")
    return {
        "timestamp": str(time),
        "observedTimestamp": str(time if observed is None else observed),
        "severityNumber": count("severity_number", 24),
        "severityText": text("severity_text"),
        "body": read_value(own["body"]) if own.get("body") else None,
        "span": read_span(own),
        "eventName": text("otel.event.name"),
        "scope": {
            "name": own.get("otel.scope.name", ""),
            "version": text("otel.scope.version"),
            "schemaUrl": text("otel.scope.schema_url"),
            "attributes": read_map(scope_attributes) if scope_attributes else [],
            "droppedAttributesCount": count("otel.scope.dropped_attributes_count") or 0,
        },
        "resource": resource,
        "attributes": attributes,
        "droppedAttributesCount": count("otel.dropped_attributes_count") or 0,
        "producer": text("producer"),
        "seq": count("seq"),
        "missingResource": missing,
    }


def same(read, expected):
    """Equality to the type; a number is given in digits, and must be the same to the sign of zero."""
    if isinstance(expected, list) and expected[:1] == ["number"] and isinstance(read[1], float):
        number = float(expected[1])
        if math.isnan(number):
            return math.isnan(read[1])
        return number == read[1] and math.copysign(1, number) == math.copysign(1, read[1])
    if isinstance(expected, list):
        return isinstance(read, list) and len(read) == len(expected) and all(map(same, read, expected))
    if isinstance(expected, dict):
        return read.keys() == expected.keys() and all(same(read[key], expected[key]) for key in expected)
    return type(read) is type(expected) and read == expected


def agrees(vector):
    try:
        read = read_entry(vector["fields"], vector["resources"])
    except Malformed:
        return vector["record"] is None
    return vector["record"] is not None and same(read, vector["record"])


def main(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)["vectors"]
    wrong = [vector["name"] for vector in vectors if not agrees(vector)]
    for name in wrong:
        print("differs: " + name)
    print("%d of %d vectors agree" % (len(vectors) - len(wrong), len(vectors)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
