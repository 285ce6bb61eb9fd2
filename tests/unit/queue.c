/* Queues: every function and every outcome, one after the other; the sequence numbers at their end; what a
 * dead thread leaves behind; waiting. Random programs are repeated by WALLOC_SEED. */
#include "unit/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "queue/queue.h"

#define DEAD ((uint32_t)0xFFFFFFF0) /* no thread has this number */
#define MILLISECOND ((uint64_t)1000000)

static walloc_queue *create_queue(walloc_queue_config config) {
  walloc_queue *queue = walloc_queue_create(&config);
  assert_non_null(queue);
  return queue;
}

static walloc_queue *create_at(size_t capacity, bool latest, queue_position first) {
  walloc_queue_config config = {capacity, latest};
  walloc_queue *queue = walloc_queue_create_at(&config, first);
  assert_non_null(queue);
  return queue;
}

/* A block that begins with a number, published with the same number as its tag. */
static walloc_ref numbered(uint32_t number) {
  walloc_ref ref = walloc_alloc_ref(walloc_tier(WALLOC_ENTITY), sizeof number);
  assert_non_null(ref.address);
  *(uint32_t *)ref.address = number;
  return ref;
}

static walloc_error publish(walloc_queue *queue, uint32_t number) {
  return walloc_queue_publish(queue, numbered(number), number);
}

static void assert_publishes(walloc_queue *queue, uint32_t number) {
  assert_int_equal(publish(queue, number), WALLOC_OK);
}

static void assert_takes(walloc_queue *queue, uint32_t number) {
  walloc_ref ref;
  uint32_t tag = ~number;
  assert_int_equal(walloc_queue_poll(queue, &ref, &tag), WALLOC_OK);
  assert_int_equal(tag, number);
  assert_int_equal(*(uint32_t *)walloc_ref_get(ref), number);
}

static void assert_poll(walloc_queue *queue, walloc_error expected) {
  walloc_ref ref;
  assert_int_equal(walloc_queue_poll(queue, &ref, NULL), expected);
}

static void assert_counts(walloc_queue *queue, size_t count) {
  assert_int_equal(walloc_queue_count(queue), count);
}

/* ---- One thread ------------------------------------------------------------------------------ */

static void test_what_goes_in_comes_out_in_order(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){.capacity = 8});
  for (uint32_t i = 0; i < 1000; i++) {
    assert_publishes(queue, i);
    assert_publishes(queue, i + 1000);
    assert_counts(queue, 2);
    assert_takes(queue, i);
    assert_takes(queue, i + 1000);
    assert_poll(queue, WALLOC_ERROR_EMPTY);
    assert_counts(queue, 0);
  }
  walloc_ref sent = numbered(7), ref;
  assert_int_equal(walloc_queue_publish(queue, sent, UINT32_MAX), WALLOC_OK);
  assert_int_equal(walloc_queue_poll(queue, &ref, NULL),
                   WALLOC_OK); /* without asking for the tag */
  assert_ptr_equal(ref.arena, sent.arena);
  assert_ptr_equal(ref.address, sent.address);
  assert_int_equal(ref.size, sent.size);
  assert_true(ref.place == sent.place);
}

static void test_full_is_exact(void **state) {
  (void)state;
  const size_t asked[] = {0, 1, 2, 3, 5, 64, 1000}, real[] = {64, 1, 2, 4, 8, 64, 1024};
  for (int i = 0; i < 7; i++) {
    walloc_queue *queue = create_queue((walloc_queue_config){.capacity = asked[i]});
    for (int round = 0; round < 3; round++) {
      for (uint32_t k = 0; k < real[i]; k++)
        assert_publishes(queue, k);
      for (int again = 0; again < 100; again++) /* more often than there are spare nodes */
        assert_int_equal(publish(queue, 1), WALLOC_ERROR_FULL);
      assert_counts(queue, real[i]);
      for (uint32_t k = 0; k < real[i]; k++)
        assert_takes(queue, k);
      assert_poll(queue, WALLOC_ERROR_EMPTY);
    }
    assert_int_equal(walloc_queue_destroy(queue), WALLOC_OK);
  }
}

