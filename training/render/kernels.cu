// Everything that runs on the GPU: carving solids, rasterising, shading, targets, photo defects.
//
// One source for two compilers: NVRTC (through cupy) and g++, where every kernel is a plain loop (HOST is defined);
// tests and debugging run there. No standard headers on the GPU, no shared memory, no warp intrinsics: kernels are
// grid-stride loops over independent items, and meet only in integer atomicMin/atomicMax, which are order-independent,
// so equal inputs give equal bits.
//
// Python writes the sizes (GRID, BINS, ...) and the columns of a view's row (V_...) in front of this text.

#include "cuda/common.cuh"
#include "cuda/geometry.cuh"
#include "cuda/carve.cuh"
#include "cuda/raster.cuh"
#include "cuda/material.cuh"
#include "cuda/shade.cuh"
#include "cuda/targets.cuh"
#include "cuda/photo.cuh"
