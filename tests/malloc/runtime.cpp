/* What the runtime of a C++ program needs from its malloc: exceptions, streams, containers, aligned new,
 * objects that another thread releases, thread-local objects; under Emscripten also embind, which calls
 * between C++ and JavaScript. Eight threads do all of it at once.
 *
 * A round depends on its number only: its checksum is the same in every thread, and its parts check what
 * they know of the result beforehand. */
#include "walloc.h"

#include <array>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <exception>
#include <future>
#include <iomanip>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#ifdef __EMSCRIPTEN__
#include <emscripten.h>
#include <emscripten/bind.h>
#include <emscripten/proxying.h>
#include <emscripten/threading.h>
#include <emscripten/val.h>
#endif

namespace {

constexpr unsigned THREADS = 8, ROUNDS = 300;

std::atomic<unsigned> failures{0};

void check(bool holds, const char *what, int line) {
  if (holds)
    return;
  failures++;
  std::fprintf(stderr, "runtime.cpp:%d: not so: %s\n", line, what);
}

#define CHECK(condition) check((condition), #condition, __LINE__)

/* The compiler must not know where a block comes from, or it may do without. */
template <typename T> T *opaque(T *block) {
  T *volatile seen = block;
  return seen;
}

bool is_wallocs(const void *block) { return walloc_usable_size(opaque(block)) != 0; }

bool is_aligned(const void *block, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

std::uint64_t mix(std::uint64_t sum, std::uint64_t value) {
  return (sum ^ value) * 0x100000001b3 + (sum >> 29);
}

std::uint64_t mix(std::uint64_t sum, const std::string &text) {
  for (char c : text)
    sum = mix(sum, static_cast<unsigned char>(c));
  return sum;
}

/* Longer than what a string keeps inside itself. */
std::string long_text(unsigned n) {
  return "a text that needs a block of its own, number " + std::to_string(n);
}

/* ---- Exceptions ------------------------------------------------------------------------------ */

class refusal : public std::runtime_error {
public:
  refusal(const std::string &what, std::string reason)
      : std::runtime_error(what), reason_(std::move(reason)) {}
  const std::string &reason() const { return reason_; }

private:
  std::string reason_;
};

/* Each frame holds blocks, which are freed on the exception's way out. */
void throw_from(unsigned depth, unsigned round) {
  std::string held = long_text(depth);
  std::vector<std::string> more(depth + 1, held);
  if (depth == 0)
    throw refusal(held, long_text(round));
  throw_from(depth - 1, round);
  CHECK(more.size() == 0); /* is never come to */
}

/* Caught on the way, made longer, and thrown on. */
void throw_again(unsigned round) {
  try {
    throw_from(6, round);
  } catch (const refusal &caught) {
    CHECK(is_wallocs(caught.reason().data()));
    throw refusal(caught.what(), caught.reason() + " again");
  }
}

std::uint64_t catch_refusals(unsigned round) {
  std::exception_ptr kept;
  try {
    throw_again(round);
  } catch (const std::exception &) {
    kept = std::current_exception();
  }
  try {
    std::rethrow_exception(kept);
  } catch (const refusal &caught) {
    CHECK(caught.what() == long_text(0));
    CHECK(caught.reason() == long_text(round) + " again");
    return mix(1, caught.reason());
  }
  return 0;
}

/* More than any memory holds, in each of the forms of new. */
std::uint64_t refuse_impossible_sizes() {
  volatile std::size_t size = SIZE_MAX - 100000;
  unsigned caught = 0;
  try {
    ::operator delete(opaque(::operator new(size)));
  } catch (const std::bad_alloc &) {
    caught++;
  }
  try {
    delete[] opaque(new std::uint64_t[size / 2]); /* bad_array_new_length */
  } catch (const std::bad_alloc &) {
    caught++;
  }
  try {
    std::vector<char>().reserve(size);
  } catch (const std::length_error &) {
    caught++;
  }
  try {
    ::operator delete(opaque(::operator new(size, std::align_val_t(64))), std::align_val_t(64));
  } catch (const std::bad_alloc &) {
    caught++;
  }
  CHECK(caught == 4);
  CHECK(opaque(::operator new(size, std::nothrow)) == nullptr);
  CHECK(opaque(::operator new(size, std::align_val_t(64), std::nothrow)) == nullptr);
  return caught;
}

/* ---- Streams --------------------------------------------------------------------------------- */

std::uint64_t format_and_read(unsigned round) {
  std::ostringstream out;
  unsigned count = 40 + round % 50;
  for (unsigned i = 0; i < count; i++)
    out << i * round << ' ' << std::hex << i << std::dec << ' ' << std::setw(20) << std::fixed
        << std::setprecision(2) << i + 0.25 << ' ' << std::boolalpha << (i % 2 == 0) << '\n';
  std::istringstream in(out.str());
  std::uint64_t sum = 0;
  std::string line;
  for (unsigned i = 0; i < count; i++) {
    unsigned product = 0, number = 0;
    double quarter = 0;
    bool even = false;
    CHECK(static_cast<bool>(std::getline(in, line)));
    std::istringstream(line) >> product >> std::hex >> number >> quarter >> std::boolalpha >> even;
    CHECK(product == i * round && number == i && even == (i % 2 == 0));
    CHECK(quarter > i + 0.24 && quarter < i + 0.26);
    sum = mix(sum, line);
  }
  CHECK(!std::getline(in, line));
  return sum;
}

/* ---- Containers ------------------------------------------------------------------------------ */

std::uint64_t fill_maps(unsigned round) {
  std::map<std::string, std::vector<unsigned>> ordered;
  std::unordered_map<unsigned, std::string> hashed;
  for (unsigned i = 0; i < 200; i++) {
    ordered[long_text(i % 20)].push_back(i);
    hashed.emplace(i * 7 + round, long_text(i));
  }
  for (unsigned i = 0; i < 200; i += 2)
    CHECK(hashed.erase(i * 7 + round) == 1);
  CHECK(ordered.size() == 20 && hashed.size() == 100);
  CHECK(is_wallocs(ordered.begin()->second.data()));
  std::uint64_t sum = round, total = 0;
  for (const auto &[name, numbers] : ordered) {
    sum = mix(sum, name);
    for (unsigned number : numbers)
      total += number;
  }
  CHECK(total == 199 * 200 / 2);
  for (unsigned i = 1; i < 200; i += 2)
    sum = mix(sum, hashed.at(i * 7 + round));
  return sum;
}

/* By one byte at a time and by doubling, into the large blocks. */
std::uint64_t grow_sequences(unsigned round) {
  std::string text;
  std::vector<std::uint32_t> numbers;
  std::list<std::string> chain;
  for (unsigned i = 0; i < 5000; i++) {
    text += static_cast<char>('a' + (i + round) % 26);
    numbers.push_back(i ^ round);
    if (i % 50 == 0)
      chain.push_front(text.substr(0, i));
  }
  for (unsigned i = 0; i < 4; i++)
    text += text;
  CHECK(text.size() == 5000 * 16 && text.compare(75000, 5000, text, 0, 5000) == 0);
  CHECK(is_wallocs(text.data()) && is_wallocs(numbers.data()));
  std::size_t length = 0;
  for (const std::string &link : chain)
    length += link.size();
  CHECK(length == 50 * (99 * 100 / 2));
  std::uint64_t sum = mix(0, text.substr(0, 100));
  for (std::uint32_t i = 0; i < numbers.size(); i++)
    sum = mix(sum, numbers[i] ^ round ^ i);
  return sum;
}

/* ---- new and delete -------------------------------------------------------------------------- */

struct alignas(64) line_of_cache {
  unsigned numbers[16];
};

struct alignas(4096) page {
  unsigned char bytes[4096];
};

template <typename T> void check_objects(std::size_t count) {
  std::vector<T> row(count);
  std::unique_ptr<T> one(new T());
  std::unique_ptr<T[]> several(new T[count]());
  for (const T *object : {static_cast<const T *>(row.data()), static_cast<const T *>(one.get()),
                          static_cast<const T *>(several.get())}) {
    CHECK(is_aligned(object, alignof(T)));
    CHECK(is_wallocs(object));
  }
  std::memset(static_cast<void *>(several.get()), 0x5A, count * sizeof(T));
  const unsigned char *bytes = reinterpret_cast<const unsigned char *>(several.get());
  CHECK(bytes[0] == 0x5A && bytes[count * sizeof(T) - 1] == 0x5A);
}

void check_alignment(std::size_t alignment, std::size_t size) {
  const auto value = std::align_val_t(alignment);
  void *sized = opaque(::operator new(size, value));
  void *quiet = opaque(::operator new[](size, value, std::nothrow));
  CHECK(is_aligned(sized, alignment) && is_aligned(quiet, alignment) && sized != quiet);
  CHECK(walloc_usable_size(sized) >= size && walloc_usable_size(quiet) >= size);
  std::memset(sized, 1, size);
  std::memset(quiet, 2, size);
  CHECK(static_cast<char *>(sized)[size - 1] == 1 && static_cast<char *>(quiet)[0] == 2);
  ::operator delete(sized, size, value);
  ::operator delete[](quiet, value);
}

/* Arrays of what has a destructor: the runtime keeps their number in front of them. */
std::uint64_t new_and_delete(unsigned round) {
  check_objects<line_of_cache>(1 + round % 40);
  check_objects<page>(1 + round % 3);
  check_objects<std::uint64_t>(1 + round * 17 % 9000);
  for (std::size_t alignment = 8; alignment <= 65536; alignment *= 8)
    check_alignment(alignment, 1 + round * 31);
  std::size_t count = 1 + round % 70;
  std::unique_ptr<std::string[]> texts(new std::string[count]);
  for (unsigned i = 0; i < count; i++)
    texts[i] = long_text(i + round);
  std::uint64_t sum = count;
  for (unsigned i = 0; i < count; i++)
    sum = mix(sum, texts[i]);
  return sum;
}

/* ---- What one thread makes and another releases ----------------------------------------------- */

std::atomic<long> messages{0};

struct message {
  explicit message(unsigned n) : number(n), text(long_text(n)), ballast(n % 3000) { messages++; }
  message(const message &) = delete;
  message &operator=(const message &) = delete;
  ~message() { messages--; }
  const unsigned number;
  const std::string text;
  const std::vector<char> ballast;
};

struct mailbox {
  std::mutex lock;
  std::shared_ptr<const message> content;
};

std::array<mailbox, THREADS + 1> mailboxes;

std::shared_ptr<const message> exchange(mailbox &box, std::shared_ptr<const message> brought) {
  const std::lock_guard<std::mutex> guard(box.lock);
  std::swap(box.content, brought);
  return brought;
}

/* Brings a message to each box and takes away what lies there, mostly of another thread. The last of all
 * who have it releases it. */
void exchange_messages(unsigned round) {
  auto brought = std::make_shared<const message>(round);
  std::weak_ptr<const message> watched = brought;
  CHECK(is_wallocs(brought->text.data()));
  for (mailbox &box : mailboxes) {
    std::shared_ptr<const message> taken = exchange(box, brought);
    CHECK(!taken || taken->text == long_text(taken->number));
    CHECK(!taken || taken->ballast.size() == taken->number % 3000);
  }
  CHECK(watched.lock() == brought);
}

/* The state that promise and future share is made here and, half of the time, freed there. */
std::uint64_t promise_and_keep(unsigned round) {
  std::promise<std::string> promise;
  std::future<std::string> future = promise.get_future();
  promise.set_value(long_text(round));
  std::future<std::string> other = std::move(future);
  return mix(3, other.get());
}

/* ---- Thread-local objects -------------------------------------------------------------------- */

std::atomic<unsigned> diaries_closed{0};
std::atomic<std::uint64_t> entries_closed{0};

/* Made when its thread first writes; destroyed while the thread ends, where it allocates once more. */
class diary {
public:
  void write(unsigned round) { entries_.push_back(long_text(round)); }
  ~diary() {
    std::string all;
    for (const std::string &entry : entries_)
      all += entry;
    CHECK(all.empty() || is_wallocs(all.data()));
    entries_closed += entries_.size();
    diaries_closed++;
  }

private:
  std::vector<std::string> entries_;
};

thread_local diary own_diary;

#ifdef __EMSCRIPTEN__

/* ---- embind ---------------------------------------------------------------------------------- */

class basket {
public:
  explicit basket(std::string name) : name_(std::move(name)) {}
  void add(const std::string &what, unsigned count) { content_[what] += count; }
  std::string name() const { return name_; }
  std::vector<std::string> list() const {
    std::vector<std::string> all;
    for (const auto &[what, count] : content_)
      all.push_back(what + ": " + std::to_string(count));
    return all;
  }

private:
  std::string name_;
  std::map<std::string, unsigned> content_;
};

std::string repeat(const std::string &text, unsigned times) {
  std::string all;
  for (unsigned i = 0; i < times; i++)
    all += text;
  return all;
}

EMSCRIPTEN_BINDINGS(runtime) {
  emscripten::register_vector<std::string>("Texts");
  emscripten::class_<basket>("Basket")
      .constructor<std::string>()
      .function("add", &basket::add)
      .function("name", &basket::name)
      .function("list", &basket::list);
  emscripten::function("repeat", &repeat);
}

/* JavaScript's objects from C++, in each thread: its own. */
std::uint64_t call_javascript(unsigned round) {
  using emscripten::val;
  val object = val::object();
  std::vector<unsigned> numbers{round, round + 1, round + 2};
  object.set("numbers", val::array(numbers));
  object.set("text", long_text(round));
  std::string json = val::global("JSON").call<std::string>("stringify", object);
  val parsed = val::global("JSON").call<val>("parse", json);
  CHECK(parsed["text"].as<std::string>() == long_text(round));
  CHECK(emscripten::vecFromJSArray<unsigned>(parsed["numbers"]) == numbers);
  CHECK(is_wallocs(json.data()));
  return mix(4, json);
}

/* C++ from JavaScript: in how many of the rounds everything was as it should be. */
/* clang-format off */
EM_JS(unsigned, rounds_from_javascript, (unsigned rounds), {
  let right = 0;
  for (let round = 0; round < rounds; round++) {
    const basket = new Module['Basket']('basket ' + 'x'.repeat(round * 50));
    for (const what of ['apples', 'pears', 'apples']) basket['add'](what, round);
    const list = basket['list']();
    const texts = new Module['Texts']();
    for (let i = 0; i < 30; i++) texts['push_back'](Module['repeat']('ab', (round % 20) * i * 40));
    const found = [basket['name'](), list['size'](), list['get'](0), list['get'](1)];
    found.push(texts['size'](), texts['get'](29));
    const wanted = ['basket ' + 'x'.repeat(round * 50), 2, 'apples: ' + 2 * round];
    wanted.push('pears: ' + round, 30, 'ab'.repeat((round % 20) * 29 * 40));
    for (const object of [basket, list, texts]) object['delete']();
    if (found.join() === wanted.join()) right++;
  }
  return right;
});
/* clang-format on */

/* Also on the main thread, which in a browser must not wait for the others, and gets its blocks still. */
void call_both_ways(void *right) {
  unsigned rounds = rounds_from_javascript(ROUNDS);
  for (unsigned round = 0; round < ROUNDS; round++)
    call_javascript(round);
  *static_cast<unsigned *>(right) = rounds;
}

void call_on_main_thread() {
  unsigned right = 0;
  CHECK(emscripten_proxy_sync(emscripten_proxy_get_system_queue(),
                              emscripten_main_runtime_thread_id(), call_both_ways, &right));
  CHECK(right == ROUNDS);
}

void call_on_this_thread() {
  unsigned right = 0;
  call_both_ways(&right);
  CHECK(right == ROUNDS);
}

#endif

/* ---- Rounds ---------------------------------------------------------------------------------- */

std::uint64_t play_round(unsigned round) {
  own_diary.write(round);
  exchange_messages(round);
  std::uint64_t sum = catch_refusals(round);
  sum = mix(sum, refuse_impossible_sizes());
  sum = mix(sum, format_and_read(round));
  sum = mix(sum, fill_maps(round));
  sum = mix(sum, grow_sequences(round));
  sum = mix(sum, new_and_delete(round));
  sum = mix(sum, promise_and_keep(round));
#ifdef __EMSCRIPTEN__
  sum = mix(sum, call_javascript(round));
#endif
  return sum;
}

std::uint64_t play_rounds() {
  std::uint64_t sum = 0;
  for (unsigned round = 0; round < ROUNDS; round++)
    sum = mix(sum, play_round(round));
  return sum;
}

void play_with_threads() {
  std::array<std::uint64_t, THREADS> sums{};
  std::vector<std::thread> threads;
  for (std::uint64_t &sum : sums)
    threads.emplace_back([&sum] { sum = play_rounds(); });
#ifdef __EMSCRIPTEN__
  call_on_main_thread();
  call_on_this_thread();
#endif
  std::uint64_t own = play_rounds();
  for (std::thread &thread : threads)
    thread.join();
  for (unsigned i = 0; i < THREADS; i++) {
    std::printf("thread %u: %016" PRIx64 "\n", i, sums[i]);
    CHECK(sums[i] == own);
  }
}

} // namespace

int main() {
  play_with_threads();
  CHECK(diaries_closed == THREADS);
  CHECK(entries_closed == std::uint64_t{THREADS} * ROUNDS);
  for (mailbox &box : mailboxes)
    exchange(box, nullptr);
  CHECK(messages == 0);
  if (failures == 0)
    std::printf("runtime: all as expected\n");
  return failures == 0 ? 0 : 1;
}
