// Talking to the server. Every failure comes out as a `Problem` that can be shown.

/** What went wrong: the title, detail and findings of an RFC 9457 problem. */
export class Problem extends Error {
  constructor({ title, detail, findings, status }) {
    super(title);
    this.title = title || "It failed";
    this.detail = detail || "";
    this.findings = Array.isArray(findings) ? findings.map(String) : [];
    this.status = status ?? 0;
  }
}

/** The problem that an answer tells of, whatever its body is. */
export async function problemOf(response) {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("json")) {
    const told = await response.json().catch(() => ({}));
    return new Problem({ ...told, title: told.title || `The server answered ${response.status}`, status: response.status });
  }
  return new Problem({ title: `The server answered ${response.status}`, detail: response.statusText, status: response.status });
}

/** No answer at all. */
export function unreachable() {
  return new Problem({ title: "The server does not answer", detail: "It may have ended, or the network is down. Try again." });
}

/** What happens when the server wants a token; set by the page. */
export const hooks = { signedOut: () => {} };

/** Sends a request and gives the answer's JSON; none for an empty one. */
export async function request(method, path, body, { signal, quiet = false } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method, headers, signal, credentials: "same-origin", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && !quiet) hooks.signedOut();
    throw problem;
  }
  if (response.status === 204) return null;
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

const name = encodeURIComponent;

export const api = {
  health: () => request("GET", "health"),
  session: () => request("GET", "api/session"),
  signIn: (token) => request("POST", "api/session", { token }, { quiet: true }),
  signOut: () => request("DELETE", "api/session"),
  packages: (signal) => request("GET", "api/packaging/list", undefined, { signal }),
  data: (signal) => request("GET", "api/packaging/data", undefined, { signal }),
  contents: (file, signal) => request("GET", `api/packaging/contents?path=${name(file)}`, undefined, { signal }),
  quality: (file, signal) => request("GET", `api/packaging/quality?path=${name(file)}`, undefined, { signal }),
  remove: (file) => request("DELETE", `api/packaging/${name(file)}`),
  start: (kind, options) => request("POST", `api/packaging/${kind}?async=true`, options),
  jobs: (signal) => request("GET", "api/jobs", undefined, { signal }),
  job: (id, signal) => request("GET", `api/jobs/${name(id)}`, undefined, { signal }),
  endJob: (id) => request("DELETE", `api/jobs/${name(id)}`),
};

/** Addresses that the browser itself follows. */
export const address = {
  download: (file) => `api/packaging/download/${name(file)}`,
  tarGz: (file) => `api/packaging/download/${name(file)}?as=tar.gz`,
  member: (file, member) => `api/packaging/member?path=${name(file)}&member=${name(member)}`,
  qualityPage: (file) => `api/packaging/quality?path=${name(file)}&format=html`,
  events: (id) => `api/jobs/${name(id)}/events`,
};
