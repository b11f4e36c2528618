// Making something new: what a person brings, which languages and voices, how. Nothing starts yet: it is checked first.
import { server } from "./api.js";
import { bring } from "./bring.js";
import { directionOf, el, field, fill } from "./elements.js";
import { roughly, size } from "./formats.js";
import { icon } from "./icons.js";
import { languagePicker } from "./languages.js";
import { refused } from "./notices.js";
import { words } from "./strings.js";

export async function show(place, { kind }) {
  const heading = el("h1", { text: words.make.titles[kind] });
  fill(place, heading, el("p", { class: "lead", role: "status", text: words.make.loading }));
  const offer = await server.offer();
  const form = el("form", { class: "making", novalidate: true });
  const problem = el("div");
  const made = kindOf(kind, offer, () => fill(problem));
  const check = el("button", { type: "submit", class: "button main large" }, words.make.check);
  const { machine, kept, limits } = words.make;
  form.append(
    el("div", { class: "parts stack" }, made.elements),
    el(
      "aside",
      { class: "card summary stack", "aria-label": words.make.check },
      el(
        "ul",
        { class: "facts small soft" },
        el(
          "li",
          {},
          icon("info"),
          machine({ cores: offer.machine.cores, gpu: offer.machine.gpu, free: size(offer.machine.free_bytes) }),
        ),
        el("li", {}, icon("clock"), limits(roughly(offer.limits.duration_s).replace(/^about /, "up to "))),
        el("li", {}, icon("shield"), kept(offer.limits.retention_days)),
      ),
      problem,
      check,
      el("p", { class: "help", text: words.make.checkHelp }),
    ),
  );
  fill(place, heading, form);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (check.getAttribute("aria-busy")) return;
    const missing = made.missing();
    if (missing) {
      fill(problem, el("p", { class: "fault", role: "alert", text: missing.text }));
      missing.element.querySelector("input:not(.away), textarea, button, select")?.focus();
      return;
    }
    check.setAttribute("aria-busy", "true");
    fill(check, words.make.checking);
    try {
      const project = await server.create(made.wanted());
      made.keep();
      location.hash = `#/p/${project.id}`;
    } catch (error) {
      fill(problem, refused(error));
      check.removeAttribute("aria-busy");
      fill(check, words.make.check);
    }
  });
  return () => made.end();
}

/** The parts of the form for one kind of project, and what they come to. */
function kindOf(kind, offer, onChange) {
  const { source, audio } = words.make;
  const withStore = offer.s3_prefixes.length ? ["address"] : [];
  const picture = bring({
    title: source.heading[kind],
    help: source.help[kind],
    kind: kind === "dub" ? "video" : "picture",
    offer,
    onChange,
    ways: ["upload", "camera", ...withStore],
  });
  const voice =
    kind === "speech" &&
    bring({
      title: audio.heading,
      help: audio.help,
      kind: "sound",
      offer,
      onChange,
      ways: ["upload", "microphone"],
    });
  const languages = kind !== "speech" && languagePicker({ offer, kind, onChange });
  const script = kind === "text" && scriptPart(offer, languages, onChange);
  const how = options(kind, offer);
  const { missing: lacks } = words.make;
  return {
    elements: [picture.element, voice?.element, script?.element, languages?.element, how.element].filter(Boolean),
    missing: () => {
      for (const part of [picture, voice])
        if (part && part.busy()) return { text: lacks.uploading, element: part.element };
      if (!picture.value()) return { text: lacks[kind], element: picture.element };
      if (voice && !voice.value()) return { text: lacks.audio, element: voice.element };
      if (script && !script.value()) return { text: lacks.script, element: script.element };
      if (languages && !languages.to().length) return { text: lacks.languages, element: languages.element };
      return null;
    },
    wanted: () => ({
      kind,
      source: picture.value(),
      ...how.value(),
      ...(voice ? { audio: voice.value() } : {}),
      ...(script ? { text: script.value() } : {}),
      ...(languages ? { to: languages.to(), voices: languages.voices(), from: languages.from() } : { to: [] }),
    }),
    keep: () => undefined,
    end: () => [picture, voice, languages].forEach((part) => part && part.end()),
  };
}

function scriptPart(offer, languages, onChange) {
  const { heading, label, help, placeholder, count } = words.make.script;
  const most = offer.limits.text_characters;
  const area = el("textarea", { rows: 7, maxlength: most ?? false, placeholder });
  const counter = el("p", { class: "soft small clock", text: count(0, most) });
  const turn = () => {
    const [language] = languages.to();
    area.lang = language ?? "";
    area.dir = directionOf(language);
  };
  area.addEventListener("input", () => {
    counter.textContent = count(area.value.length, most);
    onChange();
  });
  languages.element.addEventListener("change", turn);
  turn();
  const element = el(
    "section",
    { class: "card part", "aria-labelledby": "script" },
    el("h2", { id: "script", text: heading }),
    field(label, area, { help }),
    counter,
  );
  return { element, value: () => area.value.trim() };
}

function options(kind, offer) {
  const { heading, title, titleHelp, lips, review, reviewHelp } = words.make.options;
  const name = el("input", { type: "text", maxlength: 120, autocomplete: "off" });
  const choice = el(
    "select",
    {},
    offer.lips.map((each) => el("option", { value: each.id, text: each.name })),
  );
  const about = el("p", { class: "help", id: "lips-help" });
  const tell = () => (about.textContent = offer.lips.find((each) => each.id === choice.value)?.help ?? "");
  choice.addEventListener("change", tell);
  tell();
  const first = el("input", { type: "checkbox", "aria-describedby": "review-help" });
  const lipsField = field(lips, choice);
  lipsField.append(about);
  choice.setAttribute("aria-describedby", "lips-help");
  const element = el(
    "section",
    { class: "card part", "aria-labelledby": "how" },
    el("h2", { id: "how", text: heading }),
    el("div", { class: "pair" }, field(title, name, { help: titleHelp }), offer.lips.length > 1 && lipsField),
    kind === "dub" &&
      el(
        "label",
        { class: "tick" },
        first,
        el(
          "span",
          {},
          el("span", { class: "label", text: review }),
          el("span", { class: "help block", id: "review-help", text: reviewHelp }),
        ),
      ),
  );
  return {
    element,
    value: () => ({
      ...(name.value.trim() ? { title: name.value.trim() } : {}),
      ...(offer.lips.length ? { lips: choice.value } : {}),
      review: kind === "dub" && first.checked,
    }),
  };
}
