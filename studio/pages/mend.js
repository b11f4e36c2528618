// Mending: original and dub on one timeline, the lines beside them, each to be read, changed and heard again.
import { tell } from "./announce.js";
import { server } from "./api.js";
import { clocks } from "./clocks.js";
import { directionOf, el, fill } from "./elements.js";
import { listenToKeys, showKeys } from "./keys.js";
import { lineEditor } from "./line_editor.js";
import { lineList } from "./line_list.js";
import { linesFilter } from "./lines_filter.js";
import { mendBar } from "./mend_bar.js";
import { notice, refused } from "./notices.js";
import { player } from "./player.js";
import { playerControls } from "./player_controls.js";
import { saver } from "./saving.js";
import { Sheet } from "./sheet.js";
import { words } from "./strings.js";
import { structure } from "./structure.js";
import { timeline } from "./timeline.js";

const STEP_S = 2;

export async function show(place, { id, query, wide }) {
  const project = await server.project(id);
  const language = query.get("language") ?? project.to[0];
  const answer = await server.lines(id, language);
  wide();
  if (!answer.lines.length) {
    fill(place, el("h1", { text: words.mend.title(project.title) }), el("p", { class: "lead", text: words.mend.none }));
    return null;
  }
  return new Mending(place, project, language, answer).leave;
}

/** One visit: the parts, and what passes between them. */
class Mending {
  constructor(place, project, language, answer) {
    Object.assign(this, { place, project, language, chosen: null, now: null, follows: true });
    this.sheet = new Sheet(answer, {
      draft: `draft:${project.id}:${language}`,
      changed: (id, columns) => this.changed(id, columns),
    });
    this.clock = clocks(answer.holds);
    this.result = project.results.find((each) => each.language === language);
    const languages = {
      target: language,
      direction: answer.direction ?? directionOf(language),
      source: answer.source_language,
      sourceDirection: answer.source_direction ?? directionOf(answer.source_language),
    };
    this.languages = languages;
    this.placeLines();
    this.player = player({
      source: `/media/${project.id}/source`,
      dub: this.result?.video?.url ?? null,
      clock: this.clock,
      onFrame: (position) => this.moved(position),
      onPlay: (playing) => this.controls?.playing(playing),
    });
    this.timeline = timeline({
      duration: this.player.hasDub ? (answer.dub_duration_s ?? answer.duration_s) : answer.duration_s,
      clock: this.player.hasDub ? this.clock : clocks([]),
      lines: () => this.blocks,
      onSeek: (position) => this.player.seek(position),
      onStretch: (line, edge, isDone) => this.stretched(line, edge, isDone),
    });
    this.controls = playerControls({ player: this.player, timeline: this.timeline });
    this.editor = lineEditor({
      sheet: this.sheet,
      languages,
      hear: (line, signal) => this.hear(line, signal),
      actions: {
        split: () => this.split(),
        merge: () => this.merge(),
        play: () => this.playLine(),
        step: (by) => this.step(by),
      },
    });
    this.list = lineList({
      sheet: this.sheet,
      languages,
      onSelect: (line) => this.select(line, true),
      onOpen: () => this.editor.focus(),
      onScroll: () => this.follows && this.player.isPlaying && this.filter.follow(false),
    });
    this.filter = linesFilter({
      sheet: this.sheet,
      onChange: () => this.filterAgain(),
      onFollow: (follows) => (this.follows = follows),
    });
    this.saver = saver({ project, language, sheet: this.sheet, onState: () => this.bar?.draw() });
    this.structure = structure({
      sheet: this.sheet,
      saver: this.saver,
      attempt: (work) => this.try(work),
      arrive: (id, said) => this.arrive(id, said),
    });
    this.bar = mendBar({
      project,
      language,
      sheet: this.sheet,
      saver: this.saver,
      on: {
        undo: () => this.structure.undo(),
        redo: () => this.structure.redo(),
        save: () => this.save(),
        keys: showKeys,
        render: () => this.render(),
      },
    });
    this.problem = el("div", { class: "problem" });
    this.assemble();
    this.stopKeys = listenToKeys(this.keys());
    this.bringWaves();
    const first = this.filter.shown()[0] ?? this.sheet.lines[0].id;
    this.select(first, false);
    if (this.sheet.recovered) this.tellOfDraft();
    this.leave = () => this.end();
    this.leave.unsaved = () => this.sheet.unsaved > 0;
  }

