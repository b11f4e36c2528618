// The timeline: both sounds drawn, the lines as blocks, the playhead. The canvas is drawn once a window; what moves
// with every picture is one element over it.
import { el } from "./elements.js";
import { clock as written } from "./formats.js";
import { words } from "./strings.js";

const SPANS_S = [8, 15, 30, 60, 120, 300, 900, 3600];
const EDGE_PX = 12;
const LEAST_S = 0.1;

/**
 * `{element, move(position), select(id), redraw(), waves({dub, source}), zoom(step), end()}`. Positions are on
 * the dub's clock; `lines()` gives `[{id, from, to}]` in order; `onSeek(position)`; `onStretch(id, {from?, to?},
 * isDone)` while an edge of the chosen line is dragged.
 */
export function timeline({ duration, clock, lines, onSeek, onStretch }) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const head = el("div", { class: "playhead", "aria-hidden": "true" });
  const element = el(
    "div",
    {
      class: "timeline",
      role: "slider",
      tabindex: "0",
      "aria-label": words.mend.timeline,
      "aria-valuemin": 0,
      "aria-valuemax": Math.ceil(duration),
      "aria-valuenow": 0,
      "aria-valuetext": written(0),
      title: words.mend.waveform,
    },
    canvas,
    head,
  );
  const state = { at: 0, from: 0, zoom: 2, chosen: null, peaks: {}, drag: null, dirty: false, told: -1 };
  const span = () => Math.min(SPANS_S[state.zoom], Math.max(duration, 1));
  const width = () => element.clientWidth;
  const x = (time) => ((time - state.from) / span()) * width();
  const time = (px) => state.from + (px / width()) * span();

  function move(position) {
    state.at = position;
    if (!state.drag && (position < state.from || position > state.from + span())) look(position);
    head.style.transform = `translateX(${x(position).toFixed(2)}px)`;
    const second = Math.floor(position);
    if (second !== state.told) {
      state.told = second;
      element.setAttribute("aria-valuenow", String(second));
      element.setAttribute("aria-valuetext", written(position));
    }
  }

  /** Turns the page so that `position` is near its start. */
  function look(position) {
    state.from = Math.max(0, Math.min(position - span() * 0.1, duration - span()));
    redraw();
  }

  function redraw() {
    if (state.dirty) return;
    state.dirty = true;
    requestAnimationFrame(() => {
      state.dirty = false;
      paint();
      head.style.transform = `translateX(${x(state.at).toFixed(2)}px)`;
    });
  }

  function paint() {
    const [w, h, scale] = [width(), element.clientHeight, devicePixelRatio || 1];
    if (!w) return;
    canvas.width = Math.round(w * scale);
    canvas.height = Math.round(h * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(name).trim();
    ticks(pen, w, h, colour);
    blocks(pen, h, colour);
    wave(pen, w, state.peaks.dub, (h - 18) * 0.32 + 18, (h - 18) * 0.29, colour("--accent"), (t) => t);
    wave(pen, w, state.peaks.source, (h - 18) * 0.78 + 18, (h - 18) * 0.2, colour("--edge"), clock.toSource);
  }

  function ticks(pen, w, h, colour) {
    const step = [1, 2, 5, 10, 30, 60, 300, 600].find((each) => (each / span()) * w > 70) ?? 1800;
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    for (let at = Math.ceil(state.from / step) * step; at <= state.from + span(); at += step) {
      pen.fillStyle = colour("--line");
      pen.fillRect(x(at), 16, 1, h);
      pen.fillStyle = colour("--soft");
      if (x(at) < w - 30) pen.fillText(written(at), x(at) + 3, 12);
    }
  }

  function blocks(pen, h, colour) {
    for (const line of lines()) {
      if (line.to < state.from || line.from > state.from + span()) continue;
      const chosen = line.id === state.chosen;
      const [left, right] = [x(line.from), Math.max(x(line.to), x(line.from) + 2)];
      pen.fillStyle = colour(chosen ? "--accent-soft" : "--sunk");
      pen.strokeStyle = colour(chosen ? "--accent" : "--line");
      pen.lineWidth = chosen ? 2 : 1;
      pen.beginPath();
      pen.roundRect(left + 0.5, 18.5, Math.max(1, right - left - 1), h - 20, 5);
      pen.fill();
      pen.stroke();
      if (chosen) {
        pen.fillStyle = colour("--accent");
        for (const edge of [left - 1.5, right - 2.5]) pen.fillRect(edge, 18 + (h - 18) / 2 - 12, 4, 24);
      }
    }
  }

  function wave(pen, w, data, middle, height, colour, to) {
    if (!data) return;
    pen.fillStyle = colour;
    for (let px = 0; px < w; px += 2) {
      const [a, b] = [Math.floor(to(time(px)) * data.per_s), Math.ceil(to(time(px + 2)) * data.per_s)];
      let loud = 0;
      for (let i = Math.max(0, a); i < b && i < data.peaks.length; i += 1) loud = Math.max(loud, data.peaks[i]);
      const half = Math.max(0.5, (loud / 255) * height);
      pen.fillRect(px, middle - half, 1.4, half * 2);
    }
  }

  function edgeAt(px) {
    const line = lines().find((each) => each.id === state.chosen);
    if (!line) return null;
    if (Math.abs(px - x(line.from)) < EDGE_PX) return { id: line.id, edge: "from", other: line.to };
    if (Math.abs(px - x(line.to)) < EDGE_PX) return { id: line.id, edge: "to", other: line.from };
    return null;
  }

  const offset = (event) => event.clientX - element.getBoundingClientRect().left;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    state.drag = edgeAt(offset(event)) ?? "seek";
    if (state.drag === "seek") onSeek(time(offset(event)));
  });
  element.addEventListener("pointermove", (event) => {
    if (!state.drag) element.style.cursor = edgeAt(offset(event)) ? "ew-resize" : "text";
    else if (state.drag === "seek") onSeek(Math.min(duration, Math.max(0, time(offset(event)))));
    else stretch(offset(event), false);
  });
  const drop = (event) => {
    if (state.drag && state.drag !== "seek") stretch(offset(event), true);
    state.drag = null;
  };
  element.addEventListener("pointerup", drop);
  element.addEventListener("pointercancel", () => (state.drag = null));
  element.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && Math.abs(event.deltaX) < Math.abs(event.deltaY)) return;
      event.preventDefault();
      if (event.ctrlKey) zoom(Math.sign(event.deltaY));
      else look(state.from + (event.deltaX / width()) * span() + span() * 0.1);
    },
    { passive: false },
  );
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, PageUp: -10, PageDown: 10 }[event.key];
    if (step) onSeek(Math.min(duration, Math.max(0, state.at + step)));
    else if (event.key === "Home") onSeek(0);
    else if (event.key === "End") onSeek(duration);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function stretch(px, isDone) {
    const { id, edge, other } = state.drag;
    const at = edge === "from" ? Math.min(time(px), other - LEAST_S) : Math.max(time(px), other + LEAST_S);
    onStretch(id, { [edge]: Math.max(0, at) }, isDone);
  }

  function zoom(step) {
    state.zoom = Math.min(SPANS_S.length - 1, Math.max(0, state.zoom + step));
    look(state.at - span() * 0.4);
  }

  const watcher = new ResizeObserver(redraw);
  watcher.observe(element);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", redraw);
  return {
    element,
    move,
    redraw,
    zoom,
    select(id) {
      state.chosen = id;
      const line = lines().find((each) => each.id === id);
      if (line && (line.from < state.from || line.to > state.from + span())) look(line.from);
      redraw();
    },
    waves(peaks) {
      Object.assign(state.peaks, peaks);
      redraw();
    },
    end() {
      watcher.disconnect();
      scheme.removeEventListener("change", redraw);
    },
  };
}
