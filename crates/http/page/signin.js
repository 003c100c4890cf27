// Signing in with the server's token, which then lives in a cookie that scripts cannot read.

import { api } from "./api.js";
import { h } from "./dom.js";
import { problemPlace } from "./problem.js";

/** The form; `done` is called when the token was right. */
export function signInView(done) {
  const problem = problemPlace();
  const token = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true, spellcheck: "false" });
  const button = h("button", { type: "submit", class: "primary" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    problem.clear();
    button.disabled = true;
    try {
      await api.signIn(token.value);
      await done();
    } catch (error) {
      if (error.status === 401) Object.assign(error, { title: "This is not the token", detail: "Check it and try again." });
      problem.show(error);
      token.select();
    } finally {
      button.disabled = false;
    }
  };
  const node = h("div", { class: "narrow-page" },
    h("h1", null, "Sign in"),
    h("p", { class: "soft" }, "This server asks for a token: the one that it was started with."),
    h("form", { onsubmit: submit },
      problem.node,
      h("div", { class: "field" }, h("label", { for: "token" }, "Token"), token),
      h("p", { class: "actions" }, button)));
  return { title: "Sign in", node, shown: () => token.focus() };
}
