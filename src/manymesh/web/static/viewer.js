// Draws models on any number of canvases with one WebGL context: browsers allow only a few contexts, and a page may show
// many models. Each model is drawn on the shared context and copied to its card's own 2D canvas. Nothing is drawn while
// nothing changes.

import { readGlb } from "./glb.js";

const VERTEX = `#version 300 es
uniform mat4 model, camera;
in vec3 position, normal; in vec2 uv;
out vec3 vNormal; out vec2 vUv;
void main() {
  vNormal = mat3(model) * normal; vUv = uv;
  gl_Position = camera * model * vec4(position, 1.0);
}`;
// Light from the viewer's upper left, sky above, a little bounce from below. Painted models already carry the photo's
// light, so theirs is flatter.
const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D base; uniform vec4 factor; uniform float textured; uniform mat3 look;
in vec3 vNormal; in vec2 vUv; out vec4 result;
void main() {
  vec3 n = normalize(look * vNormal);
  if (!gl_FrontFacing) n = -n;
  vec3 albedo = factor.rgb * (textured > 0.5 ? texture(base, vUv).rgb : vec3(1.0));
  float key = max(dot(n, normalize(vec3(-0.45, 0.65, 0.75))), 0.0);
  float sky = 0.5 + 0.5 * n.y;
  float clay = 0.22 + 0.26 * sky + 0.78 * key;
  float painted = 0.58 + 0.14 * sky + 0.28 * key;
  vec3 linear = albedo * (textured > 0.5 ? painted : clay);
  result = vec4(pow(clamp(linear, 0.0, 1.0), vec3(1.0 / 2.2)), 1.0);
}`;

const MODELS_KEPT = 20;
const DOWNLOADS_AT_ONCE = 3;
const DEFAULT_VIEW = { turn: -0.5, rise: 0.28, zoom: 1 };

let shared = null; // the one context and its program; null until first needed, false where there is no WebGL 2
const models = new Map(); // url -> Promise of a model, most recently used last
const views = new Map(); // url -> {turn, rise, zoom}: a card that is drawn anew looks the same way
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
  for (const name of ["model", "camera", "base", "factor", "textured", "look"])
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
    return { vao, texture, count: part.indices.length, indexType, matrix: m, factor: part.factor, textured: !!part.image };
  });
  gl.bindVertexArray(null);
  const centre = low.map((value, axis) => (value + high[axis]) / 2);
  const half = low.map((value, axis) => Math.max((high[axis] - value) / 2, 1e-6));
  const free = () => {
    buffers.forEach((each) => gl.deleteBuffer(each));
    textures.forEach((each) => gl.deleteTexture(each));
    arrays.forEach((each) => gl.deleteVertexArray(each));
  };
  return { parts: drawn, centre, half, radius: Math.hypot(...half), free };
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
  const [near, far] = [distance - model.radius * 1.5, distance + model.radius * 1.5];
  const a = (far + near) / (near - far), b = (2 * far * near) / (near - far);
  const t = [0, 1, 2].map((row) => -(r[row] * cx + r[3 + row] * cy + r[6 + row] * cz));
  t[2] -= distance;
  const camera = new Float32Array(16);
  for (let column = 0; column < 4; column++) {
    const [x, y, z] = column < 3 ? r.slice(column * 3, column * 3 + 3) : t;
    camera.set([(x * scale) / aspect, y * scale, z * a + (column === 3 ? b : 0), -z], column * 4);
  }
  gl.uniformMatrix4fv(uniforms.camera, false, camera);
  gl.uniformMatrix3fv(uniforms.look, false, r);
  for (const part of model.parts) {
    gl.uniformMatrix4fv(uniforms.model, false, part.matrix);
    gl.uniform4fv(uniforms.factor, part.factor);
    gl.uniform1f(uniforms.textured, part.textured ? 1 : 0);
    gl.bindTexture(gl.TEXTURE_2D, part.texture);
    gl.bindVertexArray(part.vao);
    gl.drawElements(gl.TRIANGLES, part.count, part.indexType, 0);
  }
  gl.bindVertexArray(null);
  const flatCanvas = canvas.getContext("2d");
  flatCanvas.clearRect(0, 0, width, height);
  flatCanvas.drawImage(surface, 0, surface.height - height, width, height, 0, 0, width, height);
  canvas.dataset.drawn = canvas.dataset.model;
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

function listen(canvas) {
  canvas.dataset.ready = "1";
  const view = () => views.get(canvas.dataset.kind);
  const change = (turn, rise, zoom) => {
    const v = view();
    v.turn += turn;
    v.rise = Math.min(Math.max(v.rise + rise, -1.5), 1.5);
    v.zoom = Math.min(Math.max(v.zoom * zoom, 0.4), 8);
    soon(canvas);
  };
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    if (other) change(0, 0, Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(Math.hypot(before[0] - other[0], before[1] - other[1]), 1));
    else change((now[0] - before[0]) * 0.011, (now[1] - before[1]) * 0.011, 1);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return; // the page scrolls until the model is chosen
    event.preventDefault();
    change(0, 0, Math.exp(-event.deltaY * 0.0015));
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
