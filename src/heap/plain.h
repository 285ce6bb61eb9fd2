/* Included first by heap.c: in the hardened build its functions get other names, and hardened.c, which calls
 * them, has the public ones. */
#ifdef WALLOC_HARDENED
#define walloc_malloc walloc_plain_malloc
#define walloc_calloc walloc_plain_calloc
#define walloc_realloc walloc_plain_realloc
#define walloc_aligned_alloc walloc_plain_aligned_alloc
#define walloc_free walloc_plain_free
#define walloc_usable_size walloc_plain_usable_size
#endif
