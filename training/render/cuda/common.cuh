// Loops, atomics and small arithmetic, for both compilers.
#ifdef HOST
#include <math.h>
#include <string.h>
#define DEVICE static inline
#define KERNEL extern "C" void
#define EACH(i, count) for (long long i = 0, i##_end = (count); i < i##_end; ++i)
#define LANES(gpu) 1
DEVICE unsigned float_bits(float x) { unsigned u; memcpy(&u, &x, 4); return u; }
DEVICE float bits_float(unsigned u) { float x; memcpy(&x, &u, 4); return x; }
template <class T> DEVICE void atomic_min(T* p, T v) { if (v < *p) *p = v; }
template <class T> DEVICE void atomic_max(T* p, T v) { if (v > *p) *p = v; }
#else
#define DEVICE static __device__ __forceinline__
#define KERNEL extern "C" __global__ void
#define EACH(i, count) \
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x, i##_end = (count), \
         i##_step = (long long)gridDim.x * blockDim.x; i < i##_end; i += i##_step)
// How many threads share one item's inner loop.
#define LANES(gpu) gpu
DEVICE unsigned float_bits(float x) { return __float_as_uint(x); }
DEVICE float bits_float(unsigned u) { return __uint_as_float(u); }
// Reading first spares most of the atomics: values only ever move one way, so a stale read is merely cautious.
template <class T> DEVICE void atomic_min(T* p, T v) { if (v < *(volatile T*)p) atomicMin(p, v); }
template <class T> DEVICE void atomic_max(T* p, T v) { if (v > *(volatile T*)p) atomicMax(p, v); }
#endif

typedef long long i64;
typedef unsigned long long u64;
typedef unsigned char u8;
typedef unsigned short u16;

#define EMPTY_KEY 0x7fffffffffffffffULL

DEVICE float clampf(float x, float low, float high) { return fminf(fmaxf(x, low), high); }
DEVICE float mixf(float a, float b, float t) { return a + (b - a) * t; }
DEVICE int clampi(int x, int low, int high) { return x < low ? low : (x > high ? high : x); }
DEVICE float dot3(const float* a, const float* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
DEVICE void cross3(const float* a, const float* b, float* out) {
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}
DEVICE void unit3(float* a) {
    float scale = 1.f / sqrtf(fmaxf(dot3(a, a), 1e-24f));
    for (int k = 0; k < 3; ++k) a[k] *= scale;
}

// Unsigned integers in the order of the floats.
DEVICE unsigned ordered(float x) { unsigned u = float_bits(x); return (u & 0x80000000u) ? ~u : (u | 0x80000000u); }
DEVICE float unordered(unsigned u) { return bits_float((u & 0x80000000u) ? (u & 0x7fffffffu) : ~u); }

// Random numbers without state: a value in [0, 1) for each (seed, number).
DEVICE unsigned hash32(unsigned x) {
    x ^= x >> 16; x *= 0x7feb352du; x ^= x >> 15; x *= 0x846ca68bu; x ^= x >> 16;
    return x;
}
DEVICE float uniform(unsigned seed, unsigned number) {
    return (float)(hash32(seed ^ hash32(number + 0x9e3779b9u)) >> 8) * (1.f / 16777216.f);
}
// Smooth noise in [0, 1], one value a unit of (x, y, z).
DEVICE float noise3(unsigned seed, float x, float y, float z) {
    float fx = floorf(x), fy = floorf(y), fz = floorf(z), sum = 0.f;
    float t[3] = {x - fx, y - fy, z - fz};
    for (int k = 0; k < 3; ++k) t[k] = t[k] * t[k] * (3.f - 2.f * t[k]);
    for (int c = 0; c < 8; ++c) {
        int dx = c & 1, dy = (c >> 1) & 1, dz = c >> 2;
        unsigned n = (unsigned)((int)fx + dx) * 73856093u ^ (unsigned)((int)fy + dy) * 19349663u ^ (unsigned)((int)fz + dz) * 83492791u;
        sum += (dx ? t[0] : 1.f - t[0]) * (dy ? t[1] : 1.f - t[1]) * (dz ? t[2] : 1.f - t[2]) * uniform(seed, n);
    }
    return sum;
}

// The i with start[i] <= item < start[i + 1]; start has count + 1 entries.
DEVICE i64 segment(const i64* start, i64 count, i64 item) {
    i64 low = 0, high = count - 1;
    while (low < high) {
        i64 middle = (low + high + 1) / 2;
        if (start[middle] <= item) low = middle; else high = middle - 1;
    }
    return low;
}
