/*
 * title.h - the process title of a process without Ruby.
 *
 * Runs in:    master only (Ruby has its own, and the same memory)
 * Owns:       a copy of the environment, made by title_init
 * After fork: the child may exec; it must not write the title
 * Raises:     never
 */
#ifndef BASE_TITLE_H
#define BASE_TITLE_H

/* First thing in main: environ moves away from the area the title may use. */
int title_init(int argc, char **argv);
void title_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
