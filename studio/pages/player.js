// The original and the dub on one timeline: side by side, or one at a time. Positions are seconds on the dub's clock.
import { el, fill } from "./elements.js";
import { notice } from "./notices.js";
import { words } from "./strings.js";

const FAR_S = 0.25; // beyond this the silent picture jumps; below, it catches up
const NEAR_S = 0.02;
const CATCH_UP = 0.06;

/**
 * `sources` are `{source, dub}` addresses, dub null before there is one; `clock` maps between them. `onFrame(position)`
 * is called with the time of each picture as it is shown, so that all else can move with it. `{element, ...}`.
 */
export function player({ source, dub, clock, onFrame, onPlay }) {
  const videos = { source: screen(source, words.mend.videoOf.source), dub: dub && screen(dub, words.mend.videoOf.dub) };
  const frames = Object.fromEntries(
    Object.entries(videos)
      .filter(([, video]) => video)
      .map(([side, video]) => [
        side,
        el(
          "figure",
          { class: "screen", data: { side } },
          video,
          el("figcaption", { class: "chip", text: words.mend.sides[side] }),
        ),
      ]),
  );
  const element = el("div", { class: "screens" }, Object.values(frames));
  let side = dub ? "both" : "source";
  let until = Infinity;
  let wanted = 0; // where the last seek goes, as long as no picture of it is shown

  const master = () => (side === "source" ? videos.source : videos.dub);
  const slave = () => (side === "both" ? videos.source : null);
  const toPosition = (video, time) => (video === videos.source && dub ? clock.toDub(time) : time);
  const toTime = (video, position) => (video === videos.source && dub ? clock.toSource(position) : position);

  for (const video of Object.values(videos)) {
    if (!video) continue;
    const shown = (time) => {
      if (video !== master()) return;
      wanted = toPosition(video, time);
      onFrame(wanted);
      keepUp();
      if (wanted >= until) pause();
    };
    if (video.requestVideoFrameCallback) {
      const next = (_, { mediaTime }) => {
        shown(mediaTime);
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
    } else video.addEventListener("timeupdate", () => shown(video.currentTime));
    video.addEventListener("seeked", () => video === master() && shown(video.currentTime));
    video.addEventListener("ended", () => video === master() && pause());
    for (const event of ["play", "pause"])
      video.addEventListener(event, () => video === master() && onPlay(!video.paused));
    video.addEventListener("error", () => fill(video.parentElement, notice("warn", words.mend.notPlayable)));
    video.addEventListener("click", toggle);
  }

  /** The silent picture goes with the one that is heard. */
  function keepUp() {
    const other = slave();
    if (!other || other.seeking) return;
    const behind = toTime(other, wanted) - other.currentTime;
    const playing = !master().paused;
    if (Math.abs(behind) > FAR_S || (!playing && Math.abs(behind) > NEAR_S)) other.currentTime = toTime(other, wanted);
    else
      other.playbackRate = master().playbackRate * (Math.abs(behind) > NEAR_S ? 1 + Math.sign(behind) * CATCH_UP : 1);
    if (playing && other.paused) other.play().catch(() => undefined);
    if (!playing && !other.paused) other.pause();
  }

  function show(next) {
    if (!dub) return;
    const playing = !master().paused;
    pause();
    side = next;
    for (const [name, frame] of Object.entries(frames)) {
      frame.hidden = side !== "both" && name !== side;
      videos[name].muted = videos[name] !== master();
    }
    element.dataset.side = side;
    seek(wanted);
    if (playing) play();
  }

  function seek(position) {
    wanted = Math.max(0, position);
    until = Infinity;
    const video = master();
    video.currentTime = toTime(video, wanted);
    const other = slave();
    if (other) other.currentTime = toTime(other, wanted);
    onFrame(wanted);
  }

  function play(end = Infinity) {
    until = end;
    const started = master().play();
    slave()
      ?.play()
      .catch(() => undefined);
    return started.catch(() => undefined);
  }

  function pause() {
    until = Infinity;
    for (const video of Object.values(videos)) video?.pause();
  }

  function toggle() {
    if (master().paused) play();
    else pause();
  }

  show("both");
  videos.source.muted = Boolean(dub);
  return {
    element,
    show,
    seek,
    play,
    pause,
    toggle,
    get side() {
      return side;
    },
    get position() {
      return wanted;
    },
    get isPlaying() {
      return !master().paused;
    },
    get hasDub() {
      return Boolean(dub);
    },
    speed(rate) {
      for (const video of Object.values(videos)) if (video) video.playbackRate = rate;
    },
    end: () => {
      pause();
      for (const video of Object.values(videos)) video?.removeAttribute("src");
    },
  };
}

function screen(address, label) {
  return el("video", { src: address, preload: "metadata", playsinline: true, "aria-label": label });
}
