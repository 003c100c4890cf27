"""Uses a server's page in a real Chromium:

    browse_server.py BASE_URL OUT_DIR BROWSER SECOND_PACKAGE LARGE_PACKAGE BULK_SYMBOL [TOKEN_URL TOKEN READ_ONLY_URL]

The same journey twice, by mouse and by keyboard alone: create, list, contents, quality, validate, import, upload, download,
delete, until the list is empty again. A creation of BULK_SYMBOL must take long enough to be seen, outlive a reload and be
cancelled; LARGE_PACKAGE must take several requests to upload, and has its upload broken off and resumed. In between every
view is looked at, narrow and wide, light and dark. Prints what was found as JSON; downloads and
screenshots go to OUT_DIR.
"""

import json
import pathlib
import re
import sys
import urllib.parse

import axe_playwright_python
from playwright.sync_api import Error, expect, sync_playwright

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
AXE = pathlib.Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
# How long anything may take; a slow machine with a debug build is no failure.
PATIENCE = 60_000
MOST_TABS = 150

# What is wrong for those who do not see the page as it is drawn: only what keeps somebody from using it.
RUN_AXE = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .filter(v => v.impact === "serious" || v.impact === "critical")
  .map(v => `${v.id}: ${v.nodes.slice(0, 4).map(n => n.target.join(" ") + " " + n.failureSummary).join("; ")}`)"""
FOCUS = """() => {
  const e = document.activeElement;
  // What has the focus without being a stop of Tab was given it by the page, while the key was on its way.
  if (!e || e === document.body || e.tabIndex < 0) return null;
  const seen = e.matches("input[type=file]") ? e.nextElementSibling : e;
  const style = getComputedStyle(seen);
  const labels = e.labels ? [...e.labels].map(l => l.textContent).join(" ") : "";
  return {
    id: e.id, tag: e.tagName, type: e.type ?? "", value: e.value ?? "", href: e.getAttribute("href") ?? "",
    name: (e.getAttribute("aria-label") || labels || e.textContent || "").trim(),
    ringed: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
  };
}"""


class Watch:
    """What a context did that it should not have done."""

    def __init__(self, context, *homes):
        self.console, self.refused, self.elsewhere, self.asked = [], [], set(), 0
        self.homes = homes
        context.on("console", self.said)
        context.on("weberror", lambda error: self.console.append(str(error.error)))
        context.on("request", self.sent)
        context.on("response", self.answered)

    def said(self, message):
        # The browser's own line about an answer that is an error: those are counted by themselves.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.console.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def sent(self, request):
        self.asked += 1
        if not request.url.startswith((*self.homes, "blob:", "data:", "about:")):
            self.elsewhere.add(request.url)

    def answered(self, response):
        if response.status >= 400:
            path = urllib.parse.urlsplit(response.url).path
            self.refused.append(f"{response.status} {response.request.method} {path}")

    def found(self):
        return {"console": self.console, "refused": self.refused, "elsewhere": sorted(self.elsewhere), "asked": self.asked}


class Mouse:
    """Uses what is seen by pressing on it."""

    word = "mouse"

    def __init__(self, page):
        self.page = page

    def link(self, name):
        self.page.get_by_role("link", name=name).first.click()

    def button(self, name):
        self.page.get_by_role("button", name=name).first.click()

    def tick(self, name):
        self.page.get_by_role("checkbox", name=name).first.check()

    def write(self, label, text):
        self.page.get_by_label(label).first.fill(text)

    def date(self, label, day):
        self.page.get_by_label(label).first.fill(day)

    def choose(self, label, option):
        self.page.get_by_label(label).first.select_option(label=option)

    def open(self, name):
        self.page.locator("summary", has_text=name).click()

    def files(self, *paths):
        with self.page.expect_file_chooser() as chosen:
            self.page.get_by_text("Choose files").click()
        chosen.value.set_files([str(path) for path in paths])


class Keyboard:
    """Uses it without ever touching the mouse: from one stop of Tab to the next, each of which must be seen."""

    word = "keyboard"

    def __init__(self, page):
        self.page = page
        self.unseen = set()

    def to(self, what, wanted):
        stops = []
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(FOCUS)
            if stop is None:
                continue
            if not stop["ringed"]:
                self.unseen.add(f"{stop['tag']} {stop['name'][:40]}")
            if wanted(stop):
                return stop
            stops.append(stop["name"][:30])
        raise AssertionError(f"Tab never comes to {what}: {stops}")

    def named(self, name, *tags):
        fits = name.search if isinstance(name, re.Pattern) else lambda text: text and name in text
        return self.to(name, lambda stop: stop["tag"] in tags and fits(stop["name"]))

    def press(self, key):
        self.page.keyboard.press(key)

    def link(self, name):
        self.named(name, "A")
        self.press("Enter")

    def button(self, name):
        self.named(name, "BUTTON")
        self.press("Enter")

    def tick(self, name):
        self.named(name, "INPUT")
        self.press("Space")

    def write(self, label, text):
        self.named(label, "INPUT", "TEXTAREA")
        self.page.keyboard.type(text)

    def date(self, label, day):
        year, month, date = day.split("-")
        self.named(label, "INPUT")
        self.page.keyboard.type(f"{month}{date}{year}")
        assert self.page.evaluate(FOCUS)["value"] == day

    def choose(self, label, option):
        self.named(label, "SELECT")
        self.page.keyboard.type(option)

    def open(self, name):
        self.named(name, "SUMMARY")
        self.press("Enter")

    def files(self, *paths):
        self.to("the choice of files", lambda stop: stop["type"] == "file")
        with self.page.expect_file_chooser() as chosen:
            self.press("Space")
        chosen.value.set_files([str(path) for path in paths])


class Journey:
    """From an empty list to an empty list."""

    def __init__(self, page, hand, base, out, second, bulk):
        self.page, self.hand, self.base, self.out = page, hand, base, out
        self.second, self.bulk = pathlib.Path(second), bulk

    def heading(self, text):
        expect(self.page.locator("h1")).to_contain_text(text, timeout=PATIENCE)

    def packages(self):
        self.hand.link("Packages")
        self.heading("Packages")

    def ended(self, state, word):
        expect(self.page.locator(".state-word").first).to_have_text(state, timeout=PATIENCE)
        expect(self.page.locator("h1")).to_contain_text(word)

    def run(self, looked=None):
        page, hand = self.page, self.hand
        page.goto(self.base)
        self.heading("Packages")
        expect(page.get_by_text("There are no packages yet")).to_be_visible()
        if looked:
            looked("empty")
        self.interrupted()
        file = self.create()
        self.packages()
        row = page.get_by_role("row").filter(has_text=file)
        expect(row).to_contain_text("AAPL")
        expect(row).to_contain_text("2024-01-03")
        self.look_into(file)
        self.validate()
        self.unpack(file)
        self.upload()
        download = self.fetch()
        if looked:
            looked("full", file)
        self.delete(self.second.name, f"uploaded-{hand.word}")
        self.packages()
        hand.link(re.compile(f"journey-{hand.word}"))
        self.heading(f"journey-{hand.word}")
        self.delete(file, f"journey-{hand.word}")
        expect(page.get_by_text("There are no packages yet")).to_be_visible()
        return {"file": file, "download": download}

    def interrupted(self):
        """A long creation: its progress moves, it is still there after a reload, and it can be cancelled."""
        page, hand = self.page, self.hand
        hand.link("Create")
        self.heading("Create a package")
        hand.tick(re.compile(f"^{self.bulk}"))
        hand.write("Name", f"bulk-{hand.word}")
        hand.open("More options")
        hand.choose("Compression", "Maximum")
        hand.button("Create the package")
        self.heading(f"Creating bulk-{hand.word}")
        moved = "() => { const bar = document.querySelector('progress'); return bar && bar.value > 0 && bar.value < 1; }"
        page.wait_for_function(moved, timeout=PATIENCE)
        asked = page.evaluate("async () => (await (await fetch('api/jobs')).json()).jobs[0].request")
        page.screenshot(path=self.out / f"progress-{hand.word}.png")
        expect(page.locator(".progress .line")).to_have_text(re.compile(r"^\d+ of 12 files, [\d.]+ .?B of [\d.]+ MB$"))
        assert asked["symbols"] == [self.bulk] and asked["compressionLevel"] in ("max", "maximum"), asked
        page.reload()
        self.heading(f"Creating bulk-{hand.word}")
        page.wait_for_function(moved, timeout=PATIENCE)
        page.goto(self.base)
        # Another view finds it, too.
        hand.link(re.compile(f"^Creating bulk-{hand.word}"))
        self.heading(f"Creating bulk-{hand.word}")
        hand.button("Cancel")
        self.ended("Cancelled", f"bulk-{hand.word}")
        # Whoever does not see the page is told as well.
        expect(page.locator("#announcer")).to_contain_text("Cancelled")

    def create(self):
        page, hand = self.page, self.hand
        hand.link("Create")
        self.heading("Create a package")
        hand.tick(re.compile("^AAPL"))
        hand.tick(re.compile("^Trade"))
        hand.date("First day", "2024-01-03")
        hand.date("Last day", "2024-01-04")
        expect(page.locator(".sum")).to_contain_text("1 symbol")
        hand.write("Name", f"journey-{hand.word}")
        hand.open("More options")
        hand.tick("DuckDB")
        hand.write("Tags", "journey, page")
        with page.expect_request(lambda request: request.method == "POST" and "/create" in request.url) as sent:
            hand.button("Create the package")
        asked = sent.value.post_data_json
        for name, value in {
            "symbols": ["AAPL"], "eventTypes": ["Trade"], "startDate": "2024-01-03", "endDate": "2024-01-04",
            "importScripts": ["duckdb"], "tags": ["journey", "page"], "format": "zip", "verifyChecksums": True,
        }.items():
            assert asked[name] == value, asked
        self.ended("Done", f"Creating journey-{hand.word}")
        expect(page.locator(".result")).to_contain_text("every checksum is right")
        return page.locator(".result bdi").first.inner_text()

    def look_into(self, file):
        page, hand = self.page, self.hand
        hand.link(re.compile(f"journey-{hand.word}"))
        self.heading(f"journey-{hand.word}")
        rows = page.locator("table.files tbody tr")
        expect(rows.first).to_be_visible()
        # One file a day; where the other hand was here before, also those that it imported.
        both = rows.count()
        hand.write("Filter files", "2024-01-04")
        expect(rows).to_have_count(both // 2)
        hand.link("Quality")
        frame = page.frame_locator("iframe.quality")
        expect(frame.locator("h1")).to_contain_text(f"journey-{hand.word}", timeout=PATIENCE)
        # The frame has grown with the page in it: nothing is cut off, and there is one scroll bar.
        page.wait_for_function(
            "() => { const f = document.querySelector('iframe.quality'), d = f.contentDocument?.documentElement;"
            " return d && d.scrollHeight <= f.clientHeight + 1; }", timeout=PATIENCE)
        assert file in page.locator(".file").first.inner_text()

    def validate(self):
        page, hand = self.page, self.hand
        hand.link("Validate")
        expect(page.get_by_role("button", name="Validate")).to_be_visible()
        hand.tick("Look into every record")
        hand.button("Validate")
        self.ended("Done", "Checking")
        expect(page.locator(".verdict")).to_contain_text("The package is valid")
        expect(page.locator(".result")).to_contain_text("records were counted again")
        hand.link("Show the package")
        self.heading(f"journey-{hand.word}")

    def unpack(self, file):
        page, hand = self.page, self.hand
        hand.link("Import")
        expect(page.get_by_role("button", name="Import")).to_be_visible()
        hand.write("Destination", f"imported/{hand.word}")
        hand.tick("Merge with files")
        hand.button("Import")
        self.ended("Done", "Importing")
        expect(page.locator(".result")).to_contain_text(f"imported/{hand.word}")
        # A place outside the data root is refused, in words, and the form keeps what was typed.
        page.go_back()
        expect(page.get_by_role("button", name="Import")).to_be_visible()
        hand.write("Destination", "../outside")
        hand.button("Import")
        expect(page.locator("form [role=alert]")).to_contain_text("no such place below the data root")
        assert page.get_by_label("Destination").input_value() == "../outside"

    def upload(self):
        page, hand = self.page, self.hand
        hand.link("Upload")
        self.heading("Upload packages")
        hand.files(self.second)
        expect(page.get_by_text("uploaded", exact=False).first).to_be_visible(timeout=PATIENCE)
        hand.link("Show the package")
        self.heading("uploaded-elsewhere")

    def fetch(self):
        page, hand = self.page, self.hand
        with page.expect_download() as download:
            hand.link(re.compile("^Download$"))
        to = self.out / f"{hand.word}-{download.value.suggested_filename}"
        download.value.save_as(to)
        with page.expect_download() as download:
            hand.link("As TAR.GZ")
        again = self.out / f"{hand.word}-{download.value.suggested_filename}"
        download.value.save_as(again)
        return [to.name, again.name]

    def delete(self, file, _):
        page, hand = self.page, self.hand
        hand.button("Delete…")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text(file)
        # The harmless answer first: nothing happens, and the focus is back where it was.
        hand.button("Keep it")
        expect(dialog).to_have_count(0)
        assert page.evaluate(FOCUS)["name"] == "Delete…"
        hand.button("Delete…") if hand.word == "mouse" else hand.press("Enter")
        hand.button(re.compile("^Delete$"))
        self.heading("Packages")
        expect(page.get_by_role("row").filter(has_text=file)).to_have_count(0)


class Look:
    """Every view, narrow and wide, light and dark."""

    def __init__(self, browser, base, out):
        self.browser, self.base, self.out = browser, base, out
        self.views, self.watches = [], []

    def at(self, name, route, ready="h1", then=None, base=None):
        for width, height in ((360, 800), (1280, 900)):
            for scheme in ("light", "dark"):
                context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-US")
                watch = Watch(context, base or self.base)
                page = context.new_page()
                page.goto((base or self.base) + route)
                expect(page.locator(ready).first).to_be_visible(timeout=PATIENCE)
                if then:
                    then(page)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=self.out / f"{name}-{width}-{scheme}.png", full_page=True)
                # Evaluated by the browser's own hand, so that the page's policy stays as it is.
                page.evaluate(AXE)
                self.views.append({
                    "name": name, "width": width, "scheme": scheme,
                    "contentWidth": page.evaluate("document.documentElement.scrollWidth"),
                    "axe": page.evaluate(RUN_AXE),
                    "title": page.title(), "headings": page.locator("h1").count(),
                })
                self.watches.append(watch.found())
                context.close()

    def empty(self):
        self.at("empty", "#/", ".empty")
        self.at("nothing", "#/nowhere", ".empty")

    def full(self, file):
        package = f"#/packages/{file}"
        self.at("packages", "#/", "tbody tr")
        self.at("create", "#/create", "form")
        self.at("create-more", "#/create", "form", lambda page: page.locator("summary").click())
        self.at("upload", "#/upload", ".drop")
        self.at("activity", "#/jobs", "tbody tr")
        self.at("contents", package, "tbody tr")
        self.at("quality", f"{package}/quality", "iframe", lambda page: page.frame_locator("iframe").locator("h2").first.wait_for())
        self.at("validate", f"{package}/validate", "form")
        self.at("import", f"{package}/import", "form", lambda page: (page.get_by_role("checkbox", name="Merge").check(), page.locator("summary").click()))
        self.at("delete", package, "tbody tr", lambda page: page.get_by_role("button", name="Delete").click())
        self.at("problem", "#/packages/nowhere.zip", "[role=alert]")
        context = self.browser.new_context()
        jobs = context.request.get(f"{self.base}api/jobs").json()["jobs"]
        context.close()
        for kind in ("create", "validate", "import"):
            done = next(job for job in jobs if job["kind"] == kind and job["state"] == "succeeded")
            self.at(f"job-{kind}", f"#/jobs/{done['id']}", ".result")


def resumed(browser, base, out, large):
    """An upload whose connection breaks off, and that goes on after a reload when the same file is chosen again."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("filechooser", lambda _: None)
    # The page asks whether one really wants to leave an upload.
    page.on("dialog", lambda dialog: dialog.accept())
    offsets = []

    def break_off(route):
        offset = int(route.request.headers["upload-offset"])
        if route.request.method == "PATCH" and offset > 0:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.on("request", lambda request: offsets.append(request.headers["upload-offset"]) if request.method == "PATCH" else None)
    pattern = re.compile("/api/packaging/upload/")
    page.route(pattern, lambda route: break_off(route) if route.request.method == "PATCH" else route.continue_())
    page.goto(base + "#/upload")
    Mouse(page).files(large)
    # Some attempts are made without anybody's doing; then it says what is wrong.
    expect(page.locator("[role=alert]")).to_contain_text("The server does not answer", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    attempts = len(offsets)
    page.reload()
    expect(page.get_by_role("heading", name="Not finished")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(large.name, exact=True).first).to_be_visible()
    page.unroute(pattern)
    offsets.clear()
    Mouse(page).files(large)
    expect(page.get_by_role("link", name="Show the package")).to_be_visible(timeout=PATIENCE)
    with page.expect_download() as download:
        page.evaluate("name => { location.href = `api/packaging/download/${name}`; }", large.name)
    download.value.save_as(out / f"resumed-{large.name}")
    page.reload()
    expect(page.locator("h1")).to_have_text("Upload packages")
    left = page.get_by_text("Not finished").count()
    context.request.delete(f"{base}api/packaging/{large.name}")
    context.close()
    return {"file": f"resumed-{large.name}", "attempts": attempts, "resumedAt": int(offsets[0]), "left": left}


def dropped(browser, base):
    """A file that is dropped on the list of packages is uploaded; this one is no package, and the server says so."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(base)
    expect(page.locator("h1")).to_have_text("Packages")
    page.evaluate("""() => {
      const files = new DataTransfer();
      files.items.add(new File(["<b>no package</b>"], "broken.zip"));
      for (const type of ["dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
      }
    }""")
    expect(page.locator("h1")).to_have_text("Upload packages")
    expect(page.locator("[role=alert]")).to_be_visible()
    told = page.locator("[role=alert]").inner_text()
    page.reload()
    expect(page.locator("h1")).to_have_text("Upload packages")
    left = page.get_by_text("Not finished").count()
    context.close()
    return {"told": told, "left": left}


def guarded(browser, look, base, token):
    """A server with a token: signing in with a wrong one, with the right one, and out again."""
    look.at("sign-in", "", "#token", base=base)
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(base + "#/create")
    field = page.get_by_label("Token")
    field.fill("not-the-right-token")
    field.press("Enter")
    expect(page.locator("[role=alert]")).to_contain_text("This is not the token", timeout=PATIENCE)
    field.fill(token)
    field.press("Enter")
    # It leads to where one wanted to go, and a reload keeps it.
    expect(page.locator("h1")).to_have_text("Create a package", timeout=PATIENCE)
    page.reload()
    expect(page.locator("h1")).to_have_text("Create a package", timeout=PATIENCE)
    cookies = context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible(timeout=PATIENCE)
    context.close()
    return {"scriptsSeeCookie": not all(cookie["httpOnly"] for cookie in cookies), "cookies": len(cookies)}


def read_only(browser, look, base):
    """A server that changes nothing offers nothing that would change something."""
    look.at("read-only", "", ".empty", base=base)
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(base)
    expect(page.get_by_text("Read only", exact=True)).to_be_visible(timeout=PATIENCE)
    offered = [word for word in ("Create", "Upload") if page.get_by_role("link", name=word).count()]
    page.goto(base + "#/create")
    expect(page.locator("h1")).to_have_text("This server is read only", timeout=PATIENCE)
    context.close()
    return {"offered": offered}


def main(base, out, browser_path, second, large, bulk, token_url=None, token=None, read_only_url=None):
    out = pathlib.Path(out)
    found = {"journeys": {}}
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS.split())
        except Error as error:
            return {"cannot": str(error).splitlines()[0]}
        look = Look(browser, base, out)
        for hand_kind in (Mouse, Keyboard):
            context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US", accept_downloads=True)
            watch = Watch(context, base)
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            # From the beginning: a chooser that opens before the browser knows that it is waited for is lost.
            page.on("filechooser", lambda _: None)
            hand = hand_kind(page)
            looked = (lambda name, *rest: getattr(look, name)(*rest)) if hand_kind is Mouse else None
            try:
                told = Journey(page, hand, base, out, second, bulk).run(looked)
            except Exception:
                page.screenshot(path=out / f"failed-{hand.word}.png")
                print(f"{page.url}\n{page.locator('body').inner_text()}\n{watch.found()}", file=sys.stderr)
                raise
            found["journeys"][hand.word] = {**told, **watch.found(), "unseenFocus": sorted(getattr(hand, "unseen", []))}
            context.close()
        found["resumed"] = resumed(browser, base, out, pathlib.Path(large))
        found["dropped"] = dropped(browser, base)
        if token_url:
            found["guarded"] = guarded(browser, look, token_url, token)
            found["readOnly"] = read_only(browser, look, read_only_url)
        found["views"] = look.views
        found["lookedConsole"] = sorted({text for watch in look.watches for text in watch["console"]})
        found["lookedElsewhere"] = sorted({url for watch in look.watches for url in watch["elsewhere"]})
        browser.close()
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
