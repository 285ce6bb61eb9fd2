/* The least that uses malloc: says how many bytes of memory stand behind the first block. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern unsigned char __heap_base; /* made by the linker: where sbrk began */

int main(void) {
  void *volatile block = malloc(16);
  printf("%zu\n", (size_t)((char *)sbrk(0) - (char *)&__heap_base));
  return block == NULL;
}