  assemble() {
    const { sheet } = this;
    fill(
      this.place,
      this.bar.element,
      this.problem,
      el(
        "div",
        { class: "mend" },
        el("div", { class: "mend-view" }, this.player.element, this.timeline.element, this.controls.element),
        el("div", { class: "mend-lines" }, this.filter.element, this.list.element),
        this.editor.element,
      ),
    );
    this.list.draw(this.filter.shown());
    this.filter.counted(this.list.ids.length, sheet.lines.length);
    this.timeline.redraw();
    this.moved(0);
  }

  /** Where each line lies on the timeline; a line that is moved but not rendered lies where it will. */
  placeLines() {
    const hasDub = Boolean(this.result?.video);
    this.blocks = this.sheet.lines.map(({ id }) => this.blockOf(this.sheet.line(id), hasDub));
  }

  blockOf(line, hasDub) {
    if (!hasDub) return { id: line.id, from: line.start_s, to: line.end_s };
    return { id: line.id, from: this.clock.toDub(line.start_s), to: this.clock.toDub(line.end_s) };
  }

  changed(id, columns) {
    if (!this.bar) return;
    if (id === null) {
      this.placeLines();
      this.filterAgain();
      if (!this.sheet.byId.has(this.chosen)) this.select(this.near(), false);
      else this.editor.refresh(null);
      this.timeline.redraw();
    } else {
      this.list.update(id);
      if (id === this.chosen) this.editor.refresh(columns);
      if (columns.includes("start_s") || columns.includes("end_s")) {
        this.blocks[this.sheet.byId.get(id)] = this.blockOf(this.sheet.line(id), this.player.hasDub);
        this.timeline.redraw();
      }
    }
    this.bar.draw();
  }

  filterAgain() {
    const shown = this.filter.shown();
    this.list.draw(shown);
    this.filter.counted(shown.length, this.sheet.lines.length);
  }

  /** Is called with every picture: nothing here may cost more than a moment. */
  moved(position) {
    if (!this.bar) return; // the parts are still being put together
    this.timeline.move(position);
    this.controls.at(position);
    const id = this.lineAt(position)?.id ?? null;
    if (id !== this.now) {
      this.now = id;
      this.list.now(id, this.follows && this.player.isPlaying);
    }
  }

