/* Contexts, for the rooms above: walloc_context.h has what programs call. */
#ifndef WALLOC_CONTEXT_CONTEXT_H
#define WALLOC_CONTEXT_CONTEXT_H

/* All contexts are gone. Alone: walloc_shutdown. */
void walloc_contexts_end(void);

#endif
