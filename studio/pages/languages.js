// Which languages, and which voice in each, with a sample of every voice to hear.
import { el, field, fill } from "./elements.js";
import { icon } from "./icons.js";
import { words } from "./strings.js";

/**
 * A part of a form: languages to tick (one to choose for a text), a voice for each. Gives
 * `{element, to(), voices(), from(), end()}`.
 */
export function languagePicker({ offer, kind, onChange }) {
  const single = kind === "text";
  const targets = single ? (offer.spoken ?? offer.targets) : offer.targets;
  const chosen = new Map(); // code -> select of its voice
  const sound = new Audio();
  const { heading, spoken, auto, spokenHelp, into, intoHelp, none, one } = words.make.languages;
  const from = el(
    "select",
    {},
    el("option", { value: "auto", text: auto }),
    offer.sources.map((each) => el("option", { value: each.code, text: each.name })),
  );
  const items = el("ul", { class: "languages" }, targets.map(item));
  const legend = single ? one : into;
  from.addEventListener("change", fit);
  const element = el(
    "section",
    { class: "card part", "aria-labelledby": "languages" },
    el("h2", { id: "languages", text: heading }),
    !single && field(spoken, from, { help: spokenHelp }),
    el(
      "fieldset",
      {},
      el("legend", { class: "label", text: legend }),
      el("p", { class: "help", text: targets.length ? intoHelp : none }),
      items,
    ),
  );

  function item(target) {
    const tick = el("input", { type: single ? "radio" : "checkbox", name: "language", value: target.code });
    const more = el("div", { class: "voice-choice" });
    tick.addEventListener("change", () => {
      if (single) for (const other of items.querySelectorAll(".voice-choice")) fill(other);
      if (single) chosen.clear();
      if (tick.checked) fill(more, voiceChoice(target));
      else {
        chosen.delete(target.code);
        fill(more);
      }
      onChange();
    });
    const native =
      target.native_name && target.native_name !== target.name
        ? el("bdi", { class: "soft", lang: target.code, dir: target.direction, text: target.native_name })
        : null;
    return el(
      "li",
      { data: { code: target.code } },
      el(
        "label",
        { class: "tick" },
        tick,
        el("span", { class: "row tight" }, el("span", { text: target.name }), native),
      ),
      more,
    );
  }

  function voiceChoice(target) {
    const { voice: label, hear, stop, any, gender } = words.make.languages;
    const named = (each) => [each.name, gender[each.gender], each.note].filter(Boolean).join(", ");
    const select = el(
      "select",
      {},
      !single && el("option", { value: "", text: any }),
      target.voices.map((each) => el("option", { value: each.id, text: named(each) })),
    );
    chosen.set(target.code, select);
    const button = el("button", { type: "button", class: "button square" });
    const dress = (playing) => {
      const voice = voiceNow();
      fill(button, icon(playing ? "stop" : "speaker"));
      button.setAttribute("aria-label", playing ? stop : hear(voice?.name ?? any));
      button.title = button.getAttribute("aria-label");
      button.disabled = !voice;
    };
    const voiceNow = () => target.voices.find((each) => each.id === select.value) ?? target.voices[0];
    button.addEventListener("click", () => {
      const playing = !sound.paused && sound.dataset.code === target.code;
      sound.pause();
      if (playing) return dress(false);
      sound.src = voiceNow().sample;
      sound.dataset.code = target.code;
      sound.onended = sound.onpause = () => dress(false);
      sound.onerror = () => dress(false);
      button.setAttribute("aria-busy", "true");
      sound
        .play()
        .then(
          () => dress(true),
          () => dress(false),
        )
        .finally(() => button.removeAttribute("aria-busy"));
    });
    select.addEventListener("change", () => (sound.pause(), dress(false)));
    dress(false);
    const part = field(label(target.name), select);
    return el("div", { class: "with-sample" }, part, button);
  }

  /** Languages that cannot be reached from the spoken one are not to be ticked. */
  function fit() {
    for (const row of items.children) {
      const target = targets.find((each) => each.code === row.dataset.code);
      const tick = row.querySelector("input");
      const fits =
        from.value === "auto" || !target.from || (target.from.includes(from.value) && target.code !== from.value);
      if (!fits && tick.checked) tick.click();
      tick.disabled = !fits;
      row.classList.toggle("unfit", !fits);
    }
    onChange();
  }

  if (targets.length === 1) {
    const [only] = items.querySelectorAll("input");
    only.checked = true; // not click(): what stands in no page yet tells nobody of a change
    only.dispatchEvent(new Event("change"));
  }
  return {
    element,
    to: () => [...chosen.keys()],
    voices: () =>
      Object.fromEntries(
        [...chosen].filter(([, select]) => select.value).map(([code, select]) => [code, select.value]),
      ),
    from: () => (single ? (chosen.keys().next().value ?? "auto") : from.value),
    end: () => sound.pause(),
  };
}
