// Lit pictures: key light with a soft shadow, fill light, sky and ground light with ambient occlusion, highlights.

DEVICE float solid_at(const u8* grid, const float* p) {  // nearest voxel, 0..1
    int x = (int)floorf((p[0] + 0.5f) * SOLID), y = (int)floorf((p[1] + 0.5f) * SOLID), z = (int)floorf((p[2] + 0.5f) * SOLID);
    if (x < 0 || y < 0 || z < 0 || x >= SOLID || y >= SOLID || z >= SOLID) return 0.f;
    return grid[((i64)z * SOLID + y) * SOLID + x] * (1.f / 255.f);
}
DEVICE float trilinear(const u8* grid, int size, const float* p) {  // 0..1, empty outside
    float f[3];
    int n[3];
    for (int k = 0; k < 3; ++k) {
        float g = (p[k] + 0.5f) * size - 0.5f;
        if (!(g > -1.f && g < size)) return 0.f;
        float low = floorf(g);
        n[k] = (int)low;
        f[k] = g - low;
    }
    float sum = 0.f;
    for (int c = 0; c < 8; ++c) {
        int x = n[0] + (c & 1), y = n[1] + ((c >> 1) & 1), z = n[2] + (c >> 2);
        if (x < 0 || y < 0 || z < 0 || x >= size || y >= size || z >= size) continue;
        float w = ((c & 1) ? f[0] : 1.f - f[0]) * (((c >> 1) & 1) ? f[1] : 1.f - f[1]) * ((c >> 2) ? f[2] : 1.f - f[2]);
        sum += w * grid[((i64)z * size + y) * size + x];
    }
    return sum * (1.f / 255.f);
}

// How much of the key light arrives: near the surface the fine solid shades, farther off the blurred one, so that
// shadows grow softer with distance.
DEVICE float lit(const Scene& scene, const float* V, i64 shape, const Surface& s, float jitter) {
    const u8* solid = scene.solid + shape * (i64)(SOLID * SOLID * SOLID);
    const u8* coarse = scene.coarse + shape * (i64)(COARSE * COARSE * COARSE);
    float light = 1.f, step = 0.012f, t = 0.008f + step * jitter, p[3];
    for (int n = 0; n < 24 && light > 0.03f; ++n) {
        bool outside = false;
        for (int k = 0; k < 3; ++k) {
            p[k] = s.place[k] + (3.f / SOLID * s.normal[k] + t * V[V_KEY + k]) / V[V_SCALE + k];
            outside = outside || fabsf(p[k]) > 0.53f;
        }
        if (outside && t > 0.05f) break;
        float block = t < 0.13f ? solid_at(solid, p) : trilinear(coarse, COARSE, p) * clampf((t - 0.05f) * 12.f, 0.f, 1.f);
        light *= 1.f - 0.85f * block;
        step *= 1.11f;
        t += step;
    }
    return light;
}

DEVICE void tone(const float* V, float* rgb) {  // linear light to a camera's sRGB
    for (int k = 0; k < 3; ++k) {
        float x = fmaxf(rgb[k] * V[V_GAIN], 0.f);
        x = x > 0.75f ? 0.75f + 0.25f * (1.f - expf(-(x - 0.75f) * 4.f)) : x;  // highlights roll off
        rgb[k] = powf(x, V[V_GAMMA] / 2.2f);
    }
    float grey = luminance(rgb);
    for (int k = 0; k < 3; ++k)
        rgb[k] = clampf(0.5f + (mixf(grey, rgb[k], V[V_SATURATION]) - 0.5f) * V[V_CONTRAST], 0.f, 1.f);
}

