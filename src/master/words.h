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
struct rfk_settings_table;

/* The settings in force say which personality: the head of each line. */
void words_choose(const struct rfk_settings_table *);

void words_spawning(const struct child *);
void words_spawned(const struct child *);
void words_ready(const struct child *);
void words_reaped(const struct child *);
/* It is told to leave because another generation has come. */
void words_replaced(const struct child *);
void words_exiting(const struct child *); /* it has said so */
/* What it has served makes it ask for a refork. */
void words_volunteered(const struct child *, uint64_t requests);
void words_mold_spawned(const struct moldlink *);
void words_mold_ready(const struct moldlink *);
void words_mold_terminating(const struct moldlink *);
void words_mold_reaped(const struct moldlink *);
/* Past its deadline: killed next. */
void words_overdue(const struct child *, const struct board_view *,
    uint64_t took_ms, uint64_t limit_ms);
void words_master_ready(const struct master *);
/* `why` is "SIGTERM" or another reason. */
void words_master_stopping(
    const struct master *, bool graceful, const char *why);
void words_master_complete(const struct master *);

#endif
