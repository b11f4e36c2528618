// Notices that several views show: a refusal with its remedy, a question before something is lost.
import { el, freshId } from "./elements.js";
import { icon } from "./icons.js";
import { words } from "./strings.js";

/** A notice; `kind` is "", "good", "warn" or "bad". */
export function notice(kind, title, ...body) {
  const name = { bad: "warn", warn: "warn", good: "check" }[kind] ?? "info";
  return el(
    "div",
    { class: `notice ${kind}` },
    icon(name),
    el(
      "div",
      { class: "stack" },
      el(
        "div",
        {},
        el("strong", { text: title }),
        ...body.filter((part) => typeof part === "string").map((text) => el("p", { text })),
      ),
      ...body.filter((part) => part && typeof part !== "string"),
    ),
  );
}

/** What went wrong and what to do about it; with `retry` a button that tries again. */
export function refused(error, retry = null) {
  const known = typeof error.error === "string";
  if (!known) console.error(error);
  const again =
    retry &&
    el(
      "div",
      {},
      el(
        "button",
        { type: "button", class: "button small", on: { click: retry } },
        icon("again"),
        words.refusals.again,
      ),
    );
  const shown = notice(
    "bad",
    known ? error.error : words.refusals.broken,
    known ? error.remedy : words.refusals.reload,
    again,
  );
  shown.setAttribute("role", "alert");
  return shown;
}

/** Asks before something that cannot be taken back; resolves to true where the person goes on. */
export function sure({ title, text, yes, danger = true }) {
  return new Promise((resolve) => {
    const heading = el("h2", { id: freshId("sure"), text: title });
    const form = el(
      "form",
      { method: "dialog" },
      heading,
      el("p", { text }),
      el(
        "div",
        { class: "actions" },
        el("button", { class: "button", value: "no", text: words.no }),
        el("button", { class: danger ? "button danger" : "button main", value: "yes", text: yes }),
      ),
    );
    const dialog = el("dialog", { "aria-labelledby": heading.id }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
