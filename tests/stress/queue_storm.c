/* The storm on queues: many threads publish, many take, by polling and by sleeping.
 *
 *     queue_storm
 *
 * WALLOC_SEED repeats a run's choices (not its interleavings), WALLOC_ROUNDS multiplies its length.
 *
 * What must hold: each message is taken exactly once, with the bytes that its publisher has written, and those
 * of one publisher in order; a queue of the latest gives each thread newer messages of each publisher only,
 * and ends with one of the last ones; whoever was to be woken by a close is. */
#include "walloc_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS_MAX = 8, WORDS = 8 };

typedef struct storm {
  walloc_queue *queue;
  bool latest;
  unsigned producers, consumers;
  uint32_t messages; /* of each producer */
  uint32_t seed;
  uint32_t *taken;            /* [producer][message]; relaxed: read after the joins */
  _Atomic uint32_t remaining; /* producers at work; who ends last closes */
  _Atomic uint32_t violations;
} storm;

typedef struct storm_thread {
  storm *storm;
  unsigned number;
  pthread_t thread;
} storm_thread;

static void require(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "cannot go on: %s (%s)\n", what, walloc_error_text(walloc_last_error()));
  exit(EXIT_FAILURE);
}

static void violation(storm *s, const char *what, uint32_t producer, uint32_t message) {
  if (atomic_fetch_add_explicit(&s->violations, 1, memory_order_relaxed) < 10)
    fprintf(stderr, "violation: %s: %u of %u\n", what, message, producer);
}

static uint32_t next_random(uint32_t *random) {
  *random = *random * 1664525u + 1013904223u;
  return *random >> 8;
}

/* ---- Producers ------------------------------------------------------------------------------- */

/* What all words of a message are. */
static uint32_t word_of(unsigned producer, uint32_t message, uint32_t i) {
  return (producer << 24 | message) * 2654435761u + i;
}

static walloc_ref message_of(unsigned producer, uint32_t message) {
  walloc_ref ref = walloc_alloc_ref(walloc_tier(WALLOC_SCENE), WORDS * sizeof(uint32_t));
  require(ref.address != NULL, "a block");
  uint32_t *words = ref.address;
  for (uint32_t i = 0; i < WORDS; i++)
    words[i] = word_of(producer, message, i);
  return ref;
}

static void *produce(void *argument) {
  storm_thread *own = argument;
  storm *s = own->storm;
  uint32_t random = s->seed + own->number;
  for (uint32_t m = 0; m < s->messages; m++) {
    walloc_ref ref = message_of(own->number, m);
    walloc_error error;
    while ((error = walloc_queue_publish(s->queue, ref, own->number << 24 | m)) != WALLOC_OK) {
      if (error != WALLOC_ERROR_FULL)
        violation(s, walloc_error_text(error), own->number, m);
      sched_yield();
    }
    if (next_random(&random) % 64 == 0)
      sched_yield();
  }
  if (atomic_fetch_sub_explicit(&s->remaining, 1, memory_order_acq_rel) == 1)
    walloc_queue_close(s->queue);
  return NULL;
}

/* ---- Consumers ------------------------------------------------------------------------------- */

static walloc_error take(storm_thread *own, uint32_t *random, walloc_ref *ref, uint32_t *tag) {
  walloc_queue *queue = own->storm->queue;
  if (next_random(random) % 2 == 0)
    return walloc_queue_wait(queue, ref, tag, WALLOC_FOREVER);
  walloc_error error = walloc_queue_poll(queue, ref, tag);
  if (error == WALLOC_ERROR_EMPTY)
    sched_yield();
  return error;
}

static void check(storm *s, uint32_t *seen, walloc_ref ref, uint32_t tag) {
  uint32_t producer = tag >> 24, message = tag & 0xFFFFFF;
  if (producer >= s->producers || message >= s->messages) {
    violation(s, "a tag of nobody's", producer, message);
    return;
  }
  const uint32_t *words = walloc_ref_get(ref);
  for (uint32_t i = 0; i < WORDS; i++) {
    if (words == NULL || words[i] != word_of(producer, message, i))
      violation(s, "bytes that were not published", producer, message);
  }
  if (seen[producer] > message)
    violation(s, "an older message after a newer one", producer, message);
  seen[producer] = message + 1;
  s->taken[producer * s->messages + message]++; /* a second one would be a race, too */
}

