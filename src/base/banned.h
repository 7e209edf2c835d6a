/*
 * banned.h - functions that have no place here; included by every .c of src/
 * through the compiler's -include. fork has its own two homes: see t/layers.t.
 *
 * Runs in:    every process
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <signal.h>
#include <stdio.h>
#include <string.h>

#undef sprintf /* macros under clang and _FORTIFY_SOURCE */
#undef vsprintf
#pragma GCC poison strcpy strcat strtok gets sprintf vsprintf

#endif
