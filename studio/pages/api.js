// The server, as docs/studio/api.md has it. Every refusal is a `Refusal` that says what is wrong and what to do.
import { words } from "./strings.js";

/** A request that came to nothing. `status` 0 where the server did not answer. */
export class Refusal extends Error {
  constructor({ status, error, remedy = "", row = null, column = null }) {
    super(remedy ? `${error} ${remedy}` : error);
    Object.assign(this, { status, error, remedy, row, column });
  }
}

/** Asks and gives the answer's JSON, null where it has none. Throws `Refusal`. */
export async function ask(method, path, body, headers = {}) {
  const answer = await send(method, path, {
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
  });
  if (answer.status === 204) return null;
  const type = answer.headers.get("Content-Type") ?? "";
  return type.includes("json") ? answer.json() : null;
}

/** Sends and gives the response. Throws `Refusal` for every status from 400. */
export async function send(method, path, { body, headers = {}, signal } = {}) {
  const unsafe = method !== "GET" && method !== "HEAD";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      body,
      signal,
      credentials: "same-origin",
      redirect: "error",
      headers: unsafe ? { "X-Redub": "1", ...headers } : headers,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal({ status: 0, ...words.refusals.offline });
  }
  if (answer.ok) return answer;
  const refusal = await refusalOf(answer);
  if (refusal.status === 401 && location.pathname !== "/login") {
    location.assign(`/login${location.hash}`);
  }
  throw refusal;
}

async function refusalOf(answer) {
  let said = {};
  try {
    said = await answer.json();
  } catch {
    said = {}; // a proxy answered, or a HEAD request, which has no body
  }
  const error = typeof said.error === "string" ? said.error : words.refusals.status(answer.status);
  return new Refusal({ ...said, status: answer.status, error });
}

const of = (id) => `/api/projects/${encodeURIComponent(id)}`;
const inLanguage = (language) => `language=${encodeURIComponent(language)}`;

export const server = {
  session: () => ask("GET", "/api/session"),
  login: (token) => ask("POST", "/api/login", { token }),
  logout: () => ask("POST", "/api/logout", {}),
  offer: () => ask("GET", "/api/offer"),
  projects: async () => {
    const answer = await ask("GET", "/api/projects");
    return Array.isArray(answer) ? answer : answer.projects;
  },
  project: (id) => ask("GET", of(id)),
  create: (wanted) => ask("POST", "/api/projects", wanted),
  remove: (id) => ask("DELETE", of(id)),
  act: (id, action) => ask("POST", `${of(id)}/${action}`, {}),
  lines: (id, language) => ask("GET", `${of(id)}/lines?${inLanguage(language)}`),
  change: (id, language, etag, changes) =>
    ask("PUT", `${of(id)}/lines?${inLanguage(language)}`, { changes }, { "If-Match": etag }),
  hear: async (id, line, wanted, signal) => {
    const answer = await send("POST", `${of(id)}/lines/${encodeURIComponent(line)}/hear`, {
      body: JSON.stringify(wanted),
      headers: { "Content-Type": "application/json" },
      signal,
    });
    return answer.blob();
  },
  waveform: (id, which) => ask("GET", `${of(id)}/waveform?${inLanguage(which)}`),
  events: (id) => new EventSource(`${of(id)}/events`),
};
