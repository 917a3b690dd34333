// Unlit colours: a shape's own, tinted, or new ones for each view.

struct Scene {
    const float* corners; const float* normals; const float* uvs;
    const u8* colors; const short* groups; const int* textures;
    const i64* texture_start; const int* texture_size; const u8* texels; i64 texture_count;
    const u8* solid; const u8* coarse;
};
#define SCENE_ARGS const float* corners, const float* normals, const float* uvs, const u8* colors, const short* groups, \
    const int* textures, const i64* texture_start, const int* texture_size, const u8* texels, i64 texture_count, \
    const u8* solid, const u8* coarse
#define SCENE {corners, normals, uvs, colors, groups, textures, texture_start, texture_size, texels, texture_count, solid, coarse}

DEVICE void texture_at(const Scene& scene, i64 texture, float u, float v, float* rgb) {
    int height = scene.texture_size[2 * texture], width = scene.texture_size[2 * texture + 1];
    const u8* texels = scene.texels + scene.texture_start[texture] * 3;
    float x = (u - floorf(u)) * width - 0.5f, y = (v - floorf(v)) * height - 0.5f;
    float fx = x - floorf(x), fy = y - floorf(y);
    int x0 = ((int)floorf(x) + width) % width, y0 = ((int)floorf(y) + height) % height;
    int x1 = (x0 + 1) % width, y1 = (y0 + 1) % height;
    for (int k = 0; k < 3; ++k) {
        float top = mixf(texels[((i64)y0 * width + x0) * 3 + k], texels[((i64)y0 * width + x1) * 3 + k], fx);
        float low = mixf(texels[((i64)y1 * width + x0) * 3 + k], texels[((i64)y1 * width + x1) * 3 + k], fx);
        rgb[k] = mixf(top, low, fy) * (1.f / 255.f);
    }
}

DEVICE void hsv(float hue, float saturation, float value, float* rgb) {
    for (int k = 0; k < 3; ++k) {
        float h = hue + (3 - k) % 3 * (1.f / 3.f);
        h = fabsf((h - floorf(h)) * 6.f - 3.f) - 1.f;
        rgb[k] = value * (1.f - saturation * (1.f - clampf(h, 0.f, 1.f)));
    }
}
DEVICE float luminance(const float* rgb) { return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2]; }

// A paint: number 0 is a group's colour, 1 the second colour of its pattern.
DEVICE void paint(const float* V, unsigned seed, int number, float* rgb) {
    unsigned n = 16u * (unsigned)number;
    float hue = uniform(seed, n), saturation = uniform(seed, n + 1), value = uniform(seed, n + 2);
    if (V[V_MODE] > 1.5f) hue = V[V_HUE] + 0.07f * (hue - 0.5f);
    saturation = uniform(seed, n + 3) < 0.3f ? 0.12f * saturation : 0.85f * saturation;
    hsv(hue, saturation, 0.1f + 0.88f * value, rgb);
}

// A pattern in 0..1 that lies on the object like veneer: projected along the axis that the face turns to most.
DEVICE float pattern(unsigned seed, const float* p, float a, float b) {
    float kind = uniform(seed, 40), size = 3.f * powf(8.f, uniform(seed, 41)), duty = 0.25f + 0.5f * uniform(seed, 42);
    if (kind < 0.2f) return (a * size - floorf(a * size)) < duty ? 1.f : 0.f;
    if (kind < 0.35f) return (b * size - floorf(b * size)) < duty ? 1.f : 0.f;
    if (kind < 0.45f) return (((int)floorf(a * size) + (int)floorf(b * size)) & 1) ? 1.f : 0.f;
    if (kind < 0.55f) {
        float x = a * size - floorf(a * size) - 0.5f, y = b * size - floorf(b * size) - 0.5f;
        return x * x + y * y < 0.16f * duty ? 1.f : 0.f;
    }
    if (kind < 0.75f) {  // grain: noise drawn out along one axis
        float n = noise3(seed, a * size * 6.f, b * size * 0.7f, 0.f);
        return 0.6f * n + 0.4f * noise3(seed + 1u, a * size * 20.f, b * size * 2.f, 0.f);
    }
    float n = 0.f, weight = 0.55f;
    for (int octave = 0; octave < 3; ++octave, weight *= 0.5f) {
        float f = size * (float)(1 << octave);
        n += weight * noise3(seed + octave, p[0] * f, p[1] * f, p[2] * f);
    }
    return kind < 0.88f ? n : clampf((n - 0.45f) * 8.f, 0.f, 1.f);
}

// sRGB 0..1 of a surface under no light.
DEVICE void unlit(const Scene& scene, const float* V, const Surface& s, float* rgb) {
    bool has_texture = scene.textures[s.face] >= 0;
    if (has_texture) texture_at(scene, scene.textures[s.face], s.uv[0], s.uv[1], rgb);
    else for (int k = 0; k < 3; ++k) rgb[k] = scene.colors[s.face * 3 + k] * (1.f / 255.f);
    unsigned seed = hash32((unsigned)V[V_SEED] * 977u + (unsigned)(int)scene.groups[s.face]);
    if (V[V_MODE] > 0.5f) {
        float detail = has_texture ? 0.55f + 0.9f * luminance(rgb) : 1.f;
        paint(V, seed, 0, rgb);
        for (int k = 0; k < 3; ++k) rgb[k] *= detail;
    }
    if (uniform(seed, 50) < V[V_TEXTURED]) {
        int axis = 0;
        for (int k = 1; k < 3; ++k) if (fabsf(s.flat[k]) > fabsf(s.flat[axis])) axis = k;
        float a = s.place[axis == 0 ? 2 : 0], b = s.place[axis == 1 ? 2 : 1], other[3];
        if (uniform(seed, 51) < 0.5f) { float t = a; a = b; b = t; }
        if (scene.texture_count > 0 && uniform(seed, 52) < 0.6f) {
            i64 texture = (i64)(uniform(seed, 53) * scene.texture_count);
            float size = 1.f + 4.f * uniform(seed, 54);
            texture_at(scene, texture, a * size, -b * size, other);
            float keep = uniform(seed, 55) < 0.5f ? 1.f : 0.f, light = 0.4f + 1.2f * luminance(other);
            for (int k = 0; k < 3; ++k) rgb[k] = mixf(other[k], rgb[k] * light, keep);
        } else {
            float t = pattern(seed, s.place, a, b), strength = 0.25f + 0.75f * uniform(seed, 56);
            paint(V, seed, 1, other);
            for (int k = 0; k < 3; ++k) rgb[k] = mixf(rgb[k], other[k], t * strength);
        }
    }
    for (int k = 0; k < 3; ++k) rgb[k] = clampf(rgb[k] * V[V_TINT + k], 0.f, 1.f);
}
// Highlight strength and sharpness of a group.
DEVICE void gloss(const float* V, int group, float* strength, float* power) {
    unsigned seed = hash32((unsigned)V[V_SEED] * 977u + (unsigned)group);
    float u = uniform(seed, 60);
    *strength = V[V_GLOSS] * (u < 0.4f ? 0.05f * u : u * u);
    *power = 6.f * powf(20.f, uniform(seed, 61));
}
