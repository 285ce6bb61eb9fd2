/* Thread identity in WebAssembly, linked and attached alike. */
#include "platform/platform.h"

/* Its address is the thread's identity: every thread has its own copy, and pthread_self is NULL in
 * threads that no pthread library started. */
static _Thread_local uint32_t identity;

uint32_t walloc_platform_thread(void) { return (uint32_t)(uintptr_t)&identity; }
