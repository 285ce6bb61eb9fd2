/* tree-sitter with its grammar of C++: each thread parses a project's sources, asks for the functions in them,
 * changes each source in many places, parses it again by way of the old tree, and walks the new one.
 *
 * A tree is made of many small reference-counted nodes, some of which the old and the new one share. The
 * sources are in the program's file system (--embed-file), and are read before the time is taken. */
#include "../../heap/workload.h"
#include <stdio.h>
#include <string.h>
#include <tree_sitter/api.h>

enum { SOURCES_MOST = 32, BYTES_MOST = 1 << 17, EDITS = 6, NODES_MOST = 1 << 24 };

extern const TSLanguage *tree_sitter_cpp(void);

typedef struct source {
  uint32_t length;
  char text[BYTES_MOST];
} source;

static source sources[SOURCES_MOST]; /* written by begin */
static unsigned source_count;

static const char FUNCTIONS[] =
    "(function_definition declarator: (function_declarator declarator: (_) @name)) @function"
    "(call_expression function: (_) @called)";

/* SOURCES: the files' names, one behind the other, each ended by a colon. */
static void begin(unsigned threads) {
  (void)threads;
  const char *names = SOURCES;
  for (const char *end; (end = strchr(names, ':')) != NULL; names = end + 1) {
    char path[256];
    snprintf(path, sizeof path, "/sources/%.*s", (int)(end - names), names);
    FILE *file = source_count < SOURCES_MOST ? fopen(path, "rb") : NULL;
    if (file == NULL)
      abort();
    source *into = &sources[source_count++];
    into->length = (uint32_t)fread(into->text, 1, BYTES_MOST, file);
    fclose(file);
  }
  if (source_count == 0)
    abort();
}

/* Every node, by its kind and where it ends. */
static void walk(TSTree *tree, result *sum) {
  TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
  for (int down = 1; down >= 0;) {
    if (down) {
      TSNode node = ts_tree_cursor_current_node(&cursor);
      sum->checksum = sum->checksum * 31 + ts_node_symbol(node) + ts_node_end_byte(node);
      sum->operations++;
    }
    if (down && ts_tree_cursor_goto_first_child(&cursor))
      continue;
    down = ts_tree_cursor_goto_next_sibling(&cursor);
    if (!down && !ts_tree_cursor_goto_parent(&cursor))
      down = -1;
  }
  ts_tree_cursor_delete(&cursor);
}

static void ask(TSTree *tree, const TSQuery *query, result *sum) {
  TSQueryCursor *cursor = ts_query_cursor_new();
  ts_query_cursor_exec(cursor, query, ts_tree_root_node(tree));
  for (TSQueryMatch match; ts_query_cursor_next_match(cursor, &match);)
    sum->checksum = sum->checksum * 31 + ts_node_start_byte(match.captures[0].node);
  ts_query_cursor_delete(cursor);
}

/* The line and the column of a byte of the text. */
static TSPoint point_of(const source *text, uint32_t at) {
  TSPoint point = {0, at};
  const char *line = text->text, *end = text->text + at, *found;
  while ((found = memchr(line, '\n', (size_t)(end - line))) != NULL) {
    line = found + 1;
    point = (TSPoint){point.row + 1, (uint32_t)(end - line)};
  }
  return point;
}

/* Turns some byte of the text into a space or, where there is one, into a letter. */
static void edit(source *text, TSTree *tree, uint32_t *seed) {
  uint32_t at = random_below(seed, text->length - 1);
  TSPoint start = point_of(text, at), old_end = point_of(text, at + 1);
  TSPoint new_end = {start.row, start.column + 1};
  text->text[at] = text->text[at] == ' ' ? 'x' : ' ';
  ts_tree_edit(tree, &(TSInputEdit){at, at + 1, at + 1, start, old_end, new_end});
}

/* By way of the old tree, if there is one. */
static TSTree *parse_text(TSParser *parser, const TSTree *old, const source *text) {
  TSTree *tree = ts_parser_parse_string(parser, old, text->text, text->length);
  if (tree == NULL)
    abort();
  return tree;
}

static void parse(TSParser *parser, const TSQuery *query, source *text, uint32_t *seed,
                  result *sum) {
  TSTree *tree = parse_text(parser, NULL, text);
  ask(tree, query, sum);
  for (int i = 0; i < EDITS; i++) {
    edit(text, tree, seed);
    TSTree *old = tree;
    tree = parse_text(parser, old, text);
    ts_tree_delete(old);
  }
  walk(tree, sum);
  ts_tree_delete(tree);
}

static result run(unsigned thread, unsigned threads) {
  (void)threads;
  result sum = {0, 0};
  uint32_t seed = random_seed(thread), where;
  TSQueryError error;
  TSParser *parser = ts_parser_new();
  TSQuery *query = ts_query_new(tree_sitter_cpp(), FUNCTIONS, sizeof FUNCTIONS - 1, &where, &error);
  source *copy = malloc(sizeof *copy);
  if (query == NULL || copy == NULL || !ts_parser_set_language(parser, tree_sitter_cpp()))
    abort();
  for (unsigned i = 0; i < source_count; i++) {
    memcpy(copy, &sources[i], sizeof *copy);
    parse(parser, query, copy, &seed, &sum);
  }
  free(copy);
  ts_query_delete(query);
  ts_parser_delete(parser);
  return sum;
}

static const workload tree_sitter = {"tree-sitter", begin, run, NULL};
const workload *const workloads[] = {&tree_sitter, NULL};
