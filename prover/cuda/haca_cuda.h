/* The C interface between the prover and its CUDA library.
 *
 * Numbers are little-endian: a field element is four 64-bit words, in Montgomery form (x 2^256 modulo the field's
 * prime). A G1 point is x, y; a G2 point is x0, x1, y0, y1. Calls that can fail return 0, or else another number after
 * writing a message of at most `error_bytes` bytes, its closing zero included. No exception leaves a call.
 * Calls that name a key may come from any thread, but not two at a time. */
#ifndef HACA_CUDA_H
#define HACA_CUDA_H

#include <stddef.h>
#include <stdint.h>

/* Changes with everything below. */
#define HACA_CUDA_ABI_VERSION 1

#define HACA_CUDA_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Points other than infinity; point i is multiplied by number `indices[i]` of the witness (or, for H, of the domain). */
typedef struct {
    const uint64_t *points;
    const uint32_t *indices;
    uint64_t count;
} haca_points;

/* A sparse matrix: entries of row i are starts[i] to starts[i + 1]; an entry is a column and a coefficient's number. */
typedef struct {
    const uint32_t *starts;
    const uint32_t *entries;
    uint64_t entry_count;
} haca_matrix;

/* A checked proving key. It may be freed once it is loaded. */
typedef struct {
    uint32_t log_domain;
    uint32_t signal_count;
    const uint64_t *coefficients;
    uint64_t coefficient_count;
    haca_matrix a_rows;
    haca_matrix b_rows;
    haca_points a;
    haca_points b1;
    haca_points b2;
    haca_points c;
    haca_points h;
} haca_key;

/* Sums over the five point sets, as X, Y, Z of Jacobian coordinates (x = X/Z^2, y = Y/Z^3; infinity has Z = 0). */
typedef struct {
    uint64_t a[12];
    uint64_t b1[12];
    uint64_t b2[24];
    uint64_t c[12];
    uint64_t h[12];
} haca_sums;

/* What proofs are made on. */
typedef struct {
    char name[256];
    uint64_t memory_bytes;
    uint32_t major;
    uint32_t minor;
} haca_device;

typedef struct haca_loaded_key haca_loaded_key;

HACA_CUDA_EXPORT uint32_t haca_cuda_abi_version(void);

/* Fails where there is no device or none that the library was compiled for. */
HACA_CUDA_EXPORT int32_t haca_cuda_device(haca_device *device, char *error, size_t error_bytes);

/* Bytes that a key holds on the device while it is loaded. */
HACA_CUDA_EXPORT uint64_t haca_cuda_key_bytes(const haca_key *key);

HACA_CUDA_EXPORT int32_t haca_cuda_load(const haca_key *key, haca_loaded_key **loaded, char *error, size_t error_bytes);

/* `witness` has one element for each signal, the constant 1 first. */
HACA_CUDA_EXPORT int32_t haca_cuda_prove(haca_loaded_key *key, const uint64_t *witness, uint64_t count,
                                         haca_sums *sums, char *error, size_t error_bytes);

HACA_CUDA_EXPORT void haca_cuda_unload(haca_loaded_key *key);

#ifdef __cplusplus
}
#endif

#endif