// picture: (views, 4, IMAGE, IMAGE) colour times alpha, alpha. Light is looked up once a pixel, colour once a sample.
KERNEL shade(i64 views, const float* table, const i64* shape_index, const i64* face_start, const u64* front, SCENE_ARGS,
             float* picture) {
    Scene scene = SCENE;
    const int each = RASTER / IMAGE;
    EACH(i, views * (i64)(IMAGE * IMAGE)) {
        i64 view = i / (IMAGE * IMAGE), shape = shape_index[view];
        int x = (int)(i % IMAGE), y = (int)(i / IMAGE % IMAGE);
        const float* V = table + view * V_SIZE;
        float sum[4] = {0.f, 0.f, 0.f, 0.f}, shadow = -1.f, open = 1.f;
        i64 lit_face = -1;
        for (int n = 0; n < each * each; ++n) {
            int ix = x * each + n % each, iy = y * each + n / each;
            u64 key = front[view * (i64)(RASTER * RASTER) + iy * RASTER + ix];
            if (key == EMPTY_KEY) continue;
            i64 face = face_start[shape] + (i64)(unsigned)key;
            Surface s = surface_at(V, scene.corners, scene.normals, scene.uvs, face, ix, iy, 1.f);
            float key_angle = dot3(s.normal, V + V_KEY);
            if (shadow < 0.f || face != lit_face) {
                unsigned pixel = (unsigned)(i & 0x3fffffff);
                shadow = key_angle > 0.f ? mixf(1.f, lit(scene, V, shape, s, uniform((unsigned)V[V_SEED], pixel)), V[V_SHADOW]) : 1.f;
                float p[3];
                for (int k = 0; k < 3; ++k) p[k] = s.place[k] + 0.07f * s.normal[k] / V[V_SCALE + k];
                open = 1.f - V[V_OCCLUSION] * clampf(1.4f * trilinear(scene.coarse + shape * (i64)(COARSE * COARSE * COARSE), COARSE, p), 0.f, 1.f);
                lit_face = face;
            }
            float rgb[3], eye[3], q[3], half[3], strength, power;
            unlit(scene, V, s, rgb);
            gloss(V, scene.groups[face], &strength, &power);
            turned(V, s.place, q);
            for (int k = 0; k < 3; ++k) q[k] = V[V_SHIFT + k] - q[k];
            for (int k = 0; k < 3; ++k) eye[k] = V[V_ROT + k] * q[0] + V[V_ROT + 3 + k] * q[1] + V[V_ROT + 6 + k] * q[2];
            unit3(eye);
            for (int k = 0; k < 3; ++k) half[k] = eye[k] + V[V_KEY + k];
            unit3(half);
            float shine = strength * powf(fmaxf(dot3(half, s.normal), 0.f), power) * shadow * (key_angle > 0.f ? 1.f : 0.f);
            // Every surface mirrors a little at a slant (Schlick 1994), which is what gives black things a shape.
            float facing = clampf(dot3(eye, s.normal), 0.f, 1.f), slant = (1.f - facing) * (1.f - facing);
            float mirror = 0.012f + (0.05f + 0.25f * strength) * slant * slant;
            float sky_side = 2.f * facing * s.normal[1] - eye[1];  // height of the mirrored direction
            float fill = fmaxf(dot3(s.normal, V + V_FILL_LIGHT), 0.f), up = 0.5f + 0.5f * s.normal[1];
            for (int k = 0; k < 3; ++k) {
                float light = V[V_KEY_COLOR + k] * fmaxf(key_angle, 0.f) * shadow + V[V_FILL_COLOR + k] * fill * (0.4f + 0.6f * open)
                    + mixf(V[V_GROUND + k], V[V_SKY + k], up) * open;
                rgb[k] = (0.008f + 0.99f * powf(rgb[k], 2.2f)) * light + shine * V[V_KEY_COLOR + k]
                    + mirror * mixf(V[V_GROUND + k], V[V_SKY + k], clampf(0.5f + sky_side, 0.f, 1.f)) * open;
            }
            tone(V, rgb);
            for (int k = 0; k < 3; ++k) sum[k] += rgb[k];
            sum[3] += 1.f;
        }
        for (int k = 0; k < 4; ++k)
            picture[(view * 4 + k) * (i64)(IMAGE * IMAGE) + y * IMAGE + x] = sum[k] * (1.f / (each * each));
    }
}
