/*
 * ask.h - one question to a master, and its answer, record by record.
 *
 * Runs in:    reforkctl
 * Owns:       nothing
 * After fork: does not fork
 * Raises:     never
 */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include "base/record.h"
#include "ctl/command.h"

/* Called for each line of the answer. */
typedef void ask_record(void *arg, const struct record *);

/* As long as a master takes that only looks around. */
#define ASK_SOON_MS 5000
/* Workers answer between two requests; the master waits 10 s for them. */
#define ASK_WORKERS_MS 15000
#define ASK_FOR_EVER (-1)

/*
 * 0 and the text of its end, printed when there is one; else an exit code, and
 * why was said on stderr. Workers that did not answer are named there.
 */
int ask(const char *path, const char *request, int timeout_ms, ask_record *,
    void *arg);

enum exit_code ask_code(int error); /* what an errno means to the caller */

#endif
