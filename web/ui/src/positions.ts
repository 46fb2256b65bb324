import type { Position } from "./contract";

/** The open positions, newest first, after one was opened, changed or closed. */
export function apply(positions: Position[], changed: Position): Position[] {
  if (changed.status === "closed") return positions.filter((position) => position.id !== changed.id);
  if (!positions.some((position) => position.id === changed.id)) return arrange([changed, ...positions]);
  return positions.map((position) => (position.id === changed.id ? changed : position));
}

export function arrange(positions: Position[]): Position[] {
  return [...positions].sort((a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at));
}
