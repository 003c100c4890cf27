// Elements made in one expression. Texts become text nodes, so nothing that a server or a package says is read as HTML.

/**
 * An element: `h("a", { href: "#/", class: "soft" }, "text", child, [more])`.
 * Properties that begin with `on` are listeners; null and false are left out, true is an empty attribute.
 */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

/** Appends texts, nodes and arrays of them; null and false are left out. */
export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child);
  }
  return element;
}

/** Puts these in the place of all that is in an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

let lastId = 0;

/** An id that no other element has. */
export function newId(word) {
  lastId += 1;
  return `${word}-${lastId}`;
}

/** Moves the focus to an element that takes none by itself. */
export function focusOn(element) {
  if (!element.hasAttribute("tabindex")) element.setAttribute("tabindex", "-1");
  element.focus({ preventScroll: false });
}

/** Says something to those who do not see the page, without moving the focus. */
export function announce(text) {
  const region = document.getElementById("announcer");
  // The same text twice is only read twice when it was gone in between.
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 50);
}

/** A list of terms and what they are; pairs without a value are left out. */
export function facts(pairs, properties = { class: "facts" }) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", properties, shown.map(([term, value]) => h("div", null, h("dt", null, term), h("dd", null, value))));
}

/** The grade of a package as a small badge; a dash where there is none. */
export function grade(letter) {
  if (!letter) return h("span", { class: "soft", title: "No quality report" }, "–");
  const known = ["A", "B", "C", "D", "F"].includes(letter) ? letter : "F";
  return h("span", { class: `badge grade-${known}` }, h("span", { class: "hidden" }, "Grade "), letter);
}

/** Something that is not there yet, and what to do about it. */
export function empty(title, text, ...actions) {
  return h("div", { class: "empty" }, h("h2", null, title), h("p", { class: "soft" }, text),
    actions.length ? h("p", { class: "actions" }, actions) : null);
}
