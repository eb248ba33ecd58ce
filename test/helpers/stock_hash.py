"""The stock checksum as its specification states it, by Python's own json and hashlib.

For texts and integers, json.dumps with sorted keys and tight separators is RFC 8785. Lists are sorted by
UTF-16 code units, as the RFC sorts keys, which is not Python's own order beyond the basic plane.
"""

import hashlib
import json
import sys


def utf16(text):
    return text.encode("utf-16-be")


def checksum(value):
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def of_snapshot(given):
    locations = sorted(given["locations"], key=lambda at: utf16(at["id"]))
    return checksum({**given, "v": 1, "typ": "stock-snapshot", "locations": locations})


def of_basket(given):
    items = sorted(given["items"], key=lambda item: utf16(item["sku"]))
    return checksum({"v": 1, "typ": "stock-basket", "shop": given["shop"], "items": items})


wanted = json.loads(sys.stdin.buffer.read().decode("utf-8"))
print(json.dumps([of_snapshot(s) for s in wanted["snapshots"]] + [of_basket(b) for b in wanted["baskets"]]))