static void test_closed_is_drained_first(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){.capacity = 2});
  assert_publishes(queue, 1);
  assert_publishes(queue, 2);
  assert_int_equal(walloc_queue_close(queue), WALLOC_OK);
  assert_int_equal(publish(queue, 3), WALLOC_ERROR_CLOSED);
  assert_takes(queue, 1);
  assert_int_equal(publish(queue, 3), WALLOC_ERROR_CLOSED);
  assert_int_equal(walloc_queue_close(queue), WALLOC_OK);
  assert_takes(queue, 2);
  for (int i = 0; i < 100; i++) {
    assert_poll(queue, WALLOC_ERROR_CLOSED);
    assert_int_equal(publish(queue, 3), WALLOC_ERROR_CLOSED);
  }
  walloc_ref ref;
  assert_int_equal(walloc_queue_wait(queue, &ref, NULL, WALLOC_FOREVER), WALLOC_ERROR_CLOSED);
}

/* A publisher that has found the queue open before it was closed, and comes after its end was told. */
static void test_nothing_comes_after_the_end(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){.capacity = 2});
  assert_int_equal(walloc_queue_close(queue), WALLOC_OK);
  assert_poll(queue, WALLOC_ERROR_CLOSED);
  queue->event &= ~QUEUE_CLOSED; /* as that publisher has seen it */
  assert_int_equal(publish(queue, 3), WALLOC_ERROR_CLOSED);
  assert_poll(queue, WALLOC_ERROR_CLOSED);
}

static void test_stale_is_told_once(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){0});
  walloc_ref kept = walloc_alloc_ref(walloc_tier(WALLOC_SCENE), 8), gone = numbered(1), ref;
  assert_int_equal(walloc_queue_publish(queue, gone, 5), WALLOC_OK);
  assert_int_equal(walloc_queue_publish(queue, kept, 6), WALLOC_OK);
  walloc_reset(walloc_tier(WALLOC_ENTITY));
  uint32_t tag = 0;
  assert_int_equal(walloc_queue_poll(queue, &ref, &tag), WALLOC_ERROR_STALE);
  assert_int_equal(tag, 5);
  assert_ptr_equal(ref.address, gone.address);
  assert_int_equal(walloc_queue_poll(queue, &ref, &tag), WALLOC_OK);
  assert_int_equal(tag, 6);
  assert_poll(queue, WALLOC_ERROR_EMPTY);
  assert_int_equal(walloc_queue_publish(queue, gone, 5), WALLOC_ERROR_STALE);
  assert_int_equal(walloc_queue_publish(queue, (walloc_ref){0}, 5), WALLOC_ERROR_STALE);
  assert_poll(queue, WALLOC_ERROR_EMPTY);
  walloc_arena *arena = create((walloc_arena_config){0});
  assert_int_equal(walloc_queue_publish(queue, walloc_alloc_ref(arena, 8), 1), WALLOC_OK);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  assert_int_equal(walloc_queue_wait(queue, &ref, NULL, 0), WALLOC_ERROR_STALE);
}

static void test_the_latest_replaces_the_oldest(void **state) {
  (void)state;
  const size_t capacity[] = {0, 1, 4}, real[] = {1, 1, 4};
  for (int i = 0; i < 3; i++) {
    walloc_queue *queue = create_queue((walloc_queue_config){capacity[i], .latest = true});
    for (uint32_t n = 0; n < 1000; n++)
      assert_publishes(queue, n);
    assert_counts(queue, real[i]);
    for (size_t n = 1000 - real[i]; n < 1000; n++)
      assert_takes(queue, (uint32_t)n);
    assert_poll(queue, WALLOC_ERROR_EMPTY);
    assert_publishes(queue, 1);
    assert_int_equal(walloc_queue_close(queue), WALLOC_OK);
    assert_int_equal(publish(queue, 2), WALLOC_ERROR_CLOSED);
    assert_takes(queue, 1);
    assert_poll(queue, WALLOC_ERROR_CLOSED);
  }
}

