/* How a function of this room becomes an export of walloc.wasm, or an import into it. */
#ifndef WALLOC_EXPORTS_EXPORTED_H
#define WALLOC_EXPORTS_EXPORTED_H

#define EXPORTED(name) __attribute__((export_name(name)))
#define IMPORTED(module, name) __attribute__((import_module(module), import_name(name)))

#endif
