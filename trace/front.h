/* What the two fronts share: when the recording begins. */
#ifndef WALLOC_TRACE_FRONT_H
#define WALLOC_TRACE_FRONT_H

/* Begins a recording if the environment, or under Emscripten the page, asks for one. Before main, alone. */
void begin_from_environment(void);

#endif
