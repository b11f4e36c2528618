// Watching a project: what it will take, how far it is, the pictures so far, and what to do next.
import { announce, tell } from "./announce.js";
import { server } from "./api.js";
import { attribute, el, fill } from "./elements.js";
import { clock, day, roughly } from "./formats.js";
import { stateChip } from "./home.js";
import { icon } from "./icons.js";
import { notice, refused, sure } from "./notices.js";
import { stillsShown } from "./stills.js";
import { words } from "./strings.js";

const LOG_LINES = 50;
const AT_WORK = ["queued", "running"];

export async function show(place, { id }) {
  let project = await server.project(id);
  const heading = el("h1", {}, el("bdi", { text: project.title || project.source.name || words.unnamed }));
  const chip = el("span");
  const now = el("div", { class: "now stack" });
  const line = progressLine(project);
  const stills = stillsShown();
  const log = logShown();
  const facts = el("dl", { class: "card given" });
  fill(
    place,
    el("div", { class: "row spread head" }, heading, chip),
    el(
      "div",
      { class: "watching" },
      el("div", { class: "stack" }, now, line.element, stills.element, log.element),
      el("aside", {}, facts),
    ),
  );

  function draw() {
    fill(chip, stateChip(project));
    fill(now, panel(project, act, remove));
    line.element.hidden = !AT_WORK.includes(project.state) && !project.progress?.stages?.length;
    stills.element.hidden = project.state === "new" || (stills.isEmpty() && !AT_WORK.includes(project.state));
    line.set(project.progress ?? {}, project.state);
    fill(facts, given(project));
  }

  async function act(action, button) {
    button?.setAttribute("aria-busy", "true");
    try {
      if (action === "cancel" && !(await sure(words.watch.sure))) return;
      project = await server.act(id, action);
      draw();
      place.querySelector(".now h2")?.focus();
      announce(words.watch.titles[project.state]);
    } catch (error) {
      now.prepend(refused(error, () => location.reload()));
    } finally {
      button?.removeAttribute("aria-busy");
    }
  }

  async function remove() {
    const { title, text, yes } = words.home.sure;
    if (!(await sure({ title: title(project.title), text, yes }))) return;
    await server.remove(id);
    tell(words.home.removed);
    location.hash = "#/";
  }

  draw();
  const lost = el("div");
  now.before(lost);
  const stream = server.events(id);
  const on = (name, take) => stream.addEventListener(name, (event) => take(JSON.parse(event.data)));
  on("state", async (state) => {
    const changed = state.state !== project.state || state.place_in_queue !== project.place_in_queue;
    Object.assign(project, state);
    if (!changed) return;
    if (!AT_WORK.includes(state.state)) project = await server.project(id).catch(() => project);
    draw();
    announce(words.watch.titles[project.state]);
  });
  on("progress", (progress) => {
    project.progress = { ...project.progress, ...progress };
    line.set(project.progress, project.state);
  });
  on("still", stills.add);
  on("log", log.add);
  stream.addEventListener("open", () => fill(lost));
  stream.addEventListener("error", () => fill(lost, notice("warn", words.watch.lost)));
  return () => stream.close();
}

/** What to know and to do in the state that the project is in. */
function panel(project, act, remove) {
  const { watch } = words;
  const title = el("h2", { tabindex: "-1", text: watch.titles[project.state] });
  const button = (action, name, look, text) => {
    const made = el("button", { type: "button", class: `button ${look}` }, icon(name), text);
    made.addEventListener("click", () => act(action, made));
    return made;
  };
  const link = (place, name, look, text) => el("a", { class: `button ${look}`, href: place }, icon(name), text);
  const mend = project.kind === "dub" && project.results.length > 0;
  const lines = `#/p/${project.id}/mend?language=${project.to[0]}`;
  const erase = el(
    "button",
    { type: "button", class: "button quiet danger", on: { click: remove } },
    icon("bin"),
    watch.change,
  );
  const parts = {
    new: () => [
      el("p", { class: "big", text: watch.estimate(roughly(project.estimate.seconds)) }),
      el("p", { class: "soft", text: sentence(project.estimate.basis) }),
      el("div", { class: "row" }, button("start", "play", "main", watch.start), erase),
    ],
    queued: () => [
      el("p", { text: project.place_in_queue ? watch.queue(project.place_in_queue) : "" }),
      el("p", { class: "soft", text: watch.closeable }),
      el("div", { class: "row" }, button("cancel", "cross", "", watch.cancel)),
    ],
    running: () => [
      el("p", { class: "soft", text: watch.closeable }),
      el("div", { class: "row" }, button("cancel", "cross", "", watch.cancel), prefect(project)),
    ],
    review: () => [
      project.error && notice("bad", project.error.error, project.error.remedy),
      el("p", { text: watch.reviewText }),
      el(
        "div",
        { class: "row" },
        link(lines, "pen", "main", watch.toReview),
        button("continue", "play", "", watch.goOn),
        button("cancel", "cross", "quiet", watch.cancel),
      ),
    ],
    done: () => [
      project.edited && el("p", { text: words.out.edited }),
      el(
        "div",
        { class: "row" },
        link(`#/p/${project.id}/out`, "play", "main", watch.seeDone),
        mend && link(lines, "pen", "", watch.mend),
        project.edited && button("render", "again", "", watch.again),
        prefect(project),
      ),
    ],
    failed: () => [
      notice("bad", project.error?.error ?? words.refusals.broken, project.error?.remedy ?? ""),
      el(
        "div",
        { class: "row" },
        button("resume", "play", "main", watch.resume),
        mend && link(lines, "pen", "", watch.mend),
        prefect(project),
      ),
    ],
    cancelled: () => [
      el("p", { class: "soft", text: watch.cancelled }),
      el(
        "div",
        { class: "row" },
        button("resume", "play", "main", watch.resume),
        mend && link(lines, "pen", "", watch.mend),
        erase,
      ),
    ],
  };
  return el("section", { class: `card stack panel ${project.state}` }, title, parts[project.state]());
}

