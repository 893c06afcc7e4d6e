// The draggable edge of the distance window: where it stands on a logarithmic axis, and the steps a keyboard takes.

export const NEAREST = 0.002;
export const FARTHEST = 0.3;

/** Position of a distance on the axis, 0 at the nearest edge to 1 at the farthest. */
export function placeOf(distance: number, near = NEAREST, far = FARTHEST): number {
  const place = Math.log(distance / near) / Math.log(far / near);
  return Math.min(1, Math.max(0, place));
}

/** Distance at a position, on a step of 0.1 % (0.05 % below 1 %). */
export function distanceAt(place: number, near = NEAREST, far = FARTHEST): number {
  return snap(near * (far / near) ** Math.min(1, Math.max(0, place)), near, far);
}

/** The next distance, by key; null for a key that means nothing here. */
export function stepOf(key: string, distance: number, near = NEAREST, far = FARTHEST): number | null {
  const step = distance < 0.01 - 1e-9 ? 0.0005 : distance < 0.05 - 1e-9 ? 0.001 : 0.005;
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return snap(distance + step, near, far);
    case "ArrowLeft":
    case "ArrowDown":
      return snap(distance - step, near, far);
    case "PageUp":
      return snap(distance * 2, near, far);
    case "PageDown":
      return snap(distance / 2, near, far);
    case "Home":
      return near;
    case "End":
      return far;
    default:
      return null;
  }
}

function snap(distance: number, near: number, far: number): number {
  const step = distance < 0.01 ? 0.0005 : 0.001;
  const rounded = Math.round(distance / step) * step;
  return Number(Math.min(far, Math.max(near, rounded)).toFixed(4));
}
