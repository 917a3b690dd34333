// Draws models on any number of canvases with one WebGL context: browsers allow only a few contexts, and a page may show
// many models. Each model is drawn on the shared context and copied to its card's own 2D canvas. Nothing is drawn while
// nothing changes.

import { readGlb } from "./glb.js";

const VERTEX = `#version 300 es
uniform mat4 model, camera;
in vec3 position, normal; in vec2 uv;
out vec3 vNormal, vWorld; out vec2 vUv;
void main() {
  vNormal = mat3(model) * normal; vUv = uv;
  vec4 world = model * vec4(position, 1.0);
  vWorld = world.xyz;
  gl_Position = camera * world;
}`;
// A key light, sky above, a little bounce from below; ``light`` says how much of each. Painted models already carry the
// photo's light, so theirs is flatter. Mode 0: colours, 1: clay, 2: normals, 3: one flat colour (lines), 4: ground.
const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D base; uniform vec4 factor; uniform float textured; uniform mat3 look;
uniform int mode; uniform vec3 light, key, foot, reach;
in vec3 vNormal, vWorld; in vec2 vUv; out vec4 result;
void main() {
  if (mode == 3) { result = factor; return; }
  if (mode == 4) {
    // A contact shadow: dark below the object, gone beyond its reach.
    float away = length((vWorld.xz - foot.xz) / max(reach.xz, vec2(1e-6)));
    float dark = 0.5 * pow(clamp(1.25 - away, 0.0, 1.0), 2.0);
    result = vec4(vec3(0.0), dark);
    return;
  }
  vec3 n = normalize(look * vNormal);
  if (!gl_FrontFacing) n = -n;
  if (mode == 2) { result = vec4(n * 0.5 + 0.5, 1.0); return; }
  bool painted = mode == 0 && textured > 0.5;
  vec3 albedo = painted ? factor.rgb * texture(base, vUv).rgb : mode == 1 ? vec3(0.6) : factor.rgb;
  float keyed = max(dot(n, normalize(key)), 0.0);
  float sky = 0.5 + 0.5 * n.y;
  float clay = light.x + light.y * sky + light.z * keyed;
  float flatter = 0.58 + 0.6 * (clay - 0.6) * 0.6;
  vec3 linear = albedo * (painted ? clamp(flatter + 0.15, 0.2, 1.1) : clay);
  result = vec4(pow(clamp(linear, 0.0, 1.0), vec3(1.0 / 2.2)), 1.0);
}`;
const LIGHTS = {
  studio: { light: [0.22, 0.26, 0.78], key: [-0.45, 0.65, 0.75] },
  overcast: { light: [0.4, 0.5, 0.2], key: [0, 1, 0.3] },
  side: { light: [0.1, 0.12, 1.05], key: [1, 0.25, 0.35] },
};
export const PLAIN_LOOK = { mode: "colours", wire: false, light: "studio", ground: false };
const MODES = { colours: 0, clay: 1, normals: 2 };

const MODELS_KEPT = 20;
const DOWNLOADS_AT_ONCE = 3;
const DEFAULT_VIEW = { turn: -0.5, rise: 0.28, zoom: 1, right: 0, up: 0 };

let shared = null; // the one context and its program; null until first needed, false where there is no WebGL 2
const models = new Map(); // url -> Promise of a model, most recently used last
const views = new Map(); // key -> {turn, rise, zoom, right, up}: a card that is drawn anew looks the same way
const looks = new WeakMap(); // canvas -> how it is drawn; PLAIN_LOOK without one
const waiting = [];
let downloads = 0;
let lost = false;

export function webglWorks() {
  return context() !== false;
}

function context() {
  if (shared !== null) return shared;
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: true });
  if (!gl) return (shared = false);
  canvas.addEventListener("webglcontextlost", (event) => {
    event.preventDefault();
    lost = true;
    models.clear();
  });
  canvas.addEventListener("webglcontextrestored", () => {
    lost = false;
    shared = null;
    document.querySelectorAll("canvas[data-model]").forEach((each) => show(each, each.dataset.model, each.dataset.kind));
  });
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  ["position", "normal", "uv"].forEach((name, place) => gl.bindAttribLocation(program, place, name));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return (shared = false);
  const uniforms = {};
  for (const name of ["model", "camera", "base", "factor", "textured", "look", "mode", "light", "key", "foot", "reach"])
    uniforms[name] = gl.getUniformLocation(program, name);
  gl.useProgram(program);
  gl.enable(gl.DEPTH_TEST);
  return (shared = { canvas, gl, uniforms });
}

async function whenFree(work) {
  if (downloads >= DOWNLOADS_AT_ONCE) await new Promise((go) => waiting.push(go));
  downloads += 1;
  try {
    return await work();
  } finally {
    downloads -= 1;
    waiting.shift()?.();
  }
}

function load(url) {
  let model = models.get(url);
  if (model) models.delete(url);
  else
    model = whenFree(async () => {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`the model could not be fetched (${answer.status})`);
      return upload(await readGlb(await answer.arrayBuffer()));
    });
  models.set(url, model);
  for (const [oldest, forgotten] of models) {
    if (models.size <= MODELS_KEPT) break;
    models.delete(oldest);
    forgotten.then((each) => each.free(), () => {});
  }
  return model;
}

function upload(parts) {
  const { gl } = context();
  const buffers = [], textures = [], arrays = [];
  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  const drawn = parts.map((part) => {
    const vao = gl.createVertexArray();
    arrays.push(vao);
    gl.bindVertexArray(vao);
    const fill = (target, data) => {
      const buffer = gl.createBuffer();
      buffers.push(buffer);
      gl.bindBuffer(target, buffer);
      gl.bufferData(target, data, gl.STATIC_DRAW);
    };
    const attribute = (place, data, size) => {
      if (!data) return gl.vertexAttrib4f(place, 0, 0, 0, 1);
      fill(gl.ARRAY_BUFFER, data);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
    };
    attribute(0, part.positions, 3);
    attribute(1, part.normals, 3);
    attribute(2, part.uv, 2);
    fill(gl.ELEMENT_ARRAY_BUFFER, part.indices);
    const triangles = buffers.at(-1);
    const texture = gl.createTexture();
    textures.push(texture);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    if (part.image) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.SRGB8_ALPHA8, gl.RGBA, gl.UNSIGNED_BYTE, part.image);
      gl.generateMipmap(gl.TEXTURE_2D);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      part.image.close();
    } else {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([255, 255, 255, 255]));
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    }
    const m = part.matrix;
    for (let i = 0; i < part.positions.length; i += 3)
      for (let axis = 0; axis < 3; axis++) {
        const [x, y, z] = part.positions.subarray(i, i + 3);
        const value = m[axis] * x + m[4 + axis] * y + m[8 + axis] * z + m[12 + axis];
        if (value < low[axis]) low[axis] = value;
        if (value > high[axis]) high[axis] = value;
      }
    const indexType = part.indices instanceof Uint32Array ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT;
    return { vao, triangles, buffers, indices: part.indices, texture, count: part.indices.length, indexType, matrix: m, factor: part.factor, textured: !!part.image };
  });
  gl.bindVertexArray(null);
  const centre = low.map((value, axis) => (value + high[axis]) / 2);
  const half = low.map((value, axis) => Math.max((high[axis] - value) / 2, 1e-6));
  const free = () => {
    buffers.forEach((each) => gl.deleteBuffer(each));
    textures.forEach((each) => gl.deleteTexture(each));
    arrays.forEach((each) => gl.deleteVertexArray(each));
    gl.deleteVertexArray(model.ground); // of null it does nothing
  };
  const model = { parts: drawn, centre, half, radius: Math.hypot(...half), ground: null, free };
  return model;
}

/** Column-major 3x3 rotation: turn about the upright axis, then rise. */
function rotation({ turn, rise }) {
  const [ct, st, cr, sr] = [Math.cos(turn), Math.sin(turn), Math.cos(rise), Math.sin(rise)];
  return [ct, st * sr, -st * cr, 0, cr, sr, st, -ct * sr, ct * cr];
}

function draw(canvas, model, view) {
  const { canvas: surface, gl, uniforms } = context();
  if (lost) return;
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const width = Math.max(Math.round(canvas.clientWidth * ratio), 1);
  const height = Math.max(Math.round(canvas.clientHeight * ratio), 1);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  if (surface.width < width || surface.height < height)
    [surface.width, surface.height] = [Math.max(surface.width, width), Math.max(surface.height, height)];
  gl.viewport(0, 0, width, height);
  gl.clearColor(0, 0, 0, 0);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  const r = rotation(view);
  const [cx, cy, cz] = model.centre;
  const aspect = width / height;
  // What the turned bounding box needs, upright and across, plus a margin. It grows smoothly while the model turns.
  const flat = Math.hypot(model.half[0], model.half[2]);
  const needed = Math.max(model.half[1] * Math.cos(view.rise) + flat * Math.abs(Math.sin(view.rise)), flat / aspect);
  const distance = model.radius * 4;
  const scale = (distance / (needed * 1.12)) * view.zoom;
  const [front, far] = [distance - model.radius * 2.6, distance + model.radius * 2.6];
  const a = (far + front) / (front - far), b = (2 * far * front) / (front - far);
  const how = { ...PLAIN_LOOK, ...looks.get(canvas) };
  const t = [0, 1, 2].map((row) => -(r[row] * cx + r[3 + row] * cy + r[6 + row] * cz));
  t[2] -= distance;
  // Panned in shares of the picture's height.
  const [right, up] = [view.right * 2, view.up * 2];
  const camera = new Float32Array(16);
  for (let column = 0; column < 4; column++) {
    const [x, y, z] = column < 3 ? r.slice(column * 3, column * 3 + 3) : t;
    camera.set([(x * scale - z * right) / aspect, y * scale - z * up, z * a + (column === 3 ? b : 0), -z], column * 4);
  }
  gl.uniformMatrix4fv(uniforms.camera, false, camera);
  gl.uniformMatrix3fv(uniforms.look, false, r);
  const { light, key } = LIGHTS[how.light];
  gl.uniform3fv(uniforms.light, light);
  gl.uniform3fv(uniforms.key, key);
  for (const part of model.parts) {
    gl.uniform1i(uniforms.mode, MODES[how.mode]);
    gl.uniformMatrix4fv(uniforms.model, false, part.matrix);
    gl.uniform4fv(uniforms.factor, part.factor);
    gl.uniform1f(uniforms.textured, part.textured ? 1 : 0);
    gl.bindTexture(gl.TEXTURE_2D, part.texture);
    gl.bindVertexArray(part.vao);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.triangles);
    gl.enable(gl.POLYGON_OFFSET_FILL);
    gl.polygonOffset(1, 1);
    gl.drawElements(gl.TRIANGLES, part.count, part.indexType, 0);
    if (how.wire) drawLines(part);
  }
  if (how.ground) drawGround(model);
  gl.bindVertexArray(null);
  const flatCanvas = canvas.getContext("2d");
  flatCanvas.clearRect(0, 0, width, height);
  flatCanvas.drawImage(surface, 0, surface.height - height, width, height, 0, 0, width, height);
  canvas.dataset.drawn = canvas.dataset.model;
}

/** The edges of the triangles, over them. */
function drawLines(part) {
  const { gl, uniforms } = context();
  if (!part.lines) {
    const { indices } = part, lines = new Uint32Array(indices.length * 2);
    for (let i = 0; i < indices.length; i += 3) lines.set([indices[i], indices[i + 1], indices[i + 1], indices[i + 2], indices[i + 2], indices[i]], i * 2);
    part.lines = gl.createBuffer();
    part.buffers.push(part.lines);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.lines);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, lines, gl.STATIC_DRAW);
  }
  gl.uniform1i(uniforms.mode, 3);
  gl.uniform4f(uniforms.factor, 0.05, 0.12, 0.13, 1);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.lines);
  gl.drawElements(gl.LINES, part.count * 2, gl.UNSIGNED_INT, 0);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, part.triangles);
}

/** A soft shadow where the object stands. */
function drawGround(model) {
  const { gl, uniforms } = context();
  const [cx, cy, cz] = model.centre, [hx, hy, hz] = model.half, far = 2.2 * Math.hypot(hx, hz), y = cy - hy - 0.002 * model.radius;
  if (!model.ground) {
    model.ground = gl.createVertexArray();
    gl.bindVertexArray(model.ground);
    const buffer = gl.createBuffer();
    model.parts[0].buffers.push(buffer);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([cx - far, y, cz - far, cx + far, y, cz - far, cx - far, y, cz + far, cx + far, y, cz + far]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
  }
  gl.bindVertexArray(model.ground);
  gl.uniform1i(uniforms.mode, 4);
  gl.uniformMatrix4fv(uniforms.model, false, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  gl.uniform3f(uniforms.foot, cx, y, cz);
  gl.uniform3f(uniforms.reach, hx * 1.25 + 0.1 * model.radius, 1, hz * 1.25 + 0.1 * model.radius);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  gl.disable(gl.BLEND);
}

/** Which way a canvas's model is seen; to be changed before ``setLook``. */
export const viewOf = (canvas) => views.get(canvas.dataset.kind);

/** How a canvas is drawn from now on; see PLAIN_LOOK. */
export function setLook(canvas, look) {
  looks.set(canvas, look);
  soon(canvas);
}

/** Show the model at ``url`` on ``canvas``; ``key`` names the view that the models of one object share. */
export function show(canvas, url, key = url) {
  canvas.dataset.model = url;
  canvas.dataset.kind = key;
  if (!views.has(key)) views.set(key, { ...DEFAULT_VIEW });
  if (!canvas.dataset.ready) listen(canvas);
  seen.observe(canvas);
  if (near.has(canvas)) redraw(canvas);
}

// Models are fetched and drawn when their card is on the screen or nearly so: a page may hold many.
const near = new WeakSet();
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      isIntersecting ? near.add(target) : near.delete(target);
      if (isIntersecting && target.dataset.drawn !== target.dataset.model) redraw(target);
    }
  },
  { rootMargin: "100% 0px" },
);

function redraw(canvas) {
  const url = canvas.dataset.model;
  return load(url).then(
    (model) => {
      if (canvas.dataset.model === url && canvas.isConnected) draw(canvas, model, views.get(canvas.dataset.kind));
    },
    (error) => canvas.dispatchEvent(new CustomEvent("failed", { detail: error.message })),
  );
}

let scheduled = new Set();
function soon(canvas) {
  if (!scheduled.size)
    requestAnimationFrame(() => {
      const now = scheduled;
      scheduled = new Set();
      now.forEach(redraw);
    });
  scheduled.add(canvas);
}

/** Mouse: drag turns, right or Shift drag pans, the wheel zooms to the cursor. Touch: one finger scrolls the page (on the
    stage, where nothing scrolls, it turns), two turn and zoom. */
function listen(canvas) {
  canvas.dataset.ready = "1";
  const stage = "stage" in canvas.dataset;
  const view = () => views.get(canvas.dataset.kind);
  const change = (turn, rise, zoom) => {
    const v = view();
    v.turn += turn;
    v.rise = Math.min(Math.max(v.rise + rise, -1.5), 1.5);
    v.zoom = Math.min(Math.max(v.zoom * zoom, 0.4), 12);
    soon(canvas);
  };
  const pan = (dx, dy) => {
    const v = view();
    v.right += dx / canvas.clientHeight;
    v.up -= dy / canvas.clientHeight;
    soon(canvas);
  };
  const zoomAt = (event, factor) => {
    const v = view(), area = canvas.getBoundingClientRect(), before = v.zoom;
    const [x, y] = [(event.clientX - area.left - area.width / 2) / area.height, -(event.clientY - area.top - area.height / 2) / area.height];
    change(0, 0, factor);
    const grown = v.zoom / before;
    if (stage) [v.right, v.up] = [x + (v.right - x) * grown, y + (v.up - y) * grown];
  };
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || stage) canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY], [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    if (other) {
      change(dx * 0.006, dy * 0.006, Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(Math.hypot(before[0] - other[0], before[1] - other[1]), 1));
    } else if (event.pointerType === "touch" && !stage) return;
    else if (event.buttons === 2 || event.shiftKey) pan(dx, dy);
    else change(dx * 0.011, dy * 0.011, 1);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
  canvas.addEventListener("contextmenu", (event) => stage && event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    if (!stage && document.activeElement !== canvas && !event.ctrlKey) return; // the page scrolls until the model is chosen
    event.preventDefault();
    zoomAt(event, Math.exp(-event.deltaY * 0.0015));
  }, { passive: false });
  canvas.addEventListener("dblclick", () => {
    Object.assign(view(), DEFAULT_VIEW);
    soon(canvas);
  });
  const keys = { ArrowLeft: [-0.15, 0, 1], ArrowRight: [0.15, 0, 1], ArrowUp: [0, -0.12, 1], ArrowDown: [0, 0.12, 1], "+": [0, 0, 1.15], "=": [0, 0, 1.15], "-": [0, 0, 1 / 1.15] };
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "0") Object.assign(view(), DEFAULT_VIEW), soon(canvas);
    else if (keys[event.key]) change(...keys[event.key]);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => canvas.isConnected && near.has(canvas) && soon(canvas)).observe(canvas);
}

let turning = 0;
/** Let every model on the page turn slowly, or stop. */
export function turnAll(on) {
  cancelAnimationFrame(turning);
  if (!on) return;
  let before = performance.now();
  const step = (now) => {
    if (now - before > 30) {
      const seen = new Set();
      document.querySelectorAll("canvas[data-model]").forEach((canvas) => {
        const box = canvas.getBoundingClientRect();
        if (box.bottom < 0 || box.top > innerHeight || !canvas.clientWidth) return;
        if (!seen.has(canvas.dataset.kind)) views.get(canvas.dataset.kind).turn += (now - before) * 0.0007;
        seen.add(canvas.dataset.kind);
        redraw(canvas);
      });
      before = now;
    }
    turning = requestAnimationFrame(step);
  };
  turning = requestAnimationFrame(step);
}
