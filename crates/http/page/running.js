// How many jobs run, in the navigation; and news of their ends for the views that show what they make.

import { api } from "./api.js";

const PERIOD = 3000;
let timer = null;
let on = false;
let known = [];
const listeners = new Set();

const live = (job) => job.state === "running" || job.state === "queued";

/** Tells a view of the jobs whenever they are looked at, until it is left. */
export function onJobs(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
  listener(known);
}

/** Begins to look. */
export function start() {
  on = true;
}

/** Ends looking. */
export function stop() {
  on = false;
  clearTimeout(timer);
}

/** Looks now, and again while something runs and the page is seen. */
export async function refresh() {
  clearTimeout(timer);
  if (!on) return;
  try {
    known = (await api.jobs()).jobs ?? [];
  } catch {
    // A view that needs the server says so itself.
    return;
  }
  const active = known.filter(live).length;
  const badge = document.getElementById("running");
  badge.hidden = active === 0;
  badge.textContent = active ? ` (${active})` : "";
  for (const listener of listeners) listener(known);
  if (active && on && !document.hidden) timer = setTimeout(refresh, PERIOD);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
