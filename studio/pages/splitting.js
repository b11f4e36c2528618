// Where a line is split: a place in each text and a time, chosen with sliders that a keyboard moves too.
import { el, field, fill, freshId } from "./elements.js";
import { clock } from "./formats.js";
import { words } from "./strings.js";

/**
 * Asks where to split `line`; `at` is the playhead on the source's clock, `caret` an offset in the
 * translation, which is used where it is inside. Resolves to
 * `{at_s, at_source, at_translation}`, or null where the person goes back or a text has one word.
 */
export function askSplit(line, { at, caret, languages }) {
  const { title, text, go, at: atLabel, tooShort } = words.mend.split;
  const gaps = { source: gapsOf(line.source), translation: gapsOf(line.translation) };
  const heading = el("h2", { id: freshId("split"), text: title });
  const isPossible = gaps.source.length > 0 && gaps.translation.length > 0;
  const inside = at > line.start_s + 0.1 && at < line.end_s - 0.1;
  const share = inside ? (at - line.start_s) / (line.end_s - line.start_s) : 0.5;
  const place = caret > 0 && caret < line.translation.length ? caret / line.translation.length : share;
  const said = textSlider(
    line.translation,
    gaps.translation,
    nearest(gaps.translation, place * line.translation.length),
    languages.target,
    languages.direction,
  );
  const heard = textSlider(
    line.source,
    gaps.source,
    nearest(gaps.source, place * line.source.length),
    languages.source,
    languages.sourceDirection,
  );
  const time = timeSlider(line, inside ? at : line.start_s + (line.end_s - line.start_s) * share);
  const form = el(
    "form",
    { method: "dialog" },
    heading,
    el("p", { class: "soft", text: isPossible ? text : tooShort }),
    isPossible && [
      field(words.mend.split.source, heard.control),
      heard.shown,
      field(words.mend.split.translation, said.control),
      said.shown,
      field(atLabel, time.control),
      time.shown,
    ],
    el(
      "div",
      { class: "actions" },
      el("button", { class: "button", value: "no", text: words.close }),
      isPossible && el("button", { class: "button main", value: "yes", text: go }),
    ),
  );
  const dialog = el("dialog", { class: "broad", "aria-labelledby": heading.id }, form);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(
        dialog.returnValue === "yes"
          ? { at_s: time.value(), at_source: heard.value(), at_translation: said.value() }
          : null,
      );
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** The offsets at which a word begins, but the first. */
function gapsOf(text) {
  return [...text.matchAll(/(?<=\s)\S/gu)].map((match) => match.index);
}

function nearest(gaps, offset) {
  return gaps.reduce(
    (best, gap, index) => (Math.abs(gap - offset) < Math.abs((gaps[best] ?? Infinity) - offset) ? index : best),
    0,
  );
}

function textSlider(text, gaps, start, lang, dir) {
  const control = el("input", { type: "range", min: 0, max: Math.max(0, gaps.length - 1), step: 1, dir });
  control.value = String(start);
  const shown = el("div", { class: "halves", lang, dir });
  const draw = () => {
    const [first, second] = [text.slice(0, gaps[control.value]).trim(), text.slice(gaps[control.value])];
    fill(shown, el("p", { text: first }), el("p", { text: second }));
    control.setAttribute(
      "aria-valuetext",
      `${words.mend.split.first}: ${first}. ${words.mend.split.second}: ${second}`,
    );
  };
  control.addEventListener("input", draw);
  draw();
  // The server counts characters, not the halves of those that JavaScript stores in two.
  return { control, shown, value: () => [...text.slice(0, gaps[control.value])].length };
}

function timeSlider(line, start) {
  const control = el("input", { type: "range", min: line.start_s, max: line.end_s, step: 0.01 });
  control.value = String(start);
  const shown = el("p", { class: "clock small soft" });
  const draw = () => {
    shown.textContent = clock(Number(control.value), 2);
    control.setAttribute("aria-valuetext", shown.textContent);
  };
  control.addEventListener("input", draw);
  draw();
  return { control, shown, value: () => Number(Number(control.value).toFixed(3)) };
}
