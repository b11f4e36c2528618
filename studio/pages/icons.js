// Drawn for the studio on a grid of 24, one stroke wide.
import { drawn } from "./elements.js";

const PATHS = {
  film: ["M4 5.5h16v13H4z", "M8 5.5v13M16 5.5v13M4 10h4M4 14h4M16 10h4M16 14h4"],
  voice: ["M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3z", "M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M8.5 21h7"],
  text: ["M5 6h14M5 10.5h14M5 15h9M5 19.5h6"],
  upload: ["M12 15V4M7.5 8.5 12 4l4.5 4.5", "M4.5 15v4.5h15V15"],
  camera: ["M3.5 7.5h11v10h-11z", "m14.5 11 6-3v9l-6-3"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1", "M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1"],
  play: ["M8 5.5v13l10.5-6.5z"],
  pause: ["M8.5 5.5v13M15.5 5.5v13"],
  stop: ["M7 7h10v10H7z"],
  record: ["M12 6a6 6 0 1 1 0 12 6 6 0 0 1 0-12z"],
  again: ["M19.5 12a7.5 7.5 0 1 1-2.3-5.4", "M19.5 3.5v4h-4"],
  check: ["m5 12.5 4.5 4.5L19 7.5"],
  cross: ["m6.5 6.5 11 11M17.5 6.5l-11 11"],
  warn: ["M12 4 2.8 19.5h18.4z", "M12 10v4.5M12 17v.1"],
  info: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "M12 11v5.5M12 7.6v.1"],
  clock: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "M12 7.5V12l3 2"],
  down: ["M12 4v11M7.5 10.5 12 15l4.5-4.5", "M4.5 19.5h15"],
  pen: ["M4.5 19.5l1-4L16 5l3 3L8.5 18.5z", "M14 7l3 3"],
  bin: ["M5 7h14M9.5 7V4.5h5V7M7 7l1 12.5h8L17 7"],
  split: ["M12 3.5v17", "M8.5 8.5 5 12l3.5 3.5M15.5 8.5 19 12l-3.5 3.5"],
  merge: ["M12 3.5v17", "M4 12h5M6.5 9.5 9 12l-2.5 2.5M20 12h-5M17.5 9.5 15 12l2.5 2.5"],
  undo: ["M8.5 5 4.5 9l4 4", "M4.5 9h9a5.5 5.5 0 0 1 0 11H9"],
  redo: ["M15.5 5l4 4-4 4", "M19.5 9h-9a5.5 5.5 0 0 0 0 11H15"],
  keys: ["M3.5 6.5h17v11h-17z", "M7 10h.1M11 10h.1M15 10h.1M18 10h-.1M8 14h8"],
  plus: ["M12 5v14M5 12h14"],
  out: ["M14 4.5h5.5V10M19 5l-8 8", "M18 14v5.5H4.5V6H10"],
  shield: ["M12 3.5 5 6v6c0 4.5 3 7 7 8.5 4-1.5 7-4 7-8.5V6z", "m9 12 2.2 2.2L15.2 10"],
  person: ["M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8z", "M4.5 20c.8-4 4-5.5 7.5-5.5s6.7 1.5 7.5 5.5"],
  search: ["M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z", "m15.5 15.5 4.5 4.5"],
  speaker: ["M4.5 9.5v5h3.5l4.5 4v-13l-4.5 4z", "M16 9a4.2 4.2 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11"],
};

/** The icon of that name, for the eye only: what it stands for is said in words beside it or in a label. */
export function icon(name) {
  return drawn(PATHS[name]);
}
