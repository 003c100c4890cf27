// One package: what it is, and its views.

import { address, api } from "./api.js";
import { announce, facts, grade, h } from "./dom.js";
import { bytes, container, count, many, minute, some, span } from "./format.js";
import { contents } from "./contents.js";
import { confirmed } from "./dialog.js";
import { importForm, validateForm } from "./operate.js";
import { packageLink } from "./packages.js";
import { problemBox } from "./problem.js";
import { quality } from "./quality.js";

// The listing that was read last: going from view to view of a package reads it once.
let kept = { file: null, listing: null };

async function listingOf(file, signal) {
  if (kept.file !== file) kept = { file, listing: await api.contents(file, signal) };
  return kept.listing;
}

const LAYOUTS = { ByDate: "by date", BySymbol: "by symbol", ByType: "by event type", Flat: "flat" };

/** A package with one of its views: contents, quality, validate or import. */
export async function packageView({ parts: [file, view = "contents"], signal, session }) {
  let listing = null;
  let problem = null;
  if (view === "contents") kept = { file: null, listing: null };
  try {
    listing = await listingOf(file, signal);
  } catch (error) {
    if (signal.aborted || error.status === 404 || error.status === 401 || !error.status) throw error;
    // A damaged package cannot be listed, but it can be checked, fetched and deleted.
    problem = error;
  }
  const tabs = [["contents", "Contents", ""], ["quality", "Quality", "quality"], ["validate", "Validate", "validate"]];
  if (!session.readOnly) tabs.push(["import", "Import", "import"]);
  const shown = await body({ file, view, listing, problem, signal, session });
  const title = listing?.name ?? file;
  const node = h("div", { class: "package" },
    h("p", { class: "crumbs" }, h("a", { href: "#/" }, "Packages")),
    h("div", { class: "heading" },
      h("div", null, h("h1", null, h("bdi", null, title)),
        listing?.description ? h("p", null, h("bdi", null, listing.description)) : null,
        h("p", { class: "soft file" }, h("bdi", null, file))),
      actions(file, listing, session)),
    listing ? overview(listing) : null,
    h("nav", { class: "tabs", "aria-label": "Views of this package" }, h("ul", null, tabs.map(([name, text, route]) =>
      h("li", null, h("a", { href: packageLink(file, route), "aria-current": name === view ? "page" : null }, text))))),
    shown.node);
  const word = tabs.find(([name]) => name === view)?.[1] ?? "";
  return { title: `${word}: ${title}`, node, shown: shown.shown };
}

async function body({ file, view, listing, problem, signal, session }) {
  if (view === "validate") return validateForm(file);
  if (problem) return { node: problemBox(problem) };
  if (view === "quality") return quality(file, signal);
  if (view === "import") return session.readOnly ? { node: h("p", null, "This server is read only.") } : importForm(file);
  return contents(file, listing);
}

function overview(listing) {
  const range = listing.dateRange;
  const unpacked = bytes(listing.uncompressedSizeBytes);
  return facts([
    ["Quality", grade(listing.qualityGrade)],
    ["Dates", range ? two(span(range), `${count(range.tradingDays)} of ${many(range.calendarDays, "day")} with data`) : null],
    ["Records", two(count(listing.totalEvents), `in ${many(listing.totalFiles, "file")}`)],
    ["Symbols", names(listing.symbols)],
    ["Event types", names(listing.eventTypes)],
    ["Sources", names(listing.sources)],
    ["Size", two(bytes(listing.packageSizeBytes), unpacked && `${unpacked} unpacked`)],
    ["Format", two(container(listing.format), LAYOUTS[listing.layout])],
    ["Created", minute(listing.createdAt)],
    ["Tags", listing.tags?.length ? listing.tags.join(", ") : null],
  ], { class: "facts overview" });
}

/** A value, and below it in small what belongs to it. */
function two(value, below) {
  return below ? [value, h("span", { class: "small" }, below)] : value;
}

/** One or two names as they are; of more, how many, and some of them. */
function names(all) {
  if (!all?.length) return null;
  return all.length < 3 ? all.join(", ") : two(count(all.length), some(all, 4));
}

function actions(file, listing, session) {
  const folder = listing?.format === "Folder";
  const gzipped = listing?.format === "TarGz";
  return h("p", { class: "actions" },
    folder ? null : h("a", { class: "button primary", href: address.download(file), download: true, id: "download" }, "Download"),
    gzipped || !listing ? null : h("a", { class: folder ? "button primary" : "button", href: address.tarGz(file), download: true }, folder ? "Download as TAR.GZ" : "As TAR.GZ"),
    session.readOnly ? null : h("button", { type: "button", class: "danger", onclick: () => remove(file, listing) }, "Delete…"));
}

async function remove(file, listing) {
  const size = listing ? `${bytes(listing.packageSizeBytes)}, ${many(listing.totalFiles, "data file")}. ` : "";
  const gone = await confirmed({
    title: `Delete ${file}?`,
    text: `${size}The package is deleted from the server, with its checksum and signature. This cannot be undone. Data that was imported from it stays.`,
    action: "Delete",
    act: () => api.remove(file),
  });
  if (!gone) return;
  kept = { file: null, listing: null };
  location.hash = "#/";
  announce(`${file} is deleted`);
}
