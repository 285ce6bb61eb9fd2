/* expat: each thread reads documents, one parser and one tree of elements for each, as a server does with what
 * it is sent; looks at the whole tree, and throws it away.
 *
 *     expat          the tree and the parser's own memory are malloc's, and freed one by one
 *     expat:arena    with walloc both are an arena's, and gone with its reset: a lifetime that fits. With the
 *                    other mallocs the same as expat
 *
 * expat takes its memory from functions that are given to it (XML_ParserCreate_MM). */
#include "../../heap/workload.h"
#include <expat.h>
#include <stdio.h>
#include <string.h>

#ifdef BENCH_WALLOC
#include "walloc.h"
static const int has_arenas = 1;
#else
static const int has_arenas = 0;
#endif

enum { DOCUMENTS = 4, BYTES_MOST = 1 << 17, NODES = 220, ROUNDS = 24, PART = 4096, DEPTH = 6 };

/* ---- Memory: a malloc, or the thread's arena ------------------------------------------------ */

static int in_arena; /* written before the threads start */

#ifdef BENCH_WALLOC
static _Thread_local walloc_arena *here; /* the arena of this thread, when in_arena */

enum { HEAD = 16 }; /* before a block lies its size, for resize */

static void *take_from_arena(size_t size) {
  size_t *block = walloc_alloc(here, size + HEAD);
  if (block == NULL)
    abort();
  *block = size;
  return (char *)block + HEAD;
}

static void *resize_in_arena(void *block, size_t size) {
  size_t before = block == NULL ? 0 : *(size_t *)((char *)block - HEAD);
  if (block != NULL && size <= before)
    return block;
  void *moved = take_from_arena(size);
  return before == 0 ? moved : memcpy(moved, block, before);
}

static void begin_arena(void) {
  here = in_arena ? walloc_arena_create(&(walloc_arena_config){.alignment = 16}) : NULL;
}
static void throw_away(void) { walloc_reset(here); }
static void end_arena(void) { walloc_arena_destroy(here); }
#else
static void *take_from_arena(size_t size) { return malloc(size); }
static void *resize_in_arena(void *block, size_t size) { return realloc(block, size); }
static void begin_arena(void) {}
static void throw_away(void) {}
static void end_arena(void) {}
#endif

static void *take(size_t size) {
  void *block = in_arena ? take_from_arena(size) : malloc(size);
  if (block == NULL)
    abort();
  return block;
}

static void *resize(void *block, size_t size) {
  return in_arena ? resize_in_arena(block, size) : realloc(block, size);
}

static void give(void *block) {
  if (!in_arena)
    free(block);
}

static char *copy(const char *text, size_t length) {
  char *block = take(length + 1);
  memcpy(block, text, length);
  block[length] = 0;
  return block;
}

/* ---- Documents ----------------------------------------------------------------------------- */

typedef struct document {
  size_t length;
  char text[BYTES_MOST];
} document;

static document documents[DOCUMENTS]; /* written by begin */

#define ADD(d, ...) \
  ((d)->length += (size_t)snprintf((d)->text + (d)->length, BYTES_MOST - (d)->length, __VA_ARGS__))

/* A scene: nodes in nodes, each with attributes, a matrix, and a material. */
static void write_nodes(document *d, uint32_t *seed, unsigned depth, unsigned *left) {
  while (*left > 0) {
    --*left;
    ADD(d, "<node id=\"n%u\" name=\"part &amp; %x\" layer='%u'>\n", *left, next_random(seed),
        random_below(seed, 8));
    ADD(d, "<matrix sid=\"transform\">");
    for (int i = 0; i < 16; i++)
      ADD(d, "%d.%03u ", (int)random_below(seed, 200) - 100, random_below(seed, 1000));
    ADD(d, "</matrix>\n<instance_material symbol=\"m%u\" target=\"#paint-%u\"/>\n",
        random_below(seed, 40), random_below(seed, 40));
    if (depth < DEPTH && random_below(seed, 2) == 0)
      write_nodes(d, seed, depth + 1, left);
    ADD(d, "</node>\n");
    if (depth > 0 && random_below(seed, 3) == 0)
      return;
  }
}

