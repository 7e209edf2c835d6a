/*
 * words.h - log lines in the words of the personality: what unicorn's and
 * pitchfork's users grep for and alert on.
 *
 * Runs in:    master
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef MASTER_WORDS_H
#define MASTER_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct board_view;
struct child;
struct master;
struct moldlink;

void words_spawning(const struct child *);
void words_spawned(const struct child *);
void words_ready(const struct child *);
void words_reaped(const struct child *);
void words_mold_reaped(const struct moldlink *);
/* Past its deadline: killed next. */
void words_overdue(
    const struct child *, const struct board_view *, uint64_t took_ms);
void words_master_ready(const struct master *);
void words_master_complete(const struct master *);

#endif
