// The frame around the views: which one the address asks for, and that nothing unsaved is left without a word.
import { announce } from "./announce.js";
import { server } from "./api.js";
import { el, fill } from "./elements.js";
import { icon } from "./icons.js";
import { refused } from "./notices.js";
import { words } from "./strings.js";

const ROUTES = [
  [/^#?\/?$/, "./home.js"],
  [/^#\/new\/(?<kind>dub|speech|text)$/, "./new.js"],
  [/^#\/p\/(?<id>[^/]+)$/, "./watch.js"],
  [/^#\/p\/(?<id>[^/]+)\/mend$/, "./mend.js"],
  [/^#\/p\/(?<id>[^/]+)\/out$/, "./out.js"],
];

const main = document.getElementById("main");
let leave = null; // of the view that stands: ends what it started; `leave.unsaved()` is true where work would be lost
let shown = location.hash;
let turn = 0;

async function show() {
  const [path, query = ""] = location.hash.split("?");
  if (leave?.unsaved?.() && !confirm(words.mend.leaveUnsaved)) {
    history.replaceState(null, "", shown);
    return;
  }
  shown = location.hash;
  const mine = (turn += 1);
  leave?.();
  leave = null;
  document.getElementById("said").textContent = "";
  const [match, module] = ROUTES.map(([shape, file]) => [shape.exec(path), file]).find(([found]) => found) ?? [
    null,
    null,
  ];
  main.classList.remove("wide");
  const place = el("div", { class: "view" }, waiting());
  fill(main, place);
  try {
    if (!match) return nowhere(place);
    const view = await import(module);
    const end = await view.show(place, {
      ...match.groups,
      query: new URLSearchParams(query),
      wide: () => main.classList.add("wide"),
    });
    if (mine !== turn) return end?.();
    leave = end ?? null;
  } catch (error) {
    if (mine === turn) fill(place, el("h1", { tabindex: "-1", text: words.refusals.heading }), refused(error, show));
  }
  if (mine === turn) arrive(place);
}

/** What stands there until the server has answered. */
function waiting() {
  return el(
    "div",
    { class: "stack" },
    el("p", { class: "soft", role: "status", text: words.loading }),
    el("div", { class: "bones", "aria-hidden": "true" }, el("span"), el("span"), el("span")),
  );
}

function arrive(place) {
  const heading = place.querySelector("h1");
  document.title = heading ? `${heading.textContent} · ${words.name}` : words.name;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.hash === (location.hash || "#/")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (arrive.before && heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    announce(heading.textContent);
  }
  arrive.before = true;
  scrollTo(0, 0);
}

function nowhere(place) {
  fill(
    place,
    el("h1", { text: words.refusals.nowhere }),
    el("p", { class: "lead" }, el("a", { href: "#/", text: words.home.back })),
  );
  arrive(place);
}

function navigation(session) {
  const items = [el("a", { href: "#/" }, icon("film"), el("span", { class: "words", text: words.home.nav }))];
  if (session?.login) {
    items.push(
      el("span", { class: "who" }, el("bdi", { text: session.user })),
      el(
        "button",
        { type: "button", on: { click: logout } },
        icon("out"),
        el("span", { class: "words", text: words.login.out }),
      ),
    );
  }
  fill(document.getElementById("nav"), items);
}

async function logout() {
  if (leave?.unsaved?.() && !confirm(words.mend.leaveUnsaved)) return;
  leave?.();
  leave = null;
  await server.logout();
  location.assign("/login");
}

addEventListener("hashchange", show);
addEventListener("beforeunload", (event) => {
  if (leave?.unsaved?.()) event.preventDefault();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

navigation(null);
show();
server.session().then(navigation, () => undefined); // a refused session says so in the view itself
