// The list of lines. Only the rows in sight exist, and they are used again as the list scrolls: 2,000 lines or 20.
import { attribute, el } from "./elements.js";
import { clock } from "./formats.js";
import { icon } from "./icons.js";
import { words } from "./strings.js";

const BEYOND = 6; // rows above and below the window, so that a quick scroll shows no gap

/**
 * A list box over `sheet`. `onSelect(id)` when a person chooses a line, `onOpen(id)` when they want to change it,
 * `onScroll()` when they scroll by hand. `{element, draw(ids), update(id), select(id), now(id, follow), focus()}`.
 */
export function lineList({ sheet, languages, onSelect, onOpen, onScroll }) {
  const space = el("div", { class: "space" });
  const element = el(
    "div",
    { class: "lines", role: "listbox", tabindex: "0", "aria-label": words.mend.listLabel },
    space,
  );
  const nothing = el("p", { class: "nothing soft", hidden: true, text: words.mend.nothing });
  const holder = el("div", { class: "lines-holder" }, element, nothing);
  const rows = new Map(); // index -> row in sight
  const spare = [];
  let ids = [];
  let places = new Map();
  let height = 84;
  let chosen = null;
  let now = null;
  let asked = false;

  function draw(shown) {
    ids = shown;
    places = new Map(ids.map((id, index) => [id, index]));
    nothing.hidden = ids.length > 0;
    element.hidden = ids.length === 0;
    for (const index of [...rows.keys()]) recycle(index);
    measure();
    sight();
  }

  function measure() {
    height = parseFloat(getComputedStyle(element).getPropertyValue("--row")) || 84;
    space.style.blockSize = `${ids.length * height}px`;
  }

  function sight() {
    asked = false;
    const first = Math.max(0, Math.floor(element.scrollTop / height) - BEYOND);
    const last = Math.min(ids.length - 1, Math.ceil((element.scrollTop + element.clientHeight) / height) + BEYOND);
    for (const index of [...rows.keys()]) if (index < first || index > last) recycle(index);
    for (let index = first; index <= last; index += 1) if (!rows.has(index)) place(index);
    const seen = chosen !== null && rows.get(places.get(chosen));
    attribute(element, "aria-activedescendant", seen ? seen.element.id : null);
  }

  function recycle(index) {
    const row = rows.get(index);
    rows.delete(index);
    row.element.remove();
    spare.push(row);
  }

  function place(index) {
    const row = spare.pop() ?? newRow(languages);
    rows.set(index, row);
    row.element.style.transform = `translateY(${index * height}px)`;
    dress(row, index);
    space.append(row.element);
  }

  function dress(row, index) {
    const line = sheet.line(ids[index]);
    row.element.id = `line-${line.id}`;
    row.element.dataset.id = line.id;
    attribute(row.element, "aria-selected", line.id === chosen ? "true" : "false");
    attribute(row.element, "aria-posinset", index + 1);
    attribute(row.element, "aria-setsize", ids.length);
    attribute(row.element, "aria-current", line.id === now ? "true" : null);
    row.number.textContent = line.number;
    row.start.textContent = clock(line.dub_start_s ?? line.start_s);
    row.speaker.textContent = sheet.answer.speakers.length > 1 ? nameOf(line.speaker) : "";
    row.source.textContent = line.source;
    row.translation.textContent =
      line.translation === "-" ? words.mend.row.silent : line.translation || words.mend.row.own;
    row.translation.classList.toggle("silent", ["-", ""].includes(line.translation));
    const { row: said } = words.mend;
    row.doubts.hidden = !line.doubts.length || line.reviewed;
    row.doubts.title = line.doubts.map((each) => each.text).join("; ");
    row.edited.textContent = sheet.isEdited(line.id) ? said.edited : "";
    row.reviewed.hidden = !line.reviewed;
  }

  function nameOf(speaker) {
    return sheet.answer.speakers.find((each) => each.id === speaker)?.name ?? speaker;
  }

  function update(id) {
    const index = places.get(id);
    if (rows.has(index)) dress(rows.get(index), index);
  }

  function reveal(id, toMiddle = false) {
    const index = places.get(id);
    if (index === undefined) return;
    const [top, view] = [index * height, element.clientHeight];
    const hidden = top < element.scrollTop || top + height > element.scrollTop + view;
    if (hidden) element.scrollTop = toMiddle ? top - view / 3 : top < element.scrollTop ? top : top + height - view;
    sight();
  }

  function select(id) {
    const before = chosen;
    chosen = id;
    if (before !== null) update(before);
    reveal(id);
    update(id);
  }

  /** The line that is being said; the list goes with it where `follow`. */
  function say(id, follow) {
    if (id === now) return;
    const before = now;
    now = id;
    if (before !== null) update(before);
    if (id !== null) update(id);
    if (follow && id !== null) reveal(id, true);
  }

  element.addEventListener(
    "scroll",
    () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(sight);
    },
    { passive: true },
  );
  for (const event of ["wheel", "touchmove"]) element.addEventListener(event, onScroll, { passive: true });
  element.addEventListener("click", (event) => {
    const row = event.target.closest("[data-id]");
    if (!row) return;
    const isAgain = row.dataset.id === chosen; // a second click or tap opens it: a phone has no Enter
    onSelect(row.dataset.id);
    if (isAgain) onOpen(chosen);
  });
  element.addEventListener("keydown", (event) => {
    const at = places.get(chosen) ?? -1;
    const page = Math.max(1, Math.floor(element.clientHeight / height) - 1);
    const goal = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: ids.length - 1,
    }[event.key];
    if (goal !== undefined && ids.length) onSelect(ids[Math.min(ids.length - 1, Math.max(0, goal))]);
    else if (event.key === "Enter" && chosen !== null) onOpen(chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const watcher = new ResizeObserver(() => {
    measure();
    sight();
  });
  watcher.observe(element);
  return {
    element: holder,
    draw,
    update,
    select,
    now: say,
    focus: () => element.focus(),
    neighbour: (id, step) => ids[(places.get(id) ?? -1) + step] ?? null,
    has: (id) => places.has(id),
    get ids() {
      return ids;
    },
    end: () => watcher.disconnect(),
  };
}

function newRow({ source, target, sourceDirection, direction }) {
  const row = {
    number: el("span", { class: "number" }),
    start: el("span", { class: "clock" }),
    speaker: el("bdi", { class: "speaker" }),
    source: el("p", { class: "source", lang: source, dir: sourceDirection }),
    translation: el("p", { class: "translation", lang: target, dir: direction }),
    doubts: el("span", { class: "chip warn" }, icon("warn"), words.mend.row.doubt),
    edited: el("span", { class: "chip accent edited" }),
    reviewed: el(
      "span",
      { class: "chip good" },
      icon("check"),
      el("span", { class: "away", text: words.mend.row.reviewed }),
    ),
  };
  row.element = el(
    "div",
    { class: "line", role: "option" },
    el(
      "div",
      { class: "meta" },
      row.number,
      row.start,
      row.speaker,
      el("span", { class: "marks" }, row.edited, row.doubts, row.reviewed),
    ),
    row.source,
    row.translation,
  );
  return row;
}