static void test_what_cannot_be_created(void **state) {
  (void)state;
  walloc_queue_config huge = {.capacity = WALLOC_QUEUE_CAPACITY_MAX + 1};
  assert_fails(walloc_queue_create(&huge), WALLOC_ERROR_CONFIG);
  huge.capacity = SIZE_MAX;
  assert_fails(walloc_queue_create(&huge), WALLOC_ERROR_CONFIG);
  walloc_queue *queues[WALLOC_QUEUES_MAX];
  for (int i = 0; i < WALLOC_QUEUES_MAX; i++)
    queues[i] = create_queue((walloc_queue_config){0});
  assert_fails(walloc_queue_create(NULL), WALLOC_ERROR_LIMIT);
  assert_int_equal(walloc_queue_destroy(queues[9]), WALLOC_OK);
  assert_ptr_equal(walloc_queue_create(NULL), queues[9]);
}

static void test_out_of_memory(void **state) {
  (void)state;
  begin_with(&(walloc_config){.maximum = 2 * MIB, .reserve = 64 * KIB});
  walloc_arena *arena = create((walloc_arena_config){0});
  while (walloc_alloc(arena, WALLOC_PAGE_SIZE) != NULL)
    continue; /* also what an earlier test has obtained */
  assert_fails(walloc_queue_create(NULL), WALLOC_ERROR_OUT_OF_MEMORY);
  assert_int_equal(walloc_arena_destroy(arena), WALLOC_OK);
  for (int i = 0; i < WALLOC_QUEUES_MAX; i++) /* the entry is free again */
    create_queue((walloc_queue_config){.capacity = 1});
}

static void assert_refused(walloc_queue *queue, walloc_error error) {
  walloc_ref ref = {0};
  assert_int_equal(walloc_queue_publish(queue, ref, 0), error);
  assert_int_equal(walloc_queue_poll(queue, &ref, NULL), error);
  assert_int_equal(walloc_queue_wait(queue, &ref, NULL, WALLOC_FOREVER), error);
  assert_int_equal(walloc_queue_close(queue), error);
  assert_int_equal(walloc_queue_destroy(queue), error);
  assert_counts(queue, 0);
}

static void test_what_is_no_queue_is_refused(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){0});
  assert_publishes(queue, 1);
  assert_int_equal(walloc_queue_destroy(queue), WALLOC_OK);
  assert_refused(queue, WALLOC_ERROR_HANDLE);
  assert_refused(NULL, WALLOC_ERROR_HANDLE);
  queue = create_queue((walloc_queue_config){0});
  assert_poll(queue, WALLOC_ERROR_EMPTY); /* nothing is left of the one before */
  assert_refused((walloc_queue *)(void *)((char *)queue + 8), WALLOC_ERROR_HANDLE);
  assert_refused(walloc_queues + WALLOC_QUEUES_MAX, WALLOC_ERROR_HANDLE);
  assert_int_equal(walloc_shutdown(), WALLOC_OK);
  assert_refused(queue, WALLOC_ERROR_NOT_INITIALIZED);
  assert_fails(walloc_queue_create(NULL), WALLOC_ERROR_NOT_INITIALIZED);
  begin_with(NULL);
  assert_refused(queue, WALLOC_ERROR_HANDLE);
}

static size_t memory_in_use(void) {
  walloc_memory_stats stats = memory_stats();
  return stats.obtained - stats.free;
}

static void test_its_memory_is_its_own_and_comes_back(void **state) {
  (void)state;
  size_t used = memory_in_use();
  walloc_queue *queue = create_queue((walloc_queue_config){.capacity = 1000});
  assert_true(memory_in_use() >= used + 1024 * (8 + sizeof(queue_node)));
  assert_publishes(queue, 1);
  assert_int_equal(walloc_heap_reset(), WALLOC_OK);
  assert_takes(queue, 1);
  assert_int_equal(walloc_queue_destroy(queue), WALLOC_OK);
  assert_int_equal(memory_in_use(), used);
}

/* ---- Sequence numbers ------------------------------------------------------------------------ */

