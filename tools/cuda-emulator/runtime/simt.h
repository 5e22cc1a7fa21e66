/* The device in software (tools/cuda-emulator), as its C interface. Calls return 0, or else a number of cudaError; then
 * simt_message tells more. Streams are numbered from 0, the one that always exists; events from 0. */
#ifndef HACA_SIMT_H
#define HACA_SIMT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong last in this thread. */
const char *simt_message(void);
uint32_t simt_multiprocessors(void);
size_t simt_memory_bytes(void);
size_t simt_shared_bytes(void);
size_t simt_shared_bytes_asked(void);

/* A fat binary as nvcc embeds it, with PTX in plain text. */
int32_t simt_load(const void *fatbinary, size_t *module);
int32_t simt_define(size_t module, const void *function, const char *name);
int32_t simt_declare(size_t module, const void *variable, const char *name);
int32_t simt_address(const void *variable, uint64_t *address);
int32_t simt_attributes(const void *function, uint32_t *max_threads, size_t *shared_bytes);
int32_t simt_allow_shared(const void *function, size_t bytes);
/* `parameters` points to each of the kernel's parameters, which are copied. */
int32_t simt_launch(const void *function, const uint32_t blocks[3], const uint32_t threads[3], size_t dynamic_shared,
                    void *const *parameters, size_t stream, int32_t is_cooperative);

int32_t simt_allocate(size_t bytes, size_t stream, uint64_t *address);
int32_t simt_release(uint64_t address, size_t stream);
/* `rows` times `bytes`, so far apart on either side. The host's memory is copied before the call returns. */
int32_t simt_write(uint64_t to, size_t to_pitch, const void *from, size_t from_pitch, size_t bytes, size_t rows,
                   size_t stream);
int32_t simt_copy(uint64_t to, uint64_t from, size_t bytes, size_t stream);
int32_t simt_read(void *to, size_t to_pitch, uint64_t from, size_t from_pitch, size_t bytes, size_t rows, size_t stream);

int32_t simt_open_stream(size_t *stream);
int32_t simt_close_stream(size_t stream);
int32_t simt_new_event(size_t *event);
int32_t simt_record(size_t event, size_t stream);
int32_t simt_wait(size_t stream, size_t event);
int32_t simt_synchronise(size_t stream);
int32_t simt_synchronise_all(void);

#ifdef __cplusplus
}
#endif

#endif