  lineAt(position) {
    let [low, high] = [0, this.blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.blocks[middle].from <= position) low = middle;
      else high = middle - 1;
    }
    const block = this.blocks[low];
    return block && position >= block.from && position < block.to ? block : null;
  }

  near() {
    return (this.lineAt(this.player.position) ?? this.blocks[0]).id;
  }

  select(id, andSeek) {
    if (!id) return;
    this.chosen = id;
    this.list.select(id);
    this.editor.show(id);
    this.timeline.select(id);
    const block = this.blocks[this.sheet.byId.get(id)];
    if (andSeek && !this.player.isPlaying) this.player.seek(block.from);
  }

  step(by) {
    const next = this.list.neighbour(this.chosen, by);
    if (next) this.select(next, true);
  }

  playLine() {
    const block = this.blocks[this.sheet.byId.get(this.chosen)];
    this.player.seek(block.from);
    this.player.play(block.to);
  }

  stretched(id, { from, to }, isDone) {
    const source = (time) => Number((this.player.hasDub ? this.clock.toSource(time) : time).toFixed(3));
    const index = this.sheet.byId.get(id);
    Object.assign(this.blocks[index], from === undefined ? { to } : { from });
    this.timeline.redraw();
    if (isDone) this.sheet.edit(id, from === undefined ? { end_s: source(to) } : { start_s: source(from) });
  }

  hear(line, signal) {
    const { translation, voice, rate } = line;
    return server.hear(
      this.project.id,
      line.id,
      { language: this.language, translation, voice, ...(rate ? { rate } : {}) },
      signal,
    );
  }

  split() {
    const at = this.player.hasDub ? this.clock.toSource(this.player.position) : this.player.position;
    const places = { at, caret: this.editor.caret.translation, languages: this.languages };
    return this.structure.split(this.sheet.line(this.chosen), places);
  }

  merge() {
    return this.structure.merge(this.chosen);
  }

  /** Shows the line that a step was about. */
  arrive(id, said) {
    if (id !== this.chosen) this.select(id ?? (this.sheet.byId.has(this.chosen) ? this.chosen : this.near()), false);
    this.bar.draw();
    tell(said);
  }

  async save() {
    if (await this.try(() => this.saver.save())) tell(words.mend.savedNow);
  }

  async render() {
    const action = this.project.state === "review" ? "continue" : "render";
    const isSaved = this.sheet.unsaved === 0 || (await this.try(() => this.saver.save()));
    if (isSaved && (await this.try(() => server.act(this.project.id, action))))
      location.hash = `#/p/${this.project.id}`;
  }

  async try(work) {
    fill(this.problem);
    try {
      const told = await work();
      if (told?.conflict) fill(this.problem, notice("warn", words.mend.conflict.title, words.mend.conflict.text));
      return !told?.conflict;
    } catch (error) {
      fill(this.problem, refused(error));
      this.problem.scrollIntoView({ block: "nearest" });
      return false;
    }
  }

  tellOfDraft() {
    const drop = el("button", { type: "button", class: "button small", text: words.mend.discard });
    const shown = notice("", words.mend.recovered, el("div", {}, drop));
    drop.addEventListener("click", () => {
      this.sheet.discard();
      shown.remove();
    });
    fill(this.problem, shown);
    this.bar.draw();
  }

  nextDoubt() {
    const { lines, byId } = this.sheet;
    const from = byId.get(this.chosen);
    const order = [...lines.slice(from + 1), ...lines.slice(0, from)];
    const next = order.find(({ id, doubts }) => doubts.length && !this.sheet.line(id).reviewed);
    if (next) this.select(next.id, true);
  }

  review() {
    const line = this.sheet.line(this.chosen);
    this.sheet.edit(this.chosen, { reviewed: !line.reviewed });
    if (!line.reviewed) this.step(1);
  }

  keys() {
    const { player: it } = this;
    return {
      play: () => it.toggle(),
      back: () => it.seek(it.position - STEP_S),
      ahead: () => it.seek(it.position + STEP_S),
      previous: () => this.step(-1),
      next: () => this.step(1),
      edit: () => this.editor.focus(),
      leave: () => this.list.focus(),
      nextFromText: () => (this.step(1), this.editor.focus()),
      line: () => this.playLine(),
      hear: () => this.editor.hear(),
      side: () => this.controls.otherSide(),
      reviewed: () => this.review(),
      doubt: () => this.nextDoubt(),
      split: () => this.split(),
      merge: () => this.merge(),
      follow: () => this.filter.follow(!this.follows),
      undo: () => this.structure.undo(),
      redo: () => this.structure.redo(),
      save: () => this.save(),
      help: showKeys,
    };
  }

  async bringWaves() {
    const bring = (which) => server.waveform(this.project.id, which).catch(() => null);
    const [dub, source] = await Promise.all([this.player.hasDub ? bring(this.language) : null, bring("source")]);
    this.timeline.waves({ dub, source });
  }

  end() {
    this.sheet.flush();
    this.stopKeys();
    for (const part of [this.player, this.timeline, this.list, this.editor]) part.end();
  }
}
