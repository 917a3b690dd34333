// From a clean rendering to what a camera, a file format and a background remover leave of it.

// How much of the ground's shadow around the thing's foot is left at a place of the picture, 0..1. The footprint is
// the box's, as a rounded square with a soft edge, moved away from the light. It ends with the crop that the thing fills,
// since a crop is drawn around all that a remover leaves.
DEVICE float shadow_left(const float* V, float x, float y) {  // pixels of the full picture
    float most = (0.5f * V[V_FILL] + 0.015f) * IMAGE;
    if (V[V_REMNANT] <= 0.f || fmaxf(fabsf(x - 0.5f * IMAGE), fabsf(y - 0.5f * IMAGE)) > most) return 0.f;
    float u = 2.f * V[V_TAN] * (x / IMAGE - 0.5f), v = 2.f * V[V_TAN] * (0.5f - y / IMAGE), eye[3], ray[3], q = 0.f;
    for (int k = 0; k < 3; ++k) {
        eye[k] = V[V_ROT + k] * V[V_SHIFT] + V[V_ROT + 3 + k] * V[V_SHIFT + 1] + V[V_ROT + 6 + k] * V[V_SHIFT + 2];
        ray[k] = V[V_ROT + k] * u + V[V_ROT + 3 + k] * v - V[V_ROT + 6 + k];
    }
    float ground = -V[V_HALF + 1] * fabsf(V[V_SCALE + 1]);
    if (ray[1] > -0.02f) return 0.f;  // the ground seen on edge
    float t = (ground - eye[1]) / ray[1];
    if (t <= 0.f) return 0.f;
    for (int k = 0; k < 3; k += 2) {
        float half = V[V_HALF + k] * fabsf(V[V_SCALE + k]), away = -0.1f * V[V_KEY + k];
        float off = (eye[k] + t * ray[k] - away) / (half * (1.f + V[V_REMNANT + 1]) + 0.01f);
        q += off * off * off * off;
    }
    return V[V_REMNANT] * clampf((1.f - q) * 2.f, 0.f, 1.f);
}

// The picture before a background, at V_PIXELS x V_PIXELS, with sensor noise; the fourth plane is alpha.
// mean: (views, 3) the thing's mean colour; the seen background is V_BLEED of the way from it to V_BACK, as a remover
// that estimates the foreground's colour leaves little of the true background at the edge.
KERNEL photo_small(i64 views, const float* table, const float* picture, const float* mean, float* photo) {
    EACH(i, views * (i64)(IMAGE * IMAGE)) {
        i64 view = i / (IMAGE * IMAGE);
        int x = (int)(i % IMAGE), y = (int)(i / IMAGE % IMAGE);
        const float* V = table + view * V_SIZE;
        int pixels = (int)V[V_PIXELS];
        if (x >= pixels || y >= pixels) continue;
        float f = (float)IMAGE / pixels, sum[4] = {0.f, 0.f, 0.f, 0.f}, area = 0.f;
        float left = x * f, top = y * f, right = left + f, low = top + f;
        for (int yy = (int)top; yy < IMAGE && yy < low; ++yy)
            for (int xx = (int)left; xx < IMAGE && xx < right; ++xx) {
                float w = (fminf(right, xx + 1.f) - fmaxf(left, (float)xx)) * (fminf(low, yy + 1.f) - fmaxf(top, (float)yy));
                if (w <= 0.f) continue;
                for (int k = 0; k < 4; ++k) sum[k] += w * picture[(view * 4 + k) * (i64)(IMAGE * IMAGE) + yy * IMAGE + xx];
                area += w;
            }
        float alpha = sum[3] / area;
        unsigned pixel = (unsigned)(y * IMAGE + x), seed = (unsigned)V[V_SEED];
        float dark = 1.f - V[V_REMNANT + 2] * shadow_left(V, left + 0.5f * f, top + 0.5f * f);
        for (int k = 0; k < 3; ++k) {
            float a = uniform(seed + 7u + k, pixel * 2u), b = uniform(seed + 7u + k, pixel * 2u + 1u);
            float gauss = sqrtf(-2.f * logf(a + 1e-7f)) * cosf(6.2831853f * b);
            float behind = dark * mixf(mean[view * 3 + k], V[V_BACK + k], V[V_BLEED]);
            photo[(view * 4 + k) * (i64)(IMAGE * IMAGE) + y * IMAGE + x] =
                clampf(sum[k] / area + (1.f - alpha) * behind + V[V_NOISE] * gauss, 0.f, 1.f);
        }
        photo[(view * 4 + 3) * (i64)(IMAGE * IMAGE) + y * IMAGE + x] = alpha;
    }
}

