// Saving the lines: one request at a time, and nothing of another's work is written over.
import { server } from "./api.js";

const OTHERS_WERE_FIRST = 412;

/** `{save(structure), isSaving}`. `save` resolves to `{conflict}` where another saved first; throws `Refusal`. */
export function saver({ project, language, sheet, onState }) {
  const state = { isSaving: false, running: Promise.resolve() };

  async function save(structure) {
    const sent = sheet.changes();
    if (!sent.length && !structure.length) return { conflict: false };
    state.isSaving = true;
    onState();
    try {
      sheet.saved(await server.change(project.id, language, sheet.etag, [...sent, ...structure]), sent);
      return { conflict: false };
    } catch (error) {
      if (error.status !== OTHERS_WERE_FIRST) throw error;
      sheet.rebased(await server.lines(project.id, language));
      return { conflict: true };
    } finally {
      state.isSaving = false;
      onState();
    }
  }

  return {
    /** Saves what is changed, and then `structure`, splits and joins, in the same request: all of it or nothing. */
    save(structure = []) {
      const mine = state.running.then(() => save(structure));
      state.running = mine.catch(() => undefined);
      return mine;
    },
    get isSaving() {
      return state.isSaving;
    },
  };
}
