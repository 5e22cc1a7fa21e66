/* Libraries that are wrong in one way each; which one, is said when compiling. */
#include "haca_cuda.h"

#include <stdio.h>
#include <string.h>

#ifndef VERSION
#define VERSION HACA_CUDA_ABI_VERSION
#endif

/* x = 1, y = 2 and z = 1 in the field of coordinates, times 2^256: the generator of G1. */
static const uint64_t GENERATOR[12] = {
    0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f,
    0xa6ba871b8b1e1b3a, 0x14f1d651eb8e167b, 0xccdd46def0f28c58, 0x1c14ef83340fbe5e,
    0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f,
};

static int32_t fail(const char *text, char *error, size_t error_bytes) {
    snprintf(error, error_bytes, "%s", text);
    return 1;
}

uint32_t haca_cuda_abi_version(void) { return VERSION; }

int32_t haca_cuda_device(haca_device *device, char *error, size_t error_bytes) {
#ifdef NO_DEVICE
    return fail("there is no CUDA device\n(driver too old)", error, error_bytes);
#else
    memset(device, 0, sizeof(*device));
    strcpy(device->name, "fake");
    device->memory_bytes = 1 << 30;
    return 0;
#endif
}

uint64_t haca_cuda_key_bytes(const haca_key *key) { return (uint64_t)key->signal_count * 64; }

int32_t haca_cuda_load(const haca_key *key, haca_loaded_key **loaded, char *error, size_t error_bytes) {
#ifdef LOAD_FAILS
    return fail("out of memory", error, error_bytes);
#elif defined(LOAD_LIES)
    return 0;
#else
    *loaded = (haca_loaded_key *)GENERATOR;
    return 0;
#endif
}

int32_t haca_cuda_prove(haca_loaded_key *key, const uint64_t *witness, uint64_t count, haca_sums *sums, char *error,
                        size_t error_bytes) {
#ifdef PROVE_FAILS
    /* More than the buffer holds, and no closing zero. */
    memset(error, 'x', error_bytes);
    return 7;
#elif defined(OFF_CURVE)
    memcpy(sums->a, GENERATOR, sizeof(sums->a));
    sums->a[0] ^= 1;
    return 0;
#else
    memcpy(sums->a, GENERATOR, sizeof(sums->a));
    return 0;
#endif
}

#ifndef NO_UNLOAD
void haca_cuda_unload(haca_loaded_key *key) { (void)key; }
#endif
