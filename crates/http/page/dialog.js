// Asking before something that cannot be undone.

import { h, newId } from "./dom.js";
import { problemPlace } from "./problem.js";

/** Asks; on yes it acts and, when that went well, closes. Gives whether it was done. Escape means no. */
export function confirmed({ title, text, action, act }) {
  const heading = newId("dialog");
  const told = newId("dialog");
  const problem = problemPlace();
  const no = h("button", { type: "button", onclick: () => dialog.close() }, "Keep it");
  const yes = h("button", { type: "button", class: "danger full", onclick: go }, action);
  const dialog = h("dialog", { "aria-labelledby": heading, "aria-describedby": told },
    h("h2", { id: heading }, h("bdi", null, title)), h("p", { id: told }, text), problem.node,
    h("p", { class: "actions" }, no, yes));
  let done = false;
  async function go() {
    problem.clear();
    yes.disabled = true;
    try {
      await act();
      done = true;
      dialog.close();
    } catch (error) {
      yes.disabled = false;
      problem.show(error);
    }
  }
  document.body.append(dialog);
  // The harmless answer has the focus; the browser gives it back to where it was when the dialog closes.
  dialog.showModal();
  no.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
  });
}
