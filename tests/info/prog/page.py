#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""page.py FILE - read a page of mptcpinfo run --report as XML; print what it says as JSON

Exits 1 if the page needs anything outside itself, or has anything that acts.
"""
import json
import re
import sys
import xml.etree.ElementTree as ET

HTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
TAGS = {HTML + tag for tag in """html head meta style title body h1 h2 p code table thead
    tbody tfoot tr th td span footer""".split()} | {
        SVG + tag for tag in "svg title path text".split()}
ATTRIBUTES = set("""charset http-equiv content name class style lang role viewBox d fill x y
    text-anchor""".split())


def text(element):
    return "".join(element.itertext())


def area(d):
    """Of the steps of an SVG path."""
    x = y = 0.0
    total = 0.0
    for command, first, second in re.findall(r"([MVHZ])([\d.]*) ?([\d.]*)", d):
        if command == "M":
            x, y = float(first), float(second)
        elif command == "V":
            y = float(first)
        elif command == "H":
            total += (float(first) - x) * -y
            x = float(first)
    return total


root = ET.parse(sys.argv[1]).getroot()
for element in root.iter():
    if element.tag not in TAGS or not ATTRIBUTES.issuperset(element.attrib):
        sys.exit(f"{element.tag} {element.attrib}")
if re.search(r"url\(|@import|://", text(root.find(f".//{HTML}style"))):
    sys.exit("the style refers to something")

charts = {}
for title, svg in zip(
        [h for h in root.iter(HTML + "h2") if text(h) in ("Received", "Sent")],
        root.iter(SVG + "svg")):
    charts[text(title)] = {
        "areas": [area(p.get("d")) for p in svg.iter(SVG + "path") if p.get("fill")],
        "events": [text(p) for p in svg.iter(SVG + "path")
                   if p.get("class", "").startswith("event")],
    }
tables = [[[text(cell) for cell in row] for row in table.iter(HTML + "tr")]
          for table in root.iter(HTML + "table")]
paths = [row for row in (tables[0] if charts else [])[1:]]
print(json.dumps({
    "title": text(root.find(f".//{HTML}title")),
    "head": text(root.find(f".//{HTML}h1")),
    "command": text(root.find(f".//{HTML}code")),
    "charts": charts,
    "paths": [{"path": r[0], "received": int(r[1]), "sent": int(r[2]),
               "percent": int(r[3].split()[0])} for r in paths],
    "events": [row[2] for row in (tables[1] if len(tables) > 1 else [])],
    "notes": [text(p) for p in root.iter(HTML + "p")],
}))
