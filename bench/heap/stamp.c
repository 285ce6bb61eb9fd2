/* Blocks that hold something: see workload.h. Any thread. */
#include "workload.h"

#include <string.h>

static unsigned char *last_byte(void *block, uint32_t size) {
  return (unsigned char *)block + size - 1;
}

void *stamped(uint32_t size, uint32_t number) {
  stamp *block = malloc(size);
  if (block == NULL)
    abort();
  *last_byte(block, size) = (unsigned char)number;
  *block = (stamp){size, number};
  return block;
}

void check_stamped(const void *block) {
  stamp s;
  memcpy(&s, block, sizeof s);
  /* In a block of eight bytes the last byte is the stamp's own. */
  if (s.size < sizeof s ||
      (s.size > sizeof s && ((const unsigned char *)block)[s.size - 1] != (unsigned char)s.number))
    abort();
}

void free_stamped(void *block, result *sum) {
  check_stamped(block);
  const stamp *s = block;
  sum->checksum += (uint64_t)s->size * 2654435761u + s->number;
  sum->operations++;
  free(block);
}
