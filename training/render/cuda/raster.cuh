// The pinhole rasteriser: the first and the last surface on each sample's ray.
//
// RASTER x RASTER samples a view. A key is (depth bits << 32 | face of the shape); the last surface is kept as the
// smallest key of the inverted depth, so both layers are atomicMin.

// Sample place (px right, py down, in samples), depth and object place of a face's corners.
DEVICE void project(const float* V, const float* corners, float* x, float* y, float* depth) {
    float scale = RASTER / (2.f * V[V_TAN]);
    for (int k = 0; k < 3; ++k) {
        float q[3];
        turned(V, corners + 3 * k, q);
        depth[k] = V[V_SHIFT + 2] - q[2];
        x[k] = (q[0] - V[V_SHIFT]) / depth[k] * scale + 0.5f * RASTER;
        y[k] = 0.5f * RASTER - (q[1] - V[V_SHIFT + 1]) / depth[k] * scale;
    }
}

// item_start: (views + 1) running number of faces; face_start: first face of each shape of the set.
KERNEL raster(i64 views, const float* table, const i64* shape_index, const i64* item_start, const i64* face_start,
              const float* corners, u64* front, u64* back) {
    const int lanes = LANES(32);
    EACH(i, item_start[views] * lanes) {
        int lane = (int)(i % lanes);
        i64 item = i / lanes, view = segment(item_start, views, item), local = item - item_start[view];
        const float* V = table + view * V_SIZE;
        float x[3], y[3], d[3];
        project(V, corners + (face_start[shape_index[view]] + local) * 9, x, y, d);
        if (!(d[0] > 1e-3f && d[1] > 1e-3f && d[2] > 1e-3f)) continue;
        float area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
        if (!(fabsf(area) > 1e-6f)) continue;
        int x0 = clampi((int)ceilf(fminf(x[0], fminf(x[1], x[2])) - 0.5f), 0, RASTER);
        int x1 = clampi((int)floorf(fmaxf(x[0], fmaxf(x[1], x[2])) - 0.5f), -1, RASTER - 1);
        int y0 = clampi((int)ceilf(fminf(y[0], fminf(y[1], y[2])) - 0.5f), 0, RASTER);
        int y1 = clampi((int)floorf(fmaxf(y[0], fmaxf(y[1], y[2])) - 0.5f), -1, RASTER - 1);
        if (x1 < x0 || y1 < y0) continue;
        float near = fminf(d[0], fminf(d[1], d[2])), far = fmaxf(d[0], fmaxf(d[1], d[2])), inverse = 1.f / area;
        int width = x1 - x0 + 1, count = width * (y1 - y0 + 1);
        for (int n = lane; n < count; n += lanes) {
            int ix = x0 + n % width, iy = y0 + n / width;
            float px = ix + 0.5f, py = iy + 0.5f;
            float b1 = ((px - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (py - y[0])) * inverse;
            float b2 = ((x[1] - x[0]) * (py - y[0]) - (px - x[0]) * (y[1] - y[0])) * inverse;
            float b0 = 1.f - b1 - b2;
            if (b0 < -1e-5f || b1 < -1e-5f || b2 < -1e-5f) continue;
            unsigned bits = float_bits(clampf(1.f / (b0 / d[0] + b1 / d[1] + b2 / d[2]), near, far));
            i64 sample = view * (i64)(RASTER * RASTER) + iy * RASTER + ix;
            atomic_min(front + sample, (u64)bits << 32 | (u64)local);
            atomic_min(back + sample, (u64)(0x7f800000u - bits) << 32 | (u64)local);
        }
    }
}

DEVICE float front_depth_of(u64 key) { return bits_float((unsigned)(key >> 32)); }
DEVICE float back_depth_of(u64 key) { return bits_float(0x7f800000u - (unsigned)(key >> 32)); }

// What a sample shows.
struct Surface {
    i64 face;         // of the whole set
    float place[3];   // object frame, before the stretch
    float normal[3];  // object axes after the stretch, unit, with creases, towards the eye
    float flat[3];    // the face's own normal before the stretch
    float uv[2];
};

// towards_eye is +1 for the first surface on a ray, -1 for the last one, which is seen from inside.
DEVICE Surface surface_at(const float* V, const float* corners, const float* normals, const float* uvs, i64 face,
                          int ix, int iy, float towards_eye) {
    Surface s;
    const float* c = corners + face * 9;
    float x[3], y[3], d[3], b[3], px = ix + 0.5f, py = iy + 0.5f;
    project(V, c, x, y, d);
    float inverse = 1.f / ((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]));
    b[1] = ((px - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (py - y[0])) * inverse;
    b[2] = ((x[1] - x[0]) * (py - y[0]) - (px - x[0]) * (y[1] - y[0])) * inverse;
    b[0] = 1.f - b[1] - b[2];
    float sum = 0.f;
    for (int k = 0; k < 3; ++k) { b[k] = fmaxf(b[k], 0.f) / d[k]; sum += b[k]; }
    for (int k = 0; k < 3; ++k) b[k] /= sum;
    s.face = face;
    for (int a = 0; a < 3; ++a) {
        s.place[a] = b[0] * c[a] + b[1] * c[3 + a] + b[2] * c[6 + a];
        s.normal[a] = (b[0] * normals[face * 9 + a] + b[1] * normals[face * 9 + 3 + a] + b[2] * normals[face * 9 + 6 + a]) / V[V_SCALE + a];
    }
    for (int a = 0; a < 2; ++a) s.uv[a] = b[0] * uvs[face * 6 + a] + b[1] * uvs[face * 6 + 2 + a] + b[2] * uvs[face * 6 + 4 + a];
    float e1[3], e2[3], own[3], eye[3], q[3];
    for (int a = 0; a < 3; ++a) { e1[a] = c[3 + a] - c[a]; e2[a] = c[6 + a] - c[a]; }
    cross3(e1, e2, s.flat);
    unit3(s.flat);
    unit3(s.normal);
    turned(V, s.place, q);
    for (int a = 0; a < 3; ++a) q[a] = V[V_SHIFT + a] - q[a];
    for (int a = 0; a < 3; ++a) {
        own[a] = s.flat[a] / V[V_SCALE + a];
        eye[a] = V[V_ROT + a] * q[0] + V[V_ROT + 3 + a] * q[1] + V[V_ROT + 6 + a] * q[2];
    }
    // Two-sided: what counts is which side the eye sees, whichever way the face is wound.
    if (dot3(own, eye) * towards_eye < 0.f)
        for (int a = 0; a < 3; ++a) s.flat[a] = -s.flat[a];
    float agrees = 0.f;
    for (int a = 0; a < 3; ++a) agrees += s.normal[a] * s.flat[a] / V[V_SCALE + a];
    if (agrees < 0.f)
        for (int a = 0; a < 3; ++a) s.normal[a] = -s.normal[a];
    return s;
}
