/* Producers and consumers, after Lever and Boreham, "malloc() performance in a multithreaded Linux
 * environment" (USENIX 2000): half of the threads allocate batches of blocks, the others free them. One
 * thread alone takes turns. */
#include "workload.h"

#include <pthread.h>

enum { BATCH = 120, BATCHES = 60000, QUEUE = 64, SIZE_LEAST = 16, SIZE_MOST = 256 };

typedef struct batch {
  void *blocks[BATCH];
} batch;

/* From one producer to one consumer. Everything under the lock. */
typedef struct queue {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  uint32_t sent, received;
  batch batches[QUEUE];
} queue;

static queue queues[THREADS_MAX / 2];

static void begin(unsigned threads) {
  for (unsigned i = 0; i < threads / 2; i++) {
    pthread_mutex_init(&queues[i].lock, NULL);
    pthread_cond_init(&queues[i].changed, NULL);
    queues[i].sent = queues[i].received = 0;
  }
}

static void fill(batch *b, uint32_t *random, result *sum) {
  for (int i = 0; i < BATCH; i++)
    b->blocks[i] = stamped(SIZE_LEAST + random_below(random, SIZE_MOST - SIZE_LEAST), *random);
  sum->operations += BATCH;
}

static void empty(batch *b, result *sum) {
  for (int i = 0; i < BATCH; i++)
    free_stamped(b->blocks[i], sum);
}

static void send(queue *q, const batch *b) {
  pthread_mutex_lock(&q->lock);
  while (q->sent - q->received == QUEUE)
    pthread_cond_wait(&q->changed, &q->lock);
  q->batches[q->sent++ % QUEUE] = *b;
  pthread_cond_signal(&q->changed);
  pthread_mutex_unlock(&q->lock);
}

static void receive(queue *q, batch *b) {
  pthread_mutex_lock(&q->lock);
  while (q->sent == q->received)
    pthread_cond_wait(&q->changed, &q->lock);
  *b = q->batches[q->received++ % QUEUE];
  pthread_cond_signal(&q->changed);
  pthread_mutex_unlock(&q->lock);
}

static result run(unsigned thread, unsigned threads) {
  result sum = {0, 0};
  uint32_t random = random_seed(thread);
  uint32_t batches = threads == 1 ? BATCHES : BATCHES / (threads / 2);
  queue *q = &queues[thread / 2];
  batch b;
  for (uint32_t i = 0; i < batches; i++) {
    if (thread % 2 == 0)
      fill(&b, &random, &sum);
    else
      receive(q, &b);
    if (threads > 1 && thread % 2 == 0)
      send(q, &b);
    else
      empty(&b, &sum);
  }
  return sum;
}

const workload xmalloc = {"xmalloc", begin, run, NULL};
