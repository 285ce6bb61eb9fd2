/* SQLite: several threads on one database in memory, each with a connection of its own.
 *
 * The database is SQLite's "memdb", which all connections of a process share; it keeps one copy of the pages,
 * and each connection a cache of them. The threads read the same tables, by statements that are compiled each
 * time, fill temporary tables of their own, and now and then write into the shared database: then the others
 * wait, and read again what they had in their caches.
 *
 * A thread reads only what no other writes, so that the checksum does not depend on who was first. */
#include "../../heap/workload.h"
#include "sqlite3.h"
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum { CUSTOMERS = 400, SALES = 2400, ROUNDS = 60, WRITE_EVERY = 6, WAIT_US = 50 };

static const char ADDRESS[] = "file:/shop?vfs=memdb"; /* the slash: shared between connections */

static sqlite3
    *keeper; /* the database lives as long as a connection; begin opens it, end closes it */

/* ---- Statements ---------------------------------------------------------------------------- */

static int try_again(void *unused, int tries) {
  (void)unused, (void)tries;
  usleep(WAIT_US);
  return 1;
}

static sqlite3 *open_shop(void) {
  sqlite3 *connection;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
  if (sqlite3_open_v2(ADDRESS, &connection, flags, NULL) != SQLITE_OK)
    abort();
  sqlite3_busy_handler(connection, try_again, NULL);
  return connection;
}

static void add_text(result *sum, const unsigned char *text) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (; text != NULL && *text != 0; text++)
    hash = (hash ^ *text) * 16777619u;
  sum->checksum += hash;
}

/* Compiles a statement, goes through its rows, and adds all that they hold. */
static void run_statement(sqlite3 *connection, result *sum, const char *text) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(connection, text, -1, &statement, NULL) != SQLITE_OK)
    abort();
  int state;
  while ((state = sqlite3_step(statement)) == SQLITE_ROW)
    for (int i = 0; i < sqlite3_column_count(statement); i++)
      add_text(sum, sqlite3_column_text(statement, i));
  if (state != SQLITE_DONE || sqlite3_finalize(statement) != SQLITE_OK)
    abort();
  sum->operations++;
}

/* With the formats of sqlite3_mprintf. */
static void run_format(sqlite3 *connection, result *sum, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = sqlite3_vmprintf(format, arguments);
  va_end(arguments);
  if (text == NULL)
    abort();
  run_statement(connection, sum, text);
  sqlite3_free(text);
}

/* ---- The shop ------------------------------------------------------------------------------ */

static void fill(sqlite3 *connection, result *sum) {
  uint32_t seed = random_seed(0);
  run_statement(connection, sum, "BEGIN");
  for (unsigned i = 1; i <= CUSTOMERS; i++)
    run_format(connection, sum, "INSERT INTO customer VALUES(%u, 'customer %u', 'city %u')", i,
               random_below(&seed, 1000000), random_below(&seed, 90));
  for (unsigned i = 1; i <= SALES; i++) {
    run_format(connection, sum, "INSERT INTO sale VALUES(%u, %u, '2024-%02u-%02u', %u)", i,
               1 + random_below(&seed, CUSTOMERS), 1 + random_below(&seed, 12),
               1 + random_below(&seed, 28), random_below(&seed, 100000));
    for (unsigned k = random_below(&seed, 4); k > 0; k--)
      run_format(connection, sum, "INSERT INTO line VALUES(%u, 'article %u', %u, '%08x%08x')", i,
                 random_below(&seed, 500), 1 + random_below(&seed, 9), next_random(&seed),
                 next_random(&seed));
  }
  run_statement(connection, sum, "COMMIT");
}

