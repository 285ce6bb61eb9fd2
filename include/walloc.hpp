/* walloc for C++17 and newer: memory resources and allocators for containers, and objects that end what they began.
 * Everything else is the C API of walloc.h and its companions, which can be called from C++ as it is.
 *
 *     walloc::arena_resource frame(walloc_tier(WALLOC_RENDER));
 *     std::pmr::vector<vertex> vertices(&frame);                std::pmr, out of an arena
 *     std::pmr::vector<item> items(walloc::heap());             std::pmr, out of the heap
 *
 *     std::vector<vertex, walloc::arena_allocator<vertex>> a(walloc_tier(WALLOC_RENDER));
 *     std::vector<item, walloc::heap_allocator<item>> b;        without a virtual call
 *
 *     walloc::pin reading(arena);                   until the end of the block nothing of it is recycled
 *     walloc::scope scratch(arena);                 at the end of the block all allocated meanwhile is gone
 *     walloc::context scene = walloc::context::create(arena);   copies are references
 *
 * What lies in an arena goes with its generation, in one step and without a destructor: end a container before the
 * arena is reset, compacted or rewound behind it, or never look at it again. To deallocate from an arena does
 * nothing; a vector that grows leaves its older storage behind until then, so reserve.
 *
 * Errors: an allocation that fails throws walloc::bad_alloc, which is a std::bad_alloc and says why; compiled without
 * exceptions, it writes the reason and aborts, as a container has no other way to tell. Objects that end something
 * throw nothing: ask them whether they hold it, and error() for the reason.
 *
 * Threads: as the C functions that they call, named at each. An object itself is one thread's at a time.
 * Cost: that of the C function; a resource adds the virtual call of std::pmr. */
#ifndef WALLOC_HPP
#define WALLOC_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <new>
#include <type_traits>
#include <utility>

#include "walloc.h"
#include "walloc_context.h"
#include "walloc_frames.h"

/* Two copies of the library in one program, each with a WALLOC_NAMESPACE of its own, have different classes too. */
#ifdef WALLOC_NAMESPACE
#define WALLOC_CPP_NAMESPACE WALLOC_JOIN(WALLOC_NAMESPACE, classes)
#else
#define WALLOC_CPP_NAMESPACE classes
#endif

