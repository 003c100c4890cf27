// Jobs: all of them, and one as it runs and as it ended.

import { api } from "./api.js";
import { announce, empty, facts, fill, focusOn, h } from "./dom.js";
import { duration, minute } from "./format.js";
import { amounts, done, follow, isLive, jobLine, jobTitle, stageWord, stateClass, stateWord } from "./jobs.js";
import { problemBox } from "./problem.js";
import { resultOf } from "./results.js";
import * as running from "./running.js";

/** What ran and runs, newest first. */
export async function jobsView({ signal, session }) {
  const body = h("div");
  const draw = (jobs) => {
    // A row that is being used keeps the focus over the redrawing.
    const focused = document.activeElement?.dataset?.job;
    fill(body, jobs.length ? table(jobs) : empty("Nothing has run yet", "What you create, validate or import is listed here, with its result.",
      h("a", { class: "button", href: "#/" }, "Show the packages")));
    if (focused) body.querySelector(`[data-job="${CSS.escape(focused)}"]`)?.focus();
  };
  draw((await api.jobs(signal)).jobs ?? []);
  return {
    title: "Activity",
    node: h("div", null, h("h1", null, "Activity"), h("p", { class: "soft" }, "What runs, what waits, and the last of what ended."), body),
    shown: () => running.onJobs((jobs) => { if (jobs.length) draw(jobs); }, signal),
  };

  function table(jobs) {
    return h("div", { class: "scroll" }, h("table", { class: "cards-when-narrow", "aria-label": "Activity" },
      h("thead", null, h("tr", null, ["What", "State", "Begun", "Took"].map((title) => h("th", { scope: "col" }, title)), h("td"))),
      h("tbody", null, jobs.map((job) => h("tr", null,
        h("th", { scope: "row" }, h("a", { href: `#/jobs/${encodeURIComponent(job.id)}`, class: "name" }, h("bdi", null, jobTitle(job)))),
        h("td", { "data-title": "State" }, state(job), isLive(job) ? h("span", { class: "small" }, jobLine(job)) : null),
        h("td", { class: "dates", "data-title": "Begun" }, minute(job.createdAt)),
        h("td", { "data-title": "Took" }, job.finishedAt ? duration(job.startedAt ?? job.createdAt, job.finishedAt) : "–"),
        h("td", { class: "last" }, session.readOnly ? null : action(job)))))));
  }

  function action(job) {
    const live = isLive(job);
    const click = async (event) => {
      event.target.disabled = true;
      await api.endJob(job.id).catch(() => {});
      announce(live ? `${jobTitle(job)} is being cancelled` : `${jobTitle(job)} is forgotten`);
      const { jobs } = await api.jobs(signal);
      draw(jobs ?? []);
      if (document.activeElement === document.body) focusOn(document.querySelector("main h1"));
      running.refresh();
    };
    return h("button", { type: "button", class: "quiet", "data-job": job.id, onclick: click }, live ? "Cancel" : "Forget", h("span", { class: "hidden" }, ` ${jobTitle(job)}`));
  }
}

function state(job) {
  return h("span", { class: `state-word ${stateClass(job)}` }, stateWord(job));
}

/** One job: its progress while it runs, and what came of it. */
export async function jobView({ parts: [id], signal, session }) {
  let job = await api.job(id, signal);
  const heading = h("h1", null, h("bdi", null, jobTitle(job)));
  const word = h("p", { class: "summary" });
  const place = h("div");
  const bar = h("progress", { max: 1, "aria-label": "Progress of this stage" });
  const stage = h("p", { class: "stage" });
  const line = h("p", { class: "soft line" });
  const cancel = h("button", { type: "button", onclick: stop }, "Cancel");
  const progress = h("div", { class: "panel progress" }, stage, bar, line, session.readOnly ? null : h("p", { class: "actions" }, cancel));
  let spoken = null;

  async function stop() {
    cancel.disabled = true;
    cancel.textContent = "Cancelling…";
    announce("Cancelling");
    try {
      await api.endJob(id);
    } catch (error) {
      // That it has ended in the meantime shows by itself.
      if (isLive(job) && error.status !== 404) place.append(problemBox(error));
    }
  }

  function drawLive() {
    const part = done(job);
    stage.textContent = stageWord(job);
    line.textContent = amounts(job) || "\u00a0";
    if (part === null) bar.removeAttribute("value");
    else bar.value = part;
    // Each stage is told once, and then its halves: more would be noise.
    const told = `${stageWord(job)}${part !== null && part >= 0.5 ? ", half done" : ""}`;
    if (told !== spoken) announce(told);
    spoken = told;
  }

  function draw(now, byNews) {
    job = now;
    heading.firstChild.textContent = jobTitle(job);
    fill(word, state(job), " ", job.finishedAt ? `after ${duration(job.startedAt ?? job.createdAt, job.finishedAt) ?? "a moment"}` : null);
    if (isLive(job)) {
      if (!progress.isConnected) fill(place, progress);
      drawLive();
      return;
    }
    const held = progress.contains(document.activeElement);
    const cancelled = job.state === "cancelled";
    fill(place, cancelled ? h("p", { class: "told" }, "It was cancelled and left nothing behind.") : null,
      job.problem && !cancelled ? problemBox(job.problem) : null, resultOf(job), asked(job));
    if (byNews) {
      announce(`${jobTitle(job)}: ${stateWord(job)}`);
      running.refresh();
    }
    if (held) focusOn(heading);
  }

  draw(job, false);
  if (isLive(job)) {
    follow(id, { seen: (now) => draw(now, true), lost: (error) => fill(place, problemBox(error)), signal });
  }
  const node = h("div", null,
    h("p", { class: "crumbs" }, h("a", { href: "#/jobs" }, "Activity")),
    h("div", { class: "heading" }, h("div", null, heading, word)), place);
  // One that has ended before its view came is told of as well.
  return { title: jobTitle(job), node, shown: () => { if (!isLive(job)) announce(`${jobTitle(job)}: ${stateWord(job)}`); } };
}

/** The request that began it. */
function asked(job) {
  const shown = (value) => (Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value));
  const word = (key) => key.replace(/([A-Z])/g, " $1").toLowerCase().replace(/^./, (c) => c.toUpperCase());
  const pairs = Object.entries(job.request ?? {}).filter(([, value]) => value !== null && shown(value) !== "").map(([key, value]) => [word(key), shown(value)]);
  if (!pairs.length) return null;
  return h("details", { class: "asked" }, h("summary", null, "What was asked for"),
    facts([...pairs, ["Begun", minute(job.startedAt ?? job.createdAt)]]));
}
