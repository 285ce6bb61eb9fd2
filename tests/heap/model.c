/* See model.h. */
#include "heap/model.h"

#include "heap/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE WALLOC_PAGE_SIZE

void model_begin(heap_model *model, uint32_t seed) {
  *model = (heap_model){.next_seed = seed * 2654435761u + 1};
  model->blocks = malloc(MODEL_BLOCKS_MAX * sizeof *model->blocks);
  if (model->blocks == NULL)
    abort();
}

void model_end(heap_model *model) {
  free(model->blocks);
  *model = (heap_model){0};
}

/* ---- Patterns ------------------------------------------------------------------------------- */

static unsigned char pattern_at(uint32_t seed, size_t i) {
  uint32_t mixed = (seed ^ (uint32_t)i) * 2654435769u;
  return (unsigned char)(mixed >> 24);
}

/* The place that is written, and checked, after place i: all of the first and the last 256 bytes, and a
 * sample of what lies between. */
static size_t after(size_t i, size_t size) {
  size_t step = size > 65536 ? 4093 : 61;
  if (i < 256 || i + 256 >= size)
    return i + 1;
  return i + step + 256 < size ? i + step : size - 256;
}

void model_fill(heap_block *block) {
  for (size_t i = 0; i < block->usable; i = after(i, block->usable))
    block->address[i] = pattern_at(block->seed, i);
}

static bool has_pattern(const heap_block *block, size_t length) {
  for (size_t i = 0; i < length; i = after(i, block->usable))
    if (block->address[i] != pattern_at(block->seed, i))
      return false;
  return true;
}

/* A neighbour's end may add to what is usable; nothing may take from it. */
const char *model_check_block(const heap_block *block) {
  if (walloc_usable_size(block->address) < block->usable)
    return "a block's usable size has shrunk";
  return has_pattern(block, block->usable) ? NULL : "a block's bytes have changed";
}

/* ---- Operations ----------------------------------------------------------------------------- */

static const char *check_failure(heap_model *model) {
  model->failures++;
  if (!model->may_fail)
    return "out of memory";
  if (errno != ENOMEM)
    return "a failed allocation has not set errno to ENOMEM";
  return walloc_last_error() == WALLOC_ERROR_OUT_OF_MEMORY
             ? NULL
             : "a failed allocation has another reason than OUT_OF_MEMORY";
}

static const char *check_new_block(const void *address, size_t asked, size_t alignment) {
  size_t usable = walloc_usable_size(address);
  if ((uintptr_t)address % alignment != 0)
    return "a block is not aligned";
  if (usable < asked || usable == 0)
    return "a block is smaller than what was asked for";
  return usable > UINTPTR_MAX - (uintptr_t)address ? "a block's end wraps around" : NULL;
}

static void add(heap_model *model, void *address, size_t asked) {
  heap_block block = {address, asked, walloc_usable_size(address), model->next_seed++};
  model_fill(&block);
  model_put_in(model, block);
}

static const char *add_if_right(heap_model *model, void *address, size_t asked, size_t alignment) {
  if (address == NULL)
    return check_failure(model);
  const char *problem = check_new_block(address, asked, alignment);
  if (problem == NULL)
    add(model, address, asked);
  return problem;
}

void model_put_in(heap_model *model, heap_block block) {
  if (!model_has_room(model))
    abort();
  model->blocks[model->count++] = block;
  model->bytes += block.usable;
}

heap_block model_take_out(heap_model *model, size_t i) {
  heap_block block = model->blocks[i];
  model->bytes -= block.usable;
  model->blocks[i] = model->blocks[--model->count];
  return block;
}

const char *model_malloc(heap_model *model, size_t size) {
  errno = 0;
  return add_if_right(model, walloc_malloc(size), size, 16);
}

