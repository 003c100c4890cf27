"""Looks at a page in a real Chromium: `browse_page.py BROWSER DRIVER PAGE`.

Narrow and wide, light and dark: whether it scrolls sideways and which text is hard to read; then the console, what was
fetched, and how many pages the printer makes of it.
"""

import base64
import json
import os
import pathlib
import re
import sys
import tempfile

os.environ["SE_OFFLINE"] = "true"
from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import WebDriverException  # noqa: E402

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
# Text whose colour is too near to what lies behind it (WCAG AA: 4.5).
FAINT = """
const channel = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const colour = text => (text.match(/[\\d.]+/g) || []).map(Number);
const behind = e => {
  for (; e; e = e.parentElement) {
    const c = colour(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c;
  }
  return [255, 255, 255];
};
const faint = new Set();
for (const e of document.body.querySelectorAll('*')) {
  if (['TITLE', 'title', 'desc'].includes(e.tagName)) continue;
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  const style = getComputedStyle(e);
  const ink = colour(e instanceof SVGElement ? style.fill : style.color);
  const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faint.add(`${e.tagName} ${e.getAttribute('class')} ${ratio.toFixed(2)}`);
}
return [...faint];
"""


def main(browser, driver, page):
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in [*FLAGS.split(), f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        try:
            chromium = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        except WebDriverException as error:
            return {"cannot": str(error).splitlines()[0]}
        try:
            return look(chromium, pathlib.Path(page).absolute().as_uri())
        finally:
            chromium.quit()


def look(chromium, address):
    views = []
    for width, height in ((360, 800), (1280, 900)):
        for scheme in ("light", "dark"):
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
            chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            chromium.get(address)
            content = chromium.execute_script("return document.documentElement.scrollWidth")
            faint = chromium.execute_script(FAINT)
            views.append({"width": width, "scheme": scheme, "contentWidth": content, "faint": faint})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    pdf = chromium.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pages = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(pdf["data"])))
    events = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    # The browser's own first page asks for things too.
    sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    sent = [params["request"]["url"] for params in sent if params.get("documentURL") == address]
    return {
        "views": views,
        "console": [entry["message"] for entry in chromium.get_log("browser")],
        "requests": sorted({url for url in sent if url != address}),
        # Without this, an empty log would look like silence.
        "loaded": address in sent,
        "pdfPages": pages,
    }


print(json.dumps(main(*sys.argv[1:])))
