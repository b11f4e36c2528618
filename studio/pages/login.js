// Signing in, where the studio is not on loopback.
import { server } from "./api.js";
import { el, field, fill } from "./elements.js";
import { refused } from "./notices.js";
import { words } from "./strings.js";

const { title, lead, token: label, help, go, missing, wrong } = words.login;
const token = el("input", { type: "password", autocomplete: "current-password", required: true, spellcheck: "false" });
const problem = el("div");
const button = el("button", { class: "button main" }, go);
const form = el(
  "form",
  { class: "card stack", novalidate: true },
  el("img", { src: "/assets/mark.svg", alt: "", width: 44, height: 44 }),
  el("h1", { text: title }),
  el("p", { class: "soft", text: lead }),
  problem,
  field(label, token, { help }),
  button,
);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!token.value.trim()) {
    fill(problem, el("p", { class: "fault", role: "alert", text: missing }));
    return token.focus();
  }
  button.setAttribute("aria-busy", "true");
  try {
    await server.login(token.value.trim());
    location.assign(`/${location.hash}`);
  } catch (error) {
    fill(problem, error.status === 401 ? el("p", { class: "fault", role: "alert", text: wrong }) : refused(error));
    token.select();
  } finally {
    button.removeAttribute("aria-busy");
  }
});

fill(document.getElementById("main"), form);
token.focus();
