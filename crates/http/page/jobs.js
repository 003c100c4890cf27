// What a job is, in words, and how to follow one.

import { address, api } from "./api.js";
import { bytes, count, many } from "./format.js";

const DOING = { create: "Creating", validate: "Checking", import: "Importing" };
const STAGES = {
  scanning: "Looking for data files",
  packing: "Reading, hashing and compressing",
  verifying: "Reading back and checking",
  extracting: "Unpacking",
  merging: "Merging records",
  placing: "Moving into place",
};
const STATES = { queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed", cancelled: "Cancelled" };

/** Whether it has not ended. */
export function isLive(job) {
  return job.state === "queued" || job.state === "running";
}

/** The state in a word; a check that ran to its end is only as good as what it found. */
export function stateWord(job) {
  if (job.state === "succeeded" && job.result?.valid === false) return "Invalid";
  return STATES[job.state] ?? job.state;
}

/** The class that colours the state. */
export function stateClass(job) {
  if (job.state === "failed" || job.result?.valid === false) return "grave";
  return { succeeded: "clean", cancelled: "some" }[job.state] ?? "live";
}

/** What it is about: `Creating daily-trades`. */
export function jobTitle(job) {
  const about = job.request?.packagePath ?? job.request?.name ?? job.result?.name ?? (job.kind === "create" ? "a package" : "");
  const file = job.kind === "create" ? about : String(about).split("/").pop();
  return `${DOING[job.kind] ?? job.kind} ${file}`.trim();
}

/** What it is doing. */
export function stageWord(job) {
  if (job.state === "queued") return "Waiting for its turn";
  return STAGES[job.progress?.stage] ?? "Starting";
}

/** How much of its stage is done, from 0 to 1; null where that is not known. */
export function done(job) {
  const { files = 0, totalFiles = 0, bytes: read = 0, totalBytes = 0 } = job.progress ?? {};
  if (job.state !== "running") return null;
  if (totalBytes > 0) return Math.min(1, read / totalBytes);
  if (totalFiles > 0) return Math.min(1, files / totalFiles);
  return null;
}

/** Its progress in a line: `Unpacking, 12 of 40 files, 1.2 MB of 3.4 MB`. */
export function jobLine(job) {
  return isLive(job) ? [stageWord(job), amounts(job)].filter(Boolean).join(", ") : stateWord(job);
}

/** How much of its stage is done: `12 of 40 files, 1.2 MB of 3.4 MB`. */
export function amounts(job) {
  const { files = 0, totalFiles = 0, bytes: read = 0, totalBytes = 0 } = job.progress ?? {};
  const parts = [];
  if (totalFiles > 0) parts.push(`${count(files)} of ${many(totalFiles, "file")}`);
  else if (files > 0) parts.push(many(files, "file"));
  if (totalBytes > 0) parts.push(`${bytes(read)} of ${bytes(totalBytes)}`);
  else if (read > 0) parts.push(bytes(read));
  return parts.join(", ");
}

/** Calls `seen` with every state of a job until it has ended or the signal says so, and `lost` when it cannot be followed. */
export function follow(id, { seen, lost, signal }) {
  let source = null;
  let timer = null;
  let over = false;
  const end = () => {
    over = true;
    source?.close();
    clearTimeout(timer);
  };
  const take = (job) => {
    if (over) return;
    if (!isLive(job)) end();
    seen(job);
  };
  const listen = () => {
    source = new EventSource(address.events(id));
    for (const name of ["progress", "done"]) source.addEventListener(name, (event) => take(JSON.parse(event.data)));
    // The stream broke off: the job itself says whether it is over; if not, it is listened to again.
    source.addEventListener("error", () => {
      source.close();
      clearTimeout(timer);
      timer = setTimeout(look, 1000);
    });
  };
  const look = async () => {
    try {
      take(await api.job(id, signal));
      if (!over) listen();
    } catch (error) {
      if (over || signal.aborted) return;
      if (error.status === 404 || error.status === 401) {
        end();
        lost(error);
      } else {
        timer = setTimeout(look, 3000);
      }
    }
  };
  signal.addEventListener("abort", end);
  look();
}
