// One thing that a person brings: a file from the device, a recording, or an address in a store.
import { announce } from "./announce.js";
import { el, field, fill, freshId } from "./elements.js";
import { size } from "./formats.js";
import { icon } from "./icons.js";
import { refused } from "./notices.js";
import { recorder } from "./recorder.js";
import { words } from "./strings.js";
import { dropUpload, upload } from "./upload.js";

const ACCEPTS = {
  video: { accept: "video/*,.mkv,.mov,.mp4,.webm,.m4v", fits: ["video/"] },
  picture: { accept: "image/*,video/*,.mkv,.mov", fits: ["image/", "video/"] },
  sound: { accept: "audio/*,.wav,.mp3,.m4a,.flac,.ogg,.opus,.webm", fits: ["audio/", "video/"] },
};
const ICONS = { upload: "upload", camera: "camera", microphone: "voice", address: "link" };

/**
 * A part of a form. `kind` is what fits: "video", "picture" or "sound"; `ways` is how it may come.
 * Gives `{element, value(), busy(), end()}`: `value()` is `{upload}`, `{uri}` or null, `name()` what it is called.
 */
export function bring({ title, help, kind, ways, offer, onChange }) {
  const body = el("div", { class: "bring-body" });
  const state = { way: ways[0], value: null, name: "", abort: null, end: null };
  const heading = freshId("bring");
  const tabs = ways.map((way) =>
    el(
      "button",
      {
        type: "button",
        class: "button small",
        "aria-pressed": String(way === state.way),
        data: { way },
        on: { click: () => choose(way) },
      },
      icon(ICONS[way]),
      words.make.ways[way],
    ),
  );
  const element = el(
    "section",
    { class: "card part", "aria-labelledby": heading },
    el("h2", { id: heading, text: title }),
    el("p", { class: "help", text: help }),
    ways.length > 1 &&
      el("div", { class: "row ways-in", role: "group", "aria-label": words.make.waysLabel(title) }, tabs),
    body,
  );

  function choose(way) {
    clear();
    state.way = way;
    for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.way === way));
    if (way === "upload") drop();
    else if (way === "address") address();
    else state.end = recorder(body, { device: way, picture: kind === "picture", onTake: send });
  }

  function clear() {
    state.abort?.abort();
    state.end?.();
    if (state.value?.upload) dropUpload(state.value.upload);
    Object.assign(state, { value: null, name: "", abort: null, end: null });
    onChange();
  }

  function drop(error = null) {
    const input = el("input", {
      type: "file",
      class: "away",
      accept: ACCEPTS[kind].accept,
      tabindex: "-1",
      "aria-hidden": "true",
    });
    input.addEventListener("change", () => input.files[0] && send(input.files[0]));
    const button = el(
      "button",
      { type: "button", class: "button main", on: { click: () => input.click() } },
      words.make.drop.choose,
    );
    const zone = el(
      "div",
      { class: "drop" },
      icon("upload"),
      el("p", { class: "drop-words", text: words.make.drop.main }),
      el("p", { class: "soft small drop-words", text: words.make.drop.or }),
      button,
      input,
      el("p", { class: "soft small", text: words.make.drop.limit(size(offer.limits.upload_bytes)) }),
    );
    for (const event of ["dragenter", "dragover"]) zone.addEventListener(event, (e) => hover(e, true));
    for (const event of ["dragleave", "drop"]) zone.addEventListener(event, (e) => hover(e, false));
    zone.addEventListener("drop", (e) => e.dataTransfer.files[0] && send(e.dataTransfer.files[0]));
    fill(body, error && refused(error), zone);
    function hover(event, over) {
      event.preventDefault();
      zone.classList.toggle("over", over);
    }
  }

  async function send(file) {
    const fault = faultOf(file);
    if (fault) return drop(fault);
    state.end?.();
    const abort = new AbortController();
    Object.assign(state, { abort, end: null, name: file.name });
    const bar = el("span");
    const meter = el(
      "div",
      {
        class: "bar",
        role: "progressbar",
        "aria-label": words.make.upload.label(file.name),
        "aria-valuemin": 0,
        "aria-valuemax": 100,
      },
      bar,
    );
    const told = el("p", { class: "soft small clock" });
    const button = el(
      "button",
      { type: "button", class: "button small", on: { click: () => choose("upload") } },
      icon("cross"),
      words.make.upload.cancel,
    );
    fill(
      body,
      el(
        "div",
        { class: "sending stack" },
        el("div", { class: "row spread" }, el("strong", {}, el("bdi", { text: file.name })), button),
        meter,
        told,
      ),
    );
    onChange();
    let wasWaiting = false;
    try {
      const id = await upload(file, {
        signal: abort.signal,
        onProgress: ({ sent, of, waiting, resumed }) => {
          const percent = Math.floor((100 * sent) / of);
          bar.style.inlineSize = `${percent}%`;
          meter.setAttribute("aria-valuenow", String(percent));
          const going = words.make.upload.going(size(sent), size(of));
          told.textContent = waiting
            ? words.make.upload.waiting
            : resumed && sent < of
              ? `${going}. ${words.make.upload.resumed(size(sent))}`
              : going;
          if (waiting && !wasWaiting) announce(words.make.upload.waiting);
          wasWaiting = waiting;
        },
      });
      Object.assign(state, { value: { upload: id }, abort: null });
      arrived(file, id);
    } catch (error) {
      if (error.name === "AbortError") return;
      Object.assign(state, { value: null, abort: null });
      drop(error);
    }
    onChange();
  }

  function arrived(file) {
    announce(`${words.make.upload.done}: ${file.name}`);
    const another = el(
      "button",
      { type: "button", class: "button small", on: { click: () => choose(state.way) } },
      words.make.drop.another,
    );
    fill(
      body,
      el(
        "div",
        { class: "arrived row spread" },
        el(
          "p",
          { class: "row" },
          el("span", { class: "chip good" }, icon("check"), words.make.upload.done),
          el("bdi", { text: file.name }),
          el("span", { class: "soft small", text: size(file.size) }),
        ),
        another,
      ),
      preview(file),
    );
  }

  function preview(file) {
    const kindOf = file.type.split("/")[0];
    if (!["image", "video", "audio"].includes(kindOf)) return null;
    const url = URL.createObjectURL(file);
    const shown =
      kindOf === "image"
        ? el("img", { src: url, alt: "" })
        : el(kindOf, { src: url, controls: true, preload: "metadata", "aria-label": file.name });
    shown.addEventListener("error", () => shown.remove());
    state.end = () => URL.revokeObjectURL(url);
    return el("div", { class: "preview" }, shown);
  }

  function faultOf(file) {
    const { tooLarge, empty, wrong, kinds } = words.make.upload;
    if (!file.size) return empty;
    if (file.size > offer.limits.upload_bytes) return tooLarge(size(file.size), size(offer.limits.upload_bytes));
    const isKnown = /^(video|audio|image|text)\//.test(file.type) || file.type === "application/pdf";
    if (isKnown && !ACCEPTS[kind].fits.some((type) => file.type.startsWith(type))) return wrong(kinds[kind]);
    return null;
  }

  function address() {
    const { label, help: about, wrong } = words.make.address;
    const fault = el("p", { class: "fault", role: "alert" });
    const input = el("input", {
      type: "text",
      inputmode: "url",
      spellcheck: "false",
      autocomplete: "off",
      placeholder: offer.s3_prefixes[0],
    });
    input.addEventListener("input", () => {
      const fits = offer.s3_prefixes.some((prefix) => input.value.trim().startsWith(prefix));
      state.value = fits ? { uri: input.value.trim() } : null;
      if (fits) fault.textContent = "";
      state.name = input.value.trim().split("/").pop();
      input.setAttribute("aria-invalid", String(Boolean(input.value) && !fits));
      onChange();
    });
    input.addEventListener(
      "change",
      () => (fault.textContent = input.value && !state.value ? wrong(offer.s3_prefixes) : ""),
    );
    fill(body, field(label, input, { help: about(offer.s3_prefixes), fault }));
    fault.classList.add("kept");
  }

  if (state.way === "upload") drop();
  return {
    element,
    value: () => state.value,
    name: () => state.name,
    busy: () => Boolean(state.abort),
    end: () => (state.abort?.abort(), state.end?.()),
  };
}
