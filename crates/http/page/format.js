// Sizes, counts and times as people read them. Times are UTC, as in the packages.

const UNITS = ["kB", "MB", "GB", "TB", "PB"];

/** Bytes with a unit: `1.2 MB`. */
export function bytes(count) {
  if (typeof count !== "number") return null;
  if (count < 1000) return `${count} B`;
  let value = count;
  let unit = "B";
  for (const next of UNITS) {
    if (value < 999.95) break;
    value /= 1000;
    unit = next;
  }
  return `${value.toFixed(1)} ${unit}`;
}

/** A number with its thousands apart: `70,000`. */
export function count(number) {
  return typeof number === "number" ? number.toLocaleString("en-US") : null;
}

/** A number with what it counts: `1 file`, `2 files`. */
export function many(number, one, more = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : more}`;
}

/** The day of an RFC 3339 time: `2024-01-03`. */
export function day(time) {
  return time ? time.slice(0, 10) : null;
}

/** An RFC 3339 time to the minute: `2024-01-03 14:30`. */
export function minute(time) {
  const date = time ? new Date(time) : null;
  if (!date || Number.isNaN(date.valueOf())) return time || null;
  return date.toISOString().slice(0, 16).replace("T", " ");
}

/** From a day to a day: `2024-01-03 – 2024-01-05`, or one day. */
export function span(range) {
  if (!range) return null;
  const [first, last] = [day(range.start), day(range.end)];
  return first === last ? first : `${first} – ${last}`;
}

/** How long something took, from two RFC 3339 times or milliseconds: `0.2 s`, `3 min 20 s`. */
export function duration(from, to) {
  const ms = new Date(to) - new Date(from);
  if (!Number.isFinite(ms) || ms < 0) return null;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor(ms / 1000) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The container as the command line names it. */
export function container(format) {
  return { Zip: "ZIP", zip: "ZIP", TarGz: "TAR.GZ", "tar.gz": "TAR.GZ", Folder: "folder" }[format] ?? format ?? null;
}

/** Some of many names: `AAPL, MSFT, SPY and 6 more`. */
export function some(names, most = 3) {
  if (!names?.length) return null;
  // One left over is named rather than counted.
  if (names.length <= most + 1) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${count(names.length - most)} more`;
}
