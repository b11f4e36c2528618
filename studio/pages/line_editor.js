// The chosen line, to be changed: texts, speaker, voice, times; to be heard as it is written; to be split and joined.
import { announce } from "./announce.js";
import { attribute, el, field, fill } from "./elements.js";
import { clock, seconds } from "./formats.js";
import { icon } from "./icons.js";
import { refused } from "./notices.js";
import { words } from "./strings.js";

/**
 * A form over one line of `sheet`. `hear(line, signal)` gives its sound as a blob; `actions` are `split`, `merge`,
 * `play` and `step(by)`. `{element, show(id), refresh(columns), hear(), focus(column), caret, end()}`.
 */
export function lineEditor({ sheet, languages, hear, actions }) {
  const { editor } = words.mend;
  const heading = el("h2", { id: "line-heading" });
  const parts = fields(languages, sheet);
  const doubts = el("ul", { class: "doubts" });
  const hearButton = el("button", { type: "button", class: "button main" });
  const heard = el("p", { class: "soft small clock", role: "status" });
  const problem = el("div");
  const fit = el("p", { class: "soft small" });
  const tool = (name, text, press) =>
    el("button", { type: "button", class: "button small", on: { click: press } }, icon(name), text);
  const form = el(
    "form",
    { class: "editor stack", "aria-labelledby": "line-heading", novalidate: true },
    el(
      "div",
      { class: "row spread" },
      el("div", { class: "row tight" }, heading, fit),
      el(
        "div",
        { class: "row tight" },
        el(
          "button",
          {
            type: "button",
            class: "button small square",
            "aria-label": editor.previous,
            title: editor.previous,
            on: { click: () => actions.step(-1) },
          },
          "↑",
        ),
        el(
          "button",
          {
            type: "button",
            class: "button small square",
            "aria-label": editor.next,
            title: editor.next,
            on: { click: () => actions.step(1) },
          },
          "↓",
        ),
      ),
    ),
    doubts,
    el("div", { class: "texts" }, parts.source.element, parts.translation.element),
    el(
      "div",
      { class: "row" },
      hearButton,
      tool("play", editor.play, actions.play),
      el("label", { class: "tick inline" }, parts.reviewed.control, el("span", { text: editor.reviewed })),
      heard,
    ),
    problem,
    el(
      "div",
      { class: "small-fields" },
      parts.speaker.element,
      parts.voice.element,
      parts.start_s.element,
      parts.end_s.element,
    ),
    el("div", { class: "row" }, tool("split", editor.split, actions.split), tool("merge", editor.merge, actions.merge)),
  );
  const none = el("p", { class: "soft", text: editor.none });
  const element = el("section", { class: "card editor-holder", "aria-label": words.mend.editor.source }, none, form);
  element.setAttribute("aria-label", editor.heading(""));
  let id = null;
  let abort = null;
  const sound = new Audio();
  form.hidden = true;
  form.addEventListener("submit", (event) => event.preventDefault());

  for (const [column, part] of Object.entries(parts)) {
    part.control.addEventListener(part.live ? "input" : "change", () => {
      const value = part.read(sheet.line(id));
      if (value !== undefined) sheet.edit(id, { [column]: value });
    });
    part.own?.addEventListener("click", () => {
      sheet.edit(id, { [column]: "" }); // what the machine said comes back with the answer to the save
      part.control.focus();
    });
  }

  function show(next) {
    stop();
    id = next;
    form.hidden = id === null;
    none.hidden = id !== null;
    fill(problem);
    heard.textContent = "";
    if (id !== null) refresh(null);
  }

  /** Puts the line's values into the fields; of a field that is just being typed in, nothing is touched. */
  function refresh(columns) {
    const line = sheet.line(id);
    if (!line) return show(null);
    heading.textContent = editor.heading(line.number);
    for (const [column, part] of Object.entries(parts)) {
      const isTyped =
        part.live &&
        part.control === document.activeElement &&
        columns?.includes(column) &&
        part.read(line) === line[column];
      if (!isTyped) part.write(line);
      if (part.own) part.own.hidden = !line.edited.includes(column) || line[column] === "";
    }
    const notes = [
      Number.isFinite(line.rate) && line.rate ? editor.fits(line.rate) : "",
      line.held_s > 0 ? editor.held(line.held_s.toFixed(1)) : "",
    ];
    fit.textContent = notes.filter(Boolean).join(" · ");
    doubts.hidden = !line.doubts.length;
    fill(
      doubts,
      line.doubts.map((each) => el("li", {}, icon("warn"), el("span", { text: each.text }))),
    );
  }

  async function play() {
    if (abort || !sound.paused) return stop();
    const line = sheet.line(id);
    const mine = new AbortController();
    abort = mine;
    dress("busy");
    heard.textContent = "";
    fill(problem);
    const from = performance.now();
    try {
      const blob = await hear(line, mine.signal);
      heard.textContent = editor.heardIn(((performance.now() - from) / 1000).toFixed(1));
      if (sound.src) URL.revokeObjectURL(sound.src);
      sound.src = URL.createObjectURL(blob);
      await sound.play();
      dress("playing");
    } catch (error) {
      if (error.name !== "AbortError") fill(problem, refused(error, play));
      dress("");
    } finally {
      if (abort === mine) abort = null;
    }
  }

  function stop() {
    abort?.abort();
    abort = null;
    sound.pause();
    dress("");
  }

  function dress(how) {
    attribute(hearButton, "aria-busy", how === "busy" ? "true" : null);
    fill(
      hearButton,
      how === "busy" ? null : icon(how === "playing" ? "stop" : "speaker"),
      { busy: editor.hearing, playing: editor.stop }[how] ?? editor.hear,
    );
    if (how === "busy") announce(editor.hearing);
  }

  hearButton.addEventListener("click", play);
  sound.addEventListener("ended", () => dress(""));
  dress("");
  return {
    element,
    show,
    refresh,
    hear: play,
    focus: (column = "translation") => parts[column].control.focus(),
    get caret() {
      return { source: parts.source.control.selectionStart, translation: parts.translation.control.selectionStart };
    },
    end: stop,
  };
}

