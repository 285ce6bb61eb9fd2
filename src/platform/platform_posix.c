/* What native and linked programs have beside walloc.wasm: errno. */
#include "platform/platform.h"

#include <errno.h>

void walloc_platform_set_errno(bool out_of_memory) { errno = out_of_memory ? ENOMEM : EINVAL; }
