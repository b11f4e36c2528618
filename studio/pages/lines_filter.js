// Which lines are listed, and in which order.
import { el, fill } from "./elements.js";
import { icon } from "./icons.js";
import { words } from "./strings.js";

const SOON_MS = 150;

/**
 * `{element, shown(), counted(n, all), follow(follows)}`: `shown()` are the ids that fit, in order. `onChange()` when a
 * person changes it; `onFollow(follows)` when the list is to go with the playhead, or no longer.
 */
export function linesFilter({ sheet, onChange, onFollow }) {
  const { follow: followLabel, followHelp, filters, orders, search: find, show, order: orderLabel } = words.mend;
  const options = (names) => Object.entries(names).map(([value, text]) => el("option", { value, text }));
  const which = el("select", { "aria-label": show }, options(filters));
  const order = el("select", { "aria-label": orderLabel }, options(orders));
  const search = el("input", { type: "search", placeholder: find, "aria-label": find, autocomplete: "off" });
  const count = el("p", { class: "soft small", role: "status" });
  const follow = el(
    "button",
    { type: "button", class: "button small", title: followHelp, "aria-pressed": "true" },
    followLabel,
  );
  let timer = null;
  const setFollow = (follows) => {
    follow.setAttribute("aria-pressed", String(follows));
    onFollow(follows);
  };
  follow.addEventListener("click", () => setFollow(follow.getAttribute("aria-pressed") !== "true"));
  which.addEventListener("change", onChange);
  order.addEventListener("change", onChange);
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, SOON_MS);
  });
  const fits = {
    all: () => true,
    doubts: (line) => line.doubts.length > 0 && !line.reviewed,
    open: (line) => !line.reviewed,
    edited: (line) => sheet.isEdited(line.id),
  };
  const weight = (line) => line.doubts.reduce((sum, each) => sum + each.weight, 0);

  function shown() {
    const wanted = search.value.trim().toLocaleLowerCase();
    const lines = sheet.lines
      .map(({ id }) => sheet.line(id))
      .filter(fits[which.value])
      .filter((line) => !wanted || `${line.source}\n${line.translation}`.toLocaleLowerCase().includes(wanted));
    if (order.value === "doubt") lines.sort((a, b) => weight(b) - weight(a) || a.start_s - b.start_s);
    return lines.map((line) => line.id);
  }

  const element = el(
    "div",
    { class: "filter" },
    el("div", { class: "find" }, icon("search"), search),
    which,
    order,
    el("div", { class: "row spread" }, count, follow),
  );
  return { element, shown, counted: (n, all) => fill(count, words.mend.shown(n, all)), follow: setFollow };
}
