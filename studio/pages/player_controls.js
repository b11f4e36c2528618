// Under the picture: play, where it is, which of the two, how fast, how close the timeline looks.
import { attribute, el, fill } from "./elements.js";
import { clock } from "./formats.js";
import { icon } from "./icons.js";
import { words } from "./strings.js";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

/** `{element, at(position), playing(isPlaying), otherSide()}`. */
export function playerControls({ player, timeline }) {
  const { sides, play: playLabel, pause, speed, zoom, noDub } = words.mend;
  const play = el("button", { type: "button", class: "button main square", on: { click: player.toggle } });
  const at = el("span", { class: "clock at" });
  const choice = ["both", "dub", "source"].map((side) =>
    el(
      "button",
      { type: "button", class: "button small", data: { side }, on: { click: () => choose(side) } },
      sides[side],
    ),
  );
  const rate = el(
    "select",
    { class: "speed", "aria-label": speed },
    SPEEDS.map((each) => el("option", { value: each, text: `${each} ×` })),
  );
  const zooms = [
    ["in", -1, "+"],
    ["out", 1, "−"],
  ].map(([name, step, sign]) =>
    el(
      "button",
      {
        type: "button",
        class: "button small square",
        "aria-label": zoom[name],
        title: zoom[name],
        on: { click: () => timeline.zoom(step) },
      },
      sign,
    ),
  );
  let shown = "";
  rate.value = "1";
  rate.addEventListener("change", () => player.speed(Number(rate.value)));

  function choose(side) {
    player.show(side);
    for (const button of choice) attribute(button, "aria-pressed", String(button.dataset.side === side));
  }

  function playing(isPlaying) {
    fill(play, icon(isPlaying ? "pause" : "play"));
    attribute(play, "aria-label", isPlaying ? pause : playLabel);
  }

  choose(player.side);
  playing(false);
  const which = player.hasDub
    ? el("div", { class: "group", role: "group", "aria-label": sides.label }, choice)
    : el("p", { class: "soft small", text: noDub });
  return {
    element: el(
      "div",
      { class: "row player-controls" },
      play,
      at,
      which,
      rate,
      el("div", { class: "group zooms", role: "group", "aria-label": zoom.label }, zooms),
    ),
    at(position) {
      const text = clock(position, 1);
      if (text === shown) return;
      shown = text;
      at.textContent = text;
    },
    playing,
    otherSide: () => player.hasDub && choose(player.side === "source" ? "dub" : "source"),
  };
}