DEVICE float cosine(int k, int n) { return cosf((2 * n + 1) * k * (3.14159265f / 16.f)) * (k ? 0.5f : 0.35355339f); }

// What JPEG does to a block of 8 x 8 (ITU-T T.81): cosine transform, rounding that grows with frequency, and back.
// V_JPEG is the step of the lowest frequency, 0..1 colour units; 0 leaves the picture alone. Colour is rounded harder.
KERNEL photo_jpeg(i64 views, const float* table, float* photo) {
    const int blocks = IMAGE / 8;
    EACH(i, views * (i64)(blocks * blocks * 3)) {
        i64 view = i / (blocks * blocks * 3);
        int channel = (int)(i % 3), bx = (int)(i / 3 % blocks) * 8, by = (int)(i / 3 / blocks % blocks) * 8;
        const float* V = table + view * V_SIZE;
        int pixels = (int)V[V_PIXELS];
        if (V[V_JPEG] <= 0.f || bx >= pixels || by >= pixels) continue;
        // Planes are first turned to luminance, blue and red difference by photo_turn.
        float* plane = photo + (view * 4 + channel) * (i64)(IMAGE * IMAGE);
        float block[64], half[64];
        for (int n = 0; n < 64; ++n) {
            int y = clampi(by + n / 8, 0, pixels - 1), x = clampi(bx + n % 8, 0, pixels - 1);
            block[n] = plane[y * IMAGE + x];
        }
        for (int r = 0; r < 8; ++r) for (int k = 0; k < 8; ++k) {
            float sum = 0.f;
            for (int n = 0; n < 8; ++n) sum += block[r * 8 + n] * cosine(k, n);
            half[r * 8 + k] = sum;
        }
        for (int c = 0; c < 8; ++c) for (int k = 0; k < 8; ++k) {
            float sum = 0.f;
            for (int n = 0; n < 8; ++n) sum += half[n * 8 + c] * cosine(k, n);
            float step = V[V_JPEG] * (1.f + 0.45f * (k + c)) * (channel ? 1.6f : 1.f);
            block[k * 8 + c] = floorf(sum / step + 0.5f) * step;
        }
        for (int c = 0; c < 8; ++c) for (int n = 0; n < 8; ++n) {
            float sum = 0.f;
            for (int k = 0; k < 8; ++k) sum += block[k * 8 + c] * cosine(k, n);
            half[n * 8 + c] = sum;
        }
        for (int r = 0; r < 8; ++r) for (int n = 0; n < 8; ++n) {
            float sum = 0.f;
            for (int k = 0; k < 8; ++k) sum += half[r * 8 + k] * cosine(k, n);
            if (by + r < pixels && bx + n < pixels) plane[(by + r) * IMAGE + bx + n] = sum;
        }
    }
}

// RGB to luminance and differences (back == 0) or the other way, for the views that JPEG will touch.
KERNEL photo_turn(i64 views, const float* table, float* photo, i64 back) {
    EACH(i, views * (i64)(IMAGE * IMAGE)) {
        i64 view = i / (IMAGE * IMAGE), cell = i % (IMAGE * IMAGE);
        if (table[view * V_SIZE + V_JPEG] <= 0.f) continue;
        float* p = photo + view * 4 * (i64)(IMAGE * IMAGE) + cell;
        const i64 plane = IMAGE * IMAGE;
        float a = p[0], b = p[plane], c = p[2 * plane];
        if (back) {
            p[0] = a + 1.402f * c;
            p[plane] = a - 0.344136f * b - 0.714136f * c;
            p[2 * plane] = a + 1.772f * b;
        } else {
            float light = 0.299f * a + 0.587f * b + 0.114f * c;
            p[0] = light;
            p[plane] = (c - light) * 0.564f;
            p[2 * plane] = (a - light) * 0.713f;
        }
    }
}