static void go_round(walloc_queue *queue, uint32_t capacity) {
  for (uint32_t round = 0; round < 8; round++) {
    for (uint32_t i = 0; i < capacity; i++)
      assert_publishes(queue, round + i);
    assert_int_equal(publish(queue, 0), WALLOC_ERROR_FULL);
    assert_counts(queue, capacity);
    assert_takes(queue, round);
    assert_publishes(queue, round + capacity);
    for (uint32_t i = 1; i <= capacity; i++)
      assert_takes(queue, round + i);
    assert_poll(queue, WALLOC_ERROR_EMPTY);
    assert_counts(queue, 0);
  }
}

static void test_sequence_numbers_wrap(void **state) {
  (void)state;
  const queue_position wraps[] = {(queue_position)1 << 32, (queue_position)1 << 31,
                                  (queue_position)7 << 32};
  for (int w = 0; w < 3; w++) {
    for (uint32_t capacity = 1; capacity <= 8; capacity *= 2) {
      for (uint32_t before = 0; before <= 2 * capacity; before++) {
        walloc_queue *queue = create_at(capacity, false, wraps[w] - before);
        go_round(queue, capacity);
        assert_int_equal(walloc_queue_destroy(queue), WALLOC_OK);
        queue = create_at(capacity, true, wraps[w] - before);
        for (uint32_t i = 0; i < 3 * capacity; i++)
          assert_publishes(queue, i);
        assert_takes(queue, 2 * capacity);
        assert_int_equal(walloc_queue_destroy(queue), WALLOC_OK);
      }
    }
  }
}

static void test_the_end_lies_behind_the_wrap(void **state) {
  (void)state;
  walloc_queue *queue = create_at(2, false, ((queue_position)1 << 32) - 2);
  assert_publishes(queue, 1);
  assert_publishes(queue, 2);
  assert_int_equal(walloc_queue_close(queue), WALLOC_OK);
  assert_takes(queue, 1);
  assert_takes(queue, 2);
  assert_poll(queue, WALLOC_ERROR_CLOSED);
  assert_poll(queue, WALLOC_ERROR_CLOSED);
}

/* ---- Random programs beside a ring with two indices -------------------------------------------- */

typedef struct model {
  uint32_t values[8], first, count, capacity;
  bool latest;
} model;

static void model_take(model *m) {
  m->first++;
  m->count--;
}

static void random_step(walloc_queue *queue, model *m, uint32_t random) {
  if (random % 2 == 0) {
    bool is_full = m->count == m->capacity;
    assert_int_equal(publish(queue, random), is_full && !m->latest ? WALLOC_ERROR_FULL : WALLOC_OK);
    if (is_full && m->latest)
      model_take(m);
    if (!is_full || m->latest)
      m->values[(m->first + m->count++) % 8] = random;
  } else if (m->count == 0) {
    assert_poll(queue, WALLOC_ERROR_EMPTY);
  } else {
    assert_takes(queue, m->values[m->first % 8]);
    model_take(m);
  }
  assert_counts(queue, m->count);
}

static void test_random_programs(void **state) {
  (void)state;
  const char *given = getenv("WALLOC_SEED");
  uint32_t seed = given == NULL ? (uint32_t)time(NULL) : (uint32_t)strtoul(given, NULL, 10);
  print_message("WALLOC_SEED=%u\n", seed);
  for (uint32_t i = 0; i < 200; i++) {
    model m = {.capacity = 1u << i % 4, .latest = i % 8 >= 4};
    walloc_queue *queue = create_at(m.capacity, m.latest, ((queue_position)1 << 32) - seed % 64);
    for (int step = 0; step < 500; step++) {
      seed = seed * 1664525u + 1013904223u;
      random_step(queue, &m, seed >> 8);
    }
    assert_int_equal(walloc_queue_destroy(queue), WALLOC_OK);
  }
}

/* ---- What a dead thread leaves behind --------------------------------------------------------- */

static void set_thread(queue_node *node, uint32_t thread) {
  node->state = node_state(state_life(node->state), thread);
}

