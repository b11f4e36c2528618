// The stages of a run, gathered into the few steps that a lecturer tells apart.
import { words } from "./strings.js";

const STAGES = {
  listen: ["shots", "speech", "identify", "listen", "faces", "meshes", "speaking", "appearances", "library", "voice_samples", "background", "levels", "sound", "prepare", "cut", "real_lips"],
  translate: ["translate", "review"],
  speak: ["clip", "speak", "reference", "mix"],
  picture: ["lips", "render"],
  finish: ["voice", "assemble", "assemble_many", "burn", "sign", "heard_back", "dubbed_lips", "report", "gate", "publish"],
};
const OF_KIND = { dub: ["listen", "translate", "speak", "picture", "finish"], speech: ["listen", "picture", "finish"], text: ["speak", "listen", "picture", "finish"] };

/** The steps of a project of `kind`, in order: `[{id, name, text}]`. */
export function phasesOf(kind) {
  return OF_KIND[kind].map((id) => ({ id, ...words.phases[id] }));
}

/**
 * How far a run is, as the index of the step at work. Stages overlap, so a step that was left does not come back:
 * `reached` is the index from before.
 */
export function phaseOf(kind, stage, reached = 0) {
  const found = OF_KIND[kind].findIndex((id) => STAGES[id].includes(stage));
  return Math.max(reached, found);
}
