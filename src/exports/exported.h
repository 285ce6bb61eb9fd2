/* How a function of this room becomes an export, or an import: of walloc.wasm, or in libwalloc_javascript.a of the
 * Emscripten program that it is linked into, where names have a prefix beside the program's own. */
#ifndef WALLOC_EXPORTS_EXPORTED_H
#define WALLOC_EXPORTS_EXPORTED_H

#ifdef WALLOC_EXPORTS_LINKED
#define EXPORTED(name) __attribute__((export_name("walloc_js_" name)))
#define IMPORTED(module, name) /* defined in linked.c */
#define EXPORTS_ARE_LINKED true
#else
#define EXPORTED(name) __attribute__((export_name(name)))
#define IMPORTED(module, name) __attribute__((import_module(module), import_name(name)))
#define EXPORTS_ARE_LINKED false
#endif

#endif
