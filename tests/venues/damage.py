"""Payloads that no venue should send: what may arrive when a wire, a proxy or a release goes wrong."""

from __future__ import annotations

import gzip
import json
import random
import re

# Raw JSON: numbers of every size, types that do not belong, text that is no number.
_TOKENS = (
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0.0",
    b"-1",
    b"-1e-9",
    b"1e-320",
    b"1e308",
    b"1e400",
    b"-1e400",
    b"9007199254740993",
    b"9" * 400,
    b"0.1",
    b"1e30",
    b"1790000000",
    b"1790000000000",
    b"1790000000000000000",
    b"NaN",
    b"Infinity",
    b'""',
    b'" "',
    b'"0"',
    b'"-5"',
    b'"nan"',
    b'"NaN"',
    b'"inf"',
    b'"-Infinity"',
    b'"1e999"',
    b'"1e-999"',
    b'"1_000"',
    b'"0x10"',
    b'"1,5"',
    b'"none"',
    b'"2026-02-30T25:61:00Z"',
    b'"0001-01-01T00:00:00Z"',
    b'"9999-12-31T23:59:59.999999Z"',
    b'"2026-09-21T14:13:00"',
    b"[]",
    b"{}",
    b"[[]]",
    b"[null]",
    b'[{"a":1}]',
    b'{"s":[]}',
    '"\u0664\u0662"'.encode(),  # digits of another script
    '"\U0001f4a5"'.encode(),
    '"\u202eTDSU"'.encode(),
    b'"\\ud800"',
    b'"\\u0000"',
    b'"BTC\\u0000USDT"',
    b'"' + b"A" * 5_000 + b'"',
    b"[" * 3_000 + b"]" * 3_000,
    b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
)
_VALUE = re.compile(rb'(?<=[:,\[])\s*(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)')
_PAIR = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')


def restructured(body: bytes, chance: random.Random) -> bytes:
    """Change a payload where its meaning is: one to three of the changes below."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        body = chance.choice(_CHANGES)(body, chance)
    return body


def squeezed(body: bytes, chance: random.Random) -> bytes:
    """Compress a payload and cut or flip the result, as a venue that compresses its frames would arrive over a bad line."""
    packed = gzip.compress(body, 1, mtime=0)
    at = chance.randrange(len(packed))
    if chance.random() < 0.5:
        return packed[:at]
    return packed[:at] + bytes([packed[at] ^ (1 << chance.randrange(8))]) + packed[at + 1 :]


def _replace(body: bytes, chance: random.Random) -> bytes:
    """Put something else where a value stood."""
    found = list(_VALUE.finditer(body))
    if not found:
        return chance.choice(_TOKENS)
    one = chance.choice(found)
    return body[: one.start()] + chance.choice(_TOKENS) + body[one.end() :]


def _swap(body: bytes, chance: random.Random) -> bytes:
    """Exchange two values."""
    found = list(_VALUE.finditer(body))
    if len(found) < 2:
        return body
    a, b = sorted(chance.sample(found, 2), key=lambda match: match.start())
    return body[: a.start()] + b.group() + body[a.end() : b.start()] + a.group() + body[b.end() :]


def _retype(body: bytes, chance: random.Random) -> bytes:
    """Quote a number, bare a text, or wrap a value into a list or an object."""
    found = list(_VALUE.finditer(body))
    if not found:
        return body
    one = chance.choice(found)
    value = one.group().strip()
    bare = value[1:-1] if value.startswith(b'"') else b'"' + value + b'"'
    changed = chance.choice((bare, b"[" + value + b"]", b'{"value":' + value + b"}", b"-" + value, value + b"0" * 300))
    return body[: one.start()] + changed + body[one.end() :]


def _again(body: bytes, chance: random.Random) -> bytes:
    """Say a key twice, the other time with another value."""
    found = list(_PAIR.finditer(body))
    if not found:
        return body
    one = chance.choice(found)
    return body[: one.start()] + one.group() + chance.choice(_TOKENS) + b"," + body[one.start() :]


def _rename(body: bytes, chance: random.Random) -> bytes:
    """Give a key another name, in capitals or of another field."""
    found = list(_PAIR.finditer(body))
    if not found:
        return body
    one, other = chance.choice(found), chance.choice(found)
    name = chance.choice((one.group(1).upper(), one.group(1) + b"_v2", other.group(1), b"", "\u00e9".encode()))
    return body[: one.start(1)] + name + body[one.end(1) :]


def _reshape(body: bytes, chance: random.Random) -> bytes:
    """Double, empty, nest or drop a list or an object."""
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return body
    spots: list[tuple[list[object] | dict[str, object], int | str]] = []

    def walk(node: object, depth: int = 0) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in items:
            spots.append((node, key))  # type: ignore[arg-type]
            if depth < 20:
                walk(value, depth + 1)

    walk(tree)
    if not spots:
        return body
    holder, key = chance.choice(spots)
    value = holder[key]  # type: ignore[index]
    choice = chance.randrange(5)
    if choice == 0:
        del holder[key]  # type: ignore[arg-type]
    elif choice == 1 and isinstance(value, list):
        holder[key] = value * chance.choice((0, 2, 50))  # type: ignore[index]
    elif choice == 2:
        holder[key] = [value, value]  # type: ignore[index]
    elif choice == 3 and isinstance(value, dict):
        holder[key] = list(value.values())  # type: ignore[index]
    else:
        holder[key] = {"data": value}  # type: ignore[index]
    return json.dumps(tree).encode()


_CHANGES = (_replace, _replace, _replace, _swap, _retype, _again, _rename, _reshape)
