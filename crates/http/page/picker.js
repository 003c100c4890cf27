// Many names to tick, with a filter where they are more than a look takes in.

import { announce, fill, h, newId } from "./dom.js";
import { count, many } from "./format.js";

// From so many on there is a filter; of what it leaves, so many are drawn.
const FILTER_FROM = 12;
const MOST = 240;

/** A group of boxes for `items` of `{ value, note }`; `chosen` gives the values ticked, in their order. */
export function picker({ legend, one, items, onchange }) {
  const ticked = new Set();
  const list = h("div", { class: "picks" });
  const state = h("span", { class: "soft" });
  const clear = h("button", { type: "button", class: "link", onclick: none }, "Clear", h("span", { class: "hidden" }, ` the ${one}s`));
  const id = newId("filter");
  const words = h("input", { type: "search", id, autocomplete: "off", placeholder: "Filter" });

  function draw() {
    const part = words.value.trim().toLowerCase();
    const found = items.filter((it) => it.value.toLowerCase().includes(part));
    fill(list, found.slice(0, MOST).map(pick),
      found.length > MOST ? h("p", { class: "hint" }, `and ${count(found.length - MOST)} more: filter to see them`) : null,
      found.length ? null : h("p", { class: "hint" }, `No ${one} has this in its name.`));
  }
  function pick(it) {
    const box = h("input", {
      type: "checkbox", value: it.value, checked: ticked.has(it.value),
      onchange: () => {
        if (box.checked) ticked.add(it.value);
        else ticked.delete(it.value);
        told();
        onchange();
      },
    });
    return h("label", { class: "pick" }, box, h("span", null, h("bdi", null, it.value), " ", h("span", { class: "small" }, it.note)));
  }
  function told() {
    state.textContent = ticked.size ? `${count(ticked.size)} of ${count(items.length)}` : `all ${count(items.length)}`;
    clear.hidden = ticked.size === 0;
  }
  function none() {
    ticked.clear();
    draw();
    told();
    onchange();
    announce(`No ${one} is ticked: all go in`);
    list.querySelector("input")?.focus();
  }
  words.addEventListener("input", draw);
  // Enter in the filter ticks what it leaves, and does not send the form.
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const boxes = [...list.querySelectorAll("input")].filter((box) => !box.checked);
    for (const box of boxes) ticked.add(box.value);
    draw();
    told();
    onchange();
    announce(`${many(boxes.length, one)} ticked`);
  });
  draw();
  told();
  return {
    chosen: () => items.map((it) => it.value).filter((value) => ticked.has(value)),
    node: h("fieldset", { class: "picker" },
      h("legend", null, legend, " ", state), clear,
      items.length >= FILTER_FROM ? [h("label", { for: id, class: "hidden" }, `Filter ${one}s`), words] : null,
      list),
  };
}
