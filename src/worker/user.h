/*
 * user.h - a worker becomes the user of the `user` directive.
 *
 * Runs in:    worker of generation 0, after its callbacks; later generations
 *             are born switched, and nothing happens
 * Owns:       nothing
 * After fork: a child has the same user
 * Raises:     never
 */
#ifndef WORKER_USER_H
#define WORKER_USER_H

#include <stddef.h>

struct self;

/* 0, or -errno with the reason in text. Log files become the user's first. */
int user_switch(const struct self *, char *text, size_t size);

#endif
