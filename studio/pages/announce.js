// What happened, for those who listen (a live region) and for those who look (a line at the foot of the page).

const STAYS_MS = 4000;

/** Says `text` to a screen reader, when it is idle. */
export function announce(text) {
  const place = document.getElementById("said");
  place.textContent = "";
  requestAnimationFrame(() => {
    place.textContent = text;
  });
}

/** Says it and shows it for a few seconds. */
export function tell(text) {
  announce(text);
  const line = document.createElement("p");
  line.textContent = text;
  document.getElementById("toasts")?.append(line);
  setTimeout(() => line.remove(), STAYS_MS);
}
