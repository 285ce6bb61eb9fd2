/* A job system: worker threads build meshes, the render thread uploads them, and neither waits for a lock.
 *
 *     render thread    jobs  ──►  workers    each job is a block of the current frame
 *                      uploads  ◄──          and so is each mesh
 *
 * The memory is that of frames, three of them in flight: nobody frees a job or a mesh. The render thread pins a
 * mesh while it uploads it, as a renderer must whose driver reads the memory later. */
#include "walloc.h"
#include "walloc_frames.h"
#include "walloc_queue.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 3, FRAMES = 60, MESHES = 24, VERTICES_MOST = 900 };

typedef struct job {
  unsigned frame, mesh;
} job;

typedef struct vertex {
  float place[3], normal[3];
} vertex;

static walloc_frames *frames; /* these three are written by main, before the threads start */
static walloc_queue *jobs, *uploads;

static void check(bool right, const char *what) {
  if (right)
    return;
  fprintf(stderr, "%s: %s\n", what, walloc_error_text(walloc_last_error()));
  exit(EXIT_FAILURE);
}

/* ---- The workers --------------------------------------------------------------------------- */

static size_t vertices_of(job j) { return 300 + (j.frame * 7 + j.mesh * 31) % 600; }

static walloc_ref build_mesh(job j) {
  size_t count = vertices_of(j);
  walloc_ref mesh = walloc_frames_alloc_ref(frames, count * sizeof(vertex));
  check(mesh.address != NULL, "a mesh");
  vertex *vertices = mesh.address;
  for (size_t i = 0; i < count; i++)
    vertices[i] = (vertex){{(float)j.frame, (float)j.mesh, (float)i}, {0, 1, 0}};
  return mesh;
}

static void *work(void *unused) {
  walloc_ref next;
  while (walloc_queue_wait(jobs, &next, NULL, WALLOC_FOREVER) == WALLOC_OK) {
    job *j = next.address;
    check(walloc_queue_publish(uploads, build_mesh(*j), j->mesh) == WALLOC_OK, "an upload");
  }
  return unused; /* the queue is closed */
}

/* ---- The render thread --------------------------------------------------------------------- */

static vertex gpu_buffer[VERTICES_MOST]; /* stands for glBufferSubData or writeBuffer */

static void give_jobs(unsigned frame) {
  for (unsigned i = 0; i < MESHES; i++) {
    walloc_ref block = walloc_frames_alloc_ref(frames, sizeof(job));
    check(block.address != NULL, "a job");
    *(job *)block.address = (job){frame, i};
    check(walloc_queue_publish(jobs, block, 0) == WALLOC_OK, "a job");
  }
}

/* Whether the mesh arrived as it was built. */
static bool upload(walloc_ref mesh, job expected) {
  const vertex *vertices = walloc_pin_ref(mesh);
  check(vertices != NULL, "a pin");
  size_t count = mesh.size / sizeof(vertex);
  memcpy(gpu_buffer, vertices, count * sizeof(vertex));
  walloc_unpin(mesh.arena);
  const float *last = gpu_buffer[count - 1].place;
  return count == vertices_of(expected) && last[0] == (float)expected.frame &&
         last[1] == (float)expected.mesh && last[2] == (float)(count - 1);
}

static unsigned take_uploads(unsigned frame) {
  unsigned whole = 0;
  for (unsigned i = 0; i < MESHES; i++) {
    walloc_ref mesh;
    uint32_t number;
    check(walloc_queue_wait(uploads, &mesh, &number, WALLOC_FOREVER) == WALLOC_OK, "a mesh");
    whole += upload(mesh, (job){frame, number});
  }
  return whole;
}

int main(void) {
  pthread_t workers[WORKERS];
  check(walloc_init(NULL) == WALLOC_OK, "walloc_init");
  frames = walloc_frames_create(NULL);
  jobs = walloc_queue_create(NULL);
  uploads = walloc_queue_create(NULL);
  check(frames != NULL && jobs != NULL && uploads != NULL, "frames and queues");
  for (unsigned i = 0; i < WORKERS; i++)
    check(pthread_create(&workers[i], NULL, work, NULL) == 0, "a thread");

  unsigned whole = 0;
  for (unsigned frame = 0; frame < FRAMES; frame++) {
    give_jobs(frame);
    whole += take_uploads(frame);
    check(walloc_frames_advance(frames) == WALLOC_OK, "the next frame");
  }

  walloc_queue_close(jobs);
  for (unsigned i = 0; i < WORKERS; i++)
    pthread_join(workers[i], NULL);
  walloc_frames_stats stats;
  walloc_get_frames_stats(frames, &stats);
  printf("%u of %u meshes uploaded whole, in %u frames out of %u storages\n", whole,
         FRAMES * MESHES, stats.advances, stats.storages);
  return walloc_shutdown() == WALLOC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
