// Reads the GLB files that manymesh writes: triangles with normals and one base colour (texture or factor).
// A shape's vertex colours are the network's guess, kept for the painter: what is not painted is shown plain.

const PLAIN = [0.6, 0.6, 0.6, 1]; // as shapes without a guess are written
const COMPONENTS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };
const ARRAYS = { 5121: Uint8Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array };

/** The parts of a GLB file: [{positions, normals, uv, indices, matrix, factor, image}]. */
export async function readGlb(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 20 || view.getUint32(0, true) !== 0x46546c67) throw new Error("not a GLB file");
  const jsonLength = view.getUint32(12, true);
  const document_ = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 20, jsonLength)));
  const binaryStart = 20 + jsonLength + 8;

  const bytesOf = (index) => {
    const { byteOffset = 0, byteLength } = document_.bufferViews[index];
    return new Uint8Array(buffer, binaryStart + byteOffset, byteLength);
  };
  const arrayOf = (index) => {
    const { bufferView, componentType, count, type } = document_.accessors[index];
    const bytes = bytesOf(bufferView);
    const Kind = ARRAYS[componentType];
    // A copy, because a view may begin where no number of this size may.
    return new Kind(bytes.slice(0, count * COMPONENTS[type] * Kind.BYTES_PER_ELEMENT).buffer);
  };

  const parts = [];
  for (const number of document_.scenes[document_.scene ?? 0].nodes ?? []) {
    const node = document_.nodes[number];
    for (const primitive of document_.meshes[node.mesh].primitives) {
      const at = primitive.attributes;
      const look = document_.materials?.[primitive.material]?.pbrMetallicRoughness ?? {};
      const texture = look.baseColorTexture && document_.images[document_.textures[look.baseColorTexture.index].source];
      parts.push({
        positions: arrayOf(at.POSITION),
        normals: arrayOf(at.NORMAL),
        uv: at.TEXCOORD_0 === undefined ? null : arrayOf(at.TEXCOORD_0),
        indices: arrayOf(primitive.indices),
        matrix: new Float32Array(node.matrix ?? [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
        factor: look.baseColorFactor ?? (texture ? [1, 1, 1, 1] : PLAIN),
        image: texture
          ? await createImageBitmap(new Blob([bytesOf(texture.bufferView)], { type: texture.mimeType }), {
              colorSpaceConversion: "none",
              premultiplyAlpha: "none",
            })
          : null,
      });
    }
  }
  return parts;
}
