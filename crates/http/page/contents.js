// The files of a package: filtered, sorted and a page at a time, for there may be very many.

import { address } from "./api.js";
import { announce, empty, fill, h } from "./dom.js";
import { bytes, count, many } from "./format.js";
import { pager, sortable } from "./table.js";

const COLUMNS = [
  { key: "date", title: "Date", of: (it) => it.date ?? "" },
  { key: "symbol", title: "Symbol", of: (it) => it.symbol },
  { key: "type", title: "Event type", of: (it) => it.eventType },
  { key: "path", title: "File", of: (it) => it.path },
  { key: "format", title: "Format", of: (it) => it.format },
  { key: "records", title: "Records", of: (it) => it.eventCount ?? -1, number: true },
  { key: "size", title: "Size", of: (it) => it.sizeBytes, number: true },
];

/** The table of data files, and the other members below it. */
export function contents(file, listing) {
  const files = listing.files ?? [];
  const others = listing.supplementaryFiles ?? [];
  const place = h("div");
  const words = h("input", { type: "search", id: "find", autocomplete: "off", placeholder: "Part of a path or a date" });
  const symbol = choice("of-symbol", "All symbols", listing.symbols);
  const type = choice("of-type", "All event types", listing.eventTypes);
  const summary = h("p", { class: "soft summary" });
  const table = sortable({
    columns: COLUMNS, order: { key: "date", direction: "ascending" }, label: "Data files", row: (it) => row(file, it),
    classes: "cards-when-narrow files",
  });
  const pages = pager({ size: 100, what: "file", render: (rows) => table.show(rows) });

  function draw() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = files.filter((it) => (!symbol.value || it.symbol === symbol.value) && (!type.value || it.eventType === type.value)
      && wanted.every((word) => it.path.toLowerCase().includes(word) || (it.date ?? "").includes(word)));
    const records = found.reduce((sum, it) => sum + (it.eventCount ?? 0), 0);
    const size = found.reduce((sum, it) => sum + it.sizeBytes, 0);
    summary.textContent = `${many(found.length, "data file")}, ${many(records, "record")}, ${bytes(size)}`;
    if (!found.length) {
      fill(place, empty("No file matches", "Try fewer or other words.", h("button", { type: "button", onclick: clear }, "Show all")));
      return;
    }
    pages.set(table.sort(found));
    fill(place, table.node, pages.node);
  }
  function clear() {
    words.value = symbol.value = type.value = "";
    draw();
    words.focus();
  }
  let timer;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      draw();
      announce(summary.textContent);
    }, files.length > 5000 ? 200 : 60);
  };
  words.addEventListener("input", later);
  symbol.addEventListener("change", later);
  type.addEventListener("change", later);
  table.onorder = draw;
  draw();

  return {
    node: h("div", null,
      h("div", { class: "tools" },
        h("label", { for: "find", class: "hidden" }, "Filter files"), words,
        h("label", { for: "of-symbol", class: "hidden" }, "Symbol"), symbol,
        h("label", { for: "of-type", class: "hidden" }, "Event type"), type,
        summary),
      place,
      others.length ? h("details", { class: "others" }, h("summary", null, `${many(others.length, "other member")}: schemas, scripts, reports`),
        h("ul", { class: "plain columns" }, others.map((path) => h("li", null, member(file, path))))) : null),
  };
}

function choice(id, all, names) {
  return h("select", { id }, h("option", { value: "" }, all), (names ?? []).map((name) => h("option", { value: name }, name)));
}

function member(file, path) {
  return h("a", { href: address.member(file, path), download: path.split("/").pop() }, h("bdi", null, path));
}

function row(file, it) {
  return h("tr", null,
    h("td", { class: "dates", "data-title": "Date" }, it.date ?? "–"),
    h("td", { "data-title": "Symbol" }, h("bdi", null, it.symbol)),
    h("td", { "data-title": "Event type" }, it.eventType),
    h("th", { scope: "row", class: "path" }, member(file, it.path)),
    h("td", { "data-title": "Format" }, it.compressionType && it.compressionType !== "none" ? `${it.format}, ${it.compressionType}` : it.format),
    h("td", { class: "n", "data-title": "Records" }, count(it.eventCount) ?? "–"),
    h("td", { class: "n", "data-title": "Size" }, bytes(it.sizeBytes)));
}
