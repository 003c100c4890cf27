// Problems as people see them: title, detail and findings, as text.

import { fill, focusOn, h } from "./dom.js";
import { Problem } from "./api.js";

// More findings than anyone reads; the rest is counted.
const MOST = 200;

/** What went wrong, in a box that is read aloud when it appears. */
export function problemBox(error, { heading = "h2" } = {}) {
  const known = typeof error?.title === "string";
  const problem = known ? error : new Problem({ title: "The page failed", detail: String(error?.message ?? error) });
  const findings = problem.findings ?? [];
  return h("div", { class: "problem", role: "alert" },
    h(heading, null, problem.title),
    problem.detail ? h("p", null, problem.detail) : null,
    findings.length ? h("ul", null, findings.slice(0, MOST).map((finding) => h("li", null, finding))) : null,
    findings.length > MOST ? h("p", { class: "soft" }, `and ${findings.length - MOST} more`) : null);
}

/** A place in a form for what went wrong when it was sent; `show` fills it and takes the focus there. */
export function problemPlace() {
  const node = h("div", { class: "problem-place" });
  return {
    node,
    clear: () => fill(node),
    show: (error) => {
      fill(node, problemBox(error));
      focusOn(node);
      node.scrollIntoView({ block: "nearest" });
    },
  };
}
