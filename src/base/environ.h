/*
 * environ.h - variables that one image puts for the next one, and that nobody
 * further down shall see.
 *
 * What malloc, the loader and Ruby read as they start must stand in the
 * environment of an exec; what the application spawns later must have the
 * user's own. So the image that puts a variable writes down what was there
 * before (in REFORKD_PUT), and the next one takes all of it out again.
 *
 * Runs in:    master (in the child that execs a mold), mold
 * Owns:       what was put, for as long as the process lives
 * After fork: inherited
 * Raises:     never; the environment is changed, so no other thread may run C
 *             that reads it
 */
#ifndef BASE_ENVIRON_H
#define BASE_ENVIRON_H

#include <stddef.h>

/* For the exec that follows: 0, -ENOMEM, -EINVAL. */
int environ_put(const char *name, const char *value);
/* The same, unless the user has set it, were it to "". */
int environ_default(const char *name, const char *value);

/*
 * The next image, once Ruby has started: the user's environment is back. 0,
 * -ENOMEM.
 */
int environ_take_back(void);
/* What this image was started with, or NULL. */
const char *environ_was_put(const char *name);
/* Each of them: NULL after the last. */
const char *environ_put_at(size_t i, const char **value);
/* For an exec of its own: everything that was put, but what is forgotten. */
void environ_forget(const char *name);
int environ_put_again(void);

#endif
