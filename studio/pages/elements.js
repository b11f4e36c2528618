// Building elements: no markup is ever made from text, so nothing a person or a model wrote can become a tag.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `props`: attributes by name; `on` holds listeners by event, `data` data attributes, `text` the text.
 * An attribute of false, null or undefined is left out, of true is set empty. So are children of null or false.
 */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "text") made.textContent = value;
    else if (name === "value") made.value = value;
    else attribute(made, name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Sets, or takes away where it is false, null or undefined. */
export function attribute(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** An svg of drawn paths; it says nothing to a screen reader. */
export function drawn(paths, className = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** Replaces what is in `parent`, where it differs. */
export function fill(parent, ...children) {
  parent.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
}

let counter = 0;

/** An id that no other element of this page has. */
export function freshId(stem) {
  counter += 1;
  return `${stem}-${counter}`;
}

/** A labelled field with its help below; `control` gets the id. */
export function field(label, control, { help = "", fault = null } = {}) {
  control.id ||= freshId("field");
  const described = [];
  const parts = [el("label", { for: control.id, text: label }), control];
  if (help) {
    const about = el("p", { class: "help", id: freshId("help"), text: help });
    described.push(about.id);
    parts.push(about);
  }
  if (fault) {
    fault.id ||= freshId("fault");
    described.push(fault.id);
    parts.push(fault);
  }
  if (described.length) control.setAttribute("aria-describedby", described.join(" "));
  return el("div", { class: "field" }, parts);
}

/** The direction in which a language is written. */
export function directionOf(language) {
  return ["ar", "fa", "he", "ur"].includes(language) ? "rtl" : "ltr";
}
