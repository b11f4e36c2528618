// Over the lines: whose they are, in which language, undo, what is not saved, and how it gets into the video.
import { attribute, el } from "./elements.js";
import { icon } from "./icons.js";
import { words } from "./strings.js";

const RENDERED = ["review", "done", "failed", "cancelled"];

/** `{element, draw()}`; `on` holds `undo`, `redo`, `save`, `render`, `keys`. */
export function mendBar({ project, language, sheet, saver, on }) {
  const { mend } = words;
  const small = (name, label, press) =>
    el(
      "button",
      { type: "button", class: "button small square quiet", "aria-label": label, title: label, on: { click: press } },
      icon(name),
    );
  const undo = small("undo", mend.undo, on.undo);
  const redo = small("redo", mend.redo, on.redo);
  const state = el("p", { class: "small unsaved", role: "status" });
  const save = el("button", { type: "button", class: "button small", on: { click: on.save } }, mend.save);
  const isReview = project.state === "review";
  const render = el(
    "button",
    { type: "button", class: "button small main", title: mend.renderHelp, on: { click: on.render } },
    icon(isReview ? "play" : "again"),
    isReview ? mend.goOn : mend.render,
  );
  const name = (code) => words.languageNames[code] ?? code;
  const languages =
    project.to.length > 1
      ? el(
          "select",
          { class: "language", "aria-label": mend.language },
          project.to.map((code) => el("option", { value: code, text: name(code), selected: code === language })),
        )
      : el("span", { class: "chip accent", text: name(language) });
  languages.addEventListener("change", () => {
    const wanted = languages.value;
    languages.value = language; // until the other view stands: what is not saved may keep this one
    location.hash = `#/p/${project.id}/mend?language=${wanted}`;
  });
  const element = el(
    "div",
    { class: "mend-bar" },
    el(
      "a",
      {
        class: "button small quiet square",
        href: project.state === "done" ? `#/p/${project.id}/out` : `#/p/${project.id}`,
        "aria-label": mend.back,
        title: mend.back,
      },
      icon("cross"),
    ),
    el(
      "h1",
      {},
      el("span", { class: "away", text: mend.title("") }),
      el("bdi", { text: project.title || project.source.name || words.unnamed }),
    ),
    languages,
    el(
      "div",
      { class: "row tight end" },
      state,
      undo,
      redo,
      small("keys", mend.keys, on.keys),
      save,
      RENDERED.includes(project.state) && render,
    ),
  );

  function draw() {
    const unsaved = sheet.unsaved;
    const text = saver.isSaving ? mend.saving : unsaved ? mend.unsaved(unsaved) : mend.saved;
    if (state.textContent !== text) state.textContent = text;
    state.classList.toggle("some", unsaved > 0);
    attribute(save, "aria-disabled", unsaved && !saver.isSaving ? null : "true");
    attribute(undo, "aria-disabled", sheet.canUndo ? null : "true");
    attribute(redo, "aria-disabled", sheet.canRedo ? null : "true");
  }

  draw();
  return { element, draw };
}
