// The list of packages.

import { address, api } from "./api.js";
import { announce, empty, fill, grade, h } from "./dom.js";
import { bytes, container, count, many, minute, some, span } from "./format.js";
import { onJobs } from "./running.js";
import { jobTitle, jobLine } from "./jobs.js";
import { pager, sortable } from "./table.js";

/** Where a package is looked at. */
export function packageLink(file, view = "") {
  return `#/packages/${encodeURIComponent(file)}${view ? `/${view}` : ""}`;
}

const COLUMNS = [
  { key: "name", title: "Package", of: (it) => (it.name ?? it.fileName).toLowerCase() },
  { key: "grade", title: "Grade", of: (it) => it.qualityGrade ?? "Z" },
  { key: "dates", title: "Dates", of: (it) => it.dateRange?.start ?? "" },
  { key: "symbols", title: "Symbols", of: (it) => it.symbols?.length ?? 0 },
  { key: "events", title: "Records", of: (it) => it.totalEvents ?? -1, number: true },
  { key: "size", title: "Size", of: (it) => it.sizeBytes ?? -1, number: true },
  { key: "format", title: "Format", of: (it) => it.format ?? "" },
  { key: "created", title: "Created", of: (it) => it.createdAt ?? it.modifiedAt ?? "", first: "descending" },
];

/** All packages, with what runs. */
export async function packagesView({ signal, session }) {
  let packages = (await api.packages(signal)).packages ?? [];
  const place = h("div");
  const summary = h("p", { class: "soft summary" });
  const filter = h("input", { type: "search", id: "filter", autocomplete: "off", placeholder: "Name, symbol, type or tag" });
  const tools = h("div", { class: "tools" }, h("label", { for: "filter", class: "hidden" }, "Filter packages"), filter);

  const table = sortable({
    columns: COLUMNS, order: { key: "created", direction: "descending" }, label: "Packages", row: (it) => row(it),
    classes: "cards-when-narrow list",
  });
  const pages = pager({ size: 50, what: "package", render: (rows) => table.show(rows) });
  const draw = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = packages.filter((it) => words.every((word) => haystack(it).includes(word)));
    const total = packages.reduce((sum, it) => sum + (it.sizeBytes ?? 0), 0);
    fill(summary, packages.length ? `${many(packages.length, "package")}, ${bytes(total)}` : "");
    tools.hidden = packages.length < 2;
    if (!packages.length) return fill(place, nothing(session));
    if (!found.length) return fill(place, empty("No package matches", "Try fewer or other words.", h("button", { type: "button", onclick: clear }, "Show all")));
    pages.set(table.sort(found));
    return fill(place, table.node, pages.node);
  };
  const clear = () => {
    filter.value = "";
    draw();
    filter.focus();
  };
  let timer;
  filter.addEventListener("input", () => {
    draw();
    clearTimeout(timer);
    timer = setTimeout(() => announce(`${many(pages.total(), "package")} shown`), 600);
  });
  table.onorder = draw;

  const live = h("div");
  let before = null;
  onJobs(async (jobs) => {
    const active = jobs.filter((job) => job.state === "running" || job.state === "queued");
    fill(live, active.length ? runningNow(active) : null);
    // What ended may have made a package.
    const ended = before !== null && active.length < before;
    before = active.length;
    if (!ended) return;
    const fresh = await api.packages(signal).catch(() => null);
    if (fresh && !signal.aborted) {
      packages = fresh.packages ?? [];
      draw();
    }
  }, signal);

  draw();
  const node = h("div", null,
    h("div", { class: "heading" }, h("div", null, h("h1", null, "Packages"), summary),
      session.readOnly ? null : h("p", { class: "actions" },
        h("a", { class: "button", href: "#/upload" }, "Upload"),
        h("a", { class: "button primary", href: "#/create" }, "Create a package"))),
    live, tools, place);
  return { title: "Packages", node };
}

function haystack(it) {
  return [it.fileName, it.name, it.description, ...(it.symbols ?? []), ...(it.eventTypes ?? []), ...(it.tags ?? [])].join(" ").toLowerCase();
}

function row(it) {
  const link = h("a", { href: packageLink(it.fileName), class: "name" }, h("bdi", null, it.name ?? it.fileName));
  const download = h("a", { href: address.download(it.fileName), download: true, class: "get" }, "Download", h("span", { class: "hidden" }, ` ${it.fileName}`));
  if (it.problem) {
    return h("tr", null,
      h("th", { scope: "row" }, link),
      h("td", { colspan: 4, class: "bad", "data-title": "Problem" }, it.problem),
      h("td", { class: "n", "data-title": "Size" }, bytes(it.sizeBytes) ?? "–"),
      h("td"),
      h("td", { "data-title": "Changed" }, minute(it.modifiedAt)),
      h("td", { class: "last" }, download));
  }
  const tags = it.tags?.length ? h("span", { class: "tags" }, it.tags.map((tag) => h("span", { class: "tag" }, h("bdi", null, tag)))) : null;
  return h("tr", null,
    h("th", { scope: "row" }, link, it.description ? h("span", { class: "small" }, h("bdi", null, it.description)) : null,
      h("span", { class: "small file" }, h("bdi", null, it.fileName)), tags),
    h("td", { "data-title": "Grade" }, grade(it.qualityGrade)),
    h("td", { class: "dates range", "data-title": "Dates" }, dates(it.dateRange)),
    h("td", { class: "range", "data-title": "Symbols" }, some(it.symbols, 2), h("span", { class: "small" }, some(it.eventTypes, 2))),
    h("td", { class: "n", "data-title": "Records" }, count(it.totalEvents) ?? "–", h("span", { class: "small" }, many(it.totalFiles ?? 0, "file"))),
    h("td", { class: "n", "data-title": "Size" }, bytes(it.sizeBytes) ?? "–"),
    h("td", { "data-title": "Format" }, container(it.format)),
    h("td", { class: "dates", "data-title": "Created" }, minute(it.createdAt ?? it.modifiedAt)),
    h("td", { class: "last" }, download));
}

function dates(range) {
  if (!range) return "–";
  const days = range.tradingDays ? h("span", { class: "small" }, `${many(range.tradingDays, "day")} with data`) : null;
  return [span(range), days];
}

function nothing(session) {
  if (session.readOnly) return empty("There are no packages yet", "This server is read only; put packages into its directory.");
  return empty("There are no packages yet", "Create one from the data that lies in the data root, or upload one that you have.",
    h("a", { class: "button primary", href: "#/create" }, "Create a package"),
    h("a", { class: "button", href: "#/upload" }, "Upload one"));
}

function runningNow(jobs) {
  return h("section", { class: "running", "aria-labelledby": "running-now" },
    h("h2", { id: "running-now" }, "Running now"),
    h("ul", null, jobs.map((job) => h("li", null, h("a", { href: `#/jobs/${job.id}` }, jobTitle(job)), " ", h("span", { class: "soft" }, jobLine(job))))));
}
