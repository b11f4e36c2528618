// Numbers as a person reads them. Times are seconds.
import { words } from "./strings.js";

/** 3725.25 -> "1:02:05"; with `digits` decimals, "1:02:05.2". */
export function clock(seconds, digits = 0) {
  const scale = 10 ** digits;
  const whole = Math.round(Math.max(0, seconds) * scale);
  const s = Math.floor(whole / scale);
  const fraction = digits ? `.${String(whole % scale).padStart(digits, "0")}` : "";
  const [hours, minutes, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const tail = `${String(rest).padStart(2, "0")}${fraction}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** "1:02:05.25" or "62:05.25" or "12.5" -> seconds; NaN where it is no time. */
export function seconds(text) {
  const parts = text.trim().replace(",", ".").split(":");
  if (parts.length > 3 || parts.some((part) => !/^\d+(\.\d+)?$/.test(part))) return NaN;
  return parts.reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** How long something takes, said roughly: "about 25 minutes". */
export function roughly(s) {
  if (!Number.isFinite(s)) return "";
  if (s < 45) return words.time.moment;
  if (s < 90) return words.time.minute;
  if (s < 3300) return words.time.minutes(Math.round(s / 60));
  const hours = Math.round(s / 1800) / 2;
  return hours === 1 ? words.time.hour : words.time.hours(hours.toLocaleString("en"));
}

/** 1536000 -> "1.5 MB". */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, step] = [bytes, 0];
  while (value >= 1000 && step < units.length - 1) [value, step] = [value / 1000, step + 1];
  return `${step && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}

/** A moment as the machine's own language writes it: "29 November, 15:40". */
export function moment(iso) {
  const date = new Date(typeof iso === "number" ? iso * 1000 : iso);
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleString("en-GB", { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
}

/** A day: "29 December". */
export function day(iso) {
  const date = new Date(typeof iso === "number" ? iso * 1000 : iso);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleDateString("en-GB", { day: "numeric", month: "long" });
}
