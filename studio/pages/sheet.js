// The lines of one language as they are being mended: what the server has, what was changed since, and undo.

const FORGET_AFTER_MS = 900; // keystrokes closer than this are one step of undo
const DRAFT_AFTER_MS = 400;

/**
 * Holds the lines. `changed` is told `(id, columns)` for one line, `(null)` where the lines themselves are others.
 * `draft` is a key of localStorage: what is not saved survives a closed tab.
 */
export class Sheet {
  #pending = new Map(); // id -> {column: value}
  #done = [];
  #undone = [];
  #timer = null;

  constructor(answer, { draft, changed }) {
    this.draft = draft;
    this.changed = changed;
    this.#take(answer);
    this.recovered = this.#recover();
  }

  #take(answer) {
    this.etag = answer.etag;
    this.answer = answer;
    this.lines = [...answer.lines].sort((a, b) => a.start_s - b.start_s || a.end_s - b.end_s);
    this.byId = new Map(this.lines.map((line, index) => [line.id, index]));
  }

  /** The line as the person sees it now. */
  line(id) {
    const index = this.byId.get(id);
    if (index === undefined) return null;
    return { ...this.lines[index], ...this.#pending.get(id), number: index + 1 };
  }

  isEdited(id) {
    return this.#pending.has(id) || this.lines[this.byId.get(id)].edited.length > 0;
  }

  /** The number of lines with changes that are not saved. */
  get unsaved() {
    return this.#pending.size;
  }

  /** Changes columns of a line; one step of undo, or part of the last where the same was just being typed. */
  edit(id, values) {
    const before = this.line(id);
    const columns = Object.keys(values).filter((column) => values[column] !== before[column]);
    if (!columns.length) return;
    const last = this.#done.at(-1);
    const goesOn =
      last?.id === id && performance.now() - last.at < FORGET_AFTER_MS && String(last.columns) === String(columns);
    if (goesOn) Object.assign(last, { at: performance.now(), after: pick(values, columns) });
    else
      this.#done.push({
        id,
        columns,
        before: pick(before, columns),
        after: pick(values, columns),
        at: performance.now(),
      });
    this.#undone = [];
    this.#set(id, pick(values, columns));
  }

  #set(id, values) {
    const own = this.lines[this.byId.get(id)];
    const pending = { ...this.#pending.get(id), ...values };
    for (const column of Object.keys(pending)) if (pending[column] === own[column]) delete pending[column];
    if (Object.keys(pending).length) this.#pending.set(id, pending);
    else this.#pending.delete(id);
    this.#keepDraft();
    this.changed(id, Object.keys(values));
  }

  /** A split or a join that the server has made; `inverse` is the change that takes it back. */
  restructured(inverse) {
    this.#done.push({ inverse });
    this.#undone = [];
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Takes the last step back. Gives its line's id, or `{inverse}` which the server must do, or null. */
  undo() {
    return this.#step(this.#done, this.#undone, "before");
  }

  redo() {
    return this.#step(this.#undone, this.#done, "after");
  }

  #step(from, to, side) {
    const step = from.pop();
    if (!step) return null;
    if (step.inverse) return { inverse: step.inverse };
    if (!this.byId.has(step.id)) return this.#step(from, to, side);
    to.push({ ...step, at: 0 });
    this.#set(step.id, step[side]);
    return { id: step.id };
  }

  /** What to send: one change for each line. */
  changes() {
    return [...this.#pending].map(([id, values]) => ({ id, ...values }));
  }

  /**
   * Takes the server's answer to a save of `sent`; what was typed while it was on its way stays unsaved. Undo goes on
   * over it: a step that is taken back later is simply a change again.
   */
  saved(answer, sent) {
    for (const { id, ...values } of sent) {
      const pending = this.#pending.get(id);
      if (!pending) continue;
      for (const [column, value] of Object.entries(values)) if (pending[column] === value) delete pending[column];
      if (!Object.keys(pending).length) this.#pending.delete(id);
    }
    this.#take(answer);
    for (const id of [...this.#pending.keys()]) if (!this.byId.has(id)) this.#pending.delete(id);
    this.#keepDraft();
    this.changed(null);
  }

  /** The lines as somebody else left them; the changes here are laid over them. */
  rebased(answer) {
    this.saved(answer, []);
  }

  /** Drops what is not saved. */
  discard() {
    this.#pending.clear();
    this.#done = [];
    this.#undone = [];
    this.#keepDraft();
    this.changed(null);
  }

  #keepDraft() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), DRAFT_AFTER_MS);
  }

  /** Keeps the draft now. */
  flush() {
    clearTimeout(this.#timer);
    if (this.#pending.size) localStorage.setItem(this.draft, JSON.stringify([...this.#pending]));
    else localStorage.removeItem(this.draft);
  }

  #recover() {
    let kept;
    try {
      kept = JSON.parse(localStorage.getItem(this.draft) ?? "[]");
    } catch {
      kept = [];
    }
    for (const [id, values] of kept) {
      if (!this.byId.has(id)) continue;
      const own = this.lines[this.byId.get(id)];
      const differs = Object.fromEntries(Object.entries(values).filter(([column, value]) => own[column] !== value));
      if (Object.keys(differs).length) this.#pending.set(id, differs);
    }
    return this.#pending.size > 0;
  }
}

function pick(values, columns) {
  return Object.fromEntries(columns.map((column) => [column, values[column]]));
}
