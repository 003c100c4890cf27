// What came of a job, drawn from its report.

import { address } from "./api.js";
import { facts, grade, h } from "./dom.js";
import { bytes, count, many, some, span } from "./format.js";
import { packageLink } from "./packages.js";

const MOST = 200;
const fileOf = (path) => String(path ?? "").split("/").pop();

/** The result of a job that has one. */
export function resultOf(job) {
  if (!job.result) return null;
  return { create: created, validate: validated, import: imported }[job.kind]?.(job.result, job) ?? null;
}

function links(file, ...more) {
  return h("p", { class: "actions" },
    h("a", { class: "button primary", href: packageLink(file) }, "Show the package"), more);
}

/** A titled list, cut where nobody would read on. */
function listing(title, items) {
  if (!items?.length) return null;
  return h("section", null, h("h2", null, `${title} `, h("span", { class: "soft" }, count(items.length))),
    h("ul", { class: "plain" }, items.slice(0, MOST).map((item) => h("li", null, item))),
    items.length > MOST ? h("p", { class: "soft" }, `and ${count(items.length - MOST)} more`) : null);
}

function created(report) {
  const file = fileOf(report.packagePath);
  return h("div", { class: "result" },
    facts([
      ["Package", h("bdi", null, file)],
      ["Quality", report.qualityGrade ? grade(report.qualityGrade) : null],
      ["Dates", span(report.dateRange)],
      ["Symbols", some(report.symbols, 6)],
      ["Event types", some(report.eventTypes, 6)],
      ["Files", count(report.totalFiles)],
      ["Records", count(report.totalEvents)],
      ["Size", bytes(report.packageSizeBytes)],
      ["Unpacked", bytes(report.uncompressedSizeBytes)],
      ["Read back", report.verified ? (report.verified.valid ? "every checksum is right" : "damaged") : "left out"],
      ["SHA-256", report.archiveSha256 ? h("code", null, report.archiveSha256) : null],
    ]),
    links(file, h("a", { class: "button", href: address.download(file), download: true }, "Download")),
    listing("Parts", (report.parts ?? []).map((part) => h("a", { href: packageLink(fileOf(part)) }, fileOf(part)))),
    listing("Remarks", report.warnings),
    listing("Left out", (report.skipped ?? []).map((it) => [h("bdi", null, it.path), h("span", { class: "soft" }, ` ${it.reason}`)])));
}

const CHECKS = [
  ["structure", "Members whose headers, names and places were looked at"],
  ["presence", "Members that the manifest names, looked for"],
  ["sizes", "Sizes compared"],
  ["checksums", "SHA-256 checksums computed again"],
  ["unverified", "Members without a checksum"],
  ["totals", "Totals of the manifest added up again"],
  ["packageChecksum", "Checksum of the package as a whole"],
  ["packageSize", "Size of the package"],
  ["sidecar", "The .sha256 file beside it"],
  ["signature", "Signature"],
  ["deepFiles", "Data files whose records were counted again and held against the schemas"],
  ["deepRecords", "Records in them"],
];

function validated(report, job) {
  const file = fileOf(report.packagePath ?? job.request?.packagePath);
  const rows = CHECKS.map(([key, title]) => [title, report.checks?.[key], key])
    .filter(([, value, key]) => value !== undefined && !(value === 0 && (key === "unverified" || key.startsWith("deep"))));
  const findings = report.findings ?? [];
  const signer = report.signature;
  return h("div", { class: "result" },
    h("p", { class: `verdict ${report.valid ? "clean" : "grave"}` },
      h("span", { class: "sign", "aria-hidden": "true" }, report.valid ? "✓" : "✕"),
      report.valid ? "The package is valid: what is in it is what its manifest says." : `The package is invalid: ${many(findings.length, "finding")}.`),
    links(file),
    findings.length ? h("section", null, h("h2", null, "What is wrong"),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What is wrong" }, h("table", null,
        h("thead", null, h("tr", null, ["Member", "Check", "Expected", "Found"].map((title) => h("th", { scope: "col" }, title)))),
        h("tbody", null, findings.slice(0, MOST).map((it) => h("tr", null,
          h("th", { scope: "row" }, h("bdi", null, it.member ?? "the package")), h("td", null, it.check), h("td", null, it.expected), h("td", null, it.actual)))))),
      findings.length > MOST ? h("p", { class: "soft" }, `and ${count(findings.length - MOST)} more`) : null) : null,
    listing("Remarks", report.warnings),
    signer ? h("section", null, h("h2", null, "Signature"), facts(Object.entries(signer).map(([key, value]) => [key, String(value ?? "")]))) : null,
    h("section", null, h("h2", null, "What was checked"), h("table", { class: "tight" },
      h("tbody", null, rows.map(([title, value]) => h("tr", null, h("th", { scope: "row" }, title),
        h("td", { class: "n" }, value === true ? "✓ checked" : value === false ? h("span", { class: "soft" }, "not there, or not asked for") : count(value))))))));
}

function imported(report, job) {
  const place = report.destination && report.destination !== "." ? report.destination : "the data root";
  const names = (paths) => (paths ?? []).map((path) => h("bdi", null, path));
  return h("div", { class: "result" },
    facts([
      ["Imported to", h("bdi", null, place)],
      ["Files in the package", count(report.totalFiles)],
      ["Records", count(report.totalEvents)],
      ["Added", many(report.added ?? 0, "file")],
      ["Replaced", many(report.replaced ?? 0, "file")],
      ["Already there", many(report.unchanged ?? 0, "file")],
      ["Written", bytes(report.bytesWritten)],
      ["Checksums", report.validated ? "verified" : "not verified"],
      ["Earlier import", report.completedEarlierImport ? "had been interrupted and was completed first" : null],
    ]),
    links(fileOf(report.packagePath ?? job.request?.packagePath)),
    listing("Merged", (report.merged ?? []).map((it) => [h("bdi", null, it.path),
      h("span", { class: "soft" }, ` ${many(it.addedRecords, "record")} added to ${count(it.existingRecords)}, ${count(it.identicalRecords)} identical${it.conflictingRecords ? `, ${count(it.conflictingRecords)} in conflict and kept` : ""}`)])),
    listing("Kept as they were", names(report.kept)),
    listing("Put beside others", names(report.renamed)));
}