static bool is_zero(const unsigned char *bytes, size_t size) {
  return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

const char *model_calloc(heap_model *model, size_t count, size_t size) {
  errno = 0;
  unsigned char *address = walloc_calloc(count, size);
  bool overflows = size != 0 && count > SIZE_MAX / size;
  if (overflows && address != NULL)
    return "calloc of more than SIZE_MAX bytes gave a block";
  if (address != NULL && !is_zero(address, count * size))
    return "calloc gave bytes that are not zero";
  if (overflows && errno == ENOMEM)
    return NULL;
  return add_if_right(model, address, count * size, 16);
}

const char *model_aligned_alloc(heap_model *model, size_t alignment, size_t size) {
  errno = 0;
  return add_if_right(model, walloc_aligned_alloc(alignment, size), size,
                      alignment < 16 ? 16 : alignment);
}

const char *model_free(heap_model *model, size_t i) {
  const char *problem = model_check_block(&model->blocks[i]);
  if (problem != NULL)
    return problem;
  walloc_free(model_take_out(model, i).address);
  return NULL;
}

const char *model_realloc(heap_model *model, size_t i, size_t size) {
  heap_block old = model->blocks[i];
  const char *problem = model_check_block(&old);
  if (problem != NULL)
    return problem;
  errno = 0;
  unsigned char *address = walloc_realloc(old.address, size);
  if (size == 0) {
    (void)model_take_out(model, i);
    return address == NULL ? NULL : "realloc to 0 bytes gave a block";
  }
  if (address == NULL) {
    problem = model_check_block(&old);
    return problem == NULL ? check_failure(model) : "a failed realloc has changed the block";
  }
  problem = check_new_block(address, size, 16);
  if (problem != NULL)
    return problem;
  size_t usable = walloc_usable_size(address);
  size_t kept = old.usable < size ? old.usable : size;
  /* The pattern's places depend on the old size. */
  old.address = address;
  if (!has_pattern(&old, kept < usable ? kept : usable))
    return "realloc has not kept the bytes";
  (void)model_take_out(model, i);
  add(model, address, size);
  return NULL;
}

const char *model_free_all(heap_model *model) {
  const char *problem = NULL;
  while (model->count != 0 && problem == NULL)
    problem = model_free(model, model->count - 1);
  return problem;
}

/* ---- Comparing ------------------------------------------------------------------------------ */

static int by_address(const void *one, const void *other) {
  uintptr_t a = (uintptr_t)((const heap_block *)one)->address;
  uintptr_t b = (uintptr_t)((const heap_block *)other)->address;
  return (a > b) - (a < b);
}

static const char *check_overlaps(const heap_block *blocks, size_t count) {
  for (size_t i = 1; i < count; i++)
    if (blocks[i - 1].address + blocks[i - 1].usable > blocks[i].address)
      return "two live blocks overlap";
  return NULL;
}

/* Both in order of address. */
static const char *compare_live(const heap_picture *picture, const heap_block *blocks,
                                size_t count) {
  size_t found = 0;
  for (size_t i = 0; i < picture->count; i++) {
    const walloc_heap_range *range = &picture->ranges[i];
    if (!range->live)
      continue;
    if (found == count || (uintptr_t)range->address < (uintptr_t)blocks[found].address)
      return "the walk shows a live block that nobody has";
    if (range->address != blocks[found].address)
      return "the walk does not show a live block";
    if (range->size < blocks[found].asked)
      return "the walk shows a block that is smaller than what was asked for";
    if (range->size != walloc_usable_size(range->address))
      return "the walk and walloc_usable_size differ about a block";
    found++;
  }
  return found == count ? NULL : "the walk does not show all live blocks";
}

static size_t largest_free(const heap_picture *picture) {
  size_t largest = 0;
  for (size_t i = 0; i < picture->count; i++)
    if (!picture->ranges[i].live && picture->ranges[i].size > largest)
      largest = picture->ranges[i].size;
  return largest;
}

static size_t live_in_classes(const walloc_heap_census *census) {
  size_t live = 0;
  for (size_t c = 0; c < WALLOC_HEAP_CLASSES; c++)
    live += census->of_class[c].live;
  return live;
}

static size_t live_and_small(const heap_picture *picture) {
  size_t live = 0;
  for (size_t i = 0; i < picture->count; i++)
    live += picture->ranges[i].live && picture->ranges[i].size <= WALLOC_HEAP_SMALL;
  return live;
}

static const char *compare_census(const heap_picture *picture) {
  static walloc_heap_census census; /* 1 KiB, which a small stack may not have */
  if (walloc_take_heap_census(&census) != WALLOC_OK)
    return "the census failed";
  if (census.live_blocks != picture_count(picture, true) ||
      census.live_bytes != picture_bytes(picture, true))
    return "census and walk differ about live blocks";
  if (census.free_ranges != picture_count(picture, false) ||
      census.free_bytes != picture_bytes(picture, false) ||
      census.largest_free != largest_free(picture))
    return "census and walk differ about free ranges";
  double fragmentation =
      census.free_bytes == 0 ? 0 : 1 - (double)census.largest_free / (double)census.free_bytes;
  if (census.fragmentation < fragmentation - 1e-9 || census.fragmentation > fragmentation + 1e-9)
    return "the fragmentation is not 1 - largest free / all free";
  return live_in_classes(&census) == live_and_small(picture)
             ? NULL
             : "census and walk differ about small blocks";
}

static const char *compare_stats(const heap_picture *picture) {
  walloc_heap_stats stats;
  if (walloc_get_heap_stats(&stats) != WALLOC_OK)
    return "the statistics failed";
  if (stats.spans + stats.large != stats.held)
    return "spans and large pages are not all that is held";
  if (stats.peak < stats.held)
    return "more is held than ever was";
  if (stats.held % PAGE != 0)
    return "what is held is not made of pages";
  return picture_bytes(picture, true) + picture_bytes(picture, false) <= stats.held
             ? NULL
             : "the walk shows more bytes than are held";
}

const char *model_compare_blocks(heap_block *blocks, size_t count) {
  heap_picture picture;
  if (count != 0)
    qsort(blocks, count, sizeof *blocks, by_address);
  const char *problem = check_overlaps(blocks, count);
  for (size_t i = 0; i < count && problem == NULL; i++)
    problem = model_check_block(&blocks[i]);
  if (problem != NULL)
    return problem;
  if (!picture_take(&picture))
    return "the walk failed";
  problem = picture_problem(&picture);
  if (problem == NULL)
    problem = compare_live(&picture, blocks, count);
  if (problem == NULL)
    problem = compare_census(&picture);
  if (problem == NULL)
    problem = compare_stats(&picture);
  picture_drop(&picture);
  return problem;
}

const char *model_compare(heap_model *model) {
  return model_compare_blocks(model->blocks, model->count);
}
