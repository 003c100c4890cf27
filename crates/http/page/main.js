// The frame of the page: session, routes, focus and title.

import { api, hooks } from "./api.js";
import { announce, empty, fill, focusOn, h } from "./dom.js";
import { problemBox } from "./problem.js";
import * as running from "./running.js";
import { createView } from "./create.js";
import { jobView, jobsView } from "./activity.js";
import { packageView } from "./package.js";
import { packagesView } from "./packages.js";
import { signInView } from "./signin.js";
import { takeDrops, uploadView } from "./upload.js";

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const session = { readOnly: false, tokenRequired: false, authenticated: true };

// Each route has a pattern for what follows `#/`, its view, and whether it changes something.
const ROUTES = [
  { pattern: /^$/, view: packagesView },
  { pattern: /^create$/, view: createView, writes: true },
  { pattern: /^upload$/, view: uploadView, writes: true },
  { pattern: /^jobs$/, view: jobsView },
  { pattern: /^jobs\/([^/]+)$/, view: jobView },
  { pattern: /^packages\/([^/]+)(?:\/(quality|validate|import))?$/, view: packageView },
];

let leave = null;
let shownPath = null;

/** Shows what the address names. The view before is left: what it still loads or follows ends. */
async function show() {
  const path = location.hash.replace(/^#\/?/, "");
  if (path === "main") return;
  leave?.abort();
  const left = new AbortController();
  leave = left;
  // The first view leaves the focus where the browser puts it; later ones take it to their heading.
  const moved = shownPath !== null && shownPath !== path;
  shownPath = path;
  mark(path);
  const late = setTimeout(() => fill(main, h("p", { class: "soft loading" }, "Loading…")), 300);
  let view;
  try {
    view = await viewOf(path, left.signal);
  } catch (error) {
    if (left.signal.aborted) return;
    view = { title: "Not shown", node: h("div", null, h("h1", null, "This cannot be shown"), problemBox(error), again()) };
  } finally {
    clearTimeout(late);
  }
  if (left.signal.aborted) return;
  document.title = `${view.title} · Portable Data Packager`;
  fill(main, view.node);
  view.shown?.();
  if (moved) {
    const heading = main.querySelector("h1");
    if (heading) focusOn(heading);
    window.scrollTo(0, 0);
  }
  running.refresh();
}

function viewOf(path, signal) {
  if (session.tokenRequired && !session.authenticated) return signInView(start);
  for (const { pattern, view, writes } of ROUTES) {
    const found = pattern.exec(path);
    if (!found) continue;
    if (writes && session.readOnly) return readOnlyView();
    let parts;
    try {
      parts = found.slice(1).map((part) => part && decodeURIComponent(part));
    } catch {
      break;
    }
    return view({ parts, signal, session, reload: show });
  }
  return {
    title: "No such page",
    node: h("div", null, h("h1", null, "No such page"),
      empty("There is nothing here", "The address may be old or mistyped.", h("a", { class: "button", href: "#/" }, "Show the packages"))),
  };
}

function readOnlyView() {
  return {
    title: "Read only",
    node: h("div", null, h("h1", null, "This server is read only"),
      empty("Nothing can be changed here", "Packages can be looked at, checked and downloaded. Start pdp serve without --read-only to create, upload, import and delete.",
        h("a", { class: "button", href: "#/" }, "Show the packages"))),
  };
}

function again() {
  return h("p", { class: "actions told" }, h("button", { type: "button", onclick: show }, "Try again"),
    h("a", { class: "button", href: "#/" }, "Show the packages"));
}

/** Marks where one is in the navigation. */
function mark(path) {
  for (const link of nav.querySelectorAll("a")) {
    const target = link.getAttribute("href").slice(2);
    const here = target === path || (target === "" ? path.startsWith("packages/") : path.startsWith(`${target}/`));
    if (here) link.setAttribute("aria-current", target === path ? "page" : "true");
    else link.removeAttribute("aria-current");
  }
}

/** Asks who one is and what may be done, then shows the view. */
async function start() {
  try {
    Object.assign(session, await api.session());
  } catch (error) {
    fill(main, h("h1", null, "Portable Data Packager"), problemBox(error),
      h("p", { class: "actions told" }, h("button", { type: "button", onclick: start }, "Try again")));
    return;
  }
  const inside = !session.tokenRequired || session.authenticated;
  nav.hidden = !inside;
  document.getElementById("read-only").hidden = !session.readOnly;
  document.getElementById("sign-out").hidden = !(session.tokenRequired && inside);
  for (const item of nav.querySelectorAll(".writes")) item.hidden = session.readOnly;
  if (inside) running.start();
  await show();
}

hooks.signedOut = () => {
  if (!session.authenticated) return;
  session.authenticated = false;
  session.tokenRequired = true;
  running.stop();
  announce("Signed out");
  // Not from within the request that found out: its view is still being made.
  setTimeout(start);
};

document.getElementById("sign-out").addEventListener("click", async () => {
  await api.signOut().catch(() => {});
  hooks.signedOut();
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  focusOn(main);
});
window.addEventListener("hashchange", show);
takeDrops(session);
api.health().then((health) => {
  document.getElementById("version").textContent = `pdp ${health.version}`;
}).catch(() => {});
start();
