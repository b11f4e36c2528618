// Pictures of a run as they are made: before and after, side by side where both are of one moment.
import { el } from "./elements.js";
import { clock } from "./formats.js";
import { icon } from "./icons.js";
import { words } from "./strings.js";

const MOST = 24; // figures; the oldest go, so that a run of hours stays light

/** `{element, add(still), isEmpty()}`; a still is `{url, time_s, kind, language}`. */
export function stillsShown() {
  const { stills, stillsEmpty, still: caption, before, after } = words.watch;
  const grid = el("div", { class: "stills" });
  const empty = el("p", { class: "soft" }, icon("film"), stillsEmpty);
  const element = el(
    "section",
    { class: "card stack", "aria-labelledby": "stills" },
    el("h2", { id: "stills", text: stills }),
    empty,
    grid,
  );
  const figures = new Map(); // moment -> figure
  const seen = new Set();
  const befores = new Map(); // moment -> still, shown beside every language's after

  function add(still) {
    if (seen.has(still.url)) return;
    seen.add(still.url);
    empty.hidden = true;
    element.hidden = false;
    const moment = still.time_s.toFixed(2);
    if (still.kind === "before") befores.set(moment, still);
    const key = `${moment} ${still.kind === "before" ? "" : (still.language ?? "")}`;
    const known = figures.get(key) ?? figures.get(`${moment} `);
    const figure =
      known ??
      el(
        "figure",
        {},
        el("div", { class: "two" }),
        el("figcaption", { class: "soft small clock", text: clock(still.time_s) }),
      );
    if (!known) {
      grid.prepend(figure);
      if (still.kind === "after" && befores.has(moment)) figure.firstChild.append(picture(befores.get(moment), before));
    }
    figures.delete(`${moment} `);
    figures.set(key, figure);
    figure.firstChild.append(picture(still, still.kind === "before" ? before : after));
    while (grid.children.length > MOST) grid.lastChild.remove();
  }

  function picture(still, word) {
    const image = el("img", {
      src: still.url,
      alt: caption[still.kind](clock(still.time_s)),
      loading: "lazy",
      decoding: "async",
    });
    image.addEventListener("error", () => image.parentElement?.remove());
    return el("div", { class: still.kind }, image, el("span", { class: "chip", text: word }));
  }

  return { element, add, isEmpty: () => seen.size === 0 };
}
