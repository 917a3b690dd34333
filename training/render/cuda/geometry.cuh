// Normals of the corners, and where the camera must stand.

// Corner normals with creases: the area-weighted mean of the faces that meet at the corner and turn less than the
// crease angle from the corner's own face. order lists the corners (3 face + k) sorted by key = their welded place.
KERNEL corner_normals(i64 count, const i64* order, const i64* key, const float* corners, float cos_crease, float* normals) {
    EACH(i, count) {
        float own[3], sum[3] = {0.f, 0.f, 0.f};
        i64 corner = order[i];
        const float* p = corners + corner / 3 * 9;
        float e1[3] = {p[3] - p[0], p[4] - p[1], p[5] - p[2]}, e2[3] = {p[6] - p[0], p[7] - p[1], p[8] - p[2]};
        cross3(e1, e2, own);
        float own_length = sqrtf(dot3(own, own));
        i64 first = i, last = i;
        while (first > 0 && i - first < 128 && key[first - 1] == key[i]) --first;
        while (last + 1 < count && last - i < 128 && key[last + 1] == key[i]) ++last;
        for (i64 j = first; j <= last; ++j) {
            const float* q = corners + order[j] / 3 * 9;
            float f1[3] = {q[3] - q[0], q[4] - q[1], q[5] - q[2]}, f2[3] = {q[6] - q[0], q[7] - q[1], q[8] - q[2]}, other[3];
            cross3(f1, f2, other);
            if (dot3(own, other) >= cos_crease * own_length * sqrtf(dot3(other, other)))
                for (int k = 0; k < 3; ++k) sum[k] += other[k];
        }
        float* out = normals + corner * 3;
        bool usable = dot3(sum, sum) > 1e-24f;
        for (int k = 0; k < 3; ++k) out[k] = usable ? sum[k] : own[k];
        unit3(out);
    }
}

// Object place -> camera axes (right, up, towards the eye), before the camera's shift: stretch, then turn.
DEVICE void turned(const float* V, const float* p, float* q) {
    float s[3] = {p[0] * V[V_SCALE], p[1] * V[V_SCALE + 1], p[2] * V[V_SCALE + 2]};
    for (int k = 0; k < 3; ++k) q[k] = dot3(V + V_ROT + 3 * k, s);
}

// Extents of a thing's vertices: highest in slots 0..2, lowest in 3..5, as ordered integers.
// flat: of q_x + w q_z / q_x - w q_z (which sides of a frustum of half-width w touch the thing), the same in y, and q_z.
// Otherwise: of the picture's x / Z and y / Z.
KERNEL fit_extents(i64 views, const float* table, const i64* shape_index, const i64* vertex_start, const float* vertices,
                   i64 frustum, unsigned* extents) {
    const int lanes = LANES(256);
    EACH(i, views * lanes) {
        i64 view = i / lanes, shape = shape_index[view];
        const float* V = table + view * V_SIZE;
        float w = V[V_FILL] * V[V_TAN];
        float high[3] = {-1e30f, -1e30f, -1e30f}, low[3] = {1e30f, 1e30f, 1e30f};
        for (i64 v = vertex_start[shape] + i % lanes; v < vertex_start[shape + 1]; v += lanes) {
            float q[3], up[3], down[3];
            turned(V, vertices + 3 * v, q);
            if (frustum) {
                for (int k = 0; k < 2; ++k) { up[k] = q[k] + w * q[2]; down[k] = q[k] - w * q[2]; }
            } else {
                for (int k = 0; k < 2; ++k) up[k] = down[k] = (q[k] - V[V_SHIFT + k]) / (V[V_SHIFT + 2] - q[2]);
            }
            up[2] = down[2] = q[2];
            for (int k = 0; k < 3; ++k) { high[k] = fmaxf(high[k], up[k]); low[k] = fminf(low[k], down[k]); }
        }
        for (int k = 0; k < 3; ++k) {
            atomic_max(extents + view * 6 + k, ordered(high[k]));
            atomic_min(extents + view * 6 + 3 + k, ordered(low[k]));
        }
    }
}

// One step of standing the camera so that the thing's projected box is centred and its longest side covers V_FILL.
// The first step (frustum) solves for the longer side; the following ones centre the other side and settle the angle.
KERNEL fit_update(i64 views, float* table, unsigned* extents, i64 frustum) {
    EACH(view, views) {
        float* V = table + view * V_SIZE;
        float high[3], low[3];
        for (int k = 0; k < 3; ++k) {
            high[k] = unordered(extents[view * 6 + k]);
            low[k] = unordered(extents[view * 6 + 3 + k]);
            extents[view * 6 + k] = 0u;
            extents[view * 6 + 3 + k] = 0xffffffffu;
        }
        if (frustum) {
            float w = V[V_FILL] * V[V_TAN];
            float distance = fmaxf(high[0] - low[0], high[1] - low[1]) / (2.f * w);
            // Nobody photographs a pole from a hand's breadth before its tip: stand back and take a longer lens.
            V[V_SHIFT + 2] = fmaxf(distance, high[2] + 0.9f * (high[2] - low[2]));
            for (int k = 0; k < 2; ++k) V[V_SHIFT + k] = 0.5f * (high[k] + low[k]);
        } else {
            for (int k = 0; k < 2; ++k) V[V_SHIFT + k] += 0.5f * (high[k] + low[k]) * V[V_SHIFT + 2];
            V[V_TAN] = fmaxf(high[0] - low[0], high[1] - low[1]) / (2.f * V[V_FILL]);
        }
    }
}
