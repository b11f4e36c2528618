// Taking it home: a player, the files of each language, and what is synthetic in them.
import { server } from "./api.js";
import { el, fill } from "./elements.js";
import { size } from "./formats.js";
import { icon } from "./icons.js";
import { notice, refused } from "./notices.js";
import { words } from "./strings.js";

const ORDER = ["video", "subtitles", "sheet", "report", "disclosure", "figures"];

export async function show(place, { id }) {
  const project = await server.project(id);
  const voices = voiceNames(); // takes seconds where nobody has asked yet: nothing waits for it
  const heading = el("h1", {}, el("bdi", { text: project.title || project.source.name || words.unnamed }));
  if (!project.results.length) {
    fill(
      place,
      heading,
      el(
        "div",
        { class: "empty" },
        icon("film"),
        el("p", { text: words.out.none }),
        el("a", { class: "button", href: `#/p/${id}`, text: words.out.toWatch }),
      ),
    );
    return null;
  }
  const holder = el("div", { class: "stack" });
  const choice =
    project.results.length > 1 &&
    el(
      "div",
      { class: "row", role: "group", "aria-label": words.mend.language },
      project.results.map((result) =>
        el(
          "button",
          {
            type: "button",
            class: "button small",
            data: { language: result.language },
            on: { click: () => choose(result) },
          },
          nameOf(result.language),
        ),
      ),
    );
  function choose(result) {
    for (const button of choice ? choice.children : [])
      button.setAttribute("aria-pressed", String(button.dataset.language === result.language));
    fill(holder, resultShown(project, result, voices));
  }
  const edited =
    project.edited &&
    notice(
      "warn",
      words.out.edited,
      el(
        "div",
        {},
        el(
          "button",
          { type: "button", class: "button small", on: { click: render } },
          icon("again"),
          words.watch.again,
        ),
      ),
    );
  async function render() {
    try {
      await server.act(id, "render");
      location.hash = `#/p/${id}`;
    } catch (error) {
      holder.before(refused(error, render));
    }
  }
  fill(place, el("div", { class: "row spread head" }, heading, choice), el("div", { class: "stack" }, edited, holder));
  choose(project.results[0]);
  return () => holder.querySelector("video")?.pause();
}

function nameOf(code) {
  return words.languageNames[code] ?? code;
}

/** What voices are called, by id; empty where the studio does not tell. */
async function voiceNames() {
  const offer = await server.offer().catch(() => ({}));
  const languages = [...(offer.targets ?? []), ...(offer.spoken ?? [])];
  return new Map(languages.flatMap(({ voices }) => voices.map(({ id, name }) => [id, name])));
}

function resultShown(project, result, voices) {
  const { player, mend, report, open } = words.out;
  const video = el("video", {
    controls: true,
    preload: "metadata",
    playsinline: true,
    src: result.video.url,
    "aria-label": player(nameOf(result.language)),
  });
  for (const [index, file] of result.subtitles.filter((each) => each.name.endsWith(".vtt")).entries()) {
    video.append(
      el("track", {
        kind: "subtitles",
        src: file.url,
        srclang: file.language,
        label: nameOf(file.language),
        default: index === 0,
      }),
    );
  }
  video.addEventListener("error", () => video.replaceWith(notice("warn", words.mend.notPlayable)), { once: true });
  return [
    el(
      "div",
      { class: "taking" },
      el("div", { class: "stack" }, video, made(result, voices), degraded(result)),
      el(
        "section",
        { class: "card stack", "aria-labelledby": "downloads" },
        el("h2", { id: "downloads", text: words.out.downloads }),
        downloads(result),
        result.mended && el("p", { class: "help", text: result.mended }),
        el(
          "div",
          { class: "row" },
          result.report &&
            el(
              "a",
              { class: "button small", href: result.report.url, target: "_blank", rel: "noopener" },
              open,
              icon("out"),
            ),
          result.sheet &&
            project.kind === "dub" &&
            el(
              "a",
              { class: "button small", href: `#/p/${project.id}/mend?language=${result.language}` },
              icon("pen"),
              mend,
            ),
        ),
      ),
    ),
  ];
}

function downloads(result) {
  const files = [...result.files].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const kinds = [...new Set(files.map((file) => file.kind))];
  return el(
    "ul",
    { class: "files" },
    kinds.map((kind) =>
      el(
        "li",
        {},
        el(
          "div",
          {},
          el("strong", { text: words.out[kind] ?? words.out.other }),
          words.out.about[kind] && el("p", { class: "help", text: words.out.about[kind] }),
        ),
        el("div", { class: "stack tight" }, files.filter((file) => file.kind === kind).map(download)),
      ),
    ),
  );
}

function download(file) {
  const text = size(file.size_bytes);
  return el(
    "a",
    {
      class: "file",
      href: `${file.url}?download`,
      download: file.name,
      "aria-label": words.out.download(file.name, text),
    },
    icon("down"),
    el("bdi", { class: "file-name", text: file.name }),
    el("span", { class: "soft small", text }),
  );
}

/** What a machine made, for everyone who sees this page; the file itself says it too. */
function made(result, voices) {
  const { made: said, unsigned } = words.out;
  const { disclosure } = result;
  if (!disclosure) return notice("warn", unsigned);
  const [speech, lips] = ["speech", "lips"].map((what) => disclosure.synthetic.includes(what));
  const what = speech && lips ? said.both : speech ? said.speech : lips ? said.lips : said.none;
  const [from, to] = disclosure.languages ?? [];
  const translated = from && to && from !== to && said.languages(nameOf(from), nameOf(to));
  const text = el("p");
  const tell = (names) => {
    const spoken = disclosure.voices?.length && said.voices(disclosure.voices.map((id) => names.get(id) ?? id));
    text.textContent = [what, translated, spoken, said.signed(disclosure.signer, disclosure.known)]
      .filter(Boolean)
      .join(" ");
  };
  tell(new Map());
  voices.then(tell);
  return el(
    "section",
    { class: "notice disclosure", "aria-label": said.title },
    icon("shield"),
    el("div", {}, el("strong", { text: said.title }), text, el("p", { class: "soft small", text: said.duty })),
  );
}

function degraded(result) {
  if (!result.degraded?.length) return null;
  return el(
    "details",
    { class: "log" },
    el("summary", { text: words.out.degraded }),
    el(
      "ul",
      { class: "small" },
      result.degraded.map((each) =>
        el("li", { text: words.out.degradedItem(each.reason, each.seconds ? Number(each.seconds.toFixed(1)) : 0) }),
      ),
    ),
  );
}
