/* What the test programs share: a check that says where it failed. */

#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            exit(1); \
        } \
    } while (0)

/* The call gives this result and sets errno. */
#define FAILS(call, result, number) \
    do { \
        errno = 0; \
        CHECK((call) == (result)); \
        CHECK(errno == (number)); \
    } while (0)

/* The call has no result and sets errno. */
#define REFUSES(call, number) \
    do { \
        errno = 0; \
        call; \
        CHECK(errno == (number)); \
    } while (0)

#endif