function prefect(project) {
  return (
    project.run_page &&
    el(
      "a",
      { class: "button quiet", href: project.run_page, target: "_blank", rel: "noopener" },
      words.watch.run,
      icon("out"),
    )
  );
}

/** The stages as one calm line, with a bar, what is at work, and how long it will take. */
function progressLine(project) {
  const { names, about, states } = words.stages;
  const list = el("ol", { class: "phases" });
  let drawn = "";
  const bar = el("span");
  const meter = el(
    "div",
    {
      class: "bar",
      role: "progressbar",
      "aria-label": words.watch.progress(project.title),
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    bar,
  );
  const label = el("p", { class: "small" });
  const left = el("p", { class: "small soft clock" });
  const element = el(
    "section",
    { class: "card stack", "aria-label": words.watch.stages },
    list,
    meter,
    el("div", { class: "row spread" }, label, left),
  );

  /** A run tells its stages as it begins: before, there is a bar alone. */
  function setStages(stages, isAtWork) {
    const ids = stages.map((stage) => stage.id).join();
    if (ids !== drawn) {
      drawn = ids;
      fill(
        list,
        stages.map(({ id, label: name }) =>
          el(
            "li",
            {},
            el("span", { class: "dot" }),
            el("span", { class: "name", text: names[id] ?? name }),
            el("span", { class: "soft small", text: about[id] ?? "" }),
            el("span", { class: "away state" }),
          ),
        ),
      );
    }
    stages.forEach((stage, index) => {
      const item = list.children[index];
      item.className = `${stage.state}${isAtWork ? " live" : ""}`;
      item.querySelector(".state").textContent = states[stage.state];
      attribute(item, "aria-current", stage.state === "running" ? "step" : null);
    });
    list.hidden = !stages.length;
  }

  function set(progress, state) {
    const isAtWork = state === "running";
    const isDone = state === "done";
    setStages(
      (progress.stages ?? []).map((stage) => (isDone ? { ...stage, state: "done" } : stage)),
      isAtWork,
    );
    const percent = isDone ? 100 : Math.floor(100 * (progress.fraction ?? 0));
    bar.style.inlineSize = `${percent}%`;
    meter.setAttribute("aria-valuenow", String(percent));
    const pieces = isAtWork && progress.of > 1 ? ` (${words.watch.lines(progress.done, progress.of)})` : "";
    const language = progress.language ? `${words.languageNames[progress.language] ?? progress.language}: ` : "";
    label.textContent = !isAtWork
      ? ""
      : progress.label
        ? `${language}${progress.label}${pieces}`
        : words.watch.preparing;
    left.textContent = isAtWork && Number.isFinite(progress.eta_s) ? words.watch.left(roughly(progress.eta_s)) : "";
  }
  return { element, set };
}

function logShown() {
  const list = el("ul", { class: "small" });
  const element = el("details", { class: "log", hidden: true }, el("summary", { text: words.watch.log }), list);
  return {
    element,
    add({ level, text }) {
      element.hidden = false;
      list.prepend(el("li", { class: level, text }));
      while (list.children.length > LOG_LINES) list.lastChild.remove();
    },
  };
}

function sentence(text) {
  return text && `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}

/** What was asked for, in pairs. */
function given(project) {
  const { facts, size } = words.watch;
  const { source, audio } = project;
  const rows = [
    [facts.length, source.duration_s ? clock(source.duration_s) : audio?.duration_s ? clock(audio.duration_s) : ""],
    [facts.picture, source.width ? size(source.width, source.height, source.fps) : ""],
    [facts.languages, project.to.map((code) => words.languageNames[code] ?? code).join(", ")],
    [facts.lips, project.lips ? (words.watch.lipsNames[project.lips] ?? project.lips) : ""],
    [facts.review, project.kind === "dub" ? (project.review ? facts.yes : facts.no) : ""],
  ];
  return [
    rows
      .filter(([, value]) => value)
      .map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value }))),
    project.expires && el("div", {}, el("dd", { class: "soft small", text: words.home.kept(day(project.expires)) })),
  ];
}