static void test_nodes_that_were_being_filled_come_back(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){.capacity = 4});
  for (uint32_t n = 0; n < queue->nodes; n++)
    set_thread(&queue->node[n], DEAD);
  assert_int_equal(publish(queue, 1), WALLOC_ERROR_FULL);
  walloc_queue_thread_lost(DEAD - 2);
  assert_int_equal(publish(queue, 1), WALLOC_ERROR_FULL);
  walloc_queue_thread_lost(DEAD);
  for (uint32_t n = 0; n < queue->nodes; n++)
    assert_int_equal(state_thread(queue->node[n].state), QUEUE_NOBODY);
  go_round(queue, 4);
}

static void test_what_was_published_stays(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){.capacity = 4});
  assert_publishes(queue, 1);
  assert_publishes(queue, 2);
  for (uint32_t n = 0; n < queue->nodes; n++)
    if (state_thread(queue->node[n].state) != QUEUE_NOBODY)
      set_thread(&queue->node[n], DEAD);
  walloc_queue_thread_lost(DEAD);
  assert_takes(queue, 1);
  assert_takes(queue, 2);
  go_round(queue, 4);
}

/* Killed between taking a message and moving its cell on: before and after recovery others go on. */
static void test_a_message_in_hand_is_all_that_is_lost(void **state) {
  (void)state;
  for (int recovers_first = 0; recovers_first < 2; recovers_first++) {
    walloc_queue *queue = create_queue((walloc_queue_config){.capacity = 4});
    assert_publishes(queue, 1);
    assert_publishes(queue, 2);
    queue_node *taken = &queue->node[(uint32_t)queue->cells[0] - 1];
    set_thread(taken, DEAD + QUEUE_TAKEN);
    if (recovers_first)
      walloc_queue_thread_lost(DEAD);
    assert_takes(queue, 2);
    assert_poll(queue, WALLOC_ERROR_EMPTY);
    walloc_queue_thread_lost(DEAD);
    assert_int_equal(state_thread(taken->state), QUEUE_NOBODY);
    go_round(queue, 4);
  }
}

/* Killed before the end was raised: the next comer does it. */
static void test_ends_are_raised_by_others(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){.capacity = 4});
  assert_publishes(queue, 1);
  assert_publishes(queue, 2);
  queue->ends->tail = 0;
  assert_takes(queue, 1);
  assert_counts(queue, 0); /* the tail is behind the head */
  assert_publishes(queue, 3);
  assert_takes(queue, 2);
  queue->ends->head = 0;
  assert_takes(queue, 3);
  assert_poll(queue, WALLOC_ERROR_EMPTY);
}

static void test_an_entry_in_the_making_comes_back(void **state) {
  (void)state;
  size_t used = memory_in_use();
  for (int i = 0; i < WALLOC_QUEUES_MAX; i++)
    create_queue((walloc_queue_config){0})->holder = DEAD; /* killed before it was there */
  assert_fails(walloc_queue_create(NULL), WALLOC_ERROR_LIMIT);
  assert_true(memory_in_use() > used);
  walloc_queue_thread_lost(DEAD);
  assert_int_equal(memory_in_use(), used);
  go_round(create_queue((walloc_queue_config){.capacity = 4}), 4);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* What a thread of a test does to the queue once somebody is asleep, or is about to be. */
typedef struct helper {
  walloc_queue *queue;
  walloc_error (*act)(walloc_queue *queue);
  pthread_t thread;
} helper;

static walloc_error publish_nine(walloc_queue *queue) {
  return walloc_queue_publish(queue, walloc_alloc_ref(walloc_tier(WALLOC_ENTITY), 8), 9);
}

/* As a thread that was killed before it changed the word. */
static walloc_error publish_silently(walloc_queue *queue) {
  atomic_fetch_and(&queue->event, ~QUEUE_SLEEPERS);
  return publish_nine(queue);
}

static void *act_when_armed(void *argument) {
  helper *h = argument;
  while ((atomic_load(&h->queue->event) & QUEUE_SLEEPERS) == 0)
    walloc_platform_pause();
  return h->act(h->queue) == WALLOC_OK ? NULL : h;
}

static walloc_error wait_for_helper(walloc_error (*act)(walloc_queue *), uint32_t *tag) {
  helper h = {.queue = create_queue((walloc_queue_config){0}), .act = act};
  walloc_ref ref;
  void *failed;
  assert_int_equal(pthread_create(&h.thread, NULL, act_when_armed, &h), 0);
  walloc_error error = walloc_queue_wait(h.queue, &ref, tag, WALLOC_FOREVER);
  assert_int_equal(pthread_join(h.thread, &failed), 0);
  assert_null(failed);
  return error;
}

static void test_a_sleeper_is_woken(void **state) {
  (void)state;
  for (int i = 0; i < 200; i++) {
    uint32_t tag = 0;
    assert_int_equal(wait_for_helper(publish_nine, &tag), WALLOC_OK);
    assert_int_equal(tag, 9);
    assert_int_equal(wait_for_helper(walloc_queue_close, &tag), WALLOC_ERROR_CLOSED);
    assert_int_equal(walloc_shutdown(), WALLOC_OK);
    begin_with(NULL);
  }
}

static void test_a_sleeper_looks_again_by_itself(void **state) {
  (void)state;
  uint32_t tag = 0;
  assert_int_equal(wait_for_helper(publish_silently, &tag), WALLOC_OK);
  assert_int_equal(tag, 9);
}

static void test_a_wait_ends_in_time(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){0});
  walloc_ref ref;
  const uint64_t times[] = {0, 1, 20 * MILLISECOND, QUEUE_SLICE + 20 * MILLISECOND};
  for (int i = 0; i < 4; i++) {
    uint64_t begin = walloc_platform_now();
    assert_int_equal(walloc_queue_wait(queue, &ref, NULL, times[i]), WALLOC_ERROR_EMPTY);
    assert_true(walloc_platform_now() - begin >= times[i]);
  }
  assert_publishes(queue, 1);
  assert_int_equal(walloc_queue_wait(queue, &ref, NULL, 0), WALLOC_OK);
}

