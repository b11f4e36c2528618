// Splitting and joining lines, and taking steps back. Both are saved at once, with all that is not saved yet, because
// the sheet names the new lines; typing waits for Save.
import { askSplit } from "./splitting.js";
import { words } from "./strings.js";

/**
 * `attempt(work)` is true where `work` came to something; `arrive(id, said)` chooses a line, null for none in
 * particular, and says what was done. `{split(line, places), merge(id), undo(), redo()}`.
 */
export function structure({ sheet, saver, attempt, arrive }) {
  /** What came of a change: its new lines, as long as `before` are the ids of before it. */
  const made = (before) => sheet.lines.filter((line) => !before.has(line.id)).map((line) => line.id);

  async function change(asked, said, inverseOf) {
    const before = new Set(sheet.byId.keys());
    if (!(await attempt(() => saver.save([asked])))) return;
    const ids = made(before);
    const inverse = inverseOf(ids);
    if (inverse) sheet.restructured(inverse);
    arrive(ids[0] ?? null, said);
  }

  async function split(line, places) {
    const where = await askSplit(line, places);
    if (!where) return;
    await change({ split: line.id, ...where }, words.mend.splitDone, (parts) =>
      parts.length === 2 ? { merge: parts } : null,
    );
  }

  async function merge(id) {
    const first = sheet.line(id);
    const next = sheet.lines[first.number];
    if (!next) return;
    const second = sheet.line(next.id);
    const place = (text) => (text ? [...text].length + 1 : 0); // where the second begins in both, after a space
    await change({ merge: [first.id, second.id] }, words.mend.merged, ([whole]) => ({
      split: whole ?? first.id,
      at_s: second.start_s,
      at_source: place(first.source),
      at_translation: place(first.translation),
    }));
  }

  async function tookBack(step, said) {
    if (!step) return;
    if (step.inverse && !(await attempt(() => saver.save([step.inverse])))) return;
    arrive(step.id ?? null, said);
  }

  return {
    split,
    merge,
    undo: () => tookBack(sheet.undo(), words.mend.undone),
    redo: () => tookBack(sheet.redo(), words.mend.redone),
  };
}
