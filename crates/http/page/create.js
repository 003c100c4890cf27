// Making a package out of what the data root has.

import { api } from "./api.js";
import { empty, h } from "./dom.js";
import { bytes, many } from "./format.js";
import { field, filled, select, sending, text } from "./fields.js";
import { moreOptions } from "./options.js";
import { picker } from "./picker.js";
import { problemPlace } from "./problem.js";

/** The form, offering the symbols, event types and days that are there. */
export async function createView({ signal }) {
  const data = await api.data(signal);
  const title = "Create a package";
  if (!data.totalFiles) {
    return {
      title,
      node: h("div", null, h("h1", null, title),
        empty("The data root has no data files", "Let a collector write there, or import a package; then come back.",
          h("a", { class: "button", href: "#/" }, "Show the packages"))),
    };
  }
  const problem = problemPlace();
  const sum = h("p", { class: "sum", role: "status" });
  const symbols = picker({
    legend: "Symbols", one: "symbol", onchange: () => estimate(),
    items: data.symbols.map((it) => ({ value: it.symbol, note: [(it.eventTypes ?? []).join(", "), bytes(it.bytes)].filter(Boolean).join(" · ") })),
  });
  const types = picker({
    legend: "Event types", one: "event type", onchange: () => estimate(),
    items: data.eventTypes.map((value) => ({ value, note: many(data.symbols.filter((it) => it.eventTypes?.includes(value)).length, "symbol") })),
  });
  const limits = { onchange: () => estimate() };
  const from = h("input", { type: "date", id: "from", ...limits });
  const to = h("input", { type: "date", id: "to", ...limits });
  const name = text({ id: "name", maxlength: "200" });
  const description = h("textarea", { id: "description", rows: 5 });
  const format = select([["zip", "ZIP"], ["tar.gz", "TAR.GZ"]], { id: "format" });
  const more = moreOptions();
  const button = h("button", { type: "submit", class: "primary" }, "Create the package");

  /** What the choice reaches at most; days within a symbol are known only as a span. */
  function matching() {
    const [wanted, kinds] = [new Set(symbols.chosen()), new Set(types.chosen())];
    return data.symbols.filter((it) => (!wanted.size || wanted.has(it.symbol))
      && (!kinds.size || (it.eventTypes ?? []).some((type) => kinds.has(type)))
      && (data.undatedFiles || !(from.value && it.lastDate && it.lastDate < from.value) && !(to.value && it.firstDate && it.firstDate > to.value)));
  }
  function estimate() {
    to.setCustomValidity(from.value && to.value && to.value < from.value ? "The last day is before the first." : "");
    const rows = matching();
    const total = (key) => rows.reduce((all, it) => all + (it[key] ?? 0), 0);
    const whole = !symbols.chosen().length && !types.chosen().length && !from.value && !to.value;
    if (whole) sum.textContent = `Everything: ${many(data.symbols.length, "symbol")}, ${many(data.totalFiles, "file")}, ${bytes(data.totalBytes)}.`;
    else if (rows.length) sum.textContent = `At most ${many(total("files"), "file")} of ${many(rows.length, "symbol")}, ${bytes(total("bytes"))}.`;
    else sum.textContent = "Nothing in the data root matches this choice.";
  }
  const submit = sending(problem, button, async () => {
    const job = await api.start("create", filled({
      name: name.value.trim(), description: description.value.trim(),
      symbols: symbols.chosen(), eventTypes: types.chosen(), startDate: from.value, endDate: to.value,
      format: format.value, ...more.values(),
    }));
    location.hash = `#/jobs/${encodeURIComponent(job.id)}`;
  });
  estimate();
  const undated = data.undatedFiles ? ` ${many(data.undatedFiles, "file")} without a date in the name may span other days.` : "";
  const days = `${data.firstDate ? `Files are dated ${data.firstDate} to ${data.lastDate}.${undated} ` : ""}Empty for all days.`;
  const form = h("form", { class: "create", onsubmit: submit },
    problem.node,
    h("section", { class: "panel", "aria-labelledby": "what" }, h("h2", { id: "what" }, "Data"),
      h("p", { class: "soft" }, "Where nothing is ticked, everything goes in."),
      symbols.node, types.node,
      h("fieldset", null, h("legend", { class: "hidden" }, "Days"),
        h("div", { class: "pair" }, field("First day", from), field("Last day", to)),
        h("p", { class: "hint" }, days))),
    h("section", { class: "panel", "aria-labelledby": "how" }, h("h2", { id: "how" }, "Package"),
      h("div", { class: "pair" }, field("Name", name, "Begins the file's name. Empty for one with today's date."), field("Format", format)),
      field("Description", description)),
    h("details", { class: "more panel" }, h("summary", null, "More options"), more.node),
    h("div", { class: "send" }, sum, h("p", { class: "actions" }, h("a", { class: "button", href: "#/" }, "Back"), button)));
  const skipped = data.skipped ? h("p", { class: "soft" }, `${many(data.skipped, "file")} in the data root cannot be packed: not market data, or not readable.`) : null;
  return { title, node: h("div", null, h("h1", null, title), skipped, form) };
}
