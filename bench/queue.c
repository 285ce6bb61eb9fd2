/* What a queue costs beside a ring under a mutex, as ratios taken in one run: a publish and a poll by one
 * thread; messages from one thread to another, and from two to two, by polling and by sleeping.
 *
 * Rounds of the two alternate, so that a slow moment of the machine meets both; the medians count. */
#include "clock.h"
#include "walloc_queue.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 15, MESSAGES = 100000, CAPACITY = 64, SIDE = 2 };

/* ---- A ring under a mutex, with two conditions ------------------------------------------------ */

static struct ring {
  pthread_mutex_t lock;
  pthread_cond_t filled;
  walloc_ref refs[CAPACITY];
  unsigned head, count;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static bool ring_publish(walloc_ref ref) {
  pthread_mutex_lock(&ring.lock);
  bool has_room = ring.count < CAPACITY;
  if (has_room)
    ring.refs[(ring.head + ring.count++) % CAPACITY] = ref;
  pthread_mutex_unlock(&ring.lock);
  if (has_room)
    pthread_cond_signal(&ring.filled);
  return has_room;
}

static bool ring_take(walloc_ref *ref, bool sleeps) {
  pthread_mutex_lock(&ring.lock);
  while (ring.count == 0 && sleeps)
    pthread_cond_wait(&ring.filled, &ring.lock);
  bool has_one = ring.count > 0;
  if (has_one) {
    *ref = ring.refs[ring.head];
    ring.head = (ring.head + 1) % CAPACITY;
    ring.count--;
  }
  pthread_mutex_unlock(&ring.lock);
  return has_one && walloc_ref_valid(*ref); /* as the queue does */
}

/* ---- Both -------------------------------------------------------------------------------------- */

static walloc_queue *queue;
static walloc_ref block;
static bool uses_queue, sleeps; /* of the present round; written between the rounds */

static bool publish(void) {
  return uses_queue ? walloc_queue_publish(queue, block, 0) == WALLOC_OK : ring_publish(block);
}

static bool take(void) {
  walloc_ref ref;
  if (!uses_queue)
    return ring_take(&ref, sleeps);
  return (sleeps ? walloc_queue_wait(queue, &ref, NULL, WALLOC_FOREVER)
                 : walloc_queue_poll(queue, &ref, NULL)) == WALLOC_OK;
}

static void *produce(void *unused) {
  for (int i = 0; i < MESSAGES; i++)
    while (!publish())
      sched_yield();
  return unused;
}

static void *consume(void *unused) {
  for (int i = 0; i < MESSAGES; i++)
    while (!take())
      sched_yield();
  return unused;
}

/* Nanoseconds for each message and thread. */
static double time_round(int side) {
  pthread_t threads[2 * SIDE];
  double start = clock_ns();
  if (side == 0) {
    for (int i = 0; i < MESSAGES; i++)
      if (!publish() || !take())
        exit(EXIT_FAILURE);
  }
  for (int i = 0; i < 2 * side; i++)
    if (pthread_create(&threads[i], NULL, i < side ? produce : consume, NULL) != 0)
      exit(EXIT_FAILURE);
  for (int i = 0; i < 2 * side; i++)
    pthread_join(threads[i], NULL);
  return (clock_ns() - start) / (double)MESSAGES;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void report(const char *what, int side, bool by_sleeping) {
  double times[2][ROUNDS];
  sleeps = by_sleeping;
  for (int i = 0; i < 2 * ROUNDS; i++) {
    uses_queue = i % 2 == 1;
    times[i % 2][i / 2] = time_round(side);
  }
  for (int i = 0; i < 2; i++)
    qsort(times[i], ROUNDS, sizeof(double), compare);
  double of_ring = times[0][ROUNDS / 2], of_queue = times[1][ROUNDS / 2];
  printf("%-28s queue %7.1f ns, ring under a mutex %7.1f ns, ratio %.2f\n", what, of_queue, of_ring,
         of_queue / of_ring);
  fflush(stdout);
}

int main(void) {
  if (walloc_init(NULL) != WALLOC_OK)
    return EXIT_FAILURE;
  queue = walloc_queue_create(&(walloc_queue_config){.capacity = CAPACITY});
  block = walloc_alloc_ref(walloc_tier(WALLOC_RENDER), 64);
  report("publish and poll, 1 thread", 0, false);
  report("1 to 1, polling", 1, false);
  report("2 to 2, polling", SIDE, false);
  report("1 to 1, sleeping", 1, true);
  report("2 to 2, sleeping", SIDE, true);
  return walloc_shutdown() == WALLOC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
