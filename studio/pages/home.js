// The first view: three ways in, and one's own videos.
import { server } from "./api.js";
import { el, fill } from "./elements.js";
import { day, moment, roughly } from "./formats.js";
import { icon } from "./icons.js";
import { notice, refused, sure } from "./notices.js";
import { words } from "./strings.js";
import { tell } from "./announce.js";

const LOOK_AGAIN_MS = 5000;
const WAYS = [
  ["dub", "film"],
  ["speech", "voice"],
  ["text", "text"],
];

export function show(place) {
  const list = el("div", { class: "projects" }, bones());
  const heading = el("h2", { id: "yours", text: words.home.yours });
  fill(
    place,
    el("h1", { text: words.home.title }),
    el("p", { class: "lead", text: words.home.lead }),
    el("ul", { class: "ways" }, WAYS.map(way)),
    el("section", { class: "yours", "aria-labelledby": "yours" }, heading, list),
  );
  const look = async () => {
    try {
      draw(list, await server.projects(), look);
    } catch (error) {
      fill(list, refused(error, look));
    }
  };
  look();
  const timer = setInterval(() => !document.hidden && !list.contains(document.activeElement) && look(), LOOK_AGAIN_MS);
  return () => clearInterval(timer);
}

function way([kind, name]) {
  const { title, text, action } = words.home.ways[kind];
  return el(
    "li",
    {},
    el(
      "a",
      { class: "card way", href: `#/new/${kind}` },
      icon(name),
      el("h2", { text: title }),
      el("p", { class: "soft", text }),
      el("span", { class: "go", text: action }),
    ),
  );
}

function bones() {
  return el("div", { class: "bones", "aria-hidden": "true" }, el("span"), el("span"), el("span"));
}

function draw(list, projects, look) {
  if (!projects.length) {
    fill(list, el("div", { class: "empty" }, icon("film"), el("p", { text: words.home.empty })));
    return;
  }
  fill(
    list,
    el(
      "ul",
      {},
      projects.map((project) => item(project, look)),
    ),
  );
}

/** Where a project's name leads: to what a person wants of it next. */
export function placeOf(project) {
  return project.state === "done" ? `#/p/${project.id}/out` : `#/p/${project.id}`;
}

function item(project, look) {
  const running = project.state === "running" || project.state === "queued";
  const title = el(
    "a",
    { class: "title", href: placeOf(project) },
    el("bdi", { text: project.title || project.source?.name || words.unnamed }),
  );
  const about = [words.languages(project.to.map(nameOf)), moment(project.created)];
  if (project.expires) about.push(words.home.kept(day(project.expires)));
  return el(
    "li",
    { class: "card project" },
    el(
      "div",
      { class: "stack tight" },
      title,
      el("p", { class: "soft small", text: about.filter(Boolean).join(" · ") }),
      running && progress(project),
    ),
    el(
      "div",
      { class: "row" },
      stateChip(project),
      project.state === "done" &&
        el(
          "a",
          { class: "button small", href: `#/p/${project.id}/mend?language=${project.to[0]}` },
          icon("pen"),
          words.home.mend,
        ),
      !running &&
        el(
          "button",
          {
            type: "button",
            class: "button small square quiet danger",
            "aria-label": words.home.remove(project.title),
            title: words.home.removeShort,
            on: { click: () => remove(project, look) },
          },
          icon("bin"),
        ),
    ),
  );
}

function progress(project) {
  const { fraction = 0, eta_s: eta } = project.progress ?? {};
  const bar = el("span");
  bar.style.inlineSize = `${Math.round(fraction * 100)}%`;
  return el(
    "div",
    {},
    el(
      "div",
      {
        class: "bar",
        role: "progressbar",
        "aria-label": words.watch.progress(project.title),
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-valuenow": Math.round(fraction * 100),
      },
      bar,
    ),
    Number.isFinite(eta) && el("p", { class: "soft small", text: words.watch.left(roughly(eta)) }),
  );
}

/** The state of a project in a word. */
export function stateChip(project) {
  const kind =
    { done: "good", failed: "bad", review: "warn", running: "accent", queued: "accent" }[project.state] ?? "";
  const place = project.state === "queued" ? project.place_in_queue : null;
  return el("span", { class: `chip ${kind}`, text: place ? words.states.place(place) : words.states[project.state] });
}

function nameOf(code) {
  return words.languageNames[code] ?? code;
}

async function remove(project, look) {
  const { title, text, yes } = words.home.sure;
  if (!(await sure({ title: title(project.title), text, yes }))) return;
  try {
    await server.remove(project.id);
    tell(words.home.removed);
    await look();
    document.getElementById("yours")?.scrollIntoView({ block: "nearest" });
  } catch (error) {
    document.querySelector(".projects").prepend(notice("bad", error.error ?? words.refusals.broken, error.remedy));
  }
}
