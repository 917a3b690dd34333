// Solids: what no eye of a ring of eyes can see into. Chunks of shapes at a time.
//
// Each eye is orthographic: rows right, up, towards the eye; its map spans [-MAP_REACH, MAP_REACH] in both directions
// and holds the distance from the plane MAP_REACH before the origin. Eyes below the horizon also see an opaque ground
// under the thing, so that open undersides that stand on it stay shut.

#define MAP_PIXEL (2.f * MAP_REACH / MAP)

// The corners of a face, or (local = faces, faces + 1) of the ground.
DEVICE void carve_corner(const float* corners, const float* half, i64 face, i64 ground, int k, float* p) {
    if (ground < 0) {
        for (int a = 0; a < 3; ++a) p[a] = corners[face * 9 + k * 3 + a];
        return;
    }
    int corner = ground == 0 ? k : (k == 0 ? 0 : k + 1);  // 0 1 2 / 0 2 3 around the square
    p[0] = (corner == 1 || corner == 2) ? half[0] + 0.01f : -half[0] - 0.01f;
    p[1] = -half[1];
    p[2] = corner >= 2 ? half[2] + 0.01f : -half[2] - 0.01f;
}

// item_start: (shapes + 1) running number of faces + 2; face_start: first face of each shape; half: half box sides.
KERNEL carve_raster(i64 shapes, const i64* item_start, const i64* face_start, const float* corners, const float* half,
                    const float* eyes, unsigned* maps) {
    const int lanes = LANES(8);
    EACH(i, item_start[shapes] * EYES * lanes) {
        int lane = (int)(i % lanes);
        i64 eye = i / lanes % EYES, item = i / lanes / EYES;
        i64 shape = segment(item_start, shapes, item), local = item - item_start[shape];
        i64 ground = local - (item_start[shape + 1] - item_start[shape] - 2);
        const float* E = eyes + eye * 9;
        if (ground >= 0 && E[7] >= -1e-4f) continue;
        float x[3], y[3], t[3];
        for (int k = 0; k < 3; ++k) {
            float p[3];
            carve_corner(corners, half + shape * 3, face_start[shape] + local, ground, k, p);
            x[k] = (dot3(E, p) + MAP_REACH) / MAP_PIXEL;
            y[k] = (dot3(E + 3, p) + MAP_REACH) / MAP_PIXEL;
            t[k] = MAP_REACH - dot3(E + 6, p);
        }
        float area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
        int x0 = clampi((int)ceilf(fminf(x[0], fminf(x[1], x[2])) - 0.5f), 0, MAP - 1);
        int x1 = clampi((int)floorf(fmaxf(x[0], fmaxf(x[1], x[2])) - 0.5f), -1, MAP - 1);
        int y0 = clampi((int)ceilf(fminf(y[0], fminf(y[1], y[2])) - 0.5f), 0, MAP - 1);
        int y1 = clampi((int)floorf(fmaxf(y[0], fmaxf(y[1], y[2])) - 0.5f), -1, MAP - 1);
        unsigned* map = maps + (shape * EYES + eye) * (i64)(MAP * MAP);
        float longest = 0.f;
        for (int k = 0; k < 3; ++k)
            longest = fmaxf(longest, fmaxf(fabsf(x[k] - x[(k + 1) % 3]), fabsf(y[k] - y[(k + 1) % 3])));
        // Seen nearly on edge, pixel middles may miss the face: draw its edges, or that eye would look through a sheet.
        if (fabsf(area) < longest) {
            int steps = (int)(longest * 1.5f) + 1;
            for (int n = lane; n < 3 * (steps + 1); n += lanes) {
                int a = n % 3, b = (a + 1) % 3;
                float f = (float)(n / 3) / steps;
                int px = clampi((int)mixf(x[a], x[b], f), 0, MAP - 1), py = clampi((int)mixf(y[a], y[b], f), 0, MAP - 1);
                atomic_min(map + py * MAP + px, float_bits(fmaxf(mixf(t[a], t[b], f), 0.f)));
            }
        }
        if (fabsf(area) < 1e-4f) continue;
        float near = fminf(t[0], fminf(t[1], t[2])), far = fmaxf(t[0], fmaxf(t[1], t[2])), inverse = 1.f / area;
        int width = x1 - x0 + 1, count = width * (y1 - y0 + 1);
        if (width <= 0 || y1 < y0) continue;
        for (int n = lane; n < count; n += lanes) {
            int ix = x0 + n % width, iy = y0 + n / width;
            float px = ix + 0.5f, py = iy + 0.5f;
            float b1 = ((px - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (py - y[0])) * inverse;
            float b2 = ((x[1] - x[0]) * (py - y[0]) - (px - x[0]) * (y[1] - y[0])) * inverse;
            float b0 = 1.f - b1 - b2;
            if (b0 < -1e-4f || b1 < -1e-4f || b2 < -1e-4f) continue;
            float depth = clampf(b0 * t[0] + b1 * t[1] + b2 * t[2], near, far);
            atomic_min(map + iy * MAP + ix, float_bits(fmaxf(depth, 0.f)));
        }
    }
}

// The nearest of the 4 x 4 pixels around a pixel's lower corner, in steps of 2 MAP_REACH / 65534; 65535 where nothing is.
// Parts thinner than a pixel survive by it, and slanting eyes do not nibble at surfaces: an eye at an angle a from a
// sheet's normal sees a voxel that lies h in front of the sheet as h / cos a in front of it, and takes back tan a for
// every pixel that the window reaches. The window reaches 1 to 2 pixels on all sides; half a voxel needs 0.86.
KERNEL carve_nearest(i64 maps, const unsigned* raw, u16* out) {
    EACH(i, maps * (MAP * MAP)) {
        int x = (int)(i % MAP), y = (int)(i / MAP % MAP);
        const unsigned* map = raw + i / (MAP * MAP) * (i64)(MAP * MAP);
        unsigned nearest = 0x7f7fffffu;
        for (int yy = y > 0 ? y - 1 : 0; yy <= y + 2 && yy < MAP; ++yy)
            for (int xx = x > 0 ? x - 1 : 0; xx <= x + 2 && xx < MAP; ++xx) {
                unsigned value = map[yy * MAP + xx];
                if (value < nearest) nearest = value;
            }
        float t = bits_float(nearest) * (65534.f / (2.f * MAP_REACH));
        out[i] = t > 65534.f ? (u16)65535 : (u16)(t + 0.5f);
    }
}

// How far outside each voxel is, as the eye that sees it best would say: 128 + 64 s, s in voxels, clipped.
// A solid never leaves its box, which makes the unseen underside exact.
KERNEL carve_outside(i64 shapes, const float* half, const float* eyes, const u16* maps, u8* outside) {
    EACH(i, shapes * (i64)(SOLID * SOLID * SOLID)) {
        i64 shape = i / (SOLID * SOLID * SOLID);
        int x = (int)(i % SOLID), y = (int)(i / SOLID % SOLID), z = (int)(i / (SOLID * SOLID) % SOLID);
        float p[3] = {(x + 0.5f) / SOLID - 0.5f, (y + 0.5f) / SOLID - 0.5f, (z + 0.5f) / SOLID - 0.5f};
        float s = -1.f;
        for (int k = 0; k < 3; ++k) s = fmaxf(s, fabsf(p[k]) - half[shape * 3 + k]);
        for (int eye = 0; eye < EYES && s < 2.f / SOLID; ++eye) {
            const float* E = eyes + eye * 9;
            int ix = (int)((dot3(E, p) + MAP_REACH) / MAP_PIXEL - 0.5f), iy = (int)((dot3(E + 3, p) + MAP_REACH) / MAP_PIXEL - 0.5f);
            u16 value = maps[(shape * EYES + eye) * (i64)(MAP * MAP) + clampi(iy, 0, MAP - 1) * MAP + clampi(ix, 0, MAP - 1)];
            float seen = value == 65535 ? 1.f : value * (2.f * MAP_REACH / 65534.f) - (MAP_REACH - dot3(E + 6, p));
            s = fmaxf(s, seen);
        }
        outside[i] = (u8)clampf(128.5f + 64.f * SOLID * s, 0.f, 255.f);
    }
}

DEVICE float covered(u8 outside) { return clampf(0.5f - (outside - 128.f) / 64.f, 0.f, 1.f); }

// Occupancy 0..255 with a ramp one voxel wide. Where no solid core is near, the surface is thickened by 0.9 voxels on
// either side, so that sheets and wires of less than a voxel stay whole wherever they lie between the voxels.
KERNEL carve_finish(i64 shapes, const u8* outside, u8* solid) {
    EACH(i, shapes * (i64)(SOLID * SOLID * SOLID)) {
        float plain = covered(outside[i]), thick = clampf(1.4f - (outside[i] - 128.f) / 64.f, 0.f, 1.f), value = plain;
        if (thick > plain) {
            const u8* grid = outside + i / (SOLID * SOLID * SOLID) * (i64)(SOLID * SOLID * SOLID);
            int x = (int)(i % SOLID), y = (int)(i / SOLID % SOLID), z = (int)(i / (SOLID * SOLID) % SOLID);
            u8 deepest = 255;
            for (int dz = -1; dz <= 1; ++dz) for (int dy = -1; dy <= 1; ++dy) for (int dx = -1; dx <= 1; ++dx) {
                int zz = z + dz, yy = y + dy, xx = x + dx;
                if (zz < 0 || yy < 0 || xx < 0 || zz >= SOLID || yy >= SOLID || xx >= SOLID) continue;
                u8 here = grid[(zz * SOLID + yy) * SOLID + xx];
                if (here < deepest) deepest = here;
            }
            float core = clampf(2.f * covered(deepest) - 1.f, 0.f, 1.f);
            value = fmaxf(plain, thick * (1.f - core));
        }
        solid[i] = (u8)(255.f * value + 0.5f);
    }
}
