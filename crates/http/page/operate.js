// Checking a package, and importing it.

import { api } from "./api.js";
import { h } from "./dom.js";
import { field, filled, lines, select, sending, text, tick } from "./fields.js";
import { problemPlace } from "./problem.js";

const KEY_HINT = "A minisign public key in Base64. The signature beside the package must then be there and be right.";

/** Begins a job and goes to where it is seen. */
async function begin(kind, options) {
  const job = await api.start(kind, options);
  location.hash = `#/jobs/${encodeURIComponent(job.id)}`;
}

/** Whether a package is what it says. */
export function validateForm(file) {
  const problem = problemPlace();
  const deep = tick("Look into every record", { hint: "Counts the records again and holds each against its schema. Takes longer." });
  const key = text();
  const button = h("button", { type: "submit", class: "primary" }, "Validate");
  const submit = sending(problem, button, () => begin("validate", filled({ packagePath: file, deep: deep.box.checked, publicKey: key.value.trim() })));
  return {
    node: h("form", { class: "panel", onsubmit: submit, "aria-label": "Validate" },
      h("p", null, "Reads the whole package and compares structure, sizes and checksums with its manifest."),
      problem.node, deep.node, field("Signed with", key, KEY_HINT),
      h("p", { class: "actions" }, button)),
  };
}

/** Unpacking it below the data root. */
export function importForm(file) {
  const problem = problemPlace();
  const destination = text({ placeholder: "research/2024" });
  const conflict = select([["", "End the import and change nothing"], ["keep", "Keep the file that is there"], ["replace", "Replace it with the package's file"], ["rename", "Put the package's file beside it"]]);
  const conflictField = field("Files that differ and cannot be merged", conflict);
  const merge = tick("Merge with files that are there", {
    hint: "JSON Lines and CSV get the package's records beside their own, identical ones once. Without it, files of the same name are replaced.",
    onchange: () => { conflictField.hidden = !merge.box.checked; },
  });
  conflictField.hidden = true;
  const verify = tick("Verify checksums", { checked: true, hint: "Faster without, and less safe. Unsafe archives are refused all the same." });
  const key = text();
  const parts = h("textarea", { rows: 2, spellcheck: "false" });
  const button = h("button", { type: "submit", class: "primary" }, "Import");
  const submit = sending(problem, button, () => begin("import", filled({
    packagePath: file,
    destinationDirectory: destination.value.trim(),
    validateChecksums: verify.box.checked,
    mergeWithExisting: merge.box.checked,
    onConflict: merge.box.checked ? conflict.value : "",
    publicKey: key.value.trim(),
    furtherParts: lines(parts.value),
  })));
  return {
    node: h("form", { class: "panel", onsubmit: submit, "aria-label": "Import" },
      h("p", null, "Unpacks the package below the server's data root: all of it, or nothing when anything is wrong."),
      problem.node,
      field("Destination", destination, "A directory below the data root; it is made if it is not there. Empty for the data root itself."),
      merge.node, conflictField,
      h("details", null, h("summary", null, "More options"),
        h("div", { class: "fields" }, verify.node, field("Signed with", key, KEY_HINT),
          field("Further parts", parts, "File names of the other parts of a split package, one on a line. Those beside it are found by themselves."))),
      h("p", { class: "actions" }, button)),
  };
}