DEVICE float enlarged(const float* plane, int pixels, float x, float y) {  // x, y in pixels of the full picture
    float f = (float)pixels / IMAGE, u = clampf(x * f - 0.5f, 0.f, pixels - 1.f), v = clampf(y * f - 0.5f, 0.f, pixels - 1.f);
    int x0 = (int)u, y0 = (int)v, x1 = x0 + 1 < pixels ? x0 + 1 : x0, y1 = y0 + 1 < pixels ? y0 + 1 : y0;
    return mixf(mixf(plane[y0 * IMAGE + x0], plane[y0 * IMAGE + x1], u - x0), mixf(plane[y1 * IMAGE + x0], plane[y1 * IMAGE + x1], u - x0), v - y0);
}

// The background remover's alpha from the true one: shifted edge, wobbling along it, softer or harder, with bites and
// left-over pieces of background near the silhouette.
DEVICE float matte(const float* V, const float* alpha, int pixels, int x, int y) {
    float wide = 0.f, near = 0.f, weight = 0.f;
    for (int dy = -2; dy <= 2; ++dy) for (int dx = -2; dx <= 2; ++dx) {
        float w = expf(-0.35f * (dx * dx + dy * dy)), a = enlarged(alpha, pixels, x + 0.5f + dx, y + 0.5f + dy);
        wide += w * a;
        weight += w;
        near = fmaxf(near, a);
    }
    wide /= weight;
    unsigned seed = (unsigned)V[V_SEED] + 31u;
    float wobble = V[V_WOBBLE] * (noise3(seed, x / 11.f, y / 11.f, 0.f) - 0.5f);
    float m = clampf((wide - V[V_EDGE] - wobble) / V[V_SOFT] + 0.5f, 0.f, 1.f);
    if (wide <= 0.004f) m = 0.f;
    if (wide >= 0.996f) m = 1.f;
    m = fmaxf(m, shadow_left(V, x + 0.5f, y + 0.5f));
    for (int n = 0; n < 3; ++n) {
        const float* D = V + V_DISCS + 4 * n;  // middle x, y; radius; 0 none, 1 bite, 2 left-over
        if (D[3] < 0.5f) continue;
        float dx = x - D[0], dy = y - D[1], wave = 0.6f + 0.8f * noise3(seed + n, x / 5.f, y / 5.f, 0.f);
        float disc = clampf((D[2] * wave - sqrtf(dx * dx + dy * dy)) * 0.7f + 0.5f, 0.f, 1.f);
        bool from_outside = enlarged(alpha, pixels, D[0], D[1]) < 0.5f;
        if (D[3] < 1.5f && from_outside) m *= 1.f - disc;
        if (D[3] > 1.5f && !from_outside) m = fmaxf(m, disc * (D[3] - 2.f));
    }
    return m;
}

// image: (views, 4, IMAGE, IMAGE) what the network sees. Clean views pass the rendering through unchanged.
KERNEL photo_finish(i64 views, const float* table, const float* picture, const float* photo, float* image) {
    EACH(i, views * (i64)(IMAGE * IMAGE)) {
        i64 view = i / (IMAGE * IMAGE), cell = i % (IMAGE * IMAGE), plane = IMAGE * IMAGE;
        const float* V = table + view * V_SIZE;
        const float* P = photo + view * 4 * plane;
        float* out = image + view * 4 * plane + cell;
        if (V[V_CLEAN] > 0.5f) {
            for (int k = 0; k < 4; ++k) out[k * plane] = picture[(view * 4 + k) * plane + cell];
            continue;
        }
        int x = (int)(cell % IMAGE), y = (int)(cell / IMAGE), pixels = (int)V[V_PIXELS];
        float m = matte(V, P + 3 * plane, pixels, x, y), blur = V[V_BLUR];
        out[3 * plane] = m;
        for (int k = 0; k < 3; ++k) {
            float sum = 0.f, weight = 0.f;
            if (m > 0.f) {
                for (int dy = -1; dy <= 1; ++dy) for (int dx = -1; dx <= 1; ++dx) {
                    float w = (dx ? 0.5f : 1.f) * (dy ? 0.5f : 1.f);
                    sum += w * enlarged(P + k * plane, pixels, x + 0.5f + dx * blur, y + 0.5f + dy * blur);
                    weight += w;
                }
                sum /= weight;
            }
            out[k * plane] = clampf(sum, 0.f, 1.f) * m;
        }
    }
}
