// Bringing packages from this computer to the server: chosen or dropped, with progress, paused and resumed.

import { announce, fill, focusOn, h, newId } from "./dom.js";
import { bytes } from "./format.js";
import { packageLink } from "./packages.js";
import { problemBox } from "./problem.js";
import { Upload, forget, keyOf, unfinished } from "./tus.js";

// Uploads outlive the view: they go on while others are looked at.
const uploads = [];
const list = h("ul", { class: "uploads" });

/** The place to drop files, and what is on its way. */
export async function uploadView() {
  const input = h("input", { type: "file", multiple: true, id: "files", class: "hidden", accept: ".zip,.gz,.tgz", onchange: () => {
    add([...input.files]);
    input.value = "";
  } });
  const zone = h("div", { class: "drop" },
    h("p", { class: "lead" }, "Drop packages here"),
    h("p", { class: "soft" }, "ZIP or TAR.GZ. An upload that breaks off goes on where it was, and what arrives is checked before it is listed."),
    input, h("label", { for: "files", class: "button primary" }, "Choose files"));
  const node = h("div", null, h("h1", null, "Upload packages"), zone, list, leftovers());
  return { title: "Upload", node };
}

/** Uploads of another time that are not finished. */
function leftovers() {
  const active = new Set(uploads.map((it) => it.upload.key));
  const entries = Object.entries(unfinished()).filter(([key]) => !active.has(key));
  if (!entries.length) return null;
  const section = h("section", null, h("h2", null, "Not finished"),
    h("p", { class: "soft" }, "Choose the same file again and its upload goes on where it broke off."),
    h("ul", { class: "plain" }, entries.map(([key, entry]) => {
      const item = h("li", null, h("bdi", null, entry.name), h("span", { class: "soft" }, ` ${bytes(entry.size)} `),
        h("button", { type: "button", class: "quiet", onclick: async () => {
          await forget(key);
          item.remove();
          announce(`${entry.name} is forgotten`);
          focusOn(document.querySelector("main h1"));
        } }, "Forget", h("span", { class: "hidden" }, ` ${entry.name}`)));
      return item;
    })));
  return section;
}

function add(files) {
  for (const file of files) {
    const key = keyOf(file);
    if (uploads.some((it) => it.upload.key === key && it.active)) continue;
    uploads.push(track(file));
  }
}

/** An upload's line in the list: its progress, its buttons, and what came of it. */
function track(file) {
  const id = newId("upload");
  const bar = h("progress", { max: Math.max(1, file.size), value: 0, "aria-labelledby": id });
  const state = h("p", { class: "soft line" }, "Waiting");
  const toggle = h("button", { type: "button", class: "quiet", onclick: () => (it.running ? pause() : run()) }, "Pause");
  const end = h("button", { type: "button", class: "quiet", onclick: stop }, "Cancel");
  const told = h("div");
  const node = h("li", { class: "panel" },
    h("div", { class: "heading" }, h("p", { id, class: "name" }, h("bdi", null, file.name)), h("p", { class: "actions" }, toggle, end)),
    bar, state, told);
  let spoken = 0;
  const upload = new Upload(file, (offset) => {
    bar.value = offset;
    state.textContent = offset < file.size ? `${bytes(offset)} of ${bytes(file.size)}` : "The server checks the package";
    const quarter = Math.floor((4 * offset) / Math.max(1, file.size));
    if (quarter > spoken && quarter < 4) announce(`${file.name}: ${quarter * 25} per cent`);
    spoken = Math.max(spoken, quarter);
  });
  const it = { upload, active: true, running: false };

  async function run() {
    it.running = true;
    toggle.hidden = false;
    toggle.textContent = "Pause";
    fill(told);
    try {
      await upload.send();
      finish();
    } catch (error) {
      it.running = false;
      if (!it.active) return;
      toggle.textContent = "Resume";
      if (upload.paused) state.textContent = `Paused at ${state.textContent}`;
      else {
        fill(told, problemBox(error, { heading: "h3" }));
        // What was looked at and refused is refused again.
        if ([400, 404, 409, 410, 413, 415, 422].includes(error.status)) {
          state.textContent = "Refused";
          toggle.hidden = true;
          end.textContent = "Remove";
        }
      }
    }
  }
  function pause() {
    upload.pause();
    announce(`${file.name} is paused`);
  }
  function finish() {
    it.active = it.running = false;
    const held = node.contains(document.activeElement);
    bar.value = bar.max;
    state.textContent = `${bytes(file.size)}, uploaded`;
    toggle.remove();
    end.remove();
    const link = h("a", { class: "button", href: packageLink(file.name) }, "Show the package");
    fill(told, h("p", { class: "actions" }, link));
    announce(`${file.name} is uploaded`);
    if (held) link.focus();
  }
  async function stop() {
    it.active = false;
    node.remove();
    announce(`The upload of ${file.name} is cancelled`);
    document.getElementById("files")?.focus();
    await upload.end();
  }
  list.append(node);
  run();
  return it;
}

/** Takes files that are dropped anywhere on the page, and goes to where their uploads are seen. */
export function takeDrops(session) {
  const able = () => !session.readOnly && (!session.tokenRequired || session.authenticated);
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (on) => document.documentElement.classList.toggle("dropping", on);
  window.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    // Else the browser would leave the page and show the file.
    event.preventDefault();
    event.dataTransfer.dropEffect = able() ? "copy" : "none";
    show(able());
  });
  window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) show(false); });
  window.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    show(false);
    if (!able()) return;
    const files = [...event.dataTransfer.files];
    if (!files.length) return;
    location.hash = "#/upload";
    add(files);
  });
  // Leaving the page would break uploads off; they could go on, but only when the same file is chosen again.
  window.addEventListener("beforeunload", (event) => {
    if (uploads.some((it) => it.running)) event.preventDefault();
  });
}