static void *consume(void *argument) {
  storm_thread *own = argument;
  uint32_t random = own->storm->seed * 3 + own->number, seen[THREADS_MAX] = {0};
  for (;;) {
    walloc_ref ref;
    uint32_t tag;
    walloc_error error = take(own, &random, &ref, &tag);
    if (error == WALLOC_ERROR_CLOSED)
      return NULL;
    if (error == WALLOC_OK)
      check(own->storm, seen, ref, tag);
    else if (error != WALLOC_ERROR_EMPTY)
      violation(own->storm, walloc_error_text(error), own->number, 0);
  }
}

/* ---- One storm ------------------------------------------------------------------------------- */

static void check_all_taken(storm *s) {
  uint32_t last = 0;
  for (unsigned p = 0; p < s->producers; p++) {
    for (uint32_t m = 0; m < s->messages; m++) {
      uint32_t times = s->taken[p * s->messages + m];
      if (times > 1 || (times == 0 && !s->latest))
        violation(s, times == 0 ? "never taken" : "taken more than once", p, m);
    }
    last += s->taken[(p + 1) * s->messages - 1];
  }
  if (last == 0)
    violation(s, "the last messages were replaced by older ones", 0, 0);
}

static void start(storm_thread *threads, unsigned count, storm *s, void *(*body)(void *)) {
  for (unsigned i = 0; i < count; i++) {
    threads[i] = (storm_thread){.storm = s, .number = i};
    require(pthread_create(&threads[i].thread, NULL, body, &threads[i]) == 0, "a thread");
  }
}

static uint32_t run(storm s, size_t capacity) {
  storm_thread producers[THREADS_MAX], consumers[THREADS_MAX];
  require(walloc_init(&(walloc_config){.maximum = 256 << 20}) == WALLOC_OK, "walloc_init");
  s.queue = walloc_queue_create(&(walloc_queue_config){capacity, s.latest});
  require(s.queue != NULL, "a queue");
  s.taken = calloc((size_t)s.producers * s.messages, sizeof *s.taken);
  require(s.taken != NULL, "memory");
  s.remaining = s.producers;
  start(consumers, s.consumers, &s, consume);
  start(producers, s.producers, &s, produce);
  for (unsigned i = 0; i < s.producers; i++)
    pthread_join(producers[i].thread, NULL);
  for (unsigned i = 0; i < s.consumers; i++)
    pthread_join(consumers[i].thread, NULL);
  check_all_taken(&s);
  free(s.taken);
  require(walloc_shutdown() == WALLOC_OK, "walloc_shutdown");
  printf("%u to %u, capacity %zu%s: %u violations\n", s.producers, s.consumers, capacity,
         s.latest ? ", latest" : "", s.violations);
  fflush(stdout);
  return s.violations;
}

static uint32_t number_from(const char *name, uint32_t otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

int main(void) {
  static const unsigned shapes[][2] = {{1, 1}, {4, 4}, {8, 1}, {1, 8}, {8, 8}};
  static const size_t capacities[] = {1, 4, 64};
  uint32_t seed = number_from("WALLOC_SEED", (uint32_t)time(NULL)), violations = 0;
  printf("WALLOC_SEED=%u\n", seed);
  storm s = {.messages = 4000 * number_from("WALLOC_ROUNDS", 1), .seed = seed};
  require(s.messages <= 1 << 24, "fewer rounds");
  for (int shape = 0; shape < 5; shape++) {
    s.producers = shapes[shape][0];
    s.consumers = shapes[shape][1];
    s.latest = false;
    violations += run(s, capacities[shape % 3]) + run(s, capacities[(shape + 1) % 3]);
    s.latest = true;
    violations += run(s, shape % 2 == 0 ? 1 : 4);
  }
  return violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
