/* Thread identity in WebAssembly, linked and attached alike. Any thread. */
#include "platform/platform.h"

/* Its address is the thread's identity: every thread has its own copy, and pthread_self is NULL in
 * threads that no pthread library started. */
#if UINTPTR_MAX == UINT32_MAX
static _Thread_local uint32_t identity;

uint32_t walloc_platform_thread(void) { return (uint32_t)(uintptr_t)&identity; }
#else
/* A multiple of 8, so that a quarter of it has the lowest bit clear, and tells all addresses of 16 GiB apart: no
 * memory is larger. */
static _Thread_local uint64_t identity;

uint32_t walloc_platform_thread(void) { return (uint32_t)((uintptr_t)&identity / 4); }
#endif
