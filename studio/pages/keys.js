// The keys of mending, and the sheet that says them. Single keys act only while no text is edited, and can be off.
import { el, freshId } from "./elements.js";
import { words } from "./strings.js";

const SWITCH = "keys-off";
const SHEET = [
  ["play", "Space"],
  ["back", "←"],
  ["ahead", "→"],
  ["previous", "↑"],
  ["next", "↓"],
  ["edit", "Enter"],
  ["leave", "Esc"],
  ["nextFromText", "Ctrl Enter"],
  ["line", "P"],
  ["hear", "H"],
  ["side", "A"],
  ["reviewed", "R"],
  ["doubt", "D"],
  ["split", "S"],
  ["merge", "M"],
  ["follow", "F"],
  ["undo", "Ctrl Z"],
  ["redo", "Ctrl Shift Z"],
  ["save", "Ctrl S"],
  ["help", "?"],
];
const SINGLE = {
  " ": "play",
  ArrowLeft: "back",
  ArrowRight: "ahead",
  ArrowUp: "previous",
  ArrowDown: "next",
  Enter: "edit",
  p: "line",
  h: "hear",
  a: "side",
  r: "reviewed",
  d: "doubt",
  s: "split",
  m: "merge",
  f: "follow",
  "?": "help",
};
const TYPED = "input:not([type=checkbox]):not([type=range]):not([type=radio]), textarea, select";
const OWN = "button, a, summary, [role=slider], input"; // they answer to these themselves
const OWN_KEYS = [" ", "Enter", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

/** Listens until the returned function is called; `does` holds what each name in the sheet does. */
export function listenToKeys(does) {
  function pressed(event) {
    if (document.querySelector("dialog[open]") || event.defaultPrevented) return;
    const name = meant(event);
    if (!name || !does[name]) return;
    event.preventDefault();
    does[name]();
  }
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}

function meant(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isTyping = event.target.matches?.(TYPED);
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") return event.shiftKey ? "redo" : "undo";
    if (key === "y") return "redo";
    if (key === "s") return "save";
    if (key === "Enter" && isTyping) return "nextFromText";
    return null;
  }
  if (event.altKey) return null;
  if (isTyping) return key === "Escape" ? "leave" : null;
  if (event.target.matches?.(OWN) && OWN_KEYS.includes(event.key)) return null;
  if (localStorage.getItem(SWITCH) && key.length === 1 && key !== " ") return null;
  return SINGLE[key] ?? null;
}

function pressedTogether(keys) {
  return keys.split(" ").map((key, index) => [index ? " + " : "", el("kbd", { text: key })]);
}

/** Shows the sheet of keys. */
export function showKeys() {
  const heading = el("h2", { id: freshId("keys"), text: words.mend.keysTitle });
  const works = el("input", { type: "checkbox" });
  works.checked = !localStorage.getItem(SWITCH);
  works.addEventListener("change", () =>
    works.checked ? localStorage.removeItem(SWITCH) : localStorage.setItem(SWITCH, "1"),
  );
  const pairs = SHEET.map(([name, keys]) =>
    el("div", {}, el("dt", {}, pressedTogether(keys)), el("dd", { text: words.mend.sheet[name] })),
  );
  const dialog = el(
    "dialog",
    { class: "broad", "aria-labelledby": heading.id },
    el(
      "form",
      { method: "dialog" },
      heading,
      el("dl", { class: "keys" }, pairs),
      el("label", { class: "tick" }, works, el("span", { text: words.mend.keysOn })),
      el("div", { class: "actions" }, el("button", { class: "button main", text: words.close })),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
