# walloc as a port of Emscripten: built from this checkout when it is first used, and kept in Emscripten's cache.
#
#     emcc -pthread --use-port=path/to/walloc/ports/walloc.py program.c -o program.js
#     emcc -pthread --use-port=path/to/walloc/ports/walloc.py:malloc=true:hardened=true program.c -o program.js
#
# Give it the same way when compiling and when linking: compiling finds the headers, linking the library. What else the
# program is compiled for decides the variant: -pthread, -sMEMORY64, -flto. docs/embedding.md has more.
import hashlib
import os
import re

DESCRIPTION = 'A shared-memory allocator for threaded WebAssembly'
LICENSE = 'MIT license'

OPTIONS = {
  'malloc': "true: in place of the C library's malloc. Default: false",
  'hardened': 'true: notices misuse of the heap, slower. Default: false',
}

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = os.path.join(CHECKOUT, 'include')

chosen = {'malloc': False, 'hardened': False}


def handle_options(options, error_handler):
  for name, value in options.items():
    if value not in ('true', 'false'):
      error_handler(f'[walloc] {name} is true or false, not `{value}`')
    chosen[name] = value == 'true'


def source_lists():
  """The lists of src/sources.cmake, which say what is compiled for what."""
  with open(os.path.join(CHECKOUT, 'src', 'sources.cmake'), encoding='utf-8') as file:
    text = re.sub(r'#.*', '', file.read())
  return {name: files.split() for name, files in re.findall(r'set\((WALLOC_\w+)\s+([^)$]*)\)', text)}


def sources(threads):
  lists = source_lists()
  names = ['WALLOC_SOURCES', 'WALLOC_PLATFORM_LINKED']
  if chosen['malloc']:
    names += ['WALLOC_SOURCES_MALLOC', 'WALLOC_SOURCES_MALLOC_LINKED']
  if not threads:
    names.append('WALLOC_PLATFORM_LINKED_SINGLE')
  elif chosen['malloc']:
    names.append('WALLOC_PLATFORM_LINKED_THREADS_MALLOC')
  else:
    names.append('WALLOC_PLATFORM_LINKED_THREADS')
  files = [file for name in names for file in lists[name]]
  hot = lists['WALLOC_SOURCES_HOT']
  return {'hot': hot, 'small': [file for file in files if file not in hot]}


def digest():
  """Of all that is compiled, so that another checkout, or this one when it has changed, has a library of its own."""
  sums = hashlib.sha256()
  for folder in ('src', 'include', 'ports'):
    for path, folders, files in os.walk(os.path.join(CHECKOUT, folder)):
      folders.sort()
      for name in sorted(files):
        if name.endswith(('.c', '.h', '.cmake', '.py')):
          with open(os.path.join(path, name), 'rb') as file:
            sums.update(name.encode() + b'\0' + file.read() + b'\0')
  return sums.hexdigest()[:12]


def library_name(part, settings):
  words = ['libwalloc', digest(), part]
  words += [option for option in ('malloc', 'hardened') if chosen[option]]
  words += ['mt'] if settings.PTHREADS else []
  return '-'.join(words) + '.a'


def flags(part, settings):
  # The C library's names are functions like any other here, not what the compiler knows about them.
  result = ['-std=c11', '-DNDEBUG', '-fno-builtin-malloc', '-fno-builtin-calloc']
  result += ['-O3'] if part == 'hot' else ['-Oz']
  result += ['-pthread'] if settings.PTHREADS else []
  result += ['-DWALLOC_HARDENED'] if chosen['hardened'] else []
  return result


# Two libraries, as what every allocation runs through is compiled for speed and the rest to be small.
def get(ports, settings, shared):
  def library(part, files):
    def create(final):
      ports.build_port(CHECKOUT, final, f'walloc-{part}', srcs=files, flags=flags(part, settings),
                       includes=[INCLUDE, os.path.join(CHECKOUT, 'src')])

    return shared.cache.get_lib(library_name(part, settings), create, what='port')

  return [library(part, files) for part, files in sources(settings.PTHREADS).items()]


def clear(ports, settings, shared):
  for part in ('hot', 'small'):
    shared.cache.erase_lib(library_name(part, settings))


def process_args(ports):
  return ['-I' + INCLUDE]


def linker_setup(ports, settings):
  if chosen['malloc']:
    settings.MALLOC = 'none'
