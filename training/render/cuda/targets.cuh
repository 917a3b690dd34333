// The truth about a view, at GRID x GRID.

// Depths Z in object units (from the eye; the anchor is taken off later); a ray meets the thing when one of the 2 x 2 samples around
// the cell's middle does. Means go over those of them that show the nearest (farthest) surface.
KERNEL targets(i64 views, const float* table, const i64* shape_index, const i64* face_start, const u64* front, const u64* back,
               SCENE_ARGS, u8* inside, float* front_depth, float* back_depth, float* front_normal, float* back_color) {
    Scene scene = SCENE;
    const int each = RASTER / GRID;
    EACH(i, views * (i64)(GRID * GRID)) {
        i64 view = i / (GRID * GRID), cell = i % (GRID * GRID), shape = shape_index[view];
        int x = (int)(cell % GRID) * each + each / 2 - 1, y = (int)(cell / GRID) * each + each / 2 - 1;
        const float* V = table + view * V_SIZE;
        float near = 1e30f, far = 0.f;
        for (int n = 0; n < 4; ++n) {
            i64 sample = view * (i64)(RASTER * RASTER) + (y + n / 2) * RASTER + x + n % 2;
            if (front[sample] == EMPTY_KEY) continue;
            near = fminf(near, front_depth_of(front[sample]));
            far = fmaxf(far, back_depth_of(back[sample]));
        }
        float near_sum = 0.f, far_sum = 0.f, near_count = 0.f, far_count = 0.f;
        float normal[3] = {0.f, 0.f, 0.f}, color[3] = {0.f, 0.f, 0.f}, rgb[3];
        for (int n = 0; n < 4; ++n) {
            int ix = x + n % 2, iy = y + n / 2;
            i64 sample = view * (i64)(RASTER * RASTER) + iy * RASTER + ix;
            if (front[sample] == EMPTY_KEY) continue;
            float first = front_depth_of(front[sample]), last = back_depth_of(back[sample]);
            if (first < near + 0.03f) {
                Surface s = surface_at(V, scene.corners, scene.normals, scene.uvs,
                                       face_start[shape] + (i64)(unsigned)front[sample], ix, iy, 1.f);
                for (int k = 0; k < 3; ++k) normal[k] += dot3(V + V_ROT + 3 * k, s.normal);
                near_sum += first;
                near_count += 1.f;
            }
            if (last > far - 0.03f) {
                Surface s = surface_at(V, scene.corners, scene.normals, scene.uvs,
                                       face_start[shape] + (i64)(unsigned)back[sample], ix, iy, -1.f);
                unlit(scene, V, s, rgb);
                for (int k = 0; k < 3; ++k) color[k] += rgb[k];
                far_sum += last;
                far_count += 1.f;
            }
        }
        bool hit = near_count > 0.f;
        if (hit) unit3(normal);
        inside[i] = hit;
        front_depth[i] = hit ? near_sum / near_count : 0.f;
        back_depth[i] = hit ? far_sum / far_count : 0.f;
        for (int k = 0; k < 3; ++k) {
            front_normal[(view * 3 + k) * (i64)(GRID * GRID) + cell] = hit ? normal[k] : 0.f;
            back_color[(view * 3 + k) * (i64)(GRID * GRID) + cell] = hit ? color[k] / far_count : 0.f;
        }
    }
}

// The object place on the ray of the picture's place (u, v), at depth Z.
DEVICE void unproject(const float* V, float u, float v, float depth, float* p) {
    float side = 2.f * V[V_TAN] * depth;
    float q[3] = {u * side + V[V_SHIFT], v * side + V[V_SHIFT + 1], V[V_SHIFT + 2] - depth};
    for (int k = 0; k < 3; ++k)
        p[k] = (V[V_ROT + k] * q[0] + V[V_ROT + 3 + k] * q[1] + V[V_ROT + 6 + k] * q[2]) / V[V_SCALE + k];
}

// The solid, sampled along the picture's rays: (views, BINS, GRID, GRID). A bin is about two voxels long, so sheets
// could fall between two middles: where both neighbouring bins are empty, the most within the bin counts.
KERNEL occupancy(i64 views, const float* table, const i64* shape_index, const float* anchor, const u8* solid,
                 const u8* coarse, u8* out) {
    EACH(i, views * (i64)(BINS * GRID * GRID)) {
        i64 view = i / (BINS * GRID * GRID);
        int column = (int)(i % GRID), row = (int)(i / GRID % GRID), bin = (int)(i / (GRID * GRID) % BINS);
        const float* V = table + view * V_SIZE;
        const u8* fine = solid + shape_index[view] * (i64)(SOLID * SOLID * SOLID);
        const u8* rough = coarse + shape_index[view] * (i64)(COARSE * COARSE * COARSE);
        float u = (column + 0.5f) / GRID - 0.5f, v = 0.5f - (row + 0.5f) / GRID, p[3], value = 0.f;
        float step = (FAR - NEAR) / BINS * 2.f * V[V_TAN] * anchor[view];
        float depth = anchor[view] * (1.f + (NEAR + (bin + 0.5f) * ((FAR - NEAR) / BINS)) * 2.f * V[V_TAN]);
        if (depth > step) {
            unproject(V, u, v, depth, p);
            int cell = 0, place;
            bool far_out = false;
            for (int k = 2; k >= 0; --k) {
                place = (int)floorf((p[k] + 0.5f) * COARSE);
                far_out = far_out || place < -1 || place > COARSE;
                cell = cell * COARSE + clampi(place, 0, COARSE - 1);
            }
            // The rough grid is 0 only where no voxel of the 3 x 3 x 3 cells around holds anything.
            if (!far_out && rough[cell]) {
                value = trilinear(fine, SOLID, p);
                unproject(V, u, v, depth - 0.33f * step, p);
                float most = fmaxf(value, trilinear(fine, SOLID, p));
                unproject(V, u, v, depth + 0.33f * step, p);
                most = fmaxf(most, trilinear(fine, SOLID, p));
                if (most > value) {
                    unproject(V, u, v, depth - step, p);
                    float around = trilinear(fine, SOLID, p);
                    unproject(V, u, v, depth + step, p);
                    around = fmaxf(around, trilinear(fine, SOLID, p));
                    value = mixf(most, value, clampf(2.f * around, 0.f, 1.f));
                }
            }
        }
        out[i] = (u8)(255.f * value + 0.5f);
    }
}
