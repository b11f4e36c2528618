// Two clocks: the source's, and the dub's, which waits where a slide is held longer.

/**
 * Both ways between the clocks. `holds` are `[{at_s, held_s}, ...]` on the source's, in order; without one
 * both agree.
 */
export function clocks(holds = []) {
  const anchors = [[0, 0]]; // [dub, source]: between two of them both run evenly
  let held = 0;
  for (const { at_s: at, held_s: length } of holds) {
    anchors.push([at + held, at], [at + held + length, at]);
    held += length;
  }
  return {
    toSource: (dub) => along(anchors, 0, 1, dub),
    toDub: (source) => along(anchors, 1, 0, source),
  };
}

function along(points, from, to, at) {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle][from] <= at) low = middle;
    else high = middle - 1;
  }
  const [here, next] = [points[low], points[low + 1]];
  if (!next || at < here[from]) return here[to] + (at - here[from]);
  const length = next[from] - here[from];
  return length > 0 ? here[to] + ((at - here[from]) / length) * (next[to] - here[to]) : next[to];
}