static void begin(unsigned threads) {
  (void)threads;
  uint32_t seed = random_seed(0);
  for (unsigned i = 0; i < DOCUMENTS; i++) {
    unsigned left = NODES;
    ADD(&documents[i], "<?xml version=\"1.0\"?>\n<!-- scene %u -->\n<scene>\n", i);
    write_nodes(&documents[i], &seed, 0, &left);
    ADD(&documents[i], "</scene>\n");
    if (documents[i].length >= BYTES_MOST)
      abort();
  }
}

static void begin_in_arena(unsigned threads) {
  begin(threads);
#ifdef BENCH_WALLOC
  if (walloc_init(&(walloc_config){.reserve = 1 << 20}) != WALLOC_OK)
    abort();
#endif
  in_arena = has_arenas;
}

/* ---- The tree ------------------------------------------------------------------------------ */

typedef struct element {
  struct element *parent, *first, *last, *next;
  char *name; /* NULL: text */
  char **attributes;
  char *text;
} element;

typedef struct {
  element *at;
  result *sum;
} builder;

static element *add_element(builder *b) {
  element *made = take(sizeof *made);
  *made = (element){.parent = b->at};
  if (b->at != NULL) {
    *(b->at->last == NULL ? &b->at->first : &b->at->last->next) = made;
    b->at->last = made;
  }
  b->sum->operations++;
  return made;
}

static void XMLCALL on_start(void *data, const char *name, const char **attributes) {
  builder *b = data;
  element *made = add_element(b);
  size_t count = 0;
  while (attributes[count] != NULL)
    count++;
  made->name = copy(name, strlen(name));
  made->attributes = take((count + 1) * sizeof *made->attributes);
  for (size_t i = 0; i < count; i++)
    made->attributes[i] = copy(attributes[i], strlen(attributes[i]));
  made->attributes[count] = NULL;
  b->at = made;
}

static void XMLCALL on_end(void *data, const char *name) {
  builder *b = data;
  (void)name;
  if (b->at->parent != NULL)
    b->at = b->at->parent;
}

static void XMLCALL on_text(void *data, const char *text, int length) {
  builder *b = data;
  add_element(b)->text = copy(text, (size_t)length);
}

static void add_text(result *sum, const char *text) {
  for (; text != NULL && *text != 0; text++)
    sum->checksum = sum->checksum * 31 + (unsigned char)*text;
}

/* Adds all that an element holds. */
static void look_at(const element *e, result *sum) {
  add_text(sum, e->name);
  add_text(sum, e->text);
  for (char **attribute = e->attributes; attribute != NULL && *attribute != NULL; attribute++)
    add_text(sum, *attribute);
  for (const element *child = e->first; child != NULL; child = child->next)
    look_at(child, sum);
}

static void free_tree(element *e) {
  for (element *child = e->first, *next; child != NULL; child = next) {
    next = child->next;
    free_tree(child);
  }
  for (char **attribute = e->attributes; attribute != NULL && *attribute != NULL; attribute++)
    give(*attribute);
  give(e->attributes);
  give(e->name);
  give(e->text);
  give(e);
}

/* ---- What a thread does -------------------------------------------------------------------- */

static void read_document(const document *d, result *sum) {
  const XML_Memory_Handling_Suite memory = {take, resize, give};
  builder b = {NULL, sum};
  XML_Parser parser = XML_ParserCreate_MM(NULL, &memory, NULL);
  if (parser == NULL)
    abort();
  XML_SetUserData(parser, &b);
  XML_SetElementHandler(parser, on_start, on_end);
  XML_SetCharacterDataHandler(parser, on_text);
  for (size_t at = 0; at < d->length; at += PART) {
    size_t left = d->length - at;
    int last = left <= PART;
    if (XML_Parse(parser, d->text + at, (int)(last ? left : PART), last) != XML_STATUS_OK)
      abort();
  }
  look_at(b.at, sum);
  if (!in_arena)
    free_tree(b.at);
  XML_ParserFree(parser);
  if (in_arena)
    throw_away();
}

static result run(unsigned thread, unsigned threads) {
  (void)threads;
  result sum = {0, 0};
  begin_arena();
  for (unsigned i = 0; i < ROUNDS * DOCUMENTS; i++)
    read_document(&documents[(i + thread) % DOCUMENTS], &sum);
  if (in_arena)
    end_arena();
  return sum;
}

static const workload expat = {"expat", begin, run, NULL};
static const workload expat_arena = {"expat:arena", begin_in_arena, run, NULL};
const workload *const workloads[] = {&expat, &expat_arena, NULL};
