// Resumable uploads after tus 1.0: a file goes in pieces; what arrived is never sent twice, not even after a reload.
import { Refusal, send } from "./api.js";

const FIRST_PIECE = 256 * 1024; // small, so that a file which is no media is refused at once
const LARGEST_PIECE = 16 * 1024 * 1024;
const PIECE_S = 1.0; // a piece is as large as this link carries in about so long: progress moves, requests stay few
const WAITS_MS = [500, 1000, 2000, 4000, 8000];
const TUS = { "Tus-Resumable": "1.0.0" };

/**
 * Uploads `file`, gives the upload's id. `onProgress({sent, of, waiting, resumed})` is called as it goes.
 * Throws `Refusal` where the server will not have it, AbortError where `signal` ends it; waits out a lost connection.
 */
export async function upload(file, { signal, onProgress }) {
  const key = `upload:${file.name}:${file.size}:${file.lastModified}`;
  let { address, offset } = await begun(key, file, signal);
  const resumed = offset > 0;
  let piece = FIRST_PIECE;
  let failures = 0;
  onProgress({ sent: offset, of: file.size, waiting: false, resumed });
  while (offset < file.size) {
    signal.throwIfAborted();
    const end = Math.min(file.size, offset + piece);
    try {
      const before = performance.now();
      offset = await patch(address, file.slice(offset, end), offset, signal, (sent) =>
        onProgress({ sent, of: file.size, waiting: false, resumed }),
      );
      piece = nextPiece(piece, (performance.now() - before) / 1000);
      failures = 0;
    } catch (error) {
      if (!isPassing(error)) {
        forget(key);
        throw error;
      }
      onProgress({ sent: offset, of: file.size, waiting: true, resumed });
      await pause(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)], signal);
      failures += 1;
      offset = (await offsetOf(address, signal)) ?? offset;
    }
    onProgress({ sent: offset, of: file.size, waiting: failures > 0, resumed });
  }
  forget(key);
  return address.split("/").pop();
}

/** Ends an upload that is not wanted any more. */
export async function dropUpload(id) {
  try {
    await send("DELETE", `/api/uploads/${id}`, { headers: TUS });
  } catch {
    // it goes by itself after a day
  }
}

async function begun(key, file, signal) {
  const known = localStorage.getItem(key);
  if (known) {
    const offset = await offsetOf(known, signal).catch(() => null);
    if (offset !== null) return { address: known, offset };
    forget(key);
  }
  const answer = await send("POST", "/api/uploads", {
    headers: {
      ...TUS,
      "Upload-Length": String(file.size),
      "Upload-Metadata": `name ${base64(file.name)},type ${base64(file.type)}`,
    },
    signal,
  });
  const address = new URL(answer.headers.get("Location"), location.href).pathname;
  localStorage.setItem(key, address);
  return { address, offset: 0 };
}

/** Sends one piece; the offset after it. XMLHttpRequest, because fetch does not tell how much of a body is sent. */
function patch(address, piece, offset, signal, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const headers = {
      ...TUS,
      "X-Redub": "1",
      "Upload-Offset": String(offset),
      "Content-Type": "application/offset+octet-stream",
    };
    const end = () => request.abort();
    request.open("PATCH", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => onSent(offset + event.loaded));
    request.addEventListener("load", () => {
      if (request.status === 204) resolve(Number(request.getResponseHeader("Upload-Offset")));
      else reject(refusal(request));
    });
    request.addEventListener("error", () => reject(new Refusal({ status: 0, error: "" })));
    request.addEventListener("abort", () => reject(signal.reason ?? new DOMException("aborted", "AbortError")));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", end));
    signal.addEventListener("abort", end, { once: true });
    request.send(piece);
  });
}

function refusal(request) {
  let said = {};
  try {
    said = JSON.parse(request.responseText);
  } catch {
    said = { error: request.statusText };
  }
  return new Refusal({ ...said, status: request.status });
}

/** What the server has of it; null where it has none of it any more. */
async function offsetOf(address, signal) {
  try {
    const answer = await send("HEAD", address, { headers: TUS, signal });
    return Number(answer.headers.get("Upload-Offset"));
  } catch (error) {
    if (isPassing(error)) return null;
    throw error;
  }
}

/** A connection that is lost or a server that is busy passes; 409 is an offset that HEAD will correct. */
function isPassing(error) {
  return error instanceof Refusal && [0, 408, 409, 423, 429, 502, 503, 504].includes(error.status);
}

function nextPiece(piece, took) {
  const wanted = piece * Math.min(4, Math.max(0.25, PIECE_S / Math.max(took, 0.001)));
  return Math.round(Math.min(LARGEST_PIECE, Math.max(FIRST_PIECE, wanted)));
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    addEventListener("online", done, { once: true });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    }
  });
}

function forget(key) {
  localStorage.removeItem(key);
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
