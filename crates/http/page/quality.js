// The package's own quality page, in a frame in which no script runs.

import { address, api } from "./api.js";
import { empty, h } from "./dom.js";

/** The page in place; the frame grows with it. */
export async function quality(file, signal) {
  try {
    await api.quality(file, signal);
  } catch (error) {
    if (error.status !== 404) throw error;
    return { node: empty("There is no quality report in this package", "It was made without one, or by another program. Packages made here have one unless it is left out.") };
  }
  // Same origin, so that its height can be asked for; without scripts, so that it cannot make use of that.
  const frame = h("iframe", { class: "quality", title: "Quality report", sandbox: "allow-same-origin", src: address.qualityPage(file) });
  frame.addEventListener("load", () => fit(frame, signal));
  return {
    node: h("div", null,
      h("p", { class: "soft" }, h("a", { href: address.qualityPage(file), target: "_blank", rel: "noopener" }, "Open the report on its own"), " to print it or to see it larger."),
      frame),
  };
}

function fit(frame, signal) {
  let inside;
  try {
    inside = frame.contentDocument?.documentElement;
  } catch {
    inside = null;
  }
  // Where the page may not be looked into, the frame scrolls by itself.
  if (!inside) return;
  const body = frame.contentDocument.body;
  const observer = new ResizeObserver(() => {
    frame.style.height = `${Math.ceil(body.getBoundingClientRect().height) + 2}px`;
  });
  observer.observe(body);
  signal.addEventListener("abort", () => observer.disconnect());
}
