/* The table of span sizes. A unit test computes it again from the rule in classes.h. */
#include "heap/classes.h"

/* clang-format off */
const uint8_t walloc_span_pages[CLASSES] = {
    1, 1, 1, 1, 1, 1, 1, 1, /*    16 to   128 */
    1, 1, 1, 1, 1, 1, 1, 1, /*   160 to   512 */
    1, 1, 1, 1, 1, 1, 1, 1, /*   640 to  2048 */
    2, 3, 1, 1, 4, 3, 2, 2, /*  2560 to  8192 */
    5, 3, 4, 4, 5, 6, 7, 8, /* 10240 to 32768 */
};