namespace walloc {
inline namespace WALLOC_CPP_NAMESPACE {

/* ---- Errors ------------------------------------------------------------------------------- */

/* Why an allocation failed: one of walloc_alloc's or walloc_malloc's errors. */
class bad_alloc : public std::bad_alloc {
public:
  explicit bad_alloc(walloc_error reason) noexcept : reason_(reason) {}
  const char *what() const noexcept override { return walloc_error_text(reason_); }
  walloc_error error() const noexcept { return reason_; }

private:
  walloc_error reason_;
};

namespace detail {

[[noreturn]] inline void fail(walloc_error reason) {
#if defined(__cpp_exceptions)
  throw bad_alloc(reason);
#else
  std::fprintf(stderr, "walloc: %s\n", walloc_error_text(reason));
  std::abort();
#endif
}

inline void *require(void *block) {
  if (block == nullptr)
    fail(walloc_last_error());
  return block;
}

/* C++ allows to ask for nothing, and wants an address for it. */
inline std::size_t at_least_one(std::size_t bytes) noexcept { return bytes == 0 ? 1 : bytes; }

template <class T> std::size_t bytes_of(std::size_t count) {
  if (count > SIZE_MAX / sizeof(T))
    fail(WALLOC_ERROR_SIZE);
  return count * sizeof(T);
}

/* Arenas give every block 8 bytes of alignment, and this one as much more as is asked for. */
inline void *take(walloc_arena *arena, std::size_t bytes, std::size_t alignment) {
  bytes = at_least_one(bytes);
  return require(alignment <= WALLOC_ALIGNMENT_MIN ? walloc_alloc(arena, bytes)
                                                   : walloc_alloc_aligned(arena, bytes, alignment));
}

/* The heap gives every block 16 bytes of alignment. */
inline void *take_from_heap(std::size_t bytes, std::size_t alignment) {
  return require(alignment <= 16 ? walloc_malloc(bytes) : walloc_aligned_alloc(alignment, bytes));
}

} // namespace detail

/* ---- std::pmr ----------------------------------------------------------------------------- */

/* Out of an arena. Any thread may allocate. Blocks whose type wants no more than the arena's own alignment come from
 * the thread's lane, as from walloc_alloc. Equal only to itself. */
class arena_resource final : public std::pmr::memory_resource {
public:
  explicit arena_resource(walloc_arena *arena) noexcept : arena_(arena) {
    walloc_arena_stats stats;
    if (walloc_get_arena_stats(arena, &stats) == WALLOC_OK)
      alignment_ = stats.alignment;
  }
  walloc_arena *arena() const noexcept { return arena_; }

private:
  void *do_allocate(std::size_t bytes, std::size_t alignment) override {
    return detail::take(arena_, bytes, alignment <= alignment_ ? 1 : alignment);
  }
  void do_deallocate(void *, std::size_t, std::size_t) override {}
  bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override {
    return this == &other;
  }

  walloc_arena *arena_;
  std::size_t alignment_ = WALLOC_ALIGNMENT_MIN; /* of the arena */
};

/* Out of the heap: see heap(). Needs no walloc_init. */
class heap_resource final : public std::pmr::memory_resource {
  void *do_allocate(std::size_t bytes, std::size_t alignment) override {
    return detail::take_from_heap(bytes, alignment);
  }
  void do_deallocate(void *block, std::size_t, std::size_t) override { walloc_free(block); }
  bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override {
    return this == &other;
  }
};

/* The heap's resource: one for the whole program, never destroyed. Any thread. */
inline std::pmr::memory_resource *heap() {
  alignas(heap_resource) static unsigned char place[sizeof(heap_resource)];
  static std::pmr::memory_resource *resource = ::new (static_cast<void *>(place)) heap_resource;
  return resource;
}

/* ---- Allocators for containers ------------------------------------------------------------ */

/* Out of the heap. All are equal: containers may swap and splice. Any thread. */
template <class T> class heap_allocator {
public:
  using value_type = T;
  using is_always_equal = std::true_type;

  heap_allocator() = default;
  template <class U> heap_allocator(const heap_allocator<U> &) noexcept {}

  [[nodiscard]] T *allocate(std::size_t count) {
    return static_cast<T *>(detail::take_from_heap(detail::bytes_of<T>(count), alignof(T)));
  }
  void deallocate(T *block, std::size_t) noexcept { walloc_free(block); }
};

template <class T, class U>
bool operator==(const heap_allocator<T> &, const heap_allocator<U> &) noexcept {
  return true;
}
template <class T, class U>
bool operator!=(const heap_allocator<T> &, const heap_allocator<U> &) noexcept {
  return false;
}

/* Out of an arena. Equal when the arena is the same; a container takes it along when it is moved or swapped. Any
 * thread may allocate. */
template <class T> class arena_allocator {
public:
  using value_type = T;
  using is_always_equal = std::false_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  arena_allocator(walloc_arena *arena) noexcept : arena_(arena) {}
  template <class U>
  arena_allocator(const arena_allocator<U> &other) noexcept : arena_(other.arena()) {}

  [[nodiscard]] T *allocate(std::size_t count) {
    return static_cast<T *>(detail::take(arena_, detail::bytes_of<T>(count), alignof(T)));
  }
  void deallocate(T *, std::size_t) noexcept {}
  walloc_arena *arena() const noexcept { return arena_; }

private:
  walloc_arena *arena_;
};

template <class T, class U>
bool operator==(const arena_allocator<T> &a, const arena_allocator<U> &b) noexcept {
  return a.arena() == b.arena();
}
template <class T, class U>
bool operator!=(const arena_allocator<T> &a, const arena_allocator<U> &b) noexcept {
  return a.arena() != b.arena();
}

/* ---- Pins --------------------------------------------------------------------------------- */

/* A pin, from construction to the end: see walloc_frames.h. It belongs to the thread that made it, and must end
 * there. */
class pin {
public:
  /* walloc_pin. Without success: false, and error(). */
  explicit pin(walloc_arena *arena) noexcept : error_(walloc_pin(arena)), arena_(arena) {}

  /* walloc_pin_ref: also false when the reference is stale. */
  explicit pin(walloc_ref ref) noexcept : arena_(ref.arena), address_(walloc_pin_ref(ref)) {
    error_ = address_ != nullptr ? WALLOC_OK : walloc_last_error();
  }

  pin(pin &&other) noexcept
      : error_(std::exchange(other.error_, WALLOC_ERROR_HANDLE)), arena_(other.arena_),
        address_(std::exchange(other.address_, nullptr)) {}
  pin(const pin &) = delete;
  pin &operator=(const pin &) = delete;
  pin &operator=(pin &&) = delete;
  ~pin() { unpin(); }

  explicit operator bool() const noexcept { return error_ == WALLOC_OK; }
  walloc_error error() const noexcept { return error_; }

  /* Of the reference it was made from; null otherwise. */
  void *address() const noexcept { return address_; }

  /* Ends it early. HANDLE when it holds nothing. */
  walloc_error unpin() noexcept {
    if (error_ != WALLOC_OK)
      return WALLOC_ERROR_HANDLE;
    error_ = WALLOC_ERROR_HANDLE;
    address_ = nullptr;
    return walloc_unpin(arena_);
  }

private:
  walloc_error error_;
  walloc_arena *arena_;
  void *address_ = nullptr;
};

/* ---- Marks -------------------------------------------------------------------------------- */

/* A mark at construction; at the end all that was allocated from the arena after it is gone, whoever allocated it.
 * Containers in there must have ended before: declare them behind it. */
class scope {
public:
  /* walloc_set_mark. Without success: false, error(), and nothing will be thrown away. */
  explicit scope(walloc_arena *arena) noexcept : error_(walloc_set_mark(arena, &mark_)) {}
  scope(const scope &) = delete;
  scope &operator=(const scope &) = delete;

  /* What rewind() returns is lost here: where the arena may be pinned, call that. */
  ~scope() { rewind(); }

  explicit operator bool() const noexcept { return error_ == WALLOC_OK; }
  walloc_error error() const noexcept { return error_; }

  /* Ends it now, by walloc_rewind. After PINNED, BUSY or LIMIT it can be tried again. HANDLE when it holds none. */
  walloc_error rewind() noexcept {
    if (error_ != WALLOC_OK)
      return WALLOC_ERROR_HANDLE;
    walloc_error result = walloc_rewind(mark_);
    if (result == WALLOC_OK || result == WALLOC_ERROR_STALE)
      error_ = WALLOC_ERROR_HANDLE;
    return result;
  }

  /* Keeps what was allocated. */
  void keep() noexcept { error_ = WALLOC_ERROR_HANDLE; }

private:
  walloc_mark mark_{};
  walloc_error error_;
};

/* ---- Contexts ----------------------------------------------------------------------------- */

/* One reference to a context: see walloc_context.h. A copy is a reference more, which any thread may hold. */
class context {
public:
  context() = default;

  /* walloc_context_create. Without success: false, and walloc_last_error(). */
  static context create(walloc_arena *arena, unsigned flags = 0) noexcept {
    return context(walloc_context_create(arena, flags));
  }

  /* Takes over a reference that somebody has: of a handle that was sent, for example. */
  static context adopt(walloc_context handle) noexcept { return context(handle); }

  /* Where there are WALLOC_REFERENCES_MAX already, the copy is empty. */
  context(const context &other) noexcept {
    if (walloc_context_retain(other.handle_) == WALLOC_OK)
      handle_ = other.handle_;
  }
  context(context &&other) noexcept : handle_(std::exchange(other.handle_, WALLOC_NO_CONTEXT)) {}
  context &operator=(context other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  /* What release() returns is lost here, and with PINNED or BUSY the reference: where the arena is to be reset at
   * the end and may be pinned, call that. */
  ~context() { release(); }

  explicit operator bool() const noexcept { return handle_ != WALLOC_NO_CONTEXT; }
  walloc_context handle() const noexcept { return handle_; }
  walloc_arena *arena() const noexcept { return walloc_context_arena(handle_); }

  /* Ends it early, by walloc_context_release. After PINNED or BUSY it is still held. HANDLE when it is empty. */
  walloc_error release() noexcept {
    if (handle_ == WALLOC_NO_CONTEXT)
      return WALLOC_ERROR_HANDLE;
    walloc_error result = walloc_context_release(handle_);
    if (result != WALLOC_ERROR_PINNED && result != WALLOC_ERROR_BUSY)
      handle_ = WALLOC_NO_CONTEXT;
    return result;
  }

  /* The handle, whose reference is the caller's from now on. */
  walloc_context detach() noexcept { return std::exchange(handle_, WALLOC_NO_CONTEXT); }

private:
  explicit context(walloc_context handle) noexcept : handle_(handle) {}

  walloc_context handle_ = WALLOC_NO_CONTEXT;
};

} // namespace WALLOC_CPP_NAMESPACE
} // namespace walloc

#endif
