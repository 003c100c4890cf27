// Resumable uploads: the client's side of tus 1.0.0 (https://tus.io), creation, checksum and termination.

import { Problem, hooks, problemOf, unreachable } from "./api.js";

const ENDPOINT = "api/packaging/upload";
const TUS = { "Tus-Resumable": "1.0.0" };
// What is sent in one request: little enough to be hashed in memory, and not to be sent twice in vain.
const CHUNK = 8 * 1024 * 1024;
// Answers that may be others the next time: the offset is not ours, the piece arrived damaged, the upload is held by the
// request that broke off, or there is too much to do.
const PASSING = [409, 423, 429, 460, 502, 503, 504];
// Waits before a new attempt, in milliseconds; then it is for the user to say when.
const PAUSES = [1000, 2000, 4000, 8000];
const STORE = "pdp-uploads";

/** Uploads that were begun and not finished, by what their file is. */
export function unfinished() {
  try {
    return JSON.parse(localStorage.getItem(STORE)) ?? {};
  } catch {
    return {};
  }
}

/** Remembers where the upload of a file goes on; or forgets it. */
function remember(key, entry) {
  const all = unfinished();
  if (entry) all[key] = entry;
  else delete all[key];
  try {
    localStorage.setItem(STORE, JSON.stringify(all));
  } catch {
    // Without a store it can still be resumed until the page is left.
  }
}

/** Ends an upload that will not go on, here and at the server. */
export async function forget(key) {
  const entry = unfinished()[key];
  remember(key, null);
  if (entry) await fetch(entry.location, { method: "DELETE", headers: TUS }).catch(() => {});
}

/** What tells a file from others when it is chosen again. */
export function keyOf(file) {
  return `${file.name}:${file.size}:${file.lastModified}`;
}

/** One upload. `progress` is told the bytes that have arrived; `send` ends when all have, or with a problem. */
export class Upload {
  constructor(file, progress) {
    this.file = file;
    this.key = keyOf(file);
    this.progress = progress;
    this.location = unfinished()[this.key]?.location ?? null;
    this.sending = null;
    this.paused = false;
  }

  /** Sends what is missing. An interruption is bridged a few times. */
  async send() {
    this.paused = false;
    let failures = 0;
    let furthest = 0;
    for (;;) {
      try {
        let offset = await this.offset();
        this.progress(offset);
        while (offset < this.file.size) {
          const arrived = await this.chunk(offset);
          if (arrived > furthest) failures = 0;
          furthest = Math.max(furthest, arrived);
          offset = arrived;
        }
        this.drop();
        return;
      } catch (error) {
        if (this.paused) throw error;
        const refused = error.status && !(PASSING.includes(error.status) && this.location);
        // What is refused for good is not there to be resumed either; whoever signs in again may go on.
        if (refused && error.status !== 401) this.drop();
        if (refused || failures >= PAUSES.length) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSES[failures]));
        failures += 1;
        if (this.paused) throw error;
      }
    }
  }

  /** Stops; `send` goes on from there. */
  pause() {
    this.paused = true;
    this.sending?.abort();
  }

  /** Stops for good and has the server forget what arrived. */
  async end() {
    this.pause();
    await forget(this.key);
    this.location = null;
  }

  /** How much has arrived; creates the upload where there is none. */
  async offset() {
    if (this.location) {
      const response = await this.fetch("HEAD", this.location);
      const offset = Number(response.headers.get("Upload-Offset"));
      if (response.ok && Number.isSafeInteger(offset)) return offset;
      if (response.status !== 404 && response.status !== 410) throw await problemOf(response);
      // It expired: from the beginning.
      this.drop();
    }
    const response = await this.fetch("POST", ENDPOINT, {
      "Upload-Length": String(this.file.size), "Upload-Metadata": `filename ${base64(new TextEncoder().encode(this.file.name))}`,
    });
    if (!response.ok) throw await problemOf(response);
    this.location = new URL(response.headers.get("Location"), response.url).href;
    remember(this.key, { name: this.file.name, size: this.file.size, location: this.location });
    return 0;
  }

  drop() {
    this.location = null;
    remember(this.key, null);
  }

  async fetch(method, url, headers = {}) {
    let response;
    try {
      response = await fetch(url, { method, headers: { ...TUS, ...headers }, credentials: "same-origin" });
    } catch {
      throw unreachable();
    }
    if (response.status === 401) hooks.signedOut();
    return response;
  }

  /** Sends the next piece and gives the offset behind it. */
  async chunk(offset) {
    const piece = this.file.slice(offset, offset + CHUNK);
    const headers = { ...TUS, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    // Browsers hash only on pages that came over HTTPS or from this machine.
    if (globalThis.crypto?.subtle) {
      let bytes;
      try {
        bytes = await piece.arrayBuffer();
      } catch {
        throw new Problem({ title: "The file cannot be read", detail: `${this.file.name} was changed, moved or deleted since it was chosen.`, status: 1 });
      }
      headers["Upload-Checksum"] = `sha256 ${base64(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))}`;
    }
    // fetch tells nothing of how much was sent; the older way does.
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.sending = request;
      request.open("PATCH", this.location);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => this.progress(offset + Math.min(event.loaded, piece.size));
      request.onload = () => {
        const arrived = Number(request.getResponseHeader("Upload-Offset"));
        if (request.status === 204 || request.status === 200) resolve(Number.isSafeInteger(arrived) && arrived > offset ? arrived : offset + piece.size);
        else reject(problemIn(request));
      };
      request.onerror = () => reject(unreachable());
      request.onabort = () => reject(unreachable());
      request.send(piece);
    });
  }
}

function problemIn(request) {
  let told = {};
  try {
    told = JSON.parse(request.responseText);
  } catch {
    // Not a problem's JSON: the status says what there is to say.
  }
  if (request.status === 401) hooks.signedOut();
  return new Problem({ ...told, title: told.title || `The server answered ${request.status}`, status: request.status });
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}