static void begin(unsigned threads) {
  result ignored = {0, 0};
  keeper = open_shop();
  static const char *const tables[] = {
      "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT)",
      "CREATE TABLE sale(id INTEGER PRIMARY KEY, customer INT, day TEXT, price INT)",
      "CREATE TABLE line(sale INT, article TEXT, count INT, note TEXT)",
      "CREATE TABLE visit(thread INT, number INT, note TEXT)",
      "CREATE INDEX line_sale ON line(sale)",
      "CREATE INDEX sale_customer ON sale(customer, day)",
  };
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    run_statement(keeper, &ignored, tables[i]);
  fill(keeper, &ignored);
  for (unsigned i = 0; i < threads; i++)
    run_format(keeper, &ignored, "INSERT INTO visit VALUES(%u, 0, '')", i);
}

/* ---- What a thread does -------------------------------------------------------------------- */

static void ask(sqlite3 *connection, result *sum, uint32_t *seed) {
  for (int i = 0; i < 4; i++)
    run_format(connection, sum,
               "SELECT c.name, s.day, sum(l.count) AS n, group_concat(l.article, '; ')"
               " FROM customer c JOIN sale s ON s.customer = c.id LEFT JOIN line l ON l.sale = s.id"
               " WHERE c.id = %u GROUP BY s.id ORDER BY n DESC, s.day LIMIT 5",
               1 + random_below(seed, CUSTOMERS));
  run_format(connection, sum,
             "WITH big AS (SELECT customer, sum(price) AS total, json_group_array(day) AS days"
             " FROM sale WHERE customer %% 8 = %u GROUP BY customer HAVING total > %u)"
             " SELECT city, count(*), max(length(days)) FROM big"
             " JOIN customer ON customer.id = big.customer GROUP BY city ORDER BY 2, 1",
             random_below(seed, 8), random_below(seed, 400));
  run_format(connection, sum,
             "SELECT printf('%%s-%%d', replace(note, 'a', 'xyz'), count) FROM line"
             " WHERE sale BETWEEN %u AND %u ORDER BY note LIMIT 40",
             random_below(seed, SALES / 2), SALES / 2 + random_below(seed, SALES / 2));
}

static void keep_notes(sqlite3 *connection, result *sum, uint32_t *seed) {
  run_format(connection, sum,
             "CREATE TEMP TABLE note AS SELECT s.id, s.day || '/' || l.article AS text"
             " FROM sale s JOIN line l ON l.sale = s.id WHERE s.customer < %u LIMIT 300",
             20 + random_below(seed, 60));
  run_statement(connection, sum, "CREATE INDEX temp.note_text ON note(text)");
  run_statement(connection, sum, "UPDATE note SET text = upper(text) || id WHERE id % 3 = 0");
  run_statement(connection, sum, "SELECT count(*), min(text), max(text) FROM note");
  run_statement(connection, sum, "DROP TABLE note");
}

static void visit(sqlite3 *connection, result *sum, unsigned thread, unsigned number) {
  run_statement(connection, sum, "BEGIN IMMEDIATE");
  run_format(connection, sum,
             "UPDATE visit SET number = %u, note = hex(note || number) WHERE thread = %u", number,
             thread);
  run_format(connection, sum, "SELECT number, length(note) FROM visit WHERE thread = %u", thread);
  run_statement(connection, sum, "COMMIT");
}

static result run(unsigned thread, unsigned threads) {
  (void)threads;
  result sum = {0, 0};
  uint32_t seed = random_seed(thread);
  sqlite3 *connection = open_shop();
  for (unsigned i = 0; i < ROUNDS; i++) {
    ask(connection, &sum, &seed);
    keep_notes(connection, &sum, &seed);
    if (i % WRITE_EVERY == 0)
      visit(connection, &sum, thread, i);
  }
  if (sqlite3_close(connection) != SQLITE_OK)
    abort();
  return sum;
}

/* What all have written. */
static result end(void) {
  result sum = {0, 0};
  run_statement(keeper, &sum, "SELECT * FROM visit ORDER BY thread");
  run_statement(keeper, &sum, "PRAGMA integrity_check");
  if (sqlite3_close(keeper) != SQLITE_OK)
    abort();
  return sum;
}

static const workload sqlite = {"sqlite", begin, run, end};
const workload *const workloads[] = {&sqlite, NULL};
