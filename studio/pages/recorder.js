// Recording from the microphone or the camera: look, record, listen, take it or record again. Gives a File.
import { announce } from "./announce.js";
import { el, fill } from "./elements.js";
import { clock } from "./formats.js";
import { icon } from "./icons.js";
import { refused } from "./notices.js";
import { words } from "./strings.js";

const TYPES = {
  camera: ["video/mp4;codecs=avc1,mp4a.40.2", "video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/webm"],
  microphone: ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"],
};
const WANTED = {
  camera: { audio: true, video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } },
  microphone: { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } },
};
const SLICE_MS = 1000; // so that an hour of recording is not one block of memory inside the encoder

/**
 * A recorder in `place`. `device` is "camera" or "microphone"; `onTake(file)` gets what the person keeps; `picture`
 * offers a still from the camera too. Gives a function that ends it and lets the device go.
 */
export function recorder(place, { device, picture = false, onTake }) {
  const state = { stream: null, media: null, timer: null, meter: null, url: null };
  fill(
    place,
    el(
      "div",
      { class: "record stack" },
      el("p", { class: "help", text: words.make.record.ask }),
      el(
        "div",
        {},
        el(
          "button",
          { type: "button", class: "button main", on: { click: open } },
          icon(device === "camera" ? "camera" : "voice"),
          words.make.record.allow,
        ),
      ),
    ),
  );

  async function open() {
    try {
      if (!navigator.mediaDevices) throw Object.assign(new Error("insecure"), words.make.record.insecure);
      state.stream = await navigator.mediaDevices.getUserMedia(WANTED[device]);
    } catch (error) {
      const said = error.remedy
        ? error
        : error.name === "NotFoundError"
          ? words.make.record.none
          : words.make.record.refused;
      fill(place, refused(said, open));
      return;
    }
    ready();
  }

  function ready() {
    release("media", "url");
    const live = device === "camera" ? liveVideo(state.stream) : null;
    const level = levelMeter(state);
    const time = el("span", { class: "clock", text: clock(0) });
    const start = el("button", { type: "button", class: "button main" }, icon("record"), words.make.record.start);
    const snap =
      picture &&
      el(
        "button",
        { type: "button", class: "button", on: { click: () => snapshot(live) } },
        icon("camera"),
        words.make.record.snap,
      );
    start.addEventListener("click", () =>
      state.media?.state === "recording" ? state.media.stop() : begin(start, time, snap),
    );
    fill(place, el("div", { class: "record stack" }, live, level, el("div", { class: "row" }, start, snap, time)));
    start.focus();
  }

  function begin(button, time, snap) {
    const type = TYPES[device].find((each) => MediaRecorder.isTypeSupported(each));
    const media = new MediaRecorder(state.stream, type ? { mimeType: type } : {});
    const pieces = [];
    const from = performance.now();
    state.media = media;
    media.addEventListener("dataavailable", (event) => event.data.size && pieces.push(event.data));
    media.addEventListener("stop", () =>
      listen(new Blob(pieces, { type: media.mimeType }), words.make.record.names[device]),
    );
    media.start(SLICE_MS);
    fill(button, icon("stop"), words.make.record.stop);
    button.classList.add("recording");
    if (snap) snap.hidden = true;
    state.timer = setInterval(() => (time.textContent = clock((performance.now() - from) / 1000)), 250);
  }

  function listen(blob, name) {
    clearInterval(state.timer);
    if (!state.stream) return; // the view was left while it recorded
    state.url = URL.createObjectURL(blob);
    const shown = blob.type.startsWith("image")
      ? el("img", { src: state.url, alt: words.make.record.names.picture })
      : el(device === "camera" ? "video" : "audio", {
          src: state.url,
          controls: true,
          "aria-label": words.make.record.preview,
          playsinline: true,
        });
    const file = new File([blob], `${name}.${ending(blob.type)}`, {
      type: blob.type.split(";")[0],
      lastModified: Date.now(),
    });
    const use = el(
      "button",
      { type: "button", class: "button main", on: { click: () => take(file) } },
      icon("check"),
      words.make.record.use,
    );
    fill(
      place,
      el(
        "div",
        { class: "record stack" },
        shown,
        el("p", { class: "help", text: words.make.record.preview }),
        el(
          "div",
          { class: "row" },
          use,
          el(
            "button",
            { type: "button", class: "button", on: { click: ready } },
            icon("again"),
            words.make.record.again,
          ),
        ),
      ),
    );
    announce(words.make.record.preview);
    use.focus();
  }

  function snapshot(video) {
    const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => listen(blob, words.make.record.names.picture), "image/jpeg", 0.94);
  }

  function take(file) {
    end();
    onTake(file);
  }

  function release(...what) {
    clearInterval(state.timer);
    if (what.includes("media") && state.media?.state === "recording") state.media.stop();
    state.media = null;
    if (state.url) URL.revokeObjectURL(state.url);
    state.url = null;
  }

  function end() {
    release("url");
    cancelAnimationFrame(state.meter);
    state.sound?.close();
    state.sound = null;
    state.stream?.getTracks().forEach((track) => track.stop());
    state.stream = null;
  }

  return end;
}

function liveVideo(stream) {
  const video = el("video", { autoplay: true, playsinline: true, class: "mirror", "aria-hidden": "true" });
  video.muted = true;
  video.srcObject = stream;
  return video;
}

/** A bar that follows how loud the microphone is, so that a dead one is seen before an hour is recorded. */
function levelMeter(state) {
  const bar = el("span");
  state.sound ??= new AudioContext();
  const analyser = new AnalyserNode(state.sound, { fftSize: 1024 });
  state.sound.createMediaStreamSource(state.stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const draw = () => {
    analyser.getFloatTimeDomainData(samples);
    const loud = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
    const decibels = 20 * Math.log10(Math.max(loud, 1e-6));
    bar.style.inlineSize = `${Math.round(Math.min(100, Math.max(0, (decibels + 60) * 1.8)))}%`;
    state.meter = requestAnimationFrame(draw);
  };
  cancelAnimationFrame(state.meter);
  draw();
  return el("div", { class: "bar level", role: "img", "aria-label": words.make.record.level }, bar);
}

function ending(type) {
  const [kind] = type.split(";");
  return (
    {
      "video/webm": "webm",
      "audio/webm": "webm",
      "video/mp4": "mp4",
      "audio/mp4": "m4a",
      "audio/ogg": "ogg",
      "image/jpeg": "jpg",
    }[kind] ?? "bin"
  );
}
