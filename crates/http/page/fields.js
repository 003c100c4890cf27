// Fields of forms: a label, a control and what helps to fill it in.

import { h, newId } from "./dom.js";

/** A labelled control with a hint below it, which the control is described by. */
export function field(label, control, hint) {
  const id = control.id || newId("field");
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return h("div", { class: "field" }, h("label", { for: id }, label), control,
    hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null);
}

/** A box to tick. */
export function tick(label, { id = newId("tick"), checked = false, hint, value, onchange } = {}) {
  const box = h("input", { type: "checkbox", id, checked, value, onchange, "aria-describedby": hint ? `${id}-hint` : null });
  return {
    box,
    node: h("div", { class: "tick" }, box, h("label", { for: id }, label), hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null),
  };
}

/** A choice from a few: pairs of value and text. */
export function select(options, properties) {
  return h("select", properties, options.map(([value, text]) => h("option", { value }, text)));
}

/** A line of text. */
export function text(properties) {
  return h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...properties });
}

/** The lines of a text that say something, without space around them. */
export function lines(value) {
  return value.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
}

/** An object without what was left empty: empty texts, empty lists, and null. */
export function filled(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => {
    if (value === null || value === undefined || value === "") return false;
    if (Array.isArray(value)) return value.length > 0;
    return typeof value !== "object" || Object.keys(value).length > 0;
  }));
}

/** What a form does when it is sent: one thing at a time, with what went wrong shown in its place. */
export function sending(problem, button, act) {
  return async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    problem.clear();
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      problem.show(error);
    } finally {
      button.disabled = false;
    }
  };
}