/* So that publishing costs no call of the system while nobody sleeps. */
static void test_the_event_word_changes_for_sleepers_only(void **state) {
  (void)state;
  walloc_queue *queue = create_queue((walloc_queue_config){0});
  uint32_t event = queue->event;
  assert_publishes(queue, 1);
  assert_takes(queue, 1);
  assert_int_equal(queue->event, event);
  uint32_t armed = walloc_queue_arm(queue);
  assert_int_equal(armed, event | QUEUE_SLEEPERS);
  assert_publishes(queue, 1);
  assert_int_equal(queue->event, event + QUEUE_CHANGE);
  assert_publishes(queue, 1);
  assert_int_equal(queue->event, event + QUEUE_CHANGE);
  walloc_queue_arm(queue);
  assert_int_equal(walloc_queue_close(queue), WALLOC_OK);
  assert_int_equal(queue->event, (event + 2 * QUEUE_CHANGE) | QUEUE_CLOSED);
  queue->event = UINT32_MAX; /* its counter wraps */
  walloc_queue_wake(queue, 0);
  assert_int_equal(queue->event, QUEUE_CLOSED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      with_defaults(test_what_goes_in_comes_out_in_order),
      with_defaults(test_full_is_exact),
      with_defaults(test_closed_is_drained_first),
      with_defaults(test_nothing_comes_after_the_end),
      with_defaults(test_stale_is_told_once),
      with_defaults(test_the_latest_replaces_the_oldest),
      with_defaults(test_what_cannot_be_created),
      with_own_config(test_out_of_memory),
      with_defaults(test_what_is_no_queue_is_refused),
      with_defaults(test_its_memory_is_its_own_and_comes_back),
      with_defaults(test_sequence_numbers_wrap),
      with_defaults(test_the_end_lies_behind_the_wrap),
      with_defaults(test_random_programs),
      with_defaults(test_nodes_that_were_being_filled_come_back),
      with_defaults(test_what_was_published_stays),
      with_defaults(test_a_message_in_hand_is_all_that_is_lost),
      with_defaults(test_ends_are_raised_by_others),
      with_defaults(test_an_entry_in_the_making_comes_back),
      with_defaults(test_a_sleeper_is_woken),
      with_defaults(test_a_sleeper_looks_again_by_itself),
      with_defaults(test_a_wait_ends_in_time),
      with_defaults(test_the_event_word_changes_for_sleepers_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
