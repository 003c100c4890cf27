"""Reads a page as browsers do, and says what is wrong with it: `check_page.py PAGE`."""

import json
import re
import sys

import html5lib

SVG = "{http://www.w3.org/2000/svg}"
HTML = "{http://www.w3.org/1999/xhtml}"

text = open(sys.argv[1], encoding="utf-8").read()
parser = html5lib.HTMLParser()
tree = parser.parse(text)
root = list(tree.iter())


def named(svg):
    """Whether a drawing has a role with a title and a description, or says that it is decoration."""
    if svg.get("aria-hidden") == "true":
        return True
    children = {child.tag for child in svg}
    return svg.get("role") == "img" and {SVG + "title", SVG + "desc"} <= children


tables = [element for element in root if element.tag == HTML + "table"]
ids = [element.get("id") for element in root if element.get("id")]
errors = [f"{code} at {place}" for place, code, _ in parser.errors]
errors += [f"id {name} twice" for name in set(ids) if ids.count(name) > 1]
for element in root:
    for attribute in ("aria-labelledby", "aria-describedby"):
        errors += [f"no {name}" for name in (element.get(attribute) or "").split() if name not in ids]
print(json.dumps({
    "errors": errors,
    "scripts": sum(element.tag in (HTML + "script", SVG + "script") for element in root),
    "unnamedDrawings": sum(not named(element) for element in root if element.tag == SVG + "svg"),
    "tablesWithoutHeaders": sum(not any(e.tag == HTML + "th" and e.get("scope") for e in t.iter()) for t in tables),
    "headings": [int(m.group(1)) for e in root if isinstance(e.tag, str) and (m := re.fullmatch(r"\{.*\}h(\d)", e.tag))],
}))