/** The controls, by column: how each is read from and written to a line. */
function fields({ source, target, sourceDirection, direction }, sheet) {
  const { editor } = words.mend;
  const own = () =>
    el("button", { type: "button", class: "button small quiet own", hidden: true }, icon("undo"), editor.own);
  const text = (label, lang, dir, help, column) => {
    const control = el("textarea", { rows: 3, lang, dir, spellcheck: "true", placeholder: editor.ownAgain });
    const back = own();
    const element = field(label, control, { help });
    element.append(back);
    return {
      control,
      element,
      own: back,
      live: true,
      read: () => control.value.replace(/\s+/g, " ").trim(),
      write: (line) => (control.value = line[column]),
    };
  };
  const select = (label, options, column) => {
    const control = el("select");
    return {
      control,
      element: field(label, control),
      read: () => control.value,
      write: (line) => {
        fill(
          control,
          options(line).map(([value, name]) => el("option", { value, text: name })),
        );
        control.value = line[column] ?? "";
      },
    };
  };
  const time = (label, column) => {
    const control = el("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false" });
    const fault = el("p", { class: "fault", role: "alert" });
    return {
      control,
      element: field(label, control, { fault }),
      read: (line) => {
        const value = seconds(control.value);
        const [start, end] = column === "start_s" ? [value, line.end_s] : [line.start_s, value];
        fault.textContent = Number.isNaN(value) ? editor.timeWrong : end <= start ? editor.timeOrder : "";
        attribute(control, "aria-invalid", fault.textContent ? "true" : null);
        return fault.textContent ? undefined : value;
      },
      write: (line) => {
        control.value = clock(line[column], 3);
        fault.textContent = "";
        attribute(control, "aria-invalid", null);
      },
    };
  };
  const nameOfVoice = (id) => {
    const name = sheet.answer.voices.find((each) => each.id === id)?.name ?? id;
    const isShared = sheet.answer.voices.filter((each) => each.name === name).length > 1;
    return isShared ? `${name} (${id})` : name;
  };
  const reviewed = el("input", { type: "checkbox" });
  return {
    source: text(editor.source, source, sourceDirection, editor.sourceHelp, "source"),
    translation: text(editor.translation, target, direction, editor.translationHelp, "translation"),
    speaker: select(editor.speaker, () => sheet.answer.speakers.map((each) => [each.id, each.name]), "speaker"),
    voice: select(
      editor.voice,
      (line) => {
        const voices = sheet.answer.voices.map((each) => [each.id, nameOfVoice(each.id)]);
        return voices.some(([id]) => id === line.voice)
          ? voices
          : [[line.voice ?? "", nameOfVoice(line.voice ?? "")], ...voices];
      },
      "voice",
    ),
    start_s: time(editor.start, "start_s"),
    end_s: time(editor.end, "end_s"),
    reviewed: { control: reviewed, read: () => reviewed.checked, write: (line) => (reviewed.checked = line.reviewed) },
  };
}
