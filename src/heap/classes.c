/* The table of span sizes. A unit test computes it again from the rule in classes.h. */
#include "heap/classes.h"

/* clang-format off */
const uint8_t walloc_span_pages[CLASSES] = {
    1, 1, 1, 1, 1, 1, 1, 1, /*   16 to   128 */
    1, 1, 1, 1, 1, 1, 1, 1, /*  144 to   256 */
    1, 1, 1, 1, 1, 1, 1, 1, /*  288 to   512 */
    1, 1, 1, 1, 1, 1, 1, 1, /*  576 to  1024 */
    1, 1, 1, 1, 1, 1, 1, 1, /* 1152 to  2048 */
    1, 1, 2, 1, 2, 1, 1, 1, /* 2304 to  4096 */
    2, 1, 3, 2, 3, 1, 1, 1, /* 4608 to  8192 */
    3, 2, 3, 3, 5, 1, 1, 1, /* 9216 to 16384 */
    5, 4, 3, 3, 5, 2, 2, 2, /* 18432 to 32768 */
};
