// All pictures of an image move as one: zoom by the wheel or two fingers, drag, crosshair, click.

const MOST = 20;

/** Link the frames within `views`; calls `hover(u, v)`, nulls when outside, and `pick(u, v)`. */
export function linkViews(views, { hover, pick }) {
  let zoom = 1, left = 0, top = 0; // the part in view, in shares of the image
  const fingers = new Map();
  let moved = false;

  const set = (name, value) => views.style.setProperty(name, value);
  function show() {
    left = Math.min(Math.max(left, 0), 1 - 1 / zoom);
    top = Math.min(Math.max(top, 0), 1 - 1 / zoom);
    set("--zoom", zoom);
    set("--left", `${-100 * left}%`);
    set("--top", `${-100 * top}%`);
  }
  const place = (event) => {
    const frame = event.target.closest?.(".frame:not(:has(.notice))");
    if (!frame) return null;
    const box = frame.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    if (x < 0 || y < 0 || x >= 1 || y >= 1) return null;
    return { x, y, u: left + x / zoom, v: top + y / zoom, box };
  };
  function zoomAt({ x, y, u, v }, factor) {
    zoom = Math.min(Math.max(zoom * factor, 1), MOST);
    left = u - x / zoom;
    top = v - y / zoom;
    show();
  }
  views.addEventListener("wheel", (event) => {
    const at = place(event);
    if (!at) return;
    event.preventDefault();
    zoomAt(at, Math.exp(-event.deltaY / 400));
  }, { passive: false });
  // A click chooses a patch; it leaves the keyboard where it was.
  views.addEventListener("mousedown", (event) => place(event) && event.preventDefault());
  views.addEventListener("pointerdown", (event) => {
    if (place(event)) fingers.set(event.pointerId, event);
    moved = fingers.size > 1;
  });
  views.addEventListener("pointermove", (event) => {
    if (!event.buttons) fingers.delete(event.pointerId); // released elsewhere
    const before = fingers.get(event.pointerId);
    const at = place(event);
    if (before && at) {
      const [x, y] = [event.clientX - before.clientX, event.clientY - before.clientY];
      const other = [...fingers.values()].find((one) => one.pointerId !== event.pointerId);
      if (other) {
        const span = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        zoomAt(at, span(event) / Math.max(span(before), 1));
      } else if (moved || Math.hypot(x, y) > 4) {
        moved = true;
        left -= x / at.box.width / zoom;
        top -= y / at.box.height / zoom;
        show();
      } else return;
      fingers.set(event.pointerId, event);
    }
    set("--u", at ? `${100 * at.x}%` : "-10%");
    set("--v", at ? `${100 * at.y}%` : "-10%");
    hover(at ? at.u : null, at ? at.v : null);
  });
  views.addEventListener("pointerleave", () => { set("--u", "-10%"); hover(null, null); });
  for (const end of ["pointerup", "pointercancel"]) {
    views.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  views.addEventListener("click", (event) => {
    const at = place(event);
    if (at && !moved) pick(at.u, at.v);
  });
  views.addEventListener("dblclick", (event) => {
    if (!place(event)) return;
    zoom = 1;
    show();
  });
  show();
}
