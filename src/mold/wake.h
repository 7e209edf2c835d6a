/*
 * wake.h - a mold's signals. It is told what to do over its channel; from
 * outside only TERM counts. INT and QUIT reach it with the terminal's whole
 * group: what they mean is the master's to say, so they do nothing here, and
 * neither do HUP, USR1, USR2 and the rest.
 *
 * Runs in:    mold
 * Owns:       an eventfd, written by the TERM handler
 * After fork: a worker calls wake_close; its own handlers replace these
 * Raises:     never
 */
#ifndef MOLD_WAKE_H
#define MOLD_WAKE_H

#include <stdbool.h>

int wake_open(void); /* the eventfd to poll, or -errno */
void wake_close(void);
/*
 * Sets the handlers of the signals that the application has not trapped; the
 * others are returned, 1 << n each.
 */
unsigned int wake_claim(void);
bool wake_is_term(void); /* TERM came */

#endif
