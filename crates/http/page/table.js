// Tables that are sorted by a press on a heading, and that show a page of many rows at a time.

import { announce, fill, focusOn, h } from "./dom.js";
import { count } from "./format.js";

/**
 * A table with sortable columns `{ key, title, of, number?, first? }`; `row` makes a row's element.
 * `sort` orders rows by the column chosen, `show` draws them, and `onorder` is called when another is chosen.
 */
export function sortable({ columns, order, label, row, classes = "" }) {
  const body = h("tbody");
  const heads = columns.map((column) => {
    const button = h("button", { type: "button", class: "sort", onclick: () => choose(column) }, column.title);
    return h("th", { scope: "col", class: column.number ? "n" : null }, button);
  });
  const table = {
    node: h("div", { class: "scroll" },
      h("table", { class: classes || null, "aria-label": label }, h("thead", null, h("tr", null, heads, h("td"))), body)),
    onorder: () => {},
    sort(rows) {
      const column = columns.find(({ key }) => key === order.key) ?? columns[0];
      const sign = order.direction === "ascending" ? 1 : -1;
      const keyed = rows.map((it) => [column.of(it), it]);
      keyed.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0));
      return keyed.map(([, it]) => it);
    },
    show(rows) {
      fill(body, rows.map(row));
    },
  };
  function choose(column) {
    const other = order.direction === "ascending" ? "descending" : "ascending";
    order = { key: column.key, direction: order.key === column.key ? other : column.first ?? (column.number ? "descending" : "ascending") };
    mark();
    table.onorder();
    announce(`Sorted by ${column.title}, ${order.direction}`);
  }
  function mark() {
    columns.forEach((column, i) => {
      if (column.key === order.key) heads[i].setAttribute("aria-sort", order.direction);
      else heads[i].removeAttribute("aria-sort");
    });
  }
  mark();
  return table;
}

/** Shows `size` rows at a time, with buttons to go through them where there are more. */
export function pager({ size, what, render }) {
  let rows = [];
  let page = 0;
  const place = h("p", { class: "place", tabindex: "-1" });
  const button = (text, go) => h("button", { type: "button", onclick: () => turn(go()) }, text);
  const last = () => Math.max(0, Math.ceil(rows.length / size) - 1);
  const first = button("First", () => 0);
  const before = button("Previous", () => page - 1);
  const next = button("Next", () => page + 1);
  const end = button("Last", () => last());
  const node = h("nav", { class: "pager", "aria-label": `Pages of ${what}s` }, first, before, place, next, end);
  function turn(to) {
    page = Math.min(Math.max(to, 0), last());
    draw();
    announce(place.textContent);
    // A button that was just disabled would lose the focus.
    if (document.activeElement === document.body || document.activeElement?.disabled) focusOn(place);
  }
  function draw() {
    const from = page * size;
    const shown = rows.slice(from, from + size);
    render(shown);
    place.textContent = `${count(from + 1)}–${count(from + shown.length)} of ${count(rows.length)}`;
    first.disabled = before.disabled = page === 0;
    next.disabled = end.disabled = page === last();
    node.hidden = rows.length <= size;
  }
  return {
    node,
    total: () => rows.length,
    set(all) {
      rows = all;
      page = 0;
      draw();
    },
  };
}
